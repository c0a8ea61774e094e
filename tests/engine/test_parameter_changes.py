"""A change of a parameter's type or source, by Pulumi's engine: no value is lost unawares.

The commands that a refusal gives are run as they stand there.
"""

import json

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, Stack, advice
from tests.recording import PROJECT

pytestmark = [pytest.mark.exhaustive, needs_cli]

CONFIG = {"type": "SecureString", "from": "config"}
GENERATE = {"type": "SecureString", "from": "generate"}
PLAIN = {"type": "String", "value": "plain"}


@pytest.mark.parametrize("source", ["generate", "external"])
def test_a_secure_string_that_leaves_the_config_keeps_its_value(stack: Stack, source: str) -> None:
    stack.configure(CANARY, x=CONFIG)
    stack.up()
    stack.configure(x={**GENERATE, "from": source})
    for command in advice(stack):
        stack.run(command)
    assert stack.value() == CANARY
    assert "to create" not in stack.preview()
    stack.up()
    assert stack.value() == CANARY


def test_a_string_that_is_to_be_generated_is_encrypted_first_and_keeps_its_value(
    stack: Stack,
) -> None:
    stack.configure(x=PLAIN)
    stack.up()
    stack.configure(x=GENERATE)
    set_value, up = advice(stack)
    stack.configure(x=CONFIG)
    stack.run(set_value, "plain")
    stack.run(up)
    assert stack.value() == "plain"
    stack.configure(x=GENERATE)
    for command in advice(stack):
        stack.run(command)
    found = stack.ssm.get_parameter(Name=stack.parameter_name, WithDecryption=True)["Parameter"]
    assert (found["Type"], found["Value"]) == ("SecureString", "plain")


def test_a_generated_value_is_taken_over_into_the_config(stack: Stack) -> None:
    stack.configure(x=GENERATE)
    stack.up()
    generated = stack.value()
    stack.configure("another", x=CONFIG)
    for command in advice(stack):
        stack.run(command)
    assert stack.value() == generated
    assert "x" in stack.run("pulumi stack --show-urns")
    assert str(generated) not in json.dumps(stack.state())


def test_an_external_value_is_taken_over_into_the_config(stack: Stack) -> None:
    stack.configure(x={**GENERATE, "from": "external"})
    stack.up()
    key = f"alias/{PROJECT}/{stack.name}"
    stack.ssm.put_parameter(
        Name=stack.parameter_name, Type="SecureString", KeyId=key, Value=CANARY
    )
    stack.configure("another", x=CONFIG)
    for command in advice(stack):
        stack.run(command)
    assert stack.value() == CANARY


def test_a_value_put_over_the_configs_is_taken_over_before_the_next_change(stack: Stack) -> None:
    stack.configure("first", x=CONFIG)
    stack.up()
    stack.ssm.put_parameter(Name=stack.parameter_name, Value=CANARY, Overwrite=True)
    stack.up()
    stack.configure("second", x={**CONFIG, "description": "which is written with the value"})
    for command in advice(stack):
        assert stack.value() == CANARY
        stack.run(command)
    assert stack.value() == CANARY
    stack.configure("third", x=CONFIG)
    stack.up()
    assert stack.value() == "third"


def test_a_value_put_over_the_configs_is_overwritten_by_the_same_commands_but_the_first(
    stack: Stack,
) -> None:
    stack.configure("first", x=CONFIG)
    stack.up()
    stack.ssm.put_parameter(Name=stack.parameter_name, Value=CANARY, Overwrite=True)
    stack.configure("second", x=CONFIG)
    for command in advice(stack)[1:]:
        stack.run(command)
    assert stack.value() == "second"


def test_a_string_under_another_name_leaves_the_generated_value_alone(stack: Stack) -> None:
    stack.configure(x=GENERATE)
    stack.up()
    generated = stack.value()
    stack.configure(x=PLAIN)
    assert advice(stack) == []
    stack.configure(x=GENERATE, another=PLAIN)
    stack.up()
    assert stack.value() == generated


def test_a_value_that_nobody_needs_goes_with_the_parameter(stack: Stack) -> None:
    stack.configure(x=PLAIN)
    stack.up()
    stack.configure()
    for command in advice(stack):
        stack.run(command)
    assert stack.value() is None
    stack.configure(x=GENERATE)
    stack.up()
    assert stack.value() not in (None, "plain")
    stack.configure()
    stack.up()
    stack.ssm.delete_parameter(Name=stack.parameter_name)
    stack.configure(x=PLAIN)
    stack.up()
    assert stack.value() == "plain"


def test_other_changes_of_a_parameter_pass(stack: Stack) -> None:
    stack.configure(CANARY, x=CONFIG)
    stack.up()
    stack.configure("another", x={**CONFIG, "description": "of the tests"})
    stack.up()
    assert stack.value() == "another"
    stack.configure(x=PLAIN)
    stack.up()
    assert stack.value() == "plain"


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_a_stack_that_was_never_deployed_can_be_previewed(
    stack: Stack, *, has_snapshot: bool
) -> None:
    stack.configure(CANARY, x=CONFIG)
    if not has_snapshot:  # as some versions of the CLI write it
        written = json.loads(stack.state_file.read_text())
        del written["checkpoint"]["latest"]
        stack.state_file.write_text(json.dumps(written))
    assert "to create" in stack.preview()
    stack.up()
    assert stack.value() == CANARY


def test_the_engine_logs_no_value_while_it_tells_the_program_of_the_state(stack: Stack) -> None:
    stack.configure(CANARY, x=CONFIG)
    stack.up()
    logged = stack.run("pulumi preview -v=9 --logtostderr 2>&1")
    assert "readStackResourceOutputs" in logged
    assert CANARY not in logged

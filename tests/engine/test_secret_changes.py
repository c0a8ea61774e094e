"""A change of a secret's source or text, by Pulumi's engine: no value is lost or overwritten.

The commands that a refusal gives are run as they stand there.
"""

import json
from typing import Any

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, Stack, advice, refusal

pytestmark = [pytest.mark.exhaustive, needs_cli]

CONFIG = {"from": "config"}
EXTERNAL = {"from": "external"}
GENERATE: dict[str, Any] = {"generate": {"password": {}}}


def quoted(text: str) -> str:
    """Find the command line that an error gives between backticks, wherever the CLI repeats it."""
    (command,) = {each for each in text.split("`") if each.startswith(("aws ", "echo "))}
    return command


def previous(stack: Stack) -> str:
    found = stack.secrets.get_secret_value(SecretId=stack.secret_name, VersionStage="AWSPREVIOUS")
    return str(found["SecretString"])


def test_a_generated_value_is_taken_over_into_the_config(stack: Stack) -> None:
    stack.configure_secrets(x=GENERATE)
    stack.up()
    generated = stack.text()
    stack.configure_secrets("another", x=CONFIG)
    for command in advice(stack):
        assert stack.text() == generated
        stack.run(command)
    assert stack.text() == generated is not None
    assert "to create" not in stack.preview()
    assert generated not in json.dumps(stack.state())


def test_a_value_under_a_name_of_all_characters_is_taken_over(stack: Stack) -> None:
    name = "team/x_y+z=a.b@c"
    stack.write({}, secrets={name: EXTERNAL})
    stack.up()
    stack.put(CANARY, name)
    stack.write({name: "another"}, secrets={name: CONFIG})
    for command in advice(stack):
        stack.run(command)
    assert stack.text(name) == CANARY
    stack.put("by hand", name)
    stack.write({name: "another"}, secrets={name: CONFIG})
    for command in advice(stack):
        stack.run(command)
    assert stack.text(name) == "by hand"
    stack.write({})
    for command in advice(stack):
        stack.run(command)
    assert stack.text(name) is None


@pytest.mark.parametrize("text", [CANARY, f"{CANARY}\n", f'{{\n  "a": "{CANARY}"\n}}'])
def test_a_value_put_by_hand_is_taken_over_into_the_config(stack: Stack, text: str) -> None:
    stack.configure_secrets(x=EXTERNAL)
    stack.up()
    version = stack.put(text)
    stack.configure_secrets("another", x=CONFIG)
    for command in advice(stack):
        stack.run(command)
    found = stack.secrets.get_secret_value(SecretId=stack.secret_name)
    assert (found["SecretString"], found["VersionId"]) == (text, version)


def test_a_value_put_over_the_configs_is_taken_over_before_the_next_change(stack: Stack) -> None:
    stack.configure_secrets("first", x=CONFIG)
    stack.up()
    stack.put(CANARY)
    stack.up()
    assert stack.text() == CANARY
    stack.configure_secrets("second", x=CONFIG)
    for command in advice(stack):
        stack.run(command)
    assert stack.text() == CANARY
    stack.configure_secrets("third", x=CONFIG)
    stack.up()
    assert stack.text() == "third"


def test_a_value_that_nobody_needs_is_overwritten_by_the_same_commands_but_the_first(
    stack: Stack,
) -> None:
    stack.configure_secrets(x=EXTERNAL)
    stack.up()
    stack.put(CANARY)
    stack.configure_secrets("another", x=CONFIG)
    for command in advice(stack)[1:]:
        stack.run(command)
    assert (stack.text(), previous(stack)) == ("another", CANARY)


def test_a_text_that_is_to_be_generated_becomes_a_field_first(stack: Stack) -> None:
    stack.configure_secrets(f"{CANARY}\nsecond line", x=CONFIG)
    stack.up()
    stack.configure_secrets(x=GENERATE)
    for command in advice(stack):
        stack.run(command)
    assert json.loads(str(stack.text())) == {"password": f"{CANARY}\nsecond line"}
    stack.run("pulumi preview --expect-no-changes")


def test_a_text_that_nobody_needs_makes_room_for_a_generated_one(stack: Stack) -> None:
    stack.configure_secrets(CANARY, x=CONFIG)
    stack.up()
    stack.configure_secrets(x=GENERATE)
    stack.run(quoted(refusal(stack.preview)))
    stack.up()
    assert len(json.loads(str(stack.text()))["password"]) == 32
    assert previous(stack) == "{}\n"


@pytest.mark.parametrize("way", ["put an object", "leave it alone"])
def test_a_text_that_the_state_does_not_know_stops_no_other_change(stack: Stack, way: str) -> None:
    stack.configure_secrets(x=EXTERNAL)
    stack.up()
    stack.put(CANARY)
    stack.configure_secrets(x=GENERATE)
    stack.preview()  # nobody but the seeder may read it
    failed = refusal(stack.up)
    assert "holds a value that is not a JSON object" in failed
    if way == "put an object":
        stack.run(quoted(failed))
        stack.up()
        assert json.loads(str(stack.text())) == {"password": CANARY}
    else:
        assert "`from: external` leaves the value alone" in failed
        stack.configure_secrets(x=EXTERNAL, y=GENERATE)
        stack.up()
        assert stack.text() == CANARY
        assert stack.text("y")


def test_a_first_deployment_that_failed_before_the_value_goes_on(stack: Stack) -> None:
    stack.configure_secrets(CANARY, x=CONFIG)
    needed = ("**EncryptionKey**", "**AppSecret::x", "**::x-secret")
    stack.run(" ".join(["pulumi up --skip-preview", *(f"--target '{each}'" for each in needed)]))
    assert stack.text() is None
    stack.up()
    assert stack.text() == CANARY

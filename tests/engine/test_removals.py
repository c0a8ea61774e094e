"""What leaves the config is deleted only when somebody asks for it, by Pulumi's engine.

The commands that a refusal gives are run as they stand there.
"""

import re
from typing import Any

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import (
    CANARY,
    Stack,
    advice,
    refusal,
)
from tests.recording import EXEMPTION

pytestmark = [pytest.mark.exhaustive, needs_cli]

EXTERNAL = {"from": "external"}
SECURE = {"type": "SecureString", "from": "config"}
# All that a small stack lacks of what `strict` asks for.
LACKS = (
    *("rotation.database", "rotation.x", "configParameters.x", "telemetry", "logRetention"),
    *("reservedConcurrency", "replicaRegions", "monitoring", "alarmSubscribers", "audit"),
    *("auditLogRetention", "resourcePolicy", "network", "allowedAccounts"),
    "secretsProvider",  # for the SecureString from the config
)
# What secret and SecureString `x` lack.
OF_X = {"rotation.x", "configParameters.x", "secretsProvider"}


def strict(stack: Stack, *asked: str, removed: bool = False) -> None:
    """Write a strict stack, with a secret and a SecureString or without, and with exemptions."""
    secrets = {} if removed else {"x": EXTERNAL}
    # Without any SecureString, the key would no longer serve Parameter Store.
    parameters = {"y": {**SECURE, "from": "external"}, **({} if removed else {"x": SECURE})}
    needed = [each for each in LACKS if not (removed and each in OF_X)]
    stack.write(
        {} if removed else {"parameters/x": CANARY},
        protection="strict",
        exemptions=dict.fromkeys((*needed, *asked), EXEMPTION),
        secrets=secrets,
        parameters=parameters,
    )


def protected(stack: Stack) -> set[str]:
    resources = stack.state()["deployment"]["resources"]
    return {each["urn"].rsplit("::")[-1] for each in resources if each.get("protect")}


def made(stack: Stack) -> dict[str, Any]:
    """Read what is recorded of each resource of AWS, but for its protection."""
    return {
        each["urn"]: (each["id"], each["modified"])
        for each in stack.state()["deployment"]["resources"]
        if each["custom"]
    }


def ask(stack: Stack, lines: list[str]) -> None:
    for line in lines:
        stack.run(line)


@pytest.mark.parametrize("window", [0, 30])
def test_a_secret_that_leaves_the_config_is_deleted_only_when_that_is_asked_for(
    stack: Stack, window: int
) -> None:
    days = {"recoveryWindowDays": window}
    stack.write({}, secrets={"x": EXTERNAL}, **days)
    stack.up()
    stack.put(CANARY)
    stack.write({}, **days)
    lines = advice(stack)
    assert stack.text() == CANARY
    ask(stack, lines)
    assert stack.text() is None
    found = stack.secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert (stack.secret_name in [each["Name"] for each in found]) == (window > 0)
    printed = stack.run("pulumi up --skip-preview 2>&1")
    assert "exemptions['protect.x'] is for something that no longer exists; remove it" in printed
    assert "1 warning" not in stack.run("pulumi config rm --path 'exemptions[\"protect.x\"]'")
    assert "no longer exists" not in stack.run("pulumi up --skip-preview 2>&1")


def test_a_secret_under_another_name_is_a_removal(stack: Stack) -> None:
    stack.configure_secrets(x=EXTERNAL)
    stack.up()
    stack.put(CANARY)
    stack.configure_secrets(y=EXTERNAL)
    assert any("protect.x" in line for line in advice(stack))
    assert (stack.text(), stack.text("y")) == (CANARY, None)


@pytest.mark.parametrize("parameter", [{"value": CANARY}, SECURE])
def test_a_parameter_that_leaves_the_config_is_deleted_only_when_that_is_asked_for(
    stack: Stack, parameter: dict[str, str]
) -> None:
    stack.configure(None if "value" in parameter else CANARY, x=parameter)
    stack.up()
    stack.configure()
    lines = advice(stack)
    assert stack.value() == CANARY
    ask(stack, lines)
    assert stack.value() is None


def test_a_parameter_that_is_no_resource_leaves_and_comes_back_with_its_value(
    stack: Stack,
) -> None:
    generate = {"type": "SecureString"}
    stack.configure(x=generate, y=generate)
    stack.up()
    value = stack.value()
    stack.configure(y=generate)
    stack.up()
    assert stack.value() == value is not None
    stack.configure(x=generate, y=generate)
    stack.up()
    assert stack.value() == value


def test_a_strict_stack_protects_secrets_keys_and_parameters(stack: Stack) -> None:
    strict(stack)
    stack.up()
    assert protected(stack) == {"database-secret", "x-secret", "environment-key", "parameters-x"}
    for asked, left in (
        (["protect.x"], {"database-secret", "environment-key", "parameters-x"}),
        (["protectParameters.x", "protectKeys"], {"database-secret", "x-secret"}),
        (["protect"], set()),
    ):
        strict(stack, *asked)
        assert "to update" not in stack.preview()
        stack.up()
        assert protected(stack) == left


def test_protection_comes_to_a_stack_and_goes_without_another_change(stack: Stack) -> None:
    parameters = {"x": SECURE, "y": {**SECURE, "from": "external"}}
    stack.write({"parameters/x": CANARY}, secrets={"x": EXTERNAL}, parameters=parameters)
    stack.up()
    before = made(stack)
    for asked in ((), ("protect",)):
        strict(stack, *asked)
        assert "~" not in re.sub(r"\[diff: ~protect\]|Outputs:.*", "", stack.up(), flags=re.DOTALL)
        assert made(stack) == before


def test_what_a_strict_stack_protects_is_removed_in_two_deployments(stack: Stack) -> None:
    strict(stack)
    stack.up()
    strict(stack, removed=True)
    lines = advice(stack)
    assert [each for each in lines if "exemptions" in each] == lines[::2]
    # At once, Pulumi refuses, and so does whoever asks for nothing.
    strict(stack, "protect.x", "protectParameters.x", removed=True)
    for run in (stack.preview, stack.up):
        assert "cannot be deleted\nbecause it is protected" in refusal(run).replace("    ", "")
    assert (stack.value(), stack.text()) == (CANARY, None)
    strict(stack)
    ask(stack, lines)
    assert stack.value() == CANARY
    strict(stack, "protect.x", "protectParameters.x", removed=True)
    stack.up()
    assert stack.value() is None


def test_a_strict_stack_is_destroyed_once_its_protection_has_ended(stack: Stack) -> None:
    strict(stack)
    stack.up()
    urns = stack.urns()
    assert "because it is protected" in refusal(lambda: stack.run("pulumi destroy"))
    assert stack.urns() == urns
    strict(stack, "protect")
    stack.up()
    stack.run("pulumi destroy")
    assert stack.urns() == set()


def test_a_secret_imported_beside_its_component_is_taken_out_of_the_state(stack: Stack) -> None:
    stack.configure_secrets(x=EXTERNAL)
    stack.up()
    stack.put(CANARY)
    arn = stack.secrets.describe_secret(SecretId=stack.secret_name)["ARN"]
    type_ = "aws:secretsmanager/secret:Secret"
    stack.run(f"pulumi import {type_} x-secret '{arn}' --generate-code=false")
    ask(stack, advice(stack))
    stack.up()
    assert stack.text() == CANARY
    stack.run("pulumi preview --expect-no-changes")


def records(stack: Stack) -> bool:
    """Whether the trail's log group is there, with what the test put into it."""
    found = stack.logs.describe_log_streams(logGroupName=stack.trail_log_group)
    return "records" in [each["logStreamName"] for each in found["logStreams"]]


def test_a_trail_goes_when_that_is_asked_for_and_comes_back(stack: Stack) -> None:
    own = {"audit": {"trail": "own"}}
    stack.write({}, **own)
    stack.up()
    stack.logs.create_log_stream(logGroupName=stack.trail_log_group, logStreamName="records")
    stack.write({}, audit={"trail": "none"})
    lines = advice(stack)
    assert records(stack)
    ask(stack, lines)
    buckets = stack.buckets()
    with pytest.raises(stack.logs.exceptions.ResourceNotFoundException):
        records(stack)
    stack.write({}, **own)
    stack.up()
    assert not records(stack)
    assert set(stack.buckets()) > set(buckets)  # of the first trail, too
    stack.run("pulumi preview --expect-no-changes")


def test_a_trail_of_a_strict_stack_goes_in_two_deployments(stack: Stack) -> None:
    lacks = [each for each in LACKS if each not in {*OF_X, "audit"}]
    exemptions = dict.fromkeys(lacks, EXEMPTION)
    asked = {**exemptions, "protectAudit": EXEMPTION}
    own = {"trail": "own"}
    stack.write({}, protection="strict", exemptions=exemptions, audit=own)
    stack.up()
    assert {"audit-key", "audit-bucket", "audit-logs"} <= protected(stack)
    stack.write({}, protection="strict", exemptions={**asked, "audit": EXEMPTION})
    assert "it is protected" in refusal(stack.preview)
    stack.write({}, protection="strict", exemptions=asked, audit=own)
    stack.up()
    assert not {"audit-key", "audit-bucket", "audit-logs"} & protected(stack)
    stack.write({}, protection="strict", exemptions={**asked, "audit": EXEMPTION})
    stack.up()


def test_a_replica_regions_key_of_a_strict_stack_goes_in_two_deployments(stack: Stack) -> None:
    lacks = [each for each in LACKS if each not in OF_X]
    exemptions = dict.fromkeys(lacks, EXEMPTION)
    replicated = dict.fromkeys(set(lacks) - {"replicaRegions"}, EXEMPTION)
    region = {"replicaRegions": ["us-west-2"]}
    stack.write({}, protection="strict", exemptions=replicated, **region)
    stack.up()
    stack.put(CANARY, "database")
    assert "replica-us-west-2-key" in protected(stack)
    stack.write({}, protection="strict", exemptions=exemptions)
    assert "it is protected" in refusal(stack.preview)
    stack.write(
        {}, protection="strict", exemptions={**replicated, "protectKeys": EXEMPTION}, **region
    )
    stack.up()
    stack.write({}, protection="strict", exemptions=exemptions)
    stack.up()
    assert stack.text("database") == CANARY

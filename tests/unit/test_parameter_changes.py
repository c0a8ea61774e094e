"""Which changes of a parameter cost its value, by what the state says; what keeps it."""

import json
import re
from typing import Any

import pytest

from infra.parameter_changes import Managed, Recorded, broken, recorded
from infra.schema import ParameterSettings
from tests.recording import ROOT

FULL = "/app/dev/a/b"
URN = (
    "urn:pulumi:dev::app::lambda-secrets:index:ParameterStore"
    "$aws:ssm/parameter:Parameter::parameters-a/b"
)
CANARY = "s3cr3t-canary"

STRING = {"value": "x"}
STRING_LIST = {"type": "StringList", "value": "x,y"}
CONFIG = {"type": "SecureString", "from": "config"}
GENERATE = {"type": "SecureString"}
EXTERNAL = {"type": "SecureString", "from": "external"}


def managed(type_: str, name: str = FULL) -> dict[str, Any]:
    outputs = {"name": name, "type": type_, "value": CANARY, "arn": "arn"}
    return {URN: {"type": "aws:ssm/parameter:Parameter", "outputs": outputs}}


def seeded(**event: Any) -> dict[str, Any]:
    outputs = {"input": json.dumps(event), "result": "{}"}
    return {"urn:seeder": {"type": "aws:lambda/invocation:Invocation", "outputs": outputs}}


GENERATED = seeded(Parameter={"Name": FULL}, Generate={})
OF_A_SECRET = seeded(SecretId=FULL, Fields={}, Generate={})
STACK = {"urn:stack": {"type": "pulumi:pulumi:Stack", "outputs": {"name": FULL}}}


def faults(state: dict[str, Any], settings: dict[str, Any]) -> list[tuple[str, str]]:
    parameters = {"a/b": ParameterSettings.model_validate(settings)}
    return list(broken(parameters, "app", "dev", recorded(state)))


def test_names_and_types_are_all_that_is_kept_of_a_state() -> None:
    kept = recorded({**managed("SecureString"), **GENERATED, **STACK})
    assert kept == Recorded({FULL: Managed(URN, "SecureString")}, frozenset({FULL}))
    assert CANARY not in repr(kept)


@pytest.mark.parametrize("type_", ["String", "StringList", "SecureString"])
@pytest.mark.parametrize("settings", [GENERATE, EXTERNAL])
def test_a_resource_that_would_leave_the_program_is_refused(
    type_: str, settings: dict[str, Any]
) -> None:
    ((path, text),) = faults(managed(type_), settings)
    assert path == "parameters.a/b"
    was = "SecureString of `from: config`" if type_ == "SecureString" else type_
    assert text.startswith(f"was {was} and becomes SecureString of `from: ")
    assert f"would delete {FULL}, and its value" in text
    assert CANARY not in text


@pytest.mark.parametrize("settings", [STRING, STRING_LIST, CONFIG])
def test_a_resource_in_the_place_of_a_generated_one_is_refused(settings: dict[str, Any]) -> None:
    ((path, text),) = faults(GENERATED, settings)
    assert path == "parameters.a/b"
    assert text.startswith("was SecureString of `from: generate` and becomes ")
    assert f"would create {FULL}, which exists" in text


@pytest.mark.parametrize(
    ("state", "settings"),
    [
        *[({}, each) for each in (STRING, STRING_LIST, CONFIG, GENERATE, EXTERNAL)],
        *[(managed(each), STRING) for each in ("String", "StringList", "SecureString")],
        *[(managed(each), CONFIG) for each in ("String", "StringList", "SecureString")],
        (GENERATED, GENERATE),
        (GENERATED, EXTERNAL),
        ({**managed("SecureString"), **GENERATED}, CONFIG),  # after the import that is advised
        (managed("SecureString", "/app/dev/a"), GENERATE),
        (seeded(Parameter={"Name": "/app/dev/a"}), CONFIG),
        (OF_A_SECRET, CONFIG),
        (STACK, CONFIG),
    ],
)
def test_what_costs_no_value_passes(state: dict[str, Any], settings: dict[str, Any]) -> None:
    assert faults(state, settings) == []


@pytest.mark.parametrize(
    ("state", "settings", "commands"),
    [
        (managed("SecureString"), GENERATE, ["pulumi stack export", "pulumi up"]),
        (managed("String"), EXTERNAL, ["pulumi config set", "pulumi up"]),
        (GENERATED, CONFIG, ["aws ssm get-parameter", "pulumi import", "pulumi up"]),
        (GENERATED, STRING, []),
    ],
)
def test_every_command_names_the_stack(
    state: dict[str, Any], settings: dict[str, Any], commands: list[str]
) -> None:
    ((_, text),) = faults(state, settings)
    lines = [line.removeprefix("  ") for line in text.splitlines() if line.startswith("  ")]
    assert [line.startswith(each) for line, each in zip(lines, commands, strict=True)] == [
        True
    ] * len(commands)
    assert all(line.endswith("-s dev") for line in lines)


def test_operations_takes_a_parameter_out_of_the_state_by_the_same_filter() -> None:
    ((_, text),) = faults(managed("SecureString"), GENERATE)
    (used,) = re.findall(r"'walk.+?' ", text)
    assert used in (ROOT / "docs/operations.md").read_text(encoding="utf-8")

"""Which changes of a parameter cost a value, by what the state and Parameter Store say."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from infra.changes.parameters import ParameterLookups, errors, lost
from infra.changes.recorded import Configured
from infra.config.schema import ParameterSettings
from tests.recording import ROOT
from tests.states import CANARY, NAMES, Resources, generated, parameter, recorded, secret

FULL = "/app/dev/a/b"
DEPLOYED = secret("any")
"""What a stack has that was deployed before."""

STRING = {"value": "x"}
STRING_LIST = {"type": "StringList", "value": "x,y"}
CONFIG = {"type": "SecureString", "from": "config"}
GENERATE = {"type": "SecureString"}
EXTERNAL = {"type": "SecureString", "from": "external"}
GENERATED = generated("a/b")


def managed(type_: str, **outputs: Any) -> Resources:
    return parameter("a/b", type_, **outputs)


def unasked(*_: object) -> Any:
    raise AssertionError


def found(types: Mapping[str, str] | None = None, version: int | None = None) -> ParameterLookups:
    """Answer as Parameter Store does; what is not given is not asked for."""
    return ParameterLookups(
        unasked if types is None else lambda: types,
        unasked if version is None else lambda _: version or None,
    )


def faults(
    state: Resources,
    settings: dict[str, Any],
    there: ParameterLookups = found(),  # noqa: B008 (it has no state)
    configured: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    parameters = {"a/b": ParameterSettings.model_validate(settings)}
    known = Configured({}, {"a/b": configured or {}})
    found = errors(parameters, NAMES, recorded(state, configured=known), there)
    return [(each.path, each.message) for each in found]


@pytest.mark.parametrize("type_", ["String", "StringList", "SecureString"])
@pytest.mark.parametrize("settings", [GENERATE, EXTERNAL])
def test_a_resource_that_would_leave_the_program_is_refused(
    type_: str, settings: dict[str, Any]
) -> None:
    ((path, text),) = faults(managed(type_), settings)
    assert path == "parameters.a/b"
    was = "SecureString with `from: config`" if type_ == "SecureString" else type_
    assert text.startswith(f"was {was} and becomes SecureString with `from: ")
    assert f"would delete {FULL} and its value" in text
    assert CANARY not in text


@pytest.mark.parametrize("settings", [STRING, STRING_LIST, CONFIG])
def test_a_resource_in_the_place_of_a_generated_one_is_refused(settings: dict[str, Any]) -> None:
    ((path, text),) = faults(GENERATED, settings)
    assert path == "parameters.a/b"
    assert text.startswith("was SecureString with `from: generate` and becomes ")
    assert f"would have to create {FULL}, which already exists" in text


@pytest.mark.parametrize("settings", [STRING, STRING_LIST, CONFIG])
@pytest.mark.parametrize("type_", ["String", "SecureString"])
def test_a_resource_in_the_place_of_what_somebody_else_put_is_refused(
    type_: str, settings: dict[str, Any]
) -> None:
    ((_, text),) = faults(DEPLOYED, settings, found({FULL: type_}))
    assert text.startswith(f"was a {type_} that this config did not create and becomes ")
    assert f"would have to create {FULL}, which already exists" in text
    leaves_it = type_ == "SecureString" and settings != CONFIG
    assert ("give the" in text, "pulumi import" in text) == (leaves_it, not leaves_it)


@pytest.mark.parametrize("settings", [STRING, CONFIG])
def test_a_change_that_would_write_over_what_somebody_put_is_refused(
    settings: dict[str, Any],
) -> None:
    type_ = settings.get("type", "String")
    ((_, text),) = faults(managed(type_), settings, found(version=2))
    assert f"this deployment would overwrite {FULL}" in text
    assert "\n  pulumi refresh -s dev\n  pulumi up -s dev\n" in text
    assert CANARY not in text


AS_IT_IS = {"value": CANARY, "type": "String", "description": "", "tier": "Standard"}


@pytest.mark.parametrize(
    ("state", "settings", "there", "configured"),
    [
        *[({}, each, found(), {}) for each in (STRING, STRING_LIST, CONFIG, GENERATE, EXTERNAL)],
        *[(DEPLOYED, each, found({}), {}) for each in (STRING, CONFIG)],
        (managed("String"), STRING, found(), AS_IT_IS),
        (managed("String"), STRING, found(version=1), {}),  # nobody else wrote it
        (managed("String"), CONFIG, found(version=1), {}),
        (managed("SecureString"), STRING_LIST, found(version=1), {}),
        (managed("String"), STRING, found(version=0), {}),  # it is gone
        (managed("String", version=None), STRING, found(), {}),
        (GENERATED, GENERATE, found(), {}),
        (GENERATED, EXTERNAL, found(), {}),
        # after the import that is advised
        ({**managed("SecureString"), **GENERATED}, CONFIG, found(version=1), {}),
        (parameter("a", "SecureString"), GENERATE, found(), {}),
        (generated("a"), CONFIG, found(), {}),
    ],
)
def test_what_costs_no_value_passes(
    state: Resources, settings: dict[str, Any], there: ParameterLookups, configured: dict[str, str]
) -> None:
    assert faults(state, settings, there, configured) == []


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
    state: Resources, settings: dict[str, Any], commands: list[str]
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


@pytest.mark.parametrize(
    ("state", "settings", "types", "times"),
    [
        (GENERATED, GENERATE, {FULL: "SecureString"}, {}),
        (GENERATED, GENERATE, {"/app/dev/a": "String"}, {"a/b": 1}),
        (generated("a/b", times_lost=2), GENERATE, {FULL: "SecureString"}, {"a/b": 2}),
        (generated("a/b", times_lost=2), GENERATE, {}, {"a/b": 3}),
        (GENERATED, EXTERNAL, None, {}),
        ({}, GENERATE, None, {}),
    ],
)
def test_a_generated_parameter_that_is_gone_was_lost_once_more(
    state: Resources,
    settings: dict[str, Any],
    types: Mapping[str, str] | None,
    times: dict[str, int],
) -> None:
    parameters = {"a/b": ParameterSettings.model_validate(settings)}
    assert lost(parameters, NAMES, recorded(state), found(types)) == times

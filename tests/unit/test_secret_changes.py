"""Which changes of a secret's source or text cost a value, and when Secrets Manager is asked."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.changes.recorded import Configured
from infra.changes.secrets import errors
from infra.config.schema import SecretSettings
from tests.states import CANARY, NAMES, Resources, recorded, secret

GENERATE: dict[str, Any] = {"generate": {"password": {}}}
CONFIG = {"from": "config"}
EXTERNAL = {"from": "external"}
TEXT, OBJECT = CANARY, f'{{"password": "{CANARY}"}}'


def version(id_: str | None) -> Callable[[str], str | None]:
    return lambda _: id_


def unasked(arn: str) -> str | None:
    raise AssertionError(arn)


def faults(
    state: Resources,
    settings: dict[str, Any],
    current: Callable[[str], str | None],
    text: str = "configured",
) -> list[tuple[str, str]]:
    secrets = {"x": SecretSettings.model_validate(settings)}
    configured = Configured({"x": text}, {})
    found = errors(secrets, NAMES, recorded(state, configured=configured), current)
    return [(each.path, each.message) for each in found]


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        (secret("x"), ["aws", "import", "up"]),
        (secret("x", TEXT), ["aws", "state", "import", "up"]),
    ],
)
def test_a_configured_text_over_a_version_of_somebody_else_is_refused(
    state: Resources, commands: list[str]
) -> None:
    ((path, text),) = faults(state, CONFIG, version("v9"))
    assert path == "secrets.x"
    assert "has a value that this config did not set (version v9)" in text
    assert CANARY not in text
    lines = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    assert [line.removeprefix("pulumi ").split(" ", 1)[0] for line in lines] == commands
    assert all(line.endswith(" -s dev") for line in lines)
    assert "|v9' --parent 'parent=urn:pulumi:dev::app::lambda-secrets:index:AppSecret::x'" in text


def test_a_text_of_the_config_that_is_to_be_generated_is_refused() -> None:
    ((path, text),) = faults(secret("x", TEXT), GENERATE, version("v1"))
    assert path == "secrets.x"
    assert "becomes `from: generate`, but its text is not a JSON object" in text
    assert "jq --arg field password '{($field): .}' | aws secretsmanager put-secret" in text
    assert CANARY not in text


def test_the_field_that_takes_the_text_has_a_name_without_a_generated_one_too() -> None:
    ((_, text),) = faults(secret("x", TEXT), {"fields": {"host": "h"}}, version("v1"))
    assert "with the text as 'value'" in text


@pytest.mark.parametrize(
    ("state", "settings", "current"),
    [
        ({}, CONFIG, unasked),  # new
        (secret("x", "configured"), CONFIG, unasked),  # as it was
        (secret("x"), CONFIG, version(None)),  # a first deployment that failed
        (secret("x", TEXT), CONFIG, version("v1")),  # another text over the config's own
        (secret("x", TEXT), CONFIG, version(None)),  # deleted since
        ({}, GENERATE, unasked),
        (secret("x"), GENERATE, unasked),
        (secret("x", OBJECT), GENERATE, unasked),
        (secret("x", TEXT), GENERATE, version("v2")),  # somebody put an object since
        (secret("x"), EXTERNAL, unasked),
        (secret("x", TEXT), EXTERNAL, unasked),
    ],
)
def test_what_costs_no_value_passes(
    state: Resources, settings: dict[str, Any], current: Callable[[str], str | None]
) -> None:
    assert faults(state, settings, current) == []

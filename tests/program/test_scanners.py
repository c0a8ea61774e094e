"""What secret scanners find in functions' variables and events, where no secret is.

Scanners look for a word such as `password` and a value after it. Those of cloud accounts, such as
Prowler, read the variables of every function as JSON.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from local.engines.built_in import Registration
from tests.recording import by_type, planned

STACKS = ["dev", "staging", "prod"]
_CLOSE = 16  # characters between the word and the value's quote
_TOO_RANDOM = 3.3  # bits a character
_WORD = re.compile(
    rf"""(?:passw(?:or)?d|pwd)(?=.{{0,{_CLOSE}}}?["']([^\s"'(){{}}/]{{5,}})["'])""",
    re.IGNORECASE | re.DOTALL,
)
_NAMES_A_SECRET = re.compile(
    r"secret|passw(or)?d|pwd|token|api_?key|priv(ate)?_?key", re.IGNORECASE
)

# The extension's own variables have AWS's names, and handlers read the others: each holds a name,
# an ARN or a switch.
NAMED = {
    "ADMIN_SECRET_ARN",
    "PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED",
    "PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE",
    "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
    "PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL",
    "PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS",
    "SECRETS_CACHE_SECONDS",
    "SECRETS_MANAGER_TIMEOUT_MILLIS",
    "SECRETS_MANAGER_TTL",
    "SECRETS_REPLICA_REGIONS",
    "SECRETS_TELEMETRY",
    "SECRET_ARN",
    "SECRET_NAME",
    "SECRET_PREFIX",
}


def taken_for_a_password(text: str) -> list[str]:
    """Return what a scanner would report: a text like a random one, close after the word."""
    return [found for found in _WORD.findall(text) if _bits(found) >= _TOO_RANDOM]


def _bits(text: str) -> float:
    """Return the entropy of a text's characters, in bits a character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def told(name: str, **changes: object) -> Iterator[tuple[str, str]]:
    """Return what each function of a stack receives, in its variables and in its events."""
    registrations = planned(name, **changes).registrations
    for function, variables in variables_of(registrations):
        yield function, json.dumps(variables, indent=2)  # as Prowler does
    for invocation in by_type(registrations, "invocation:Invocation"):
        yield invocation.name, invocation.inputs["input"]


def variables_of(registrations: list[Registration]) -> Iterator[tuple[str, dict[str, str]]]:
    for function in by_type(registrations, "function:Function"):
        yield function.name, function.inputs.get("environment", {}).get("variables", {})


@pytest.mark.parametrize("name", STACKS)
def test_no_scanner_takes_what_a_function_is_told_for_a_password(name: str) -> None:
    texts = dict(told(name))
    assert any("GENERATE" in text for text in texts.values()) is (name != "dev")
    assert any("Generate" in text for text in texts.values())
    found = {what: taken_for_a_password(text) for what, text in texts.items()}
    assert not any(found.values()), found


def test_no_scanner_takes_the_shortest_rules_for_a_password() -> None:
    generate = {name: {"length": 8} for name in ("password", "masterPassword", "pwd")}
    for what, text in told("dev", secrets={"database": {"generate": generate}}):
        assert not taken_for_a_password(text), what


@pytest.mark.parametrize(
    "text",
    [
        {"DB_PASSWORD": "xK9vQ2mLp7"},
        {"GENERATE": json.dumps({"password": {"PasswordLength": 48, "ExcludeCharacters": "/"}})},
        {"GENERATE": json.dumps({"key": {"PasswordLength": 64, "ExcludeCharacters": "/"}})},
        {"Generate": {"password": {"PasswordLength": 48, "ExcludeCharacters": "/"}}},
        {"GENERATE": json.dumps({"password": {"excludeCharacters": "/", "length": 48}})},
    ],
)
def test_a_password_and_what_scanners_took_for_one_are_found(text: dict[str, object]) -> None:
    assert taken_for_a_password(json.dumps(text, indent=2))


def test_variables_named_after_a_secret_are_those_known_to_hold_none() -> None:
    named = {
        variable
        for stack in STACKS
        for _, variables in variables_of(planned(stack).registrations)
        for variable in variables
        if _NAMES_A_SECRET.search(variable)
    }
    assert named == NAMED

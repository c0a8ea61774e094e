# ruff: noqa: E501 (a table reads by its rows)
"""Parameters in stack config: what is wrong is said at once, and no value is shown."""

from typing import Any

import pytest

from infra.config import secret_values
from infra.config.settings import SettingsError
from tests.recording import PROJECT
from tests.unit.test_settings import CANARY, VALID, read

CONFIG = {"type": "SecureString", "from": "config"}
KEY = "parameters/a"


def parameter(**keys: Any) -> dict[str, Any]:
    return {"parameters": {"a": keys}}


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (parameter(), "parameters.a.value is missing or empty, but Parameter Store rejects empty values; set it"),
        (parameter(value=""), "parameters.a.value is missing or empty, but Parameter Store rejects empty values; set it"),
        (parameter(value=5), "parameters.a.value must be text, got 5; put it in quotes, or run `pulumi config set --path --type string parameters.a.value 5`"),
        (parameter(type="Text", value="x"), "parameters.a.type must be 'String', 'StringList' or 'SecureString', got 'Text'"),
        (parameter(value="x", tier="Big"), "parameters.a.tier must be 'Standard' or 'Advanced', got 'Big'"),
        (parameter(value="x" * 4097), "parameters.a.value must have at most 4096 bytes in the Standard tier, got 4097"),
        (parameter(value="x" * 8193, tier="Advanced"), "parameters.a.value must have at most 8192 bytes in the Advanced tier, got 8193"),
        (parameter(value="{{b}}"), "parameters.a.value contains {{, which Parameter Store reads as the start of a reference; remove it"),
        (parameter(value="x", **{"from": "config"}), "parameters.a.from is only for `type: SecureString`, not 'String'; remove it"),
        (parameter(value="x", generate={}), "parameters.a.generate is only for `type: SecureString`, not 'String'; remove it"),
        (parameter(type="SecureString", value=CANARY), "parameters.a.value would hold a SecureString's value in plain text (not shown); use `from: generate`, `config` or `external`"),
        (parameter(type="SecureString", generate={"length": 1}), "parameters.a.generate.length must be 8 to 4096, got 1"),
        (parameter(type="SecureString", generate={"length": CANARY}), "parameters.a.generate.length must be a whole number, got a value that is not shown"),
        (parameter(value="x", password=CANARY), "parameters.a.password is an unknown key; allowed keys: type, value, from, generate, description, tier"),
        (parameter(type="SecureString", **{"from": "external"}, generate={}), "parameters.a.generate is only for `from: generate`, not 'external'; remove it"),
        (parameter(type="SecureString", generate={"excludeLowercase": True, "excludeUppercase": True, "excludeNumbers": True, "excludePunctuation": True}), "parameters.a.generate excludes every character; allow at least one kind"),
        ({"parameters": {"a b": {"value": "x"}}}, "parameters.a b becomes a name that may contain only letters, digits, _, . and -, in levels separated by single slashes; rename it"),
        ({"parameters": {"a/": {"value": "x"}}}, "parameters.a/ becomes a name that may contain only letters, digits, _, . and -, in levels separated by single slashes; rename it"),
        ({"parameters": {"a" + "/a" * 13: {"value": "x"}}}, f"parameters.a{'/a' * 13} becomes a name that has more than 15 levels; rename it"),
        ({"parameters": {"x" * 940: {"value": "x"}}}, f"parameters.{'x' * 940} becomes a name that is longer than 955 characters; rename it"),
        ({"parameters": {"api-token": {"value": CANARY}}}, "parameters.api-token.value appears to contain a secret in plain text (not shown); make it a SecureString, which is encrypted"),
        ({"parameters": {"url": {"value": f"https://u:{CANARY}@h"}}}, "parameters.url.value appears to contain a secret in plain text (not shown); make it a SecureString, which is encrypted"),
        ({"parameters": {"a": CONFIG}}, "secretValues.parameters/a is not set; set the value with `pulumi config set --secret --path 'secretValues[\"parameters/a\"]'`"),
        ({"parameters": {"a": CONFIG}, "secretValues": {KEY: {"b": CANARY}}}, "secretValues.parameters/a must be text, and not empty (not shown)"),
        ({"parameters": {"a": CONFIG}, "secretValues": {KEY: "x" * 4097}}, "secretValues.parameters/a must have at most 4096 bytes in the Standard tier, got 4097"),
        ({"secretValues": {KEY: CANARY}}, "secretValues.parameters/a is for an unknown parameter; add it to `parameters`, or remove the value"),
        ({**parameter(value="x"), "secretValues": {KEY: CANARY}}, "secretValues.parameters/a is set, but the parameter is not a SecureString with `from: config`; remove it"),
        ({**parameter(value="x"), "secrets": {**VALID["secrets"], KEY: {"from": "external"}}}, "secrets.parameters/a has the same key in `secretValues` as the parameter 'a'; rename one"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place_and_no_value(keys: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read({**VALID, **keys})
    assert raised.value.errors == [f"{PROJECT}:{fault}; fix it in Pulumi.test.yaml"]
    assert CANARY not in str(raised.value)


def test_values_of_parameters_in_plain_config_are_refused() -> None:
    keys = {**VALID, "parameters": {"a": CONFIG}, "secretValues": {KEY: CANARY}}
    with pytest.raises(SettingsError, match="secretValues is not encrypted") as raised:
        read(keys, secret_keys=())
    assert CANARY not in str(raised.value)


def test_a_faulty_parameter_does_not_take_the_others_along() -> None:
    keys = {
        **VALID,
        "parameters": {"a": CONFIG, "b": {"value": 1}, "c": {"value": ""}},
        "secretValues": {KEY: "x", "parameters/b": "x"},
    }
    with pytest.raises(SettingsError) as raised:
        read(keys)
    assert [fault.split()[0] for fault in raised.value.errors] == [
        f"{PROJECT}:parameters.b.value",
        f"{PROJECT}:parameters.c.value",
    ]


def test_where_values_come_from_decides_who_makes_the_parameter() -> None:
    env = read(
        {
            **VALID,
            "parameters": {
                "level": {"value": "info"},
                "list": {"type": "StringList", "value": "a,b"},
                "api/token": {"type": "SecureString", "generate": {"length": 40}},
                "other": {"type": "SecureString"},
                "a": CONFIG,
                "partner": {"type": "SecureString", "from": "external"},
            },
            "secretValues": {KEY: CANARY},
        }
    )
    assert env.parameter_prefix == f"/{PROJECT}/test/"
    assert env.has_secure_parameters
    seeds = env.parameter_seeds()
    assert {name: seed.generated()["length"] for name, seed in seeds.items()} == {
        "api/token": 40,
        "other": 32,
    }
    assert secret_values.of_parameter("level", env.settings.parameters["level"]) == "info"
    assert secret_values.of_parameter("partner", env.settings.parameters["partner"]) is None
    assert secret_values.of_parameter("other", env.settings.parameters["other"]) is None


def test_without_a_secure_string_there_is_nothing_to_encrypt() -> None:
    assert not read({**VALID, **parameter(value="x")}).has_secure_parameters

# ruff: noqa: E501 (a table reads by its rows)
"""What a level of protection refuses, all at once, and what a written reason lets pass."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.config.rules import guardrails
from infra.config.schema import Settings
from tests.recording import PROJECT
from tests.unit.test_settings import faults, read

RANDOM = {"generate": {"key": {}}, "rotation": {"strategy": "random"}}
REASON = "A reason that somebody wrote down."
SUBSCRIPTION = {"protocol": "email", "endpoint": "oncall@example.com"}
MONITORING = {"enabled": True, "subscriptions": [SUBSCRIPTION]}
TOKEN = {"type": "SecureString", "from": "config"}
TOKEN_VALUE = {"secretValues": {"parameters/token": "x"}}
# A config that keeps every rule, with the values that are just allowed.
STRICT: dict[str, Any] = {
    "protection": "strict",
    "secrets": {"database": RANDOM},
    "recoveryWindowDays": 7,
    "maxStalenessSeconds": 300,
    "replicaRegions": ["us-west-2"],
    "function": {
        "timeoutSeconds": 30,
        "reservedConcurrency": 1,
        "logRetentionDays": 365,
        "tracing": True,
        "telemetry": True,
    },
    "key": {"rotationPeriodDays": 365, "deletionWindowDays": 30},
    "monitoring": MONITORING,
    "audit": {"trail": "own", "retentionDays": 365, "logRetentionDays": 365},
    "resourcePolicy": {"enabled": True, "administrators": ["arn:aws:iam::*:role/deploy"]},
}
# Everything that a rule refuses, at once.
CARELESS: dict[str, Any] = {
    "secrets": {"database": {"from": "config", "recoveryWindowDays": 0}},
    "parameters": {"token": TOKEN},
    "secretValues": {"database": "x", "parameters/token": "x"},
    "recoveryWindowDays": 0,
    "maxStalenessSeconds": 301,
    "function": {"timeoutSeconds": 29, "tracing": False, "logRetentionDays": 180},
    "key": {"rotationPeriodDays": 366, "deletionWindowDays": 29},
    "audit": {"retentionDays": 364, "logRetentionDays": 180},
}
SECRET_VALUE = {"secretValues": {"database": "x"}}

# Monitoring needs both, so without them it is off.
UNWATCHED: dict[str, Any] = {
    "monitoring": {**MONITORING, "enabled": False},
    "exemptions": {"monitoring": REASON},
}

APP = {"code": "handler/app.py", "handler": "app.lambda_handler", "secrets": ["database"]}
KEPT = {
    **APP,
    "timeoutSeconds": 30,
    "reservedConcurrency": 1,
    "logRetentionDays": 365,
    "telemetry": True,
}


def orders(**changes: object) -> dict[str, Any]:
    """Write STRICT's functions, with these changes of one of them."""
    internal = {"internalFunctions": {"logRetentionDays": 365}}
    return {"function": {}, "functions": {"orders": {**KEPT, **changes}}, **internal}


# Rule, as exempted -> the change that breaks it, and the line that says so.
BREACHES: dict[str, tuple[dict[str, Any], str]] = {
    "rotation.database": ({"secrets": {"database": {"from": "external"}}}, "secrets.database.rotation must be set"),
    "configValues.database": ({"secrets": {"database": {"from": "config"}}, **SECRET_VALUE, "exemptions": {"rotation.database": REASON}}, "secrets.database.from must be 'generate' or 'external', to keep the value out of Pulumi's state, got 'config'"),
    "configParameters.token": ({"parameters": {"token": TOKEN}, **TOKEN_VALUE}, "parameters.token.from must be 'generate' or 'external', to keep the value out of Pulumi's state, got 'config'"),
    "recoveryWindow": ({"recoveryWindowDays": 0}, "recoveryWindowDays must be at least 7, got 0"),
    "recoveryWindow.database": ({"secrets": {"database": {**RANDOM, "recoveryWindowDays": 0}}}, "secrets.database.recoveryWindowDays must be at least 7, got 0"),
    "timeout": ({"function": {**STRICT["function"], "timeoutSeconds": 29}}, "function.timeoutSeconds must be at least 30, got 29"),
    "staleness": ({"maxStalenessSeconds": 301}, "maxStalenessSeconds must be at most 300, got 301"),
    "tracing": ({"function": {**STRICT["function"], "tracing": False}}, "function.tracing must be true, got false"),
    "telemetry": ({"function": {**STRICT["function"], "telemetry": False}, **UNWATCHED}, "function.telemetry must be true, got false"),
    "logRetention": ({"function": {**STRICT["function"], "logRetentionDays": 180}}, "function.logRetentionDays must be at least 365, got 180"),
    "reservedConcurrency": ({"function": {**STRICT["function"], "reservedConcurrency": 0}}, "function.reservedConcurrency must be at least 1, got 0 (it needs an account quota above 100)"),
    "timeout.orders": (orders(timeoutSeconds=29), "functions.orders.timeoutSeconds must be at least 30, got 29"),
    "tracing.orders": (orders(tracing=False), "functions.orders.tracing must be true, got false"),
    "telemetry.orders": (orders(telemetry=False), "functions.orders.telemetry must be true, got false"),
    "logRetention.orders": (orders(logRetentionDays=180), "functions.orders.logRetentionDays must be at least 365, got 180"),
    "reservedConcurrency.orders": (orders(reservedConcurrency=None), "functions.orders.reservedConcurrency must be at least 1, got none (it needs an account quota above 100)"),
    "internalLogRetention": ({**orders(), "internalFunctions": {}}, "internalFunctions.logRetentionDays must be at least 365, got 30"),
    "keyRotation": ({"key": {"rotationPeriodDays": 366, "deletionWindowDays": 30}}, "key.rotationPeriodDays must be at most 365, got 366"),
    "keyDeletionWindow": ({"key": {"deletionWindowDays": 29}}, "key.deletionWindowDays must be at least 30, got 29"),
    "replicaRegions": ({"replicaRegions": []}, "replicaRegions must list at least one region, got none"),
    "monitoring": ({"monitoring": {**MONITORING, "enabled": False}}, "monitoring.enabled must be true, got false"),
    "alarmSubscribers": ({"monitoring": {"enabled": True}}, "monitoring.subscriptions must list at least one subscriber, got none"),
    "audit": ({"audit": {"logRetentionDays": 365}, **UNWATCHED}, "audit.trail must be 'own' or 'existing', got 'none'"),
    "auditLogRetention": ({"audit": {"trail": "own", "logRetentionDays": 180}}, "audit.logRetentionDays must be at least 365, got 180"),
    "auditRetention": ({"audit": {"trail": "own", "retentionDays": 364, "logRetentionDays": 365}}, "audit.retentionDays must be at least 365, got 364"),
    "resourcePolicy": ({"resourcePolicy": {}}, "resourcePolicy.enabled must be true, got false"),
}  # fmt: skip


def test_the_strictest_config_keeps_every_rule() -> None:
    assert read(STRICT).settings.protection == "strict"


PROTECTIONS = {
    "protect",
    "protect.<name>",
    "protectParameters.<name>",
    "protectKeys",
    "protectAudit",
}
"""What Pulumi refuses, and no config breaks."""


def test_every_rule_is_broken_here_by_itself() -> None:
    keys = {re.sub(r"[.](database|token|orders)", ".<name>", key) for key in BREACHES}
    assert keys | PROTECTIONS == set(guardrails.RULES)
    assert not keys & PROTECTIONS


@pytest.mark.parametrize("key", BREACHES)
def test_a_broken_rule_is_one_line_with_key_value_remedy_and_exemption(key: str) -> None:
    change, line = BREACHES[key]
    (fault,) = faults({**STRICT, **change})
    assert fault == (
        f"{PROJECT}:{line}; to waive this rule (strict protection), set exemptions['{key}'] to a"
        " reason; fix it in Pulumi.test.yaml"
    )


@pytest.mark.parametrize("key", BREACHES)
def test_a_written_reason_lets_exactly_its_rule_pass(key: str) -> None:
    change, _ = BREACHES[key]
    reasons = {**change.get("exemptions", {}), key: REASON}
    assert read({**STRICT, **change, "exemptions": reasons}).settings.exemptions == reasons


def test_a_rotation_less_than_once_a_year_is_none() -> None:
    seldom = {**RANDOM, "rotation": {"strategy": "random", "everyDays": 366}}
    (fault,) = faults({**STRICT, "secrets": {"database": seldom}})
    assert "secrets.database.rotation.everyDays must be at most 365, got 366" in fault
    assert "exemptions['rotation.database']" in fault


def test_reserved_concurrency_that_is_missing_is_none() -> None:
    function = {**STRICT["function"], "reservedConcurrency": None}
    (fault,) = faults({**STRICT, "function": function})
    assert "must be at least 1, got none (it needs an account quota above 100)" in fault


def test_strict_refuses_everything_at_once() -> None:
    found = faults({**CARELESS, "protection": "strict"})
    named = {re.search(r"exemptions\['([^']+)'\]", fault)[1] for fault in found}  # type: ignore[index]
    of_functions = {key for key in BREACHES if key.endswith(".orders")} | {"internalLogRetention"}
    assert named == set(BREACHES) - of_functions
    assert len(found) == len(guardrails.RULES) - len(PROTECTIONS) - len(of_functions)


def test_functions_are_named_each_and_node_prints_no_telemetry(tmp_path: Path) -> None:
    careless = {**APP, "timeoutSeconds": 29, "tracing": False, "logRetentionDays": 180}
    code = tmp_path / "main.mjs"
    code.write_text("export const handler = async () => 1;\n", encoding="utf-8")
    node = {"code": str(code), "handler": "main.handler", "runtime": "nodejs22.x"}
    functions = {"orders": careless, "mail": careless | node}
    found = faults({**STRICT, "function": {}, "functions": functions})
    named = {re.search(r"exemptions\['([^']+)'\]", fault)[1] for fault in found}  # type: ignore[index]
    rules = {"timeout", "tracing", "logRetention", "reservedConcurrency"}
    assert named == {
        *(f"{rule}.{name}" for rule in rules for name in functions),
        *("telemetry.orders", "internalLogRetention"),
    }


def test_standard_refuses_only_what_loses_shows_or_ages_a_secret() -> None:
    found = faults({**CARELESS, "protection": "standard"})
    assert sorted(fault.split()[0].removeprefix(f"{PROJECT}:") for fault in found) == [
        "function.timeoutSeconds",
        "function.tracing",
        "maxStalenessSeconds",
        "parameters.token.from",
        "recoveryWindowDays",
        "secrets.database.from",
        "secrets.database.recoveryWindowDays",
        "secrets.database.rotation",
    ]


def test_relaxed_refuses_nothing_and_is_what_a_config_without_a_level_is() -> None:
    assert read(CARELESS).settings.protection == "relaxed"


def test_the_defaults_of_every_key_keep_the_standard() -> None:
    assert not list(guardrails.errors(Settings(protection="standard"), (), (), all_read=True))


def test_another_secrets_reason_is_none_for_this_one() -> None:
    secrets = {"database": RANDOM, "a": {"from": "external"}, "b": {"from": "external"}}
    (fault,) = faults({**STRICT, "secrets": secrets, "exemptions": {"rotation.a": REASON}})
    assert "secrets.b.rotation must be set" in fault


@pytest.mark.parametrize(
    ("exemptions", "fault"),
    [
        ({"rotations": REASON}, "exemptions['rotations'] names an unknown rule; known rules: rotation.<name>, configValues.<name>, configParameters.<name>, recoveryWindow,"),
        ({"rotation.none": REASON}, "exemptions['rotation.none'] is for 'none', which is not in this config; known names: database"),
        ({"rotation": REASON}, "exemptions['rotation'] names an unknown rule"),
        ({"tracing.database": REASON}, "exemptions['tracing.database'] is for 'database', which is not in this config; known names: none"),
        ({"tracing": REASON}, "exemptions['tracing'] is not needed, because protection 'strict' does not reject this; remove it"),
        ({"rotation.database": REASON}, "exemptions['rotation.database'] is not needed"),
        ({"tracing": "because"}, "exemptions['tracing'] must be a reason of at least 10 characters, got 'because'"),
        ({"tracing": " " * 20}, "exemptions['tracing'] must be a reason of at least 10 characters"),
        ({"tracing": 1}, "exemptions.tracing must be text, got 1"),
    ],
)  # fmt: skip
def test_an_exemption_for_nothing_is_a_fault(exemptions: dict[str, Any], fault: str) -> None:
    (found,) = faults({**STRICT, "exemptions": exemptions})
    assert fault in found


@pytest.mark.parametrize("level", ["relaxed", "standard", "strict"])
@pytest.mark.parametrize(
    "key",
    ["protect", "protectKeys", "protectAudit", "protect.database", "protect.gone", "protectParameters.gone"],
)  # fmt: skip
def test_a_deletion_may_be_asked_for_at_every_level_also_of_what_is_gone(
    key: str, level: str
) -> None:
    config = {**STRICT, "protection": level, "exemptions": {key: REASON}}
    assert read(config).settings.exemptions == {key: REASON}


@pytest.mark.parametrize(
    ("exemptions", "fault"),
    [
        ({"protect.": REASON}, "exemptions['protect.'] is for '', which is not in this config"),
        (
            {"protectKeys.database": REASON},
            "exemptions['protectKeys.database'] names an unknown rule",
        ),
        ({"protectParameters": REASON}, "exemptions['protectParameters'] names an unknown rule"),
        ({"protect.gone": "gone"}, "must be a reason of at least 10 characters, got 'gone'"),
    ],
)
def test_a_deletion_is_asked_for_by_a_known_rule_and_a_reason(
    exemptions: dict[str, str], fault: str
) -> None:
    (found,) = faults({**STRICT, "exemptions": exemptions})
    assert fault in found


@pytest.mark.parametrize(
    ("level", "exemptions", "protected"),
    [
        ("relaxed", {}, False),
        ("standard", {}, False),
        ("strict", {}, True),
        ("strict", {"protect": REASON}, False),
        ("strict", {"protect.database": REASON}, False),
        ("strict", {"protect.other": REASON}, True),
        ("strict", {"protectKeys": REASON}, True),
    ],
)
def test_strict_protects_what_no_exemption_names(
    level: str, exemptions: dict[str, str], *, protected: bool
) -> None:
    environment = read({**STRICT, "protection": level, "exemptions": exemptions})
    assert environment.protects("protect.database") == protected


def test_a_level_that_does_not_ask_for_it_needs_no_exemption() -> None:
    careless = {**CARELESS, "exemptions": {"tracing": REASON}}
    (fault,) = faults(careless)
    assert "is not needed, because protection 'relaxed' does not reject this; remove it" in fault


def test_an_unknown_level_names_the_three() -> None:
    (fault,) = faults({**STRICT, "protection": "paranoid"})
    assert "protection must be 'relaxed', 'standard' or 'strict', got 'paranoid'" in fault


def test_a_secret_with_another_fault_is_not_told_that_its_exemption_is_for_nothing() -> None:
    secrets = {"database": RANDOM, "a": {"from": "vault"}}
    (fault,) = faults({**STRICT, "secrets": secrets, "exemptions": {"rotation.a": REASON}})
    assert "secrets.a.from must be" in fault

# ruff: noqa: E501 (a table reads by its rows)
"""What a level of protection refuses, all at once, and what a written reason lets pass."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config import missing_exemptions, surroundings
from infra.config.rules import guardrails
from infra.config.schema import Settings
from infra.config.settings import SettingsError
from tests.recording import EXEMPTION, PROJECT
from tests.unit.test_settings import faults, read

RANDOM = {"generate": {"key": {}}, "rotation": {"strategy": "random"}}
SUBSCRIPTION = {"protocol": "email", "endpoint": "oncall@example.com"}
MONITORING = {"enabled": True, "subscriptions": [SUBSCRIPTION]}
TOKEN = {"type": "SecureString", "from": "config"}
TOKEN_VALUE = {"secretValues": {"parameters/token": "x"}}
# A config that keeps every rule, with the values that are just allowed.
STRICT: dict[str, Any] = {
    "aws:allowedAccountIds": ["123456789012"],
    "network": {
        "subnetIds": ["subnet-1", "subnet-2"],
        "securityGroupIds": ["sg-1"],
        "egress": "nat",
    },
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
    "exemptions": {"monitoring": EXEMPTION},
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
    "configValues.database": ({"secrets": {"database": {"from": "config"}}, **SECRET_VALUE, "exemptions": {"rotation.database": EXEMPTION}}, "secrets.database.from must be 'generate' or 'external', to keep the value out of Pulumi's state, got 'config'"),
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
    "network": ({"network": {}}, "network.subnetIds must list subnets of a VPC, got none"),
    "network.orders": (orders(network={}), "functions.orders.network.subnetIds must list subnets of a VPC, got none"),
    "allowedAccounts": ({"aws:allowedAccountIds": []}, "aws:allowedAccountIds is not set; set it to the account of this stack, such as ['123456789012'], so that no other account's credentials deploy it"),
    "secretsProvider": ({"secrets": {"database": {"from": "config"}}, **SECRET_VALUE, "exemptions": dict.fromkeys(("rotation.database", "configValues.database"), EXEMPTION)}, "secretValues must be encrypted by a key of a cloud service, but a passphrase encrypts it; run `pulumi stack change-secrets-provider 'awskms://alias/NAME?region=REGION'`"),
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
def test_a_broken_rule_is_one_line_with_key_value_remedy_and_exemption(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, line = BREACHES[key]
    monkeypatch.setattr(surroundings, "has_passphrase", lambda *_: key == "secretsProvider")
    (fault,) = faults({**STRICT, **change})
    namespace = "" if line.startswith("aws:") else f"{PROJECT}:"
    assert fault == (
        f"{namespace}{line}; to waive this rule (strict protection), add exemptions['{key}'];"
        " fix it in Pulumi.test.yaml"
    )


@pytest.mark.parametrize("key", BREACHES)
def test_a_written_reason_lets_exactly_its_rule_pass(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "has_passphrase", lambda *_: key == "secretsProvider")
    change, _ = BREACHES[key]
    reasons = {**change.get("exemptions", {}), key: EXEMPTION}
    found = read({**STRICT, **change, "exemptions": reasons}).settings.exemptions
    assert {key: each.model_dump() for key, each in found.items()} == reasons


@pytest.mark.parametrize(
    ("level", "rotation", "line"),
    [
        ("strict", {"everyDays": 91}, "everyDays must be at most 90, got 91"),
        ("standard", {"everyDays": 366}, "everyDays must be at most 365, got 366"),
        *(
            ("strict", {"schedule": each}, f"schedule must rotate at least every 90 days, got {each!r}")
            for each in (
                *("rate(91 days)", "rate(999 days)", "cron(0 4 1 JAN,APR,JUL,OCT ? *)"),
                *("cron(0 4 29 FEB ? *)", "cron(0 4 31 FEB ? *)", "cron(0 4 ? */4 MON#1 *)"),
                *("cron(0 4 ? * MON#5 *)", "cron(0 4 L 2,5,7,9,11,12 ? *)", "cron(0 4 ? 2 2#5 *)"),
                *("cron(0 4 LW 2,5,7,9,11,12 ? *)", "cron(0 4 1W 2,5,7,9,11,12 ? *)"),
            )
        ),
        ("standard", {"schedule": "rate(500 days)"}, "schedule must rotate at least every 365 days, got 'rate(500 days)'"),
    ],
)  # fmt: skip
def test_a_rotation_that_is_too_seldom_is_none(
    level: str, rotation: dict[str, Any], line: str
) -> None:
    seldom = {**RANDOM, "rotation": {"strategy": "random", **rotation}}
    config = {**STRICT, "protection": level, "secrets": {"database": seldom}}
    (fault,) = faults(config)
    assert f"secrets.database.rotation.{line}" in fault
    assert "exemptions['rotation.database']" in fault


@pytest.mark.parametrize(
    ("level", "rotation"),
    [
        ("strict", {"everyDays": 90}),
        *(
            ("strict", {"schedule": each})
            for each in (
                "rate(90 days)",
                "cron(0 4 L * ? *)",
                "cron(0 4 ? * SUN *)",
                "cron(0 4 ? * MON#4,2L *)",
            )
        ),
        ("strict", {"schedule": "cron(0 4 1 */2 ? *)"}),
        ("strict", {"schedule": "cron(0 4 1 2,5,7,9,11,12 ? *)"}),
        ("standard", {"schedule": "cron(0 4 ? * MON#5 *)"}),
        ("standard", {"everyDays": 365}),
    ],
)
def test_a_rotation_in_time_is_one(level: str, rotation: dict[str, Any]) -> None:
    often = {**RANDOM, "rotation": {"strategy": "random", **rotation}}
    assert read({**STRICT, "protection": level, "secrets": {"database": often}})


def test_reserved_concurrency_that_is_missing_is_none() -> None:
    function = {**STRICT["function"], "reservedConcurrency": None}
    (fault,) = faults({**STRICT, "function": function})
    assert "must be at least 1, got none (it needs an account quota above 100)" in fault


def test_strict_refuses_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "has_passphrase", lambda *_: True)
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


NO_NAMES = guardrails.EntryNames()


def test_the_defaults_of_every_key_keep_the_standard() -> None:
    of_stack = guardrails.Surroundings("2027-01-31")
    settings = Settings(protection="standard")
    assert not list(guardrails.errors(settings, NO_NAMES, of_stack, all_read=True))


def test_another_secrets_reason_is_none_for_this_one() -> None:
    secrets = {"database": RANDOM, "a": {"from": "external"}, "b": {"from": "external"}}
    (fault,) = faults({**STRICT, "secrets": secrets, "exemptions": {"rotation.a": EXEMPTION}})
    assert "secrets.b.rotation must be set" in fault


@pytest.mark.parametrize(
    ("exemptions", "fault"),
    [
        ({"rotations": EXEMPTION}, "exemptions['rotations'] names an unknown rule; known rules: rotation.<name>, configValues.<name>, configParameters.<name>, recoveryWindow,"),
        ({"rotation.none": EXEMPTION}, "exemptions['rotation.none'] is for 'none', which is not in this config; known names: database"),
        ({"rotation": EXEMPTION}, "exemptions['rotation'] names an unknown rule"),
        ({"tracing.database": EXEMPTION}, "exemptions['tracing.database'] is for 'database', which is not in this config; known names: none"),
        ({"tracing": EXEMPTION}, "exemptions['tracing'] is not needed, because protection 'strict' does not reject this; remove it"),
        ({"rotation.database": EXEMPTION}, "exemptions['rotation.database'] is not needed"),
        ({"protect": 1}, "exemptions.protect must be text or a map, got 1"),
        ({"protect": {**EXEMPTION, "expires": "31.1.2027"}}, "exemptions.protect.expires must be a date such as 2027-01-31, in quotes, got '31.1.2027'"),
        ({"protect": {**EXEMPTION, "owner": " "}}, "exemptions['protect'] has no owner, which `protection: strict` requires; add it"),
        ({"protect": {**EXEMPTION, "until": "x"}}, "exemptions.protect.until is an unknown key; allowed keys: reason, owner, expires"),
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
    config = {**STRICT, "protection": level, "exemptions": {key: EXEMPTION}}
    assert read(config).settings.exemptions[key].model_dump() == EXEMPTION


@pytest.mark.parametrize(
    ("exemptions", "fault"),
    [
        ({"protect.": EXEMPTION}, "exemptions['protect.'] is for '', which is not in this config"),
        (
            {"protectKeys.database": EXEMPTION},
            "exemptions['protectKeys.database'] names an unknown rule",
        ),
        (
            {"protectParameters": EXEMPTION},
            "exemptions['protectParameters'] names an unknown rule",
        ),
        (
            {"protect.gone": {**EXEMPTION, "reason": "gone"}},
            "exemptions['protect.gone'] must have a reason of at least 10 characters, got 'gone'",
        ),
        ({"protect": {**EXEMPTION, "reason": " " * 20}}, "must have a reason of at least 10"),
        (
            {"protect": EXEMPTION["reason"]},
            (
                "exemptions['protect'] has no owner and no expires, which `protection: strict` requires;"
                " add it"
            ),
        ),
        (
            {"protect": {**EXEMPTION, "expires": "2026-11-26"}},
            (
                "exemptions['protect'] expired on 2026-11-26 (owner: platform); keep the rule and remove"
                " the exemption, or set a later date"
            ),
        ),
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
        ("strict", {"protect": EXEMPTION}, False),
        ("strict", {"protect.database": EXEMPTION}, False),
        ("strict", {"protect.other": EXEMPTION}, True),
        ("strict", {"protectKeys": EXEMPTION}, True),
    ],
)
def test_strict_protects_what_no_exemption_names(
    level: str, exemptions: dict[str, str], *, protected: bool
) -> None:
    environment = read({**STRICT, "protection": level, "exemptions": exemptions})
    assert environment.protects("protect.database") == protected


def test_a_level_that_does_not_ask_for_it_needs_no_exemption() -> None:
    careless = {**CARELESS, "exemptions": {"tracing": EXEMPTION}}
    (fault,) = faults(careless)
    assert "is not needed, because protection 'relaxed' does not reject this; remove it" in fault


def test_an_unknown_level_names_the_three() -> None:
    (fault,) = faults({**STRICT, "protection": "paranoid"})
    assert "protection must be 'relaxed', 'standard' or 'strict', got 'paranoid'" in fault


def test_a_secret_with_another_fault_is_not_told_that_its_exemption_is_for_nothing() -> None:
    secrets = {"database": RANDOM, "a": {"from": "vault"}}
    (fault,) = faults({**STRICT, "secrets": secrets, "exemptions": {"rotation.a": EXEMPTION}})
    assert "secrets.a.from must be" in fault


@pytest.mark.parametrize("level", ["relaxed", "standard"])
def test_below_strict_a_text_is_enough_but_no_date_that_has_passed(level: str) -> None:
    config = {**STRICT, "protection": level, "exemptions": {"protect": EXEMPTION["reason"]}}
    assert read(config).settings.exemptions["protect"].owner is None
    expired = {"reason": EXEMPTION["reason"], "expires": "2026-11-26"}
    (fault,) = faults({**config, "exemptions": {"protect": expired}})
    assert "exemptions['protect'] expired on 2026-11-26; keep the rule" in fault


def test_an_exemption_holds_on_its_last_day() -> None:
    exemptions = {"protect": {**EXEMPTION, "expires": "2027-01-31"}}
    settings = Settings.model_validate({"protection": "strict", "exemptions": exemptions})
    for today, expired in (("2027-01-31", 0), ("2027-02-01", 1)):
        of_stack = guardrails.Surroundings(today, ("123456789012",))
        found = guardrails.errors(settings, NO_NAMES, of_stack, all_read=True)
        assert len([each for each in found if "expired" in each.message]) == expired


def test_one_run_prints_every_missing_line_and_they_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surroundings, "has_passphrase", lambda *_: True)
    config = {
        **CARELESS,
        "protection": "strict",
        "exemptions": {"tracing": "It is traced by another tool.", "network": EXEMPTION},
    }
    with pytest.raises(SettingsError) as error:
        read(config)
    printed = error.value.remedy
    assert printed in str(error.value)
    pasted = yaml.safe_load(printed.partition("\n\n")[2])["exemptions"]
    assert pasted["network"] == EXEMPTION
    assert pasted["tracing"]["reason"] == "It is traced by another tool."
    placeholders = faults({**config, "exemptions": pasted})
    # All at once: one was complete, and one had a reason.
    assert len([line for line in placeholders if "has no owner" in line]) == len(pasted) - 1
    assert len([line for line in placeholders if "got 'WHY'" in line]) == len(pasted) - 2
    assert len(placeholders) == 2 * len(pasted) - 3
    lines = printed.partition("\n\n")[2].replace('owner: ""', "owner: platform")
    complete = yaml.safe_load(lines.replace("WHY", EXEMPTION["reason"]))
    assert read({**config, **complete}).settings.protection == "strict"


def test_what_is_printed_for_pasting_has_no_exemption_that_is_refused() -> None:
    config = {**STRICT, "function": {**STRICT["function"], "tracing": False}}
    wrong = {"audit": EXEMPTION, "tracing.nope": EXEMPTION, "rotations": EXEMPTION}
    with pytest.raises(SettingsError) as error:
        read({**config, "exemptions": {**wrong, "protect": EXEMPTION}})
    printed = yaml.safe_load(error.value.remedy.partition("\n\n")[2])["exemptions"]
    assert printed.keys() == {"protect", "tracing"}


def test_an_exemption_that_has_expired_needs_a_new_reason() -> None:
    old = {**EXEMPTION, "expires": "2026-01-31"}
    with pytest.raises(SettingsError) as error:
        read({**STRICT, "exemptions": {"protect": old}})
    line = f'reason: "WHY" # until 2026-01-31: "{EXEMPTION["reason"]}"'
    assert line in error.value.remedy
    printed = yaml.safe_load(error.value.remedy.partition("\n\n")[2])["exemptions"]
    assert printed["protect"]["reason"] == "WHY"
    (fault,) = faults({**STRICT, "exemptions": printed})
    assert "must have a reason of at least 10 characters, got 'WHY'" in fault


def test_what_other_errors_hide_is_not_printed_for_pasting() -> None:
    config = {**STRICT, "network": {"subnetIds": 1}, "tags": {"a<b": "x"}}
    with pytest.raises(SettingsError) as error:
        read(config)
    assert error.value.remedy == ""
    assert missing_exemptions.lines({}, [], "2027-01-31") == ""


@pytest.mark.parametrize(
    ("text", "passphrase"),
    [
        ("encryptionsalt: v1:abc\nconfig: {}\n", True),
        ("config: {}\nencryptionsalt: v1:abc\nsecretsprovider: passphrase\n", True),
        ("secretsprovider: awskms://alias/x?region=us-east-1\nencryptedkey: abc\n", False),
        ("secretsprovider: 'awskms://alias/x'\nencryptionsalt: v1:abc\n", False),
        ("secretsprovider: default\nconfig: {ü: x}\n", False),
        ("config:\n  encryptionsalt: x\n", False),
        ("config: {}\n", False),
        ("secretsprovider: ~\nencryptionsalt: v1:abc\n", True),
        ("secretsprovider:\nencryptionsalt: v1:abc\n", True),
        ("config: {expires: 2026-11-31, due: 2026-02-30}\nencryptionsalt: v1:abc\n", True),
        ("config: {excludeCharacters: =}\nencryptionsalt: v1:abc\n", True),
    ],
)
@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_the_stacks_file_says_how_its_secrets_are_encrypted(
    text: str, ending: str, tmp_path: Path, *, passphrase: bool
) -> None:
    assert not surroundings.has_passphrase([tmp_path], "dev")
    (tmp_path / f"Pulumi.{ending}").write_text("name: x\n")
    (tmp_path / f"Pulumi.dev.{ending}").write_text(text, encoding="utf-8")
    assert surroundings.has_passphrase([tmp_path], "dev") is passphrase


@pytest.mark.parametrize("line", ["stackConfigDir: my stacks", "stackConfigDir: 'my stacks' # x"])
def test_the_stacks_file_may_be_in_another_folder(line: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: x\n{line}\n")
    (tmp_path / "my stacks").mkdir()
    (tmp_path / "my stacks" / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:abc\n")
    assert surroundings.has_passphrase([tmp_path], "dev")
    assert not surroundings.has_passphrase([tmp_path], "prod")


def test_the_first_folder_with_the_stacks_file_counts(tmp_path: Path) -> None:
    """The local run deploys from a folder of its own, with a passphrase."""
    (own, other) = (tmp_path / name for name in ("own", "other"))
    for folder in (own, other):
        folder.mkdir()
    (other / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:abc\n")
    assert surroundings.has_passphrase([own, other], "dev")
    (own / "Pulumi.dev.yaml").write_text("secretsprovider: awskms://alias/x\n")
    assert not surroundings.has_passphrase([own, other], "dev")


@pytest.mark.parametrize("given", ["123456789012", [123456789012], ["1234"], {"a": 1}])
def test_accounts_are_a_list_of_texts(given: object) -> None:
    (fault,) = faults({**STRICT, "aws:allowedAccountIds": given})
    assert "aws:allowedAccountIds must be a list of account IDs, each the 12 digits of" in fault

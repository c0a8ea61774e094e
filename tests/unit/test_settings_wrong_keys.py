# ruff: noqa: E501 (a table reads by its rows)
"""A key that is wrong by itself: it causes no other error, and hides none."""

import copy
from typing import Any

import pytest

from infra.config.settings import SettingsError
from tests.recording import PROJECT
from tests.unit.test_settings import APP, DATABASE, VALID, faults, read
from tests.unit.test_settings_mutations import of_stack

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/0"
NO_SUFFIX = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"
FUNCTION = "functions.reader"


def changed(stack: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Return a stack's config with other values at some paths."""
    config = copy.deepcopy(of_stack(stack))
    for path, value in keys.items():
        *parents, last = path.split(".")
        owner = config
        for each in parents:
            owner = owner.setdefault(each, {})
        owner[last] = value
    return config


def told(keys: dict[str, Any], **options: Any) -> list[str]:
    """Return the key of each error."""
    return sorted(line.split()[0].removeprefix(f"{PROJECT}:") for line in faults(keys, **options))


@pytest.mark.parametrize(
    ("stack", "keys", "paths"),
    [
        ("dev", {"parameters.token": {"type": "SecureStrng", "from": "config"}}, ["parameters.token.type"]),
        ("dev", {"parameters.text": {"value": "x" * 5000, "tier": "Advnced"}}, ["parameters.text.tier"]),
        ("prod", {"network.egress": "endpoint"}, ["network.egress"]),
        ("prod", {"network.egress": "endpoint", "network.securityGroupIds": []}, ["network.egress"]),
        ("prod", {"network.securityGroupIds": "sg-1"}, ["network.securityGroupIds"]),
        ("prod", {"network.securityGroupIds": "sg-1", "network.databaseSecurityGroupId": None}, ["network.securityGroupIds"]),
        ("dev", {"audit": {"trail": "exsting", "logGroupName": "x"}}, ["audit.trail"]),
        ("dev", {"secrets.p": {"existing": NO_SUFFIX, "keyArn": KEY_ARN}}, ["secrets.p.existing"]),
        ("staging", {"protection": "standard", "secrets.p": {"existing": NO_SUFFIX}}, ["secrets.p.existing"]),
        ("staging", {f"{FUNCTION}.requirements": 7}, [f"{FUNCTION}.requirements"]),
        ("staging", {f"{FUNCTION}.runtime": "node22.x"}, [f"{FUNCTION}.runtime"]),
        ("staging", {f"{FUNCTION}.event": 7}, [f"{FUNCTION}.event"]),
        ("staging", {f"{FUNCTION}.requirements": 7, f"{FUNCTION}.event": "no.json"}, [f"{FUNCTION}.event", f"{FUNCTION}.requirements"]),
        ("dev", {"key": 7, "secrets.database.keyArn": KEY_ARN}, ["key", "secrets.database.keyArn"]),
        ("prod", {"exemptions": ["x"], f"{FUNCTION}.tracing": False}, ["exemptions", f"{FUNCTION}.tracing", "secrets.partner.rotation"]),
        ("prod", {"exemptions": {"tracing.reader": 1}, f"{FUNCTION}.tracing": False}, ["exemptions.tracing.reader", "secrets.partner.rotation"]),
        ("prod", {"secrets": 7}, ["secrets"]),
        ("prod", {f"{FUNCTION}.runtime": 7, f"{FUNCTION}.telemetry": False}, [f"{FUNCTION}.runtime"]),
        ("prod", {f"{FUNCTION}.logRetentionDays": "x", "internalFunctions": {}}, [f"{FUNCTION}.logRetentionDays"]),
        ("prod", {f"{FUNCTION}.timeoutSeconds": "x", "extension.secretsTimeoutMillis": 30_000}, [f"{FUNCTION}.timeoutSeconds"]),
        ("dev", {"maxStalenessSeconds": "x", "extension.secretsTtlSeconds": 301}, ["extension.secretsTtlSeconds", "maxStalenessSeconds"]),
        ("dev", {"recoveryWindowDays": "x", "key.deletionWindowDays": 7}, ["recoveryWindowDays"]),
    ],
)  # fmt: skip
def test_each_error_is_true(stack: str, keys: dict[str, Any], paths: list[str]) -> None:
    assert told(changed(stack, keys)) == paths


@pytest.mark.parametrize(
    ("encrypted", "keys"),
    [
        ("functions", {"secrets": {"stripe": DATABASE}, "functions": {"orders": APP}}),
        ("secrets", {**VALID, "functions": {"orders": APP}}),
        ("secrets", {**VALID, "readers": {"a": {"role": "arn:aws:iam::123456789012:role/a", "secrets": ["database"]}}}),
        ("exemptions", {**of_stack("staging"), "protection": "standard", "recoveryWindowDays": 0, "exemptions": {"recoveryWindow": "It is only staging."}}),
        ("monitoring", of_stack("prod")),
        ("exemptions", of_stack("prod")),
    ],
)  # fmt: skip
def test_a_section_that_is_encrypted_is_not_judged(encrypted: str, keys: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as error:
        read(keys, secret_keys=(f"{PROJECT}:{encrypted}",))
    (line,) = error.value.errors
    assert line.startswith(f"{PROJECT}:{encrypted} is encrypted")
    assert not error.value.remedy

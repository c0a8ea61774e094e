"""Pulumi's protect option: what carries it, and that nothing else in the plan shows it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.components.app_secret import AppSecret
from infra.components.audit import Audit
from infra.components.encryption_key import EncryptionKey
from infra.components.parameter_store import ParameterStore
from tests.recording import EXEMPTION, PROJECT, Requests, requested, stack

PLACE = {"partition": "aws", "region": "us-east-1", "account_id": "123456789012"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def key(*, protect: bool | None = None) -> EncryptionKey:
    args: Any = {"description": "d", "alias": "a/b", **PLACE}
    return EncryptionKey("k", with_(args, protect))


def secret(*, protect: bool | None = None) -> AppSecret:
    args: Any = {"name": "a/b/s", "key_arn": KEY, "value": "v"}
    return AppSecret("s", with_(args, protect))


def store(*, protect: bool | None = None) -> ParameterStore:
    mine: Any = {"name": "/a/b/p", "type": "String", "value": "v"}
    parameters = {"p": with_(mine, protect), "q": {**mine, "name": "/a/b/q"}}
    args: Any = {"parameters": parameters, "key_arn": KEY, **PLACE}
    return ParameterStore("ps", args)


def audit(*, protect: bool | None = None) -> Audit:
    args: Any = {"trail_name": "a-b", "log_group_name": "/t", "alias": "a/b-audit", **PLACE}
    return Audit("a", with_(args, protect))


def with_(args: Any, protect: bool | None) -> Any:  # noqa: FBT001 (the argument itself)
    return args if protect is None else {**args, "protect": protect}


@pytest.mark.parametrize(
    ("build", "protected"),
    [
        (key, {"k-key"}),
        (secret, {"s-secret"}),
        (store, {"ps-p"}),
        (audit, {"a-key", "a-bucket", "a-logs"}),
    ],
)
def test_what_holds_data_is_protected_if_asked_and_shows_it_nowhere(
    build: Callable[..., object], protected: set[str]
) -> None:
    asked = requested(lambda: build(protect=True))
    assert {name for _, name in asked.with_option("protect")} == protected
    for engine in (requested(build), requested(lambda: build(protect=False))):
        assert not engine.with_option("protect")
    assert inputs(asked) == inputs(requested(build))


def inputs(engine: Requests) -> str:
    return json.dumps({each.urn: each.inputs for each in engine.registrations}, sort_keys=True)


def protected(name: str, **changes: object) -> set[str]:
    engine = Requests()
    engine.run(stack(name, **changes))
    return {name for _, name in engine.with_option("protect")}


@pytest.mark.exhaustive
def test_a_strict_stack_protects_all_that_holds_data_but_what_is_exempted() -> None:
    secrets = {"database-secret", "admin-secret", "session-secret", "partner-secret"}
    keys = {"environment-key", "replica-us-west-2-key"}
    record = {"audit-key", "audit-bucket", "audit-logs"}
    parameters = {"parameters-log-level"}
    exempt = json.loads(stack("prod").config[f"{PROJECT}:exemptions"])
    assert protected("prod") == secrets | keys | record | parameters
    for rule, ended in (
        ("protect", secrets | keys | record | parameters),
        ("protect.partner", {"partner-secret"}),
        ("protectParameters.log-level", parameters),
        ("protectKeys", keys),
        ("protectAudit", record),
    ):
        left = protected("prod", exemptions={**exempt, rule: EXEMPTION})
        assert left == (secrets | keys | record | parameters) - ended


@pytest.mark.parametrize("name", ["dev", "staging"])
def test_a_stack_of_another_level_protects_nothing(name: str) -> None:
    assert protected(name) == set()

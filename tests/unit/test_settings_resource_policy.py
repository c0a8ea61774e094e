# ruff: noqa: E501 (a table reads by its rows)
"""What `resourcePolicy` may say, and whom it would lock out."""

from typing import Any

import pytest

from infra.config.rules.resource_policy import lockout
from infra.config.settings import SettingsError, administrators
from tests.unit.test_settings import VALID, faults, read

ACCOUNT = "arn:aws:iam::123456789012:"
SESSION = "arn:aws:sts::123456789012:assumed-role/"
IDENTITY_CENTER = f"{ACCOUNT}role/aws-reserved/sso.amazonaws.com/"
SSO_NAME = "AWSReservedSSO_Admin_0123456789abcdef"


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ({"enabled": True}, "resourcePolicy.administrators is empty, so with `enabled` no one could change the secrets; add the deployer"),
        ({"enabled": True, "administrators": ["deploy"]}, "resourcePolicy.administrators must be ARNs of roles and users (* and ? allowed), got 'deploy'"),
        ({"enabled": True, "administrators": ["*"]}, "got '*'"),
        ({"enabled": True, "administrators": ["arn:aws:iam::1:role/a"]}, "must be ARNs of roles and users"),
        ({"enabled": True, "administrators": [f"{SESSION}deploy/ci"]}, "must be ARNs of roles and users"),
        ({"enabled": True, "administrators": [f"{ACCOUNT}role/${{aws:username}}"]}, "must be ARNs of roles and users"),
        ({"enabled": True, "administrators": [f"{ACCOUNT}role/*"]}, f"matches everyone with '{ACCOUNT}role/*'; list specific roles and users"),
        ({"enabled": True, "administrators": [f"{ACCOUNT}user/*/*"]}, "matches everyone"),
        ({"enabled": True, "administrators": [f"{ACCOUNT}role/{'a' * 5600}"]}, "resourcePolicy.administrators must have at most 4826 characters in total, got 5634"),
        ({"enabled": True, "administrators": [f"{ACCOUNT}role/a"], "organizationId": "o-1"}, "resourcePolicy.organizationId must be o- followed by 10 to 32 lower-case letters and digits, got 'o-1'"),
        ({"administrators": [f"{ACCOUNT}role/a"]}, "resourcePolicy.enabled must be true when `administrators` is set, got false"),
        ({"organizationId": "o-0123456789"}, "resourcePolicy.enabled must be true"),
        ({"administrators": f"{ACCOUNT}role/a"}, "resourcePolicy.administrators must be a list"),
    ],
)  # fmt: skip
def test_a_fault_names_the_key_and_what_is_allowed(policy: dict[str, Any], fault: str) -> None:
    (found,) = faults({**VALID, "resourcePolicy": policy})
    assert fault in found


@pytest.mark.parametrize(
    ("caller", "administrators"),
    [
        (f"{ACCOUNT}user/admin", [f"{ACCOUNT}user/admin"]),
        (f"{ACCOUNT}user/team/admin", ["arn:aws:iam::*:user/team/*"]),
        (f"{ACCOUNT}root", [f"{ACCOUNT}root"]),
        ("arn:aws:sts::123456789012:federated-user/f", ["arn:aws:sts::*:federated-user/?"]),
        (f"{SESSION}deploy/ci", [f"{ACCOUNT}role/deploy", f"{ACCOUNT}role/*/deploy"]),
        (f"{SESSION}deploy/ci", [f"{ACCOUNT}role/*deploy"]),
        (f"{SESSION}{SSO_NAME}/me@example.com", [f"{IDENTITY_CENTER}*AWSReservedSSO_Admin_*"]),
        (f"{SESSION}{SSO_NAME}/me", [f"{IDENTITY_CENTER}{SSO_NAME}", f"{IDENTITY_CENTER}*/{SSO_NAME}"]),
        ("arn:aws-cn:sts::123456789012:assumed-role/d/s", ["arn:aws-cn:iam::*:role/*d"]),
    ],
)  # fmt: skip
def test_who_deploys_is_let_through_when_named(caller: str, administrators: list[str]) -> None:
    assert not list(lockout(administrators, caller))


@pytest.mark.parametrize(
    ("caller", "administrators", "remedy"),
    [
        (f"{ACCOUNT}user/admin", [f"{ACCOUNT}user/other"], f"{ACCOUNT}user/admin"),
        (f"{ACCOUNT}user/a/admin", [f"{ACCOUNT}user/admin"], f"{ACCOUNT}user/a/admin"),
        (f"{ACCOUNT}root", [f"{ACCOUNT}user/root"], f"{ACCOUNT}root"),
        ("arn:aws:iam::210987654321:user/admin", [f"{ACCOUNT}user/admin"], "arn:aws:iam::210987654321:user/admin"),
        # A session does not tell the path of its role, which may be none or any.
        (f"{SESSION}deploy/ci", [f"{ACCOUNT}role/deploy"], f"{ACCOUNT}role/deploy and {ACCOUNT}role/*/deploy"),
        (f"{SESSION}deploy/ci", [f"{ACCOUNT}role/ci/deploy", f"{ACCOUNT}role/deploy"], f"{ACCOUNT}role/*/deploy"),
        (f"{SESSION}deploy/ci", [f"{ACCOUNT}role/*/deploy"], f"{ACCOUNT}role/deploy and {ACCOUNT}role/*/deploy"),
        (f"{SESSION}{SSO_NAME}/me", [f"{ACCOUNT}role/{SSO_NAME}"], f"{IDENTITY_CENTER}*{SSO_NAME}"),
        (f"{SESSION}{SSO_NAME}/me", [f"{IDENTITY_CENTER}*/AWSReservedSSO_Admin_*"], f"{IDENTITY_CENTER}*{SSO_NAME}"),
        # A dot is a dot, and no pattern reaches over a colon.
        (f"{ACCOUNT}user/axb", [f"{ACCOUNT}user/a.b"], f"{ACCOUNT}user/axb"),
        ("arn:aws:iam::1:2:user/a", ["arn:aws:iam::*:user/a"], "arn:aws:iam::1:2:user/a"),
    ],
)  # fmt: skip
def test_who_deploys_and_is_not_named_is_told_what_to_add(
    caller: str, administrators: list[str], remedy: str
) -> None:
    (error,) = lockout(administrators, caller)
    assert error.path == "resourcePolicy.administrators"
    assert error.message.startswith(f"would lock out the deployer, {caller}; add ")
    assert error.message.endswith(remedy)


def test_what_is_told_to_be_added_is_enough() -> None:
    for caller in (f"{ACCOUNT}root", f"{SESSION}deploy/ci", f"{SESSION}{SSO_NAME}/me"):
        (error,) = lockout([], caller)
        added = error.message.partition("; add ")[2].split(" and ")
        assert not list(lockout(added, caller))


def test_a_lockout_is_a_fault_of_the_stacks_file_and_none_without_the_policy() -> None:
    policy = {"enabled": True, "administrators": [f"{ACCOUNT}role/deploy"]}
    environment = read({**VALID, "resourcePolicy": policy})
    with pytest.raises(SettingsError, match=r"user/admin; fix it in Pulumi.test.yaml$"):
        administrators(environment, f"{ACCOUNT}user/admin")
    assert environment.settings.resource_policy.administrators == policy["administrators"]
    assert administrators(read(VALID), f"{ACCOUNT}user/admin") == []

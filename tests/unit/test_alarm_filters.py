"""Filter patterns over events as CloudTrail documents them.

The patterns are read by the embedded AWS's own reader of them; that CloudWatch reads them alike
is not proven.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from infra.alarms import filters as alarm_filters
from infra.aws.limits import FILTER_PATTERN_LENGTH
from local.emulator.logs import patterns

PREFIX = "project/prod/"
ARN = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PREFIX}database-AbCdEf"
SESSION = "arn:aws:sts::123456789012:assumed-role/reader-role-0123456/reader"
READER = "arn:aws:iam::123456789012:role/service/reader-role-0123456"
USER = "arn:aws:iam::123456789012:user/operator"
KEY = "arn:aws:kms:us-east-1:123456789012:key/b11293de-552f-4d04-b88c-081dd1be0ca5"


def event(service: str, name: str, caller: str = SESSION, /, **fields: Any) -> dict[str, Any]:
    given = {key: value for key, value in fields.items() if key in ("errorCode", "readOnly")}
    return {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "readOnly": name.startswith("Get"),
        "userIdentity": {"type": "AssumedRole", "arn": caller},
        "requestParameters": {k: v for k, v in fields.items() if k not in given},
        **given,
    }


def read(secret_id: str = ARN, caller: str = SESSION, **fields: Any) -> dict[str, Any]:
    return event("secretsmanager", "GetSecretValue", caller, secretId=secret_id, **fields)


def told(name: str, **details: str) -> dict[str, Any]:
    happened = event("secretsmanager", name) | {"requestParameters": None}
    return happened | {"additionalEventData": details}


def matches(pattern: str, happened: dict[str, Any]) -> bool:
    return patterns.compiled(pattern)(json.dumps(happened))


DENIED = alarm_filters.denied_reads()
IDS, ARNS = alarm_filters.of_environment(PREFIX)
READS = alarm_filters.reads(IDS)
UNKNOWN = alarm_filters.unknown_readers(IDS, [READER, USER])
ELSEWHERE = "arn:aws:iam::210987654321:role/reporting"
UNKNOWN_ELSEWHERE = alarm_filters.unknown_readers(IDS, [READER, ELSEWHERE])
DELETED = alarm_filters.deleted_secrets(IDS)
FAILED = alarm_filters.rotations(ARNS, "RotationFailed")
ROLES = alarm_filters.changed_role_policies([READER])
GRANTS = alarm_filters.changed_grants(ARNS)
POLICIES = alarm_filters.changed_secret_policies(IDS)
KEYS = alarm_filters.changed_key_policies([KEY])
DISABLED = alarm_filters.disabled_keys([KEY])
POLICY = "arn:aws:iam::123456789012:policy/reader-secrets-1-0123456"
MANAGED = alarm_filters.changed_managed_policies([POLICY])
TRAILS = alarm_filters.changed_trails()
LOGS = alarm_filters.changed_logs(["trail", "/aws/lambda/p-s-reader"])
ANOTHER = SESSION.replace("reader-role", "another-role")


def foreign(account: str) -> dict[str, str]:
    """Write a caller of another account as the owner's trail has it."""
    return {"type": "AWSAccount", "principalId": "AROAEXAMPLE:session", "accountId": account}


@pytest.mark.parametrize(
    ("pattern", "happened"),
    [
        (DENIED, read(errorCode="AccessDenied") | {"requestParameters": None}),
        (DENIED, read(errorCode="AccessDeniedException") | {"requestParameters": None}),
        (DENIED, read(errorCode="AccessDenied") | {"eventName": "BatchGetSecretValue"}),
        (READS, read()),
        (READS, read(f"{PREFIX}database")),
        (UNKNOWN, read(caller=ANOTHER)),
        (UNKNOWN, read(caller=f"{USER}2")),
        # A session and a user's path may bear any name.
        (UNKNOWN, read(caller=f"{ANOTHER[: -len('reader')]}reader-role-0123456")),
        (UNKNOWN, read(caller=f"{USER[: -len('operator')]}reader-role-0123456/x")),
        (UNKNOWN, read() | {"userIdentity": {"type": "AWSService", "invokedBy": "x"}}),
        (UNKNOWN_ELSEWHERE, read(caller=ANOTHER)),
        (UNKNOWN_ELSEWHERE, read(caller=SESSION.replace("reader-role-0123456", "reporting"))),
        (UNKNOWN_ELSEWHERE, read() | {"userIdentity": foreign("345678901234")}),
        (UNKNOWN, read() | {"userIdentity": foreign("210987654321")}),
        (DELETED, event("secretsmanager", "DeleteSecret", secretId=ARN)),
        (DELETED, event("secretsmanager", "RemoveRegionsFromReplication", secretId=ARN)),
        (DELETED, event("secretsmanager", "StopReplicationToReplica", secretId=ARN)),
        (FAILED, told("RotationFailed", SecretId=ARN)),
        (FAILED, told("RotationFailed", secretId=ARN)),
        (FAILED, told("RotationFailed", arn=ARN)),
        (FAILED, told("RotationFailed", aRN=ARN)),
        (ROLES, event("iam", "PutRolePolicy", roleName="reader-role-0123456")),
        (ROLES, event("iam", "DetachRolePolicy", roleName="reader-role-0123456")),
        (ROLES, event("iam", "UpdateAssumeRolePolicy", roleName="reader-role-0123456")),
        (ROLES, event("iam", "PutRolePermissionsBoundary", roleName="reader-role-0123456")),
        (ROLES, event("iam", "DeleteRolePermissionsBoundary", roleName="reader-role-0123456")),
        (MANAGED, event("iam", "CreatePolicyVersion", policyArn=POLICY, policyDocument="{}")),
        (MANAGED, event("iam", "SetDefaultPolicyVersion", policyArn=POLICY)),
        (TRAILS, event("cloudtrail", "StopLogging", name="trail")),
        (TRAILS, event("cloudtrail", "DeleteTrail", name="trail")),
        (TRAILS, event("cloudtrail", "UpdateTrail", name="trail")),
        (TRAILS, event("cloudtrail", "PutEventSelectors", trailName="trail")),
        (LOGS, event("logs", "DeleteMetricFilter", logGroupName="trail", filterName="reads")),
        (LOGS, event("logs", "PutMetricFilter", logGroupName="trail", filterName="reads")),
        (LOGS, event("logs", "DeleteLogGroup", logGroupName="/aws/lambda/p-s-reader")),
        (GRANTS, event("iam", "PutUserPolicy", policyDocument=f'{{"Resource": "{ARN}"}}')),
        (GRANTS, event("iam", "CreatePolicyVersion", policyDocument=f'["{ARN}"]')),
        (POLICIES, event("secretsmanager", "PutResourcePolicy", secretId=ARN)),
        (KEYS, event("kms", "PutKeyPolicy", keyId=KEY)),
        (KEYS, event("kms", "CreateGrant", keyId=KEY.rpartition("/")[2])),
        (KEYS, event("kms", "RevokeGrant", keyId=KEY)),
        (DISABLED, event("kms", "DisableKey", keyId=KEY)),
        (DISABLED, event("kms", "ScheduleKeyDeletion", keyId=KEY.rpartition("/")[2])),
    ],
)
def test_what_happened_is_matched(pattern: str, happened: dict[str, Any]) -> None:
    assert matches(pattern, happened)


@pytest.mark.parametrize(
    ("pattern", "happened"),
    [
        (DENIED, read()),
        (DENIED, read(errorCode="ResourceNotFoundException")),
        (DENIED, event("kms", "Decrypt", errorCode="AccessDenied")),
        (READS, read(errorCode="AccessDenied")),
        (READS, read("project/dev/database")),
        (UNKNOWN, read()),
        (UNKNOWN, read(caller=USER)),
        (UNKNOWN, read(caller=ANOTHER, errorCode="AccessDenied")),
        (UNKNOWN, read("project/dev/database", caller=ANOTHER)),
        (UNKNOWN_ELSEWHERE, read() | {"userIdentity": foreign("210987654321")}),
        (UNKNOWN_ELSEWHERE, read()),
        (DELETED, event("secretsmanager", "DeleteSecret", secretId="project/dev/a")),
        (DELETED, event("secretsmanager", "DeleteSecret", secretId=ARN, errorCode="X")),
        (FAILED, told("RotationSucceeded", SecretId=ARN)),
        (FAILED, told("RotationFailed", SecretId=ARN.replace("prod", "dev"))),
        (ROLES, event("iam", "GetRolePolicy", roleName="reader-role-0123456")),
        (ROLES, event("iam", "PutRolePolicy", roleName="another-role-0123456")),
        (GRANTS, event("iam", "PutUserPolicy", policyDocument="{}")),
        (MANAGED, event("iam", "SetDefaultPolicyVersion", policyArn=POLICY[:-1])),
        (MANAGED, event("iam", "GetPolicyVersion", policyArn=POLICY)),
        (TRAILS, event("cloudtrail", "StartLogging", name="trail")),
        (TRAILS, event("cloudtrail", "StopLogging", name="trail", errorCode="AccessDenied")),
        (LOGS, event("logs", "DeleteLogGroup", logGroupName="another")),
        (POLICIES, event("secretsmanager", "GetResourcePolicy", secretId=ARN)),
        (KEYS, event("kms", "GetKeyPolicy", keyId=KEY)),
        (DISABLED, event("kms", "DisableKey", keyId=KEY.replace("b1", "c1"))),
        (DISABLED, event("kms", "EnableKey", keyId=KEY)),
    ],
)
def test_what_is_none_of_it_is_not_matched(pattern: str, happened: dict[str, Any]) -> None:
    assert not matches(pattern, happened)


def test_more_readers_than_a_pattern_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="50 known readers need a filter pattern of"):
        alarm_filters.unknown_readers(IDS, [f"{READER}{number}" for number in range(50)])


PREFIX = "app-prod-"
OWN = [READER.replace("reader", f"{PREFIX}s{number}-rotation") for number in range(400)]
EARLIER = [READER.replace("reader", f"s{number}-rotation") for number in range(400)]


@pytest.mark.parametrize("roles", [OWN, EARLIER, [*OWN, *EARLIER]], ids=["own", "0.1", "both"])
def test_any_number_of_rotations_is_known(roles: list[str]) -> None:
    reader = READER.replace("reader", f"{PREFIX}reader")
    pattern = alarm_filters.unknown_readers(IDS, [reader, *roles], [USER], PREFIX)
    assert len(pattern) <= FILTER_PATTERN_LENGTH
    for role in (reader, roles[0], roles[-1]):
        session = f"arn:aws:sts::123456789012:assumed-role/{role.rpartition('/')[2]}"
        assert not matches(pattern, read(ARN, f"{session}/session"))
    stranger = "arn:aws:sts::123456789012:assumed-role/app-reader/me"
    assert matches(pattern, read(ARN, stranger))


def test_few_roles_are_named_exactly() -> None:
    exact = alarm_filters.unknown_readers(IDS, [READER, *OWN[:2]])
    assert alarm_filters.unknown_readers(IDS, [READER, *OWN[:2]], (), PREFIX) == exact
    assert f"{PREFIX}*" not in exact


def test_a_change_of_any_of_many_roles_is_matched() -> None:
    pattern = alarm_filters.changed_policies_of_many(PREFIX)
    for role in (OWN[0], EARLIER[0]):
        changed = event("iam", "PutRolePolicy", roleName=role.rpartition("/")[2])
        assert matches(pattern, changed)
    assert not matches(pattern, event("iam", "PutRolePolicy", roleName="another"))


def test_the_longest_names_fit_the_patterns_they_are_split_over() -> None:
    role, key = f"arn:aws:iam::123456789012:role/{'r' * 64}", KEY.replace("key/", "key/mrk-")
    (policies, *_) = alarm_filters.split([POLICY] * 100)
    (roles, *_) = alarm_filters.split([role] * 100)
    (keys, *_) = alarm_filters.split([key] * 100)
    for pattern in (
        alarm_filters.changed_role_policies(roles),
        alarm_filters.changed_key_policies(keys),
        alarm_filters.disabled_keys(keys),
        alarm_filters.changed_managed_policies(policies),
        alarm_filters.changed_logs(["g" * 512, f"/aws/lambda/{'g' * 80}"]),
    ):
        assert len(pattern) <= FILTER_PATTERN_LENGTH


EXISTING = "arn:aws:secretsmanager:us-east-1:123456789012:secret:billing/api-AbCdEf"
RDS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-0a1b2c3d-AbCdEf"
LONG = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{'n' * 512}-AbCdEf"


def counts(pattern: Callable[[alarm_filters.Secrets], str], happened: dict[str, Any]) -> int:
    """Count the filters about two existing secrets that an event is counted by."""
    secrets = alarm_filters.of_existing([EXISTING, RDS])
    return sum(matches(pattern(each), happened) for each in secrets)


def of_ids(pattern: Callable[[Sequence[str]], str]) -> Callable[[alarm_filters.Secrets], str]:
    return lambda secrets: pattern(secrets.ids or ["nothing"])


def of_arns(pattern: Callable[[Sequence[str]], str]) -> Callable[[alarm_filters.Secrets], str]:
    return lambda secrets: pattern(secrets.arns or ["nothing"])


@pytest.mark.parametrize("arn", [EXISTING, RDS])
@pytest.mark.parametrize(
    "name_of",
    [str, lambda arn: arn[:-7], lambda arn: arn.rpartition(":")[2][:-7]],
    ids=["ARN", "partial ARN", "name"],
)
def test_an_existing_secret_is_counted_once_by_whatever_it_is_named(
    arn: str, name_of: Callable[[str], str]
) -> None:
    named = {"secretId": name_of(arn)}
    unknown = partial(alarm_filters.unknown_readers, own_arns=[READER])
    assert counts(of_ids(alarm_filters.reads), read(named["secretId"])) == 1
    assert counts(of_ids(unknown), read(named["secretId"], ANOTHER)) == 1
    assert counts(of_ids(unknown), read(named["secretId"])) == 0
    deleted = event("secretsmanager", "DeleteSecret", **named)
    assert counts(of_ids(alarm_filters.deleted_secrets), deleted) == 1
    changed = event("secretsmanager", "PutResourcePolicy", **named)
    assert counts(of_ids(alarm_filters.changed_secret_policies), changed) == 1


@pytest.mark.parametrize("resource", [EXISTING, f"{EXISTING[:-6]}*", f"{EXISTING[:-6]}??????"])
def test_a_grant_and_a_rotation_of_an_existing_secret_are_counted_once(resource: str) -> None:
    grant = event("iam", "PutRolePolicy", policyDocument=f'{{"Resource": "{resource}"}}')
    assert counts(of_arns(alarm_filters.changed_grants), grant) == 1
    failed = partial(alarm_filters.rotations, event_name="RotationFailed")
    for key in ("SecretId", "secretId", "arn", "aRN"):
        assert counts(of_arns(failed), told("RotationFailed", **{key: EXISTING})) == 1


@pytest.mark.parametrize("name", ["billing/api-v2", "billing/ap", "x/billing/api", "billing"])
def test_a_secret_with_a_similar_name_is_not_counted(name: str) -> None:
    for secret_id in (name, EXISTING.replace("billing/api", name)):
        assert counts(of_ids(alarm_filters.reads), read(secret_id)) == 0


def test_the_patterns_of_many_existing_secrets_fit_beside_the_readers() -> None:
    readers = [READER.replace("reader", f"reader-{number}") for number in range(6)]
    arns = [EXISTING.replace("api", f"api-{number}") for number in range(20)]
    for secrets in alarm_filters.of_existing([*arns, LONG]):
        if secrets.arns:
            pattern = alarm_filters.rotations(secrets.arns, "RotationSucceeded")
            assert len(pattern) <= FILTER_PATTERN_LENGTH
    for secrets in alarm_filters.of_existing(arns):
        if secrets.ids:
            assert alarm_filters.unknown_readers(secrets.ids, readers)
    # The longest name takes a pattern for each way to name it.
    parts = [secrets.ids for secrets in alarm_filters.of_existing([LONG])]
    assert [len(each) for each in parts] == [1, 1, 1]
    assert all(alarm_filters.unknown_readers(each, readers[:1]) for each in parts)


LONG_PATH = f"/{'p' * 300}/"


@pytest.mark.parametrize(
    ("pattern", "happened"),
    [
        (
            alarm_filters.changed_managed_policies(
                [POLICY.replace("reader", f"{LONG_PATH[1:]}reader-{n}") for n in range(6)]
            ),
            event(
                "iam",
                "CreatePolicyVersion",
                policyArn=POLICY.replace("reader", f"{LONG_PATH[1:]}reader-5"),
            ),
        ),
        (
            alarm_filters.changed_logs(["l" * 512, *(f"/aws/lambda/{n:064}" for n in range(5))]),
            event("logs", "PutMetricFilter", logGroupName="l" * 512),
        ),
    ],
)
def test_names_that_are_too_long_for_a_pattern_are_shortened(
    pattern: str, happened: dict[str, Any]
) -> None:
    assert len(pattern) <= FILTER_PATTERN_LENGTH
    assert matches(pattern, happened)
    (name,) = happened["requestParameters"].values()
    other = dict.fromkeys(happened["requestParameters"], f"x{name[1:-1]}x")
    assert not matches(pattern, happened | {"requestParameters": other})

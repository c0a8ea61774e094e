"""Secrets with `rotation.group`: one function and role, with exactly their permissions."""

import json
from typing import Any

import pytest
from pulumi import ComponentResource

from infra.aws import limits
from infra.components.grouped_secret_rotation import GroupedSecretRotation
from infra.components.rotation_group import RotationGroup, RotationGroupArgs
from infra.components.secret_rotation import SecretRotation
from infra.policies import iam
from local.engines.built_in import Registration
from tests.components.test_contract import EXAMPLES
from tests.recording import PROJECT, ROOT, by_type, made, planned, requested

FIELDS = {"host": "h.abc123.us-east-1.rds.amazonaws.com"}
ADMIN = {"fields": {**FIELDS, "username": "boss"}, "generate": {"password": {}}}


def user(name: str) -> dict[str, Any]:
    return {
        "fields": {**FIELDS, "username": name},
        "generate": {"password": {}},
        "rotation": {"strategy": "alternatingUsers", "adminSecret": "admin", "group": "users"},
    }


def plan(**changes: Any) -> list[Registration]:
    return planned(
        "prod",
        secrets={"database": user("a"), "second": user("b"), "admin": ADMIN},
        exemptions={},
        protection="relaxed",
        **changes,
    ).registrations


@pytest.fixture(scope="module")
def registered() -> list[Registration]:
    return plan()


def named(registered: list[Registration], type_: str, *names: str) -> list[dict[str, Any]]:
    found = {each.name: each.inputs for each in by_type(registered, type_) if each.custom}
    return [found[name] for name in names]


def test_a_group_has_one_function_and_each_secret_a_schedule(
    registered: list[Registration],
) -> None:
    functions = {each.name for each in by_type(registered, "lambda/function:Function")}
    assert {each for each in functions if "rotation" in each} == {
        "users-rotation-group-function",
        "rotation-watch-function",
    }
    first, second = named(
        registered,
        "secretRotation:SecretRotation",
        "database-rotation-rotation",
        "second-rotation-rotation",
    )
    assert first["rotationLambdaArn"] == second["rotationLambdaArn"]
    assert first["secretId"] != second["secretId"]
    permissions = named(
        registered,
        "lambda/permission:Permission",
        *(f"users-rotation-group-{name}-permission" for name in ("database", "second")),
    )
    assert [each["sourceArn"] for each in permissions] == [first["secretId"], second["secretId"]]


def test_the_role_may_rotate_its_secrets_and_read_the_administrators(
    registered: list[Registration],
) -> None:
    (policy,) = named(registered, "rolePolicy:RolePolicy", "users-rotation-group-rotate")
    statements = {each["Sid"]: each for each in json.loads(policy["policy"])["Statement"]}
    rotated = statements["RotateSecret"]["Resource"]
    assert [arn.split("/")[2][:-7] for arn in rotated] == ["database", "second"]
    context = statements["EncryptSecret"]["Condition"]["StringLike"]
    assert len(context["kms:EncryptionContext:SecretARN"]) == 2
    (read,) = statements["ReadSecrets"]["Resource"]
    assert f":secret:{PROJECT}/prod/admin-" in read


def test_resource_policies_and_alarms_name_the_shared_role_once(
    registered: list[Registration],
) -> None:
    policies = named(
        registered, "secretPolicy:SecretPolicy", "database-policy", "second-policy", "admin-policy"
    )
    # A writer is excepted from the denial of reads and of writes, a reader from that of reads.
    counts = [policy["policy"].count("users-rotation-group-role") for policy in policies]
    assert counts == [2, 2, 1]
    watched = [
        each["pattern"]
        for each in named(
            registered, "logMetricFilter:LogMetricFilter", "monitoring-role-policies-1"
        )
    ]
    assert watched[0].count("users-rotation-group-role") == 1


def test_the_package_says_how_each_secret_rotates() -> None:
    secrets = {
        name: {
            "generate": {"key": {"length": length}},
            "rotation": {"strategy": "random", "overlapHours": hours, "group": "keys"},
        }
        for name, length, hours in (("session", 40, 2), ("token", 50, 0))
    }
    registered = planned("dev", secrets={**secrets, "database": ADMIN}).registrations
    (function,) = named(registered, "lambda/function:Function", "keys-rotation-group-function")
    rotated = json.loads(function["code"].assets["rotated.json"].text)
    assert set(rotated) == {f"{PROJECT}/dev/session", f"{PROJECT}/dev/token"}
    session, token = rotated.values()
    assert (session["generate"]["key"]["length"], session["overlapSeconds"]) == (40, 7200)
    assert (token["generate"]["key"]["length"], token["overlapSeconds"]) == (50, 0)
    variables = function["environment"]["variables"]
    assert variables == {"STRATEGY": "random"}


def group(count: int, overlap_hours: int = 0, prefix: str = "") -> RotationGroup:
    arn = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:p/s/"
    args: RotationGroupArgs = {
        "secrets": {
            f"s{number}": {
                "name": f"p/s/{prefix}s{number}",
                "arn": f"{arn}{prefix}s{number}-AbCdEf",
                "generate": {"key": {}},
                "overlap_hours": overlap_hours,
            }
            for number in range(count)
        },
        "account_id": "123456789012",
        "key_arn": "arn:aws:kms:us-east-1:123456789012:key/1",
        "log_group_name": "/aws/lambda/g",
        "files": {"rotation.py": ROOT / "handler/rotation.py"},
        "handler": "rotation.lambda_handler",
        "strategy": "random",
    }
    return RotationGroup("g", args)


@pytest.mark.parametrize("count", [0, limits.SECRETS_PER_ROTATION_GROUP + 1])
def test_a_group_of_none_and_of_too_many_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=rf"secrets must be 1 to 30, got {count}; use more"):
        made(lambda: group(count))


def test_a_wrong_overlap_names_its_secret() -> None:
    with pytest.raises(ValueError, match="overlap_hours of s0 must be 0 to 24000, got -1"):
        made(lambda: group(1, overlap_hours=-1))


def test_the_largest_group_fits_in_the_functions_policy() -> None:
    """Lambda's resource-based policy has room for 20 KB."""
    longest = max(_name_lengths())
    arn = f"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:{'f' * 64}"
    secret = f"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:{'s' * longest}"
    statement = {
        "Sid": "s" * 100,
        "Effect": "Allow",
        "Principal": {"Service": "secretsmanager.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": f"{secret}-AbCdEf"},
        },
    }
    policy = {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement] * limits.SECRETS_PER_ROTATION_GROUP,
    }
    assert len(json.dumps(policy, separators=(",", ":"))) <= 20_480


def _name_lengths() -> list[int]:
    """Lengths of full names of which the policy of a role holds a whole group."""
    most = limits.SECRETS_PER_ROTATION_GROUP
    return [
        length
        for length in range(4, 500)
        if len(iam.split_by_size([f"{n:0{length}}" for n in range(most)], writing=True)) == 1
    ]


def test_a_group_whose_names_do_not_fit_in_a_policy_is_refused() -> None:
    told = r"RotationGroup 'g': 30 secrets do not fit in one policy, which has room for \d of them"
    with pytest.raises(ValueError, match=told):
        made(lambda: group(30, prefix="x" * 300))


@pytest.mark.parametrize(
    ("component", "other"),
    [(SecretRotation, GroupedSecretRotation), (GroupedSecretRotation, SecretRotation)],
)
def test_a_schedule_is_found_in_a_state_with_and_without_a_group(
    component: type[ComponentResource], other: type[ComponentResource]
) -> None:
    """Otherwise Pulumi would delete the earlier one, and Secrets Manager end the rotation."""
    engine = requested(EXAMPLES[component])
    root, schedule = (
        next(each for each in engine.registrations if each.name == name)
        for name in ("example", "example-rotation")
    )
    assert engine.aliases[root.urn] == [f"lambda-secrets:index:{other.__name__}"]
    assert schedule.urn.endswith(
        f":{component.__name__}$aws:secretsmanager/secretRotation:SecretRotation::example-rotation"
    )

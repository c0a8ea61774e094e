# ruff: noqa: PLR0913, PLR0917 (a test's arguments are fixtures)
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"

Make = Callable[..., Any]


@pytest.mark.parametrize("access_key_id", ["test", "123456789012", "000000000000", "AKIAUNKNOWN"])
def test_no_access_key_is_root_without_a_signature(aws: EmbeddedAws, access_key_id: str) -> None:
    root = {"AccessKeyId": access_key_id, "SecretAccessKey": "test"}

    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        aws.client_as("iam", REGION, root).list_users()


def test_a_deny_unless_this_role_lets_this_role_through(
    aws: EmbeddedAws, make_role: Make, client_of: Make, unique: str
) -> None:
    secrets = aws.client("secretsmanager", REGION)
    arn = secrets.create_secret(Name=unique, SecretString="value")["ARN"]
    reader, other = [make_role({"Action": "secretsmanager:GetSecretValue"}) for _ in range(2)]
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": reader}},
    }
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )

    value = client_of("secretsmanager", reader).get_secret_value(SecretId=arn)
    assert value["SecretString"] == "value"
    with pytest.raises(ClientError, match="AccessDenied"):
        client_of("secretsmanager", other).get_secret_value(SecretId=arn)


@pytest.mark.parametrize(
    ("condition", "request_of"),
    [
        ({"secretsmanager:ResourceTag/team": "a"}, {}),
        ({"secretsmanager:SecretId": "ARN"}, {}),
        ({"secretsmanager:VersionStage": "AWSCURRENT"}, {"VersionStage": "AWSCURRENT"}),
        ({"secretsmanager:VersionId": "VERSION"}, {"VersionId": "VERSION"}),
    ],
    ids=["tag", "secret-id", "version-stage", "version-id"],
)
def test_a_secret_is_read_when_the_condition_on_it_holds(
    aws: EmbeddedAws,
    make_role: Make,
    client_of: Make,
    unique: str,
    condition: dict[str, str],
    request_of: dict[str, str],
) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    created = aws.client("secretsmanager", REGION).create_secret(
        Name=unique, SecretString="value", Tags=tags
    )
    real = {"ARN": created["ARN"], "VERSION": created["VersionId"]}
    stated = {name: real.get(value, value) for name, value in request_of.items()}
    wanted = {name: real.get(value, value) for name, value in condition.items()}
    unmet = dict.fromkeys(condition, "something-else")

    def read(values: dict[str, str]) -> str:
        action = {"Action": "secretsmanager:GetSecretValue"}
        role = make_role(action | {"Condition": {"StringEquals": values}})
        reader = client_of("secretsmanager", role)
        return str(reader.get_secret_value(SecretId=unique, **stated)["SecretString"])

    assert read(wanted) == "value"
    with pytest.raises(ClientError, match="AccessDenied"):
        read(unmet)


@pytest.mark.parametrize(
    ("key", "met", "unmet"),
    [
        ("kms:EncryptionContext:tenant", "a", "b"),
        ("kms:CallerAccount", "123456789012", "210987654321"),
    ],
)
def test_a_key_encrypts_when_the_condition_on_the_request_holds(
    aws: EmbeddedAws, make_role: Make, client_of: Make, key: str, met: str, unmet: str
) -> None:
    key_id = aws.client("kms", REGION).create_key()["KeyMetadata"]["KeyId"]

    def encrypt(value: str) -> None:
        condition = {"Condition": {"StringEquals": {key: value}}}
        role = make_role({"Action": "kms:Encrypt"} | condition)
        client_of("kms", role).encrypt(
            KeyId=key_id, Plaintext=b"x", EncryptionContext={"tenant": "a"}
        )

    encrypt(met)
    with pytest.raises(ClientError, match="AccessDenied"):
        encrypt(unmet)


def test_a_direct_call_of_kms_came_via_no_service(
    aws: EmbeddedAws, make_role: Make, client_of: Make
) -> None:
    key_id = aws.client("kms", REGION).create_key()["KeyMetadata"]["KeyId"]
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    role = make_role({"Action": "kms:Encrypt", "Condition": via})

    with pytest.raises(ClientError, match="AccessDenied"):
        client_of("kms", role).encrypt(KeyId=key_id, Plaintext=b"x")


def _of_size(policy: Make, characters: int) -> str:
    """Return a policy of so many characters, and some white space that does not count."""
    bucket = "arn:aws:s3:::"
    empty = policy({"Action": "s3:GetObject", "Resource": bucket})
    resource = bucket + "x" * (characters - len("".join(empty.split())))
    return json.dumps(
        json.loads(policy({"Action": "s3:GetObject", "Resource": resource})), indent=2
    )


def test_inline_policies_of_a_role_share_10240_characters(
    aws: EmbeddedAws, make_role: Make, policy: Make
) -> None:
    iam, role = aws.client("iam", REGION), make_role().rpartition("/")[2]

    def put(name: str, characters: int) -> None:
        document = _of_size(policy, characters)
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    put("first", 10_000)
    put("second", 240)
    put("first", 9_000)
    put("first", 10_000)
    with pytest.raises(
        iam.exceptions.LimitExceededException,
        match=f"Maximum policy size of 10240 bytes exceeded for role {role}",
    ):
        put("second", 241)


def test_a_managed_policy_has_at_most_6144_characters(
    aws: EmbeddedAws, policy: Make, unique: str
) -> None:
    iam = aws.client("iam", REGION)
    arn = iam.create_policy(PolicyName=unique, PolicyDocument=_of_size(policy, 6_144))["Policy"][
        "Arn"
    ]

    larger = _of_size(policy, 6_145)
    creations: list[Make] = [
        lambda: iam.create_policy(PolicyName=f"{unique}-larger", PolicyDocument=larger),
        lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=larger),
    ]
    for create in creations:
        with pytest.raises(
            iam.exceptions.LimitExceededException, match="Cannot exceed quota for PolicySize: 6144"
        ):
            create()


def test_a_role_has_at_most_ten_managed_policies(
    aws: EmbeddedAws, make_role: Make, policy: Make, unique: str
) -> None:
    iam, role = aws.client("iam", REGION), make_role().rpartition("/")[2]
    arns = [
        iam.create_policy(PolicyName=f"{unique}-{n}", PolicyDocument=policy({"Action": "s3:*"}))[
            "Policy"
        ]["Arn"]
        for n in range(11)
    ]
    for arn in [*arns[:10], arns[0]]:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    with pytest.raises(
        iam.exceptions.LimitExceededException, match="Cannot exceed quota for PoliciesPerRole: 10"
    ):
        iam.attach_role_policy(RoleName=role, PolicyArn=arns[10])


def test_an_older_version_of_a_managed_policy_becomes_the_default_one_again(
    aws: EmbeddedAws, policy: Make, unique: str
) -> None:
    iam = aws.client("iam", REGION)
    first, second = policy({"Action": "s3:GetObject"}), policy({"Action": "s3:PutObject"})
    arn = iam.create_policy(PolicyName=unique, PolicyDocument=first)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=second, SetAsDefault=True)

    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")

    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    defaults = {each["VersionId"]: each["IsDefaultVersion"] for each in versions}
    assert defaults == {"v1": True, "v2": False}
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v3")


def test_a_policy_that_is_not_there_is_not_attached(
    aws: EmbeddedAws, make_role: Make, unique: str
) -> None:
    iam, role = aws.client("iam", REGION), make_role().rpartition("/")[2]
    arn = f"arn:aws:iam::{aws.account_id}:policy/{unique}"
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="does not exist"):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName=role, PolicyArn=managed)

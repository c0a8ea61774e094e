# ruff: noqa: PLR0913, PLR0917 (a test's arguments are fixtures)
"""Two AWS accounts: a secret of one is read from the other only if both allow it.

`aws` owns the secrets; `other` is the account whose roles read them. What is proven is that each
side's grant is asked, not how long AWS takes until a changed policy is in force.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
"""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from infra.components.app_secret import AppSecret
from infra.components.encryption_key import EncryptionKey
from infra.components.reader_role import ReaderRole
from local.account import AwsAccount
from local.aws import EmbeddedAws
from local.config import project
from local.engines.built_in import BuiltInEngine
from local.extension.layer import layer_zip
from local.provider.provider import Provider
from tests.recording import PROJECT, ROOT

REGION, OTHER_REGION = "us-east-1", "us-west-2"
OTHER = "210987654321"
VALUE = "the value"

READING = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
NO_IDENTITY_POLICY = "no identity-based policy allows the secretsmanager:{} action"
NO_RESOURCE_POLICY = "no resource-based policy allows the secretsmanager:{} action"
NO_KEY = "AccessDeniedException: Access to KMS is not allowed"

Make = Callable[..., Any]
Statement = dict[str, Any]


@pytest.fixture
def other(aws: EmbeddedAws) -> AwsAccount:
    return aws.account(OTHER)


def root(account_id: str) -> Statement:
    return {"AWS": f"arn:aws:iam::{account_id}:root"}


def put_policy(aws: EmbeddedAws, arn: str, policy: str, region: str = REGION) -> None:
    aws.client("secretsmanager", region).put_resource_policy(SecretId=arn, ResourcePolicy=policy)


@pytest.fixture
def make_key(aws: EmbeddedAws, policy: Make) -> Make:
    """Return the function that makes a key with these statements for others; it returns the ARN.

    IAM decides who uses it in its own account.
    """

    def make(*statements: Statement, region: str = REGION) -> str:
        own = {"Principal": root(aws.account_id), "Action": "kms:*"}
        created = aws.client("kms", region).create_key(Policy=policy(own, *statements))
        return str(created["KeyMetadata"]["Arn"])

    return make


@pytest.fixture
def make_secret(aws: EmbeddedAws, policy: Make) -> Make:
    """Return the function that makes a secret with these policy statements; it returns the ARN."""

    def make(key: str | None, *statements: Statement, **options: object) -> str:
        given = {"Name": f"secret-{uuid.uuid4().hex[:12]}", "SecretString": VALUE} | options
        if key:
            given["KmsKeyId"] = key
        arn = str(aws.client("secretsmanager", REGION).create_secret(**given)["ARN"])
        if statements:
            put_policy(aws, arn, policy(*statements))
        return arn

    return make


@pytest.fixture
def shared(
    other: AwsAccount, make_key: Make, make_role: Make, make_secret: Make, policy: Make
) -> Make:
    """Return the function that gives a new role of the other account all grants but one.

    It returns the role, the secret and its key, by their ARNs.
    """

    def make(*, without: str = "", to: str = "role") -> tuple[str, str, str]:
        role = make_role({"Action": "secretsmanager:BatchGetSecretValue"}, account=other)
        principal = {"AWS": role} if to == "role" else root(OTHER)
        by_key = {"Principal": principal, "Action": "kms:Decrypt"}
        key = make_key(*([] if without == "key policy" else [by_key]))
        by_secret = {"Principal": principal, "Action": [*READING]}
        arn = make_secret(key, *([] if without == "resource policy" else [by_secret]))
        identity = {
            "identity policy": {"Action": [*READING], "Resource": arn},
            "identity policy for the key": {"Action": "kms:Decrypt", "Resource": key},
        }
        for grant, statement in identity.items():
            if grant != without:
                other.client("iam", REGION).put_role_policy(
                    RoleName=role.rpartition("/")[2],
                    PolicyName=grant.replace(" ", "-"),
                    PolicyDocument=policy(statement),
                )
        return role, arn, key

    return make


def outcome(client: Any, operation: str, secret: str) -> str:
    """Return the value, or the refusal as `code: message`; of a description, its ARN."""
    try:
        if operation == "BatchGetSecretValue":
            answer = client.batch_get_secret_value(SecretIdList=[secret])
            for error in answer["Errors"]:
                return f"{error['ErrorCode']}: {error['Message']}"
            return str(answer["SecretValues"][0]["SecretString"])
        if operation == "DescribeSecret":
            return str(client.describe_secret(SecretId=secret)["ARN"])
        return str(client.get_secret_value(SecretId=secret)["SecretString"])
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"


@pytest.mark.parametrize("to", ["role", "account"])
@pytest.mark.parametrize("operation", ["GetSecretValue", "BatchGetSecretValue", "DescribeSecret"])
def test_a_role_of_another_account_reads_if_both_accounts_allow_it(
    shared: Make, client_of: Make, to: str, operation: str
) -> None:
    role, arn, _ = shared(to=to)
    wanted = arn if operation == "DescribeSecret" else VALUE
    assert outcome(client_of("secretsmanager", role), operation, arn) == wanted


def test_a_user_of_another_account_reads_if_its_account_is_allowed_to(
    shared: Make, other: AwsAccount
) -> None:
    _, arn, _ = shared(to="account")
    administrator = other.client("secretsmanager", REGION)
    assert outcome(administrator, "GetSecretValue", arn) == VALUE
    assert outcome(administrator, "BatchGetSecretValue", arn) == VALUE


@pytest.mark.parametrize("to", ["role", "account"])
@pytest.mark.parametrize(
    ("without", "operation", "refusal"),
    [
        ("identity policy", "GetSecretValue", NO_IDENTITY_POLICY),
        ("identity policy", "BatchGetSecretValue", NO_IDENTITY_POLICY),
        ("identity policy", "DescribeSecret", NO_IDENTITY_POLICY),
        ("resource policy", "GetSecretValue", NO_RESOURCE_POLICY),
        ("resource policy", "BatchGetSecretValue", NO_RESOURCE_POLICY),
        ("resource policy", "DescribeSecret", NO_RESOURCE_POLICY),
        ("identity policy for the key", "GetSecretValue", NO_KEY),
        ("identity policy for the key", "BatchGetSecretValue", NO_KEY),
        ("key policy", "GetSecretValue", NO_KEY),
        ("key policy", "BatchGetSecretValue", NO_KEY),
    ],
)
def test_each_grant_removed_alone_denies(
    shared: Make, client_of: Make, without: str, operation: str, refusal: str, to: str
) -> None:
    role, arn, _ = shared(without=without, to=to)
    action = operation.removeprefix("Batch")
    if refusal != NO_KEY:
        session = f"arn:aws:sts::{OTHER}:assumed-role/{role.rpartition('/')[2]}/test"
        refusal = (
            f"AccessDeniedException: User: {session} is not authorized to perform: "
            f"secretsmanager:{action} on resource: {arn} because {refusal.format(action)}"
        )
    assert outcome(client_of("secretsmanager", role), operation, arn) == refusal


@pytest.mark.parametrize("without", ["key policy", "identity policy for the key"])
def test_a_description_needs_no_grant_for_the_key(
    shared: Make, client_of: Make, without: str
) -> None:
    role, arn, _ = shared(without=without)
    assert outcome(client_of("secretsmanager", role), "DescribeSecret", arn) == arn


def test_in_its_own_account_an_identity_policy_alone_is_enough(
    make_role: Make, make_key: Make, make_secret: Make, client_of: Make
) -> None:
    key = make_key()
    arn = make_secret(key)
    decrypt = {"Action": "kms:Decrypt", "Resource": key}
    role = make_role({"Action": "secretsmanager:*", "Resource": arn}, decrypt)
    assert outcome(client_of("secretsmanager", role), "GetSecretValue", arn) == VALUE


@pytest.mark.parametrize(
    ("conditions", "result"),
    [
        ({"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}, VALUE),
        ({"kms:ViaService": f"secretsmanager.{OTHER_REGION}.amazonaws.com"}, NO_KEY),
        ({"kms:EncryptionContext:SecretARN": "ARN"}, VALUE),
        ({"kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:*"}, NO_KEY),
        ({"kms:CallerAccount": OTHER}, VALUE),
        ({"kms:CallerAccount": "123456789012"}, NO_KEY),
        ({"aws:PrincipalAccount": OTHER}, VALUE),
        ({"aws:ResourceAccount": "123456789012"}, VALUE),
        ({"aws:ResourceAccount": OTHER}, NO_KEY),
    ],
)
def test_conditions_of_the_key_policy_hold_for_another_account_too(
    aws: EmbeddedAws,
    shared: Make,
    client_of: Make,
    policy: Make,
    conditions: Mapping[str, str],
    result: str,
) -> None:
    role, arn, key = shared()
    values = {name: arn if value == "ARN" else value for name, value in conditions.items()}
    own = {"Principal": root(aws.account_id), "Action": "kms:*"}
    decrypt = {"Principal": {"AWS": role}, "Action": "kms:Decrypt"}
    aws.client("kms", REGION).put_key_policy(
        KeyId=key, Policy=policy(own, decrypt | {"Condition": {"StringEquals": values}})
    )
    assert outcome(client_of("secretsmanager", role), "GetSecretValue", arn) == result


@pytest.mark.parametrize("by_arn", [True, False], ids=["by ARN", "by ciphertext"])
def test_a_key_for_secrets_only_decrypts_nothing_else_for_another_account(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_key: Make,
    make_role: Make,
    client_of: Make,
    policy: Make,
    *,
    by_arn: bool,
) -> None:
    role, idle = make_role({"Action": "kms:Decrypt"}, account=other), make_role(account=other)
    own = {"Principal": root(aws.account_id), "Action": "kms:*"}
    decrypt = {"Principal": {"AWS": [role, idle]}, "Action": "kms:Decrypt"}
    key = make_key(decrypt)
    owner = aws.client("kms", REGION)
    ciphertext = owner.encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]
    request = {"CiphertextBlob": ciphertext} | ({"KeyId": key} if by_arn else {})

    client = client_of("kms", role)
    assert client.decrypt(**request)["Plaintext"] == b"plain"
    with pytest.raises(ClientError, match=f"{key} because no identity-based policy allows"):
        client_of("kms", idle).decrypt(**request)
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    owner.put_key_policy(KeyId=key, Policy=policy(own, decrypt | {"Condition": via}))
    with pytest.raises(ClientError, match=f"{key} because no resource-based policy allows"):
        client.decrypt(**request)


@pytest.mark.parametrize(("team", "result"), [("a", VALUE), ("b", NO_RESOURCE_POLICY)])
def test_a_condition_on_the_secrets_tag_holds_for_another_account_too(
    aws: EmbeddedAws, shared: Make, client_of: Make, policy: Make, team: str, result: str
) -> None:
    role, arn, _ = shared()
    tags = [{"Key": "team", "Value": team}]
    aws.client("secretsmanager", REGION).tag_resource(SecretId=arn, Tags=tags)
    read = {"Principal": {"AWS": role}, "Action": "secretsmanager:GetSecretValue"}
    of_team = {"Condition": {"StringEquals": {"secretsmanager:ResourceTag/team": "a"}}}
    put_policy(aws, arn, policy(read | of_team))
    found = outcome(client_of("secretsmanager", role), "GetSecretValue", arn)
    assert result.format("GetSecretValue") in found


def test_nobody_in_another_account_reads_a_secret_under_the_default_key(
    make_role: Make, make_secret: Make, client_of: Make, other: AwsAccount
) -> None:
    everything = {"Action": ["secretsmanager:*", "kms:*"]}
    role = make_role(everything, account=other)
    arn = make_secret(None, {"Principal": root(OTHER), "Action": "secretsmanager:*"})
    client = client_of("secretsmanager", role)
    refusal = (
        "InvalidRequestException: You can't access a secret from a different AWS account if you "
        "encrypt the secret with the default KMS service key."
    )
    assert outcome(client, "GetSecretValue", arn) == refusal
    assert outcome(client, "BatchGetSecretValue", arn) == refusal
    assert outcome(client, "DescribeSecret", arn) == arn
    with pytest.raises(ClientError, match="default KMS service key"):
        client.put_secret_value(SecretId=arn, SecretString="next")


def test_a_replica_is_read_in_its_region_under_the_key_of_that_region(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_key: Make,
    make_role: Make,
    client_of: Make,
    policy: Make,
) -> None:
    role = make_role({"Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"]}, account=other)
    decrypt = {"Principal": {"AWS": role}, "Action": "kms:Decrypt"}
    home, away = make_key(decrypt), make_key(region=OTHER_REGION)
    arn = aws.client("secretsmanager", REGION).create_secret(
        Name=f"secret-{uuid.uuid4().hex[:12]}",
        SecretString=VALUE,
        KmsKeyId=home,
        AddReplicaRegions=[{"Region": OTHER_REGION, "KmsKeyId": away}],
    )["ARN"]
    read = {"Principal": {"AWS": role}, "Action": "secretsmanager:GetSecretValue"}
    put_policy(aws, arn, policy(read))
    client = client_of("secretsmanager", role, OTHER_REGION)
    replica = arn.replace(REGION, OTHER_REGION)

    assert outcome(client, "GetSecretValue", replica) == NO_KEY
    own = {"Principal": root(aws.account_id), "Action": "kms:*"}
    aws.client("kms", OTHER_REGION).put_key_policy(KeyId=away, Policy=policy(own, decrypt))
    assert outcome(client, "GetSecretValue", replica) == VALUE
    # By the ARN of one region, a client of another reaches nothing.
    assert NO_RESOURCE_POLICY.format("GetSecretValue") in outcome(client, "GetSecretValue", arn)


@pytest.mark.parametrize("condition", ["aws:PrincipalArn", "aws:PrincipalAccount", None])
def test_a_policy_for_everybody_still_needs_the_callers_own_policy(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_key: Make,
    make_role: Make,
    make_secret: Make,
    client_of: Make,
    condition: str | None,
) -> None:
    reading = {"Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"]}
    role, idle = make_role(reading, account=other), make_role(account=other)
    everybody: Statement = {"Principal": "*"}
    if condition:
        value = role if condition == "aws:PrincipalArn" else OTHER
        everybody["Condition"] = {"StringEquals": {condition: value}}
    key = make_key(everybody | {"Action": "kms:Decrypt"})
    arn = make_secret(key, everybody | {"Action": "secretsmanager:GetSecretValue"})

    assert outcome(client_of("secretsmanager", role), "GetSecretValue", arn) == VALUE
    refused = outcome(client_of("secretsmanager", idle), "GetSecretValue", arn)
    assert NO_IDENTITY_POLICY.format("GetSecretValue") in refused
    third = make_role(reading, account=aws.account("333333333333"))
    read = outcome(client_of("secretsmanager", third), "GetSecretValue", arn)
    if condition:
        assert NO_RESOURCE_POLICY.format("GetSecretValue") in read
    else:
        assert read == VALUE


def test_a_policy_for_everybody_in_all_accounts_is_public_one_for_an_account_is_not(
    aws: EmbeddedAws, make_secret: Make, policy: Make
) -> None:
    client, arn = aws.client("secretsmanager", REGION), make_secret(None)
    read = {"Action": "secretsmanager:GetSecretValue"}

    def put(principal: object) -> None:
        client.put_resource_policy(
            SecretId=arn,
            ResourcePolicy=policy(read | {"Principal": principal}),
            BlockPublicPolicy=True,
        )

    put(root(OTHER))
    with pytest.raises(client.exceptions.PublicPolicyException):
        put({"AWS": "*"})


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{OTHER}:role/missing",
        f"arn:aws:iam::{OTHER}:user/missing",
        f"arn:aws:iam::{OTHER}:role/*",
        "arn:aws:iam::*:role/reader",
        "arn:aws:iam::123456789012:role/missing",
    ],
)
def test_a_policy_for_a_role_that_does_not_exist_is_refused(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_key: Make,
    make_role: Make,
    make_secret: Make,
    policy: Make,
    principal: str,
) -> None:
    there = make_role(account=other)
    both = {"Principal": {"AWS": [there, principal]}}
    with pytest.raises(ClientError, match="contains an unsupported principal"):
        make_secret(None, both | {"Action": "secretsmanager:GetSecretValue"})
    with pytest.raises(ClientError, match="with one or more invalid principals"):
        make_key(both | {"Action": "kms:Decrypt"})
    # The account of a role that the emulator does not have is not asked.
    elsewhere = {"Principal": {"AWS": [there, "arn:aws:iam::444444444444:role/missing"]}}
    arn = make_secret(None, elsewhere | {"Action": "secretsmanager:GetSecretValue"})
    path = there.replace("role/", "role/path/")
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        put_policy(aws, arn, policy({"Principal": {"AWS": path}, "Action": "secretsmanager:*"}))


def test_a_deny_in_the_resource_policy_is_named_as_such(
    aws: EmbeddedAws, shared: Make, client_of: Make, policy: Make
) -> None:
    role, arn, _ = shared()
    read = {"Principal": {"AWS": role}, "Action": "secretsmanager:GetSecretValue"}
    put_policy(aws, arn, policy(read, read | {"Effect": "Deny"}))
    for operation in ("GetSecretValue", "BatchGetSecretValue"):
        refused = outcome(client_of("secretsmanager", role), operation, arn)
        assert refused.endswith(f"{arn} with an explicit deny in a resource-based policy")


def test_a_permissions_boundary_limits_what_another_account_grants(
    other: AwsAccount, shared: Make, client_of: Make, policy: Make, unique: str
) -> None:
    role, arn, _ = shared()
    iam = other.client("iam", REGION)
    boundary = iam.create_policy(
        PolicyName=unique, PolicyDocument=policy({"Action": "secretsmanager:DescribeSecret"})
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(
        RoleName=role.rpartition("/")[2], PermissionsBoundary=boundary
    )
    client = client_of("secretsmanager", role)
    assert outcome(client, "DescribeSecret", arn) == arn
    assert outcome(client, "GetSecretValue", arn).startswith("AccessDeniedException")


def test_a_name_or_a_part_of_the_arn_reaches_no_secret_of_another_account(
    aws: EmbeddedAws, other: AwsAccount, shared: Make, client_of: Make
) -> None:
    role, arn, _ = shared()
    name = arn.rpartition(":")[2][:-7]
    all_secrets = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    other.client("iam", REGION).put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [all_secrets]}),
    )
    client = client_of("secretsmanager", role)
    assert outcome(client, "GetSecretValue", arn) == VALUE

    assert outcome(client, "GetSecretValue", name).startswith("ResourceNotFoundException")
    assert NO_RESOURCE_POLICY.format("GetSecretValue") in outcome(
        client, "GetSecretValue", arn[:-7]
    )
    assert arn not in str(client.list_secrets()["SecretList"])
    other.client("secretsmanager", REGION).create_secret(Name=name, SecretString="its own")
    assert outcome(client, "GetSecretValue", name) == "its own"
    assert outcome(client, "GetSecretValue", arn) == VALUE
    assert aws.client("secretsmanager", REGION).get_secret_value(SecretId=name)["ARN"] == arn


def test_a_secret_that_is_not_there_is_refused_like_one_that_is_not_shared(
    shared: Make, client_of: Make
) -> None:
    role, arn, _ = shared()
    missing = f"{arn[:-7]}-AbCdEf"
    client = client_of("secretsmanager", role)
    assert outcome(client, "GetSecretValue", missing).startswith("AccessDeniedException")


def test_a_role_of_the_same_name_in_the_owners_account_is_another_role(
    aws: EmbeddedAws, shared: Make, client_of: Make, policy: Make
) -> None:
    role, arn, _ = shared()
    name = role.rpartition("/")[2]
    trust = {"Effect": "Allow", "Principal": root(aws.account_id), "Action": "sts:AssumeRole"}
    namesake = aws.client("iam", REGION).create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    read = {"Principal": {"AWS": namesake}, "Action": "secretsmanager:GetSecretValue"}
    put_policy(aws, arn, policy(read))
    refused = outcome(client_of("secretsmanager", role), "GetSecretValue", arn)
    assert NO_RESOURCE_POLICY.format("GetSecretValue") in refused


def test_a_role_of_another_account_writes_a_value_if_both_accounts_allow_it(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_key: Make,
    make_role: Make,
    make_secret: Make,
    client_of: Make,
) -> None:
    writing = {"Action": ["secretsmanager:PutSecretValue", "secretsmanager:TagResource"]}
    role = make_role(writing, {"Action": "kms:*"}, account=other)
    by_role = {"Principal": {"AWS": role}}
    arn = make_secret(
        make_key(by_role | {"Action": ["kms:Decrypt", "kms:GenerateDataKey"]}), by_role | writing
    )
    client = client_of("secretsmanager", role)
    client.put_secret_value(SecretId=arn, SecretString="next")
    client.tag_resource(SecretId=arn, Tags=[{"Key": "team", "Value": "a"}])

    owner = aws.client("secretsmanager", REGION)
    assert outcome(owner, "GetSecretValue", arn) == "next"
    assert owner.describe_secret(SecretId=arn)["Tags"] == [{"Key": "team", "Value": "a"}]


@pytest.mark.parametrize("without", ["", "trust", "identity policy"])
def test_a_role_is_assumed_from_another_account_if_both_allow_it(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_role: Make,
    client_of: Make,
    policy: Make,
    without: str,
) -> None:
    caller = make_role(account=other)
    trusted = root(aws.account_id) if without == "trust" else {"AWS": caller}
    role = make_role(principal=trusted)
    if without != "identity policy":
        other.client("iam", REGION).put_role_policy(
            RoleName=caller.rpartition("/")[2],
            PolicyName="assume",
            PolicyDocument=policy({"Action": "sts:AssumeRole", "Resource": role}),
        )
    sts = client_of("sts", caller)
    if without:
        with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
            sts.assume_role(RoleArn=role, RoleSessionName="there")
        return
    session = sts.assume_role(RoleArn=role, RoleSessionName="there")["Credentials"]
    identity = aws.client_as("sts", REGION, session).get_caller_identity()
    assert identity["Account"] == aws.account_id


READ_BY_EXTENSION = """
import json, os, urllib.parse, urllib.request

def handler(event, context):
    request = urllib.request.Request(
        "http://localhost:" + os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")
        + "/secretsmanager/get?secretId=" + urllib.parse.quote(event),
        headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
    )
    with urllib.request.urlopen(request) as answer:
        print("read")
        return json.load(answer)["SecretString"]
"""


def test_a_function_reads_a_secret_of_another_account_by_the_extension(
    aws: EmbeddedAws,
    other: AwsAccount,
    make_function: Make,
    make_key: Make,
    make_role: Make,
    make_secret: Make,
    invoke: Make,
    policy: Make,
) -> None:
    logs = {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}
    role = make_role(
        {"Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"]},
        logs,
        principal={"Service": "lambda.amazonaws.com"},
        account=other,
    )
    arn = make_secret(make_key({"Principal": {"AWS": role}, "Action": "kms:Decrypt"}))
    layer = other.client("lambda", REGION).publish_layer_version(
        LayerName="extension", Content={"ZipFile": layer_zip()}
    )["LayerVersionArn"]
    function = make_function(
        READ_BY_EXTENSION,
        account=other,
        Role=role,
        Layers=[layer],
    )

    assert "errorMessage" in invoke(function, arn, other)
    read = {"Principal": {"AWS": role}, "Action": "secretsmanager:GetSecretValue"}
    put_policy(aws, arn, policy(read))
    assert invoke(function, arn, other) == VALUE
    groups = {"logGroupNamePrefix": f"/aws/lambda/{function}"}
    assert other.client("logs", REGION).describe_log_groups(**groups)["logGroups"]
    assert not aws.client("logs", REGION).describe_log_groups(**groups)["logGroups"]


def test_a_function_has_no_role_of_another_account(
    other: AwsAccount, make_function: Make, make_role: Make
) -> None:
    role = make_role(principal={"Service": "lambda.amazonaws.com"})
    with pytest.raises(ClientError, match="Cross-account pass role is not allowed"):
        make_function("", account=other, Role=role)


def events(account: AwsAccount, name: str, wanted: str) -> list[Any]:
    """Return the account's events of this name that mention what is wanted."""
    found = account.client("cloudtrail", REGION).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
    )
    texts = [event["CloudTrailEvent"] for event in found["Events"]]
    return [json.loads(text) for text in texts if wanted in text]


def test_a_read_from_another_account_is_recorded_in_both(
    aws: EmbeddedAws, other: AwsAccount, shared: Make, client_of: Make
) -> None:
    role, arn, _ = shared()
    client_of("secretsmanager", role).get_secret_value(SecretId=arn)

    (theirs,) = events(other, "GetSecretValue", arn)
    (ours,) = events(aws, "GetSecretValue", arn)
    assert theirs["recipientAccountId"] == OTHER
    assert theirs["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == role
    assert ours["recipientAccountId"] == aws.account_id
    identity = ours["userIdentity"]
    assert (identity["type"], identity["accountId"]) == ("AWSAccount", OTHER)
    assert identity["principalId"].endswith(":test")
    assert "arn" not in identity
    assert ours["sharedEventID"] == theirs["sharedEventID"]
    assert ours["eventID"] != theirs["eventID"]


def test_a_refused_read_is_recorded_in_the_callers_account_only(
    aws: EmbeddedAws, other: AwsAccount, shared: Make, client_of: Make
) -> None:
    role, arn, _ = shared(without="resource policy")
    outcome(client_of("secretsmanager", role), "GetSecretValue", arn)

    (theirs,) = events(other, "GetSecretValue", role)
    assert theirs["errorCode"] == "AccessDenied"
    assert "sharedEventID" not in theirs
    assert not events(aws, "GetSecretValue", role.rpartition("/")[2])
    assert not events(aws, "GetSecretValue", arn)


def test_components_are_deployed_into_another_account(
    aws: EmbeddedAws, other: AwsAccount, unique: str
) -> None:
    """Both accounts have the same names, and nothing of each other's."""

    def program(account: AwsAccount) -> None:
        prefix = f"/aws/lambda/{unique}-"
        key = EncryptionKey(
            "key",
            {
                "description": "description",
                "alias": unique,
                "partition": "aws",
                "region": REGION,
                "account_id": account.account_id,
                "log_group_prefix": prefix,
            },
        )
        secret = AppSecret("secret", {"name": unique, "key_arn": key.arn})
        role = ReaderRole(
            "reader",
            {
                "secret_arns": {unique: secret.arn},
                "key_arn": key.arn,
                "log_group_arn": f"arn:aws:logs:{REGION}:{account.account_id}:log-group:{prefix}r",
            },
        )
        pulumi.export("arns", [key.arn, secret.arn, role.arn])

    nothing = project.Stack(ROOT, PROJECT, "test", {}, (), ())
    for account in (aws, other):
        engine = BuiltInEngine(Provider(account, REGION))
        engine.run(nothing, partial(program, account))
        accounts = {arn.split(":")[4] for arn in engine.outputs["arns"]}
        assert accounts == {account.account_id}
        secrets = account.client("secretsmanager", REGION)
        assert secrets.describe_secret(SecretId=unique)["ARN"] == engine.outputs["arns"][1]


def test_an_account_is_opened_once(aws: EmbeddedAws, other: AwsAccount) -> None:
    assert aws.account(OTHER) is other
    assert aws.account(aws.account_id) is aws
    assert other.client("sts", REGION).get_caller_identity()["Account"] == OTHER


@pytest.mark.parametrize("account_id", ["", "12345678901", "1234567890123", "12345678901x"])
def test_an_account_id_is_twelve_digits(aws: EmbeddedAws, account_id: str) -> None:
    with pytest.raises(ValueError, match=f"twelve digits, got '{account_id}'"):
        aws.account(account_id)

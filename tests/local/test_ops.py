"""What `python -m ops leftovers` lists, and what it deletes: nothing that holds data."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from infra.names import Names
from local.aws import EmbeddedAws
from ops import leftovers
from ops.leftovers import Leftover
from ops.stack import Stack
from tests.local.function_support import OWN_RUNTIME, zipped

REGION = "us-east-1"
ECHO = "def handler(event, context):\n    return event\n"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


@pytest.fixture
def session(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return boto3.Session(aws.access_key_id, aws.secret_access_key, region_name=REGION)


@pytest.fixture
def tags(unique: str) -> dict[str, str]:
    return {"Project": unique, "Environment": "dev"}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def stack(unique: str, *ids: str) -> Stack:
    resources = tuple({"type": "t", "urn": f"urn::{id_}", "id": id_} for id_ in ids)
    return Stack(Names(unique, "dev"), REGION, {}, resources)


def by_arn(found: list[Leftover]) -> dict[str, Leftover]:
    return {each.arn: each for each in found}


def make_role(aws: EmbeddedAws, name: str, tags: Mapping[str, str]) -> str:
    iam = aws.client("iam", REGION)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=listed(tags))
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    made = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=made)
    return str(role["Role"]["Arn"])


def test_functions_and_roles_are_deleted(
    aws: EmbeddedAws, session: boto3.Session, unique: str, tags: dict[str, str]
) -> None:
    role = make_role(aws, unique, tags)
    functions: Any = aws.client("lambda", REGION)
    function = functions.create_function(
        FunctionName=unique,
        Role=role,
        Runtime=OWN_RUNTIME,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
        Tags=tags,
    )["FunctionArn"]

    found = by_arn(leftovers.find(stack(unique), session))
    assert {function, role} <= found.keys()
    for arn in (function, role):
        delete = found[arn].delete
        assert delete
        delete()
    assert leftovers.find(stack(unique), session) == []


def test_what_the_state_names_or_has_other_tags_is_not_listed(
    aws: EmbeddedAws, session: boto3.Session, unique: str, tags: dict[str, str]
) -> None:
    make_role(aws, unique, tags)
    make_role(aws, f"{unique}-other", {**tags, "Environment": "prod"})
    key = aws.client("kms", REGION).create_key(
        Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()]
    )["KeyMetadata"]["KeyId"]

    assert len(leftovers.find(stack(unique), session)) == 2  # the control
    assert leftovers.find(stack(unique, unique, key), session) == []


@pytest.mark.parametrize("user", ["secret", "log group", "bucket", None])
def test_a_key_is_deleted_only_if_nothing_is_encrypted_with_it(
    aws: EmbeddedAws, session: boto3.Session, unique: str, tags: dict[str, str], user: str | None
) -> None:
    kms: Any = aws.client("kms", REGION)
    everything = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    key = kms.create_key(
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
    )["KeyMetadata"]
    if user == "secret":
        aws.client("secretsmanager", REGION).create_secret(Name=unique, KmsKeyId=key["Arn"])
    elif user == "log group":
        aws.client("logs", REGION).create_log_group(logGroupName=unique, kmsKeyId=key["Arn"])
    elif user == "bucket":
        s3: Any = aws.client("s3", REGION)
        s3.create_bucket(Bucket=unique)
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
        s3.put_bucket_encryption(
            Bucket=unique,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": rule}]
            },
        )

    (found,) = leftovers.find(stack(unique), session)
    assert (found.delete is None) == (user is not None)
    assert (unique in found.note) == (user is not None)
    if found.delete:
        found.delete()
        (found,) = leftovers.find(stack(unique), session)
        assert found.delete is None
        assert found.note.startswith("is deleted on ")


def test_what_holds_data_is_listed_and_never_deleted(
    aws: EmbeddedAws, session: boto3.Session, unique: str, tags: dict[str, str]
) -> None:
    made = aws.client("secretsmanager", REGION).create_secret(Name=unique, Tags=listed(tags))
    aws.client("ssm", REGION).put_parameter(
        Name=f"/{unique}", Value="text", Type="String", Tags=listed(tags)
    )
    aws.client("logs", REGION).create_log_group(logGroupName=f"/{unique}", tags=tags)

    found = leftovers.find(stack(unique), session)
    assert made["ARN"] in by_arn(found)
    assert len(found) == 3
    assert {each.note for each in found} == {"holds data"}
    assert [each.delete for each in found] == [None] * 3

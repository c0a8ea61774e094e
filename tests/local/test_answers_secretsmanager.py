"""Secrets Manager answers what was recorded from AWS, or what its documentation says."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused, send

REGION = "us-east-1"
SM = "localstack secretsmanager/test_secretsmanager.py::TestSecretsManager"
API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API"
POLICIES = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_secret-policy.html"
TOKEN = "b1f7a7f8-4c3d-4b7e-9a57-2f0f7f0e9c11"
NOT_FOUND = "Secrets Manager can't find the specified secret."
NO_VALUE = "Secrets Manager can't find the specified secret value for"
INVALID_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
    "following: -/_+=.@!"
)
NO_TOKEN = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
REPLICA = (
    "Operation not permitted on a replica secret. Call must be made in primary secret's region."
)

Make = Callable[..., Any]


def policy(**statement: Any) -> str:
    filled = {"Effect": "Allow", "Principal": "*", "Resource": "*"} | statement
    return json.dumps({"Version": "2012-10-17", "Statement": [filled]})


REFUSALS = [
    *(
        Refusal(operation, {"SecretId": "<unknown>"}, "ResourceNotFoundException", NOT_FOUND, test)
        for operation, test in (
            ("GetSecretValue", f"{SM}::test_secret_not_found"),
            ("ListSecretVersionIds", f"{SM}::test_secret_not_found"),
        )
    ),
    *(
        Refusal(
            "GetSecretValue",
            {"SecretId": "<empty>"} | asked,
            "ResourceNotFoundException",
            f"{NO_VALUE} {words}",
            f"{SM}::test_secret_version_not_found",
        )
        for asked, words in (
            ({}, "staging label: AWSCURRENT"),
            ({"VersionId": TOKEN}, f"VersionId: {TOKEN}"),
            ({"VersionStage": "AWSPENDING"}, "staging label: AWSPENDING"),
        )
    ),
    Refusal(
        "CreateSecret",
        {"Name": "<secret>", "SecretString": "x", "ClientRequestToken": TOKEN},
        "ResourceExistsException",
        "The operation failed because the secret <secret> already exists.",
        f"{SM}::test_secret_exists_snapshots",
    ),
    Refusal(
        "CreateSecret",
        {"Name": "<deleted>", "SecretString": "x", "ClientRequestToken": TOKEN},
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for "
        "deletion.",
        f"{SM}::test_exp_raised_on_creation_of_secret_scheduled_for_deletion",
    ),
    *(
        Refusal(
            operation,
            more | {("Name" if operation == "CreateSecret" else "SecretId"): name},
            "ValidationException",
            INVALID_NAME,
            f"{SM}::test_invalid_secret_name",
        )
        for name in ("Inv Name", " Inv*Name? ", " Inv *?!]Name\\-")
        for operation, more in (
            ("CreateSecret", {"SecretString": "x"}),
            ("DeleteSecret", {"ForceDeleteWithoutRecovery": True}),
            ("DescribeSecret", {}),
            ("GetSecretValue", {}),
            ("ListSecretVersionIds", {"IncludeDeprecated": True}),
            ("PutSecretValue", {"SecretString": "x"}),
            ("TagResource", {"Tags": [{"Key": "a", "Value": "b"}]}),
            ("UntagResource", {"TagKeys": ["a"]}),
            ("UpdateSecret", {"Description": "x"}),
            ("ValidateResourcePolicy", {"ResourcePolicy": policy(Action="secretsmanager:*")}),
        )
    ),
    Refusal(
        "UpdateSecretVersionStage",
        {"SecretId": "<secret>", "VersionStage": "AWSCURRENT", "MoveToVersionId": "<previous>"},
        "InvalidParameterException",
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "
        "attached to version <current>, so you must explicitly reference that version in "
        "RemoveFromVersionId.",
        "https://github.com/hashicorp/terraform-provider-aws/issues/19943",
    ),
    *(
        Refusal("BatchGetSecretValue", request, "InvalidParameterException", None, source)
        for source in (f"{API}_BatchGetSecretValue.html",)
        for request in (
            {},
            {"SecretIdList": ["a"], "Filters": [{"Key": "name", "Values": ["a"]}]},
        )
    ),
    Refusal(
        "ListSecrets",
        {"Filters": [{"Values": ["a"]}]},
        "InvalidParameterException",
        None,
        f"{API}_Filter.html",
    ),
    Refusal(
        "ReplicateSecretToRegions",
        {"SecretId": "<secret>", "AddReplicaRegions": [{"Region": "xx-bogus-9"}]},
        "InvalidParameterException",
        None,
        f"{API}_ReplicateSecretToRegions.html",
    ),
    *(
        Refusal(
            "TagResource",
            {"SecretId": "<secret>", "Tags": [{"Key": key, "Value": ""} for key in keys]},
            "InvalidParameterException",
            None,
            f"{API}_TagResource.html",
        )
        for keys in (["aws:x"], ["AWS:x"], ["a", "a"], [f"tag{number}" for number in range(51)])
    ),
    *(
        Refusal(
            operation,
            {"SecretId": "<secret>", "ResourcePolicy": policy(**statement)},
            "MalformedPolicyDocumentException",
            text,
            POLICIES,
        )
        for operation in ("PutResourcePolicy", "ValidateResourcePolicy")
        for statement, text in (
            (
                {
                    "Principal": {"AWS": "arn:aws:iam::<owner>:user/invaliduser"},
                    "Action": "secretsmanager:GetSecretValue",
                },
                "This resource policy contains an unsupported principal.",
            ),
            (
                {"Effect": "AllowSomething", "Action": "secretsmanager:*"},
                "This resource policy contains a syntax error.",
            ),
            ({"Action": "s3:GetObject"}, None),
        )
    ),
]


@pytest.fixture(scope="module")
def secrets(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager", REGION)


@pytest.fixture(scope="module")
def names(aws: EmbeddedAws, secrets: Any) -> dict[str, str]:
    """Make the secrets that the table names."""
    made = {kind: f"{kind}-{uuid.uuid4().hex}" for kind in ("secret", "empty", "deleted")}
    for kind, name in made.items():
        secrets.create_secret(Name=name, **({} if kind == "empty" else {"SecretString": "a"}))
    secrets.delete_secret(SecretId=made["deleted"])
    previous = secrets.get_secret_value(SecretId=made["secret"])["VersionId"]
    current = secrets.put_secret_value(SecretId=made["secret"], SecretString="b")["VersionId"]
    return made | {
        "unknown": "unknown-secret",
        "owner": aws.account_id,
        "previous": previous,
        "current": current,
    }


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{number} {each}" for number, each in enumerate(REFUSALS)]
)
def test_secrets_manager_refuses_as_aws_does(
    aws: EmbeddedAws, names: dict[str, str], refusal: Refusal
) -> None:
    assert_refused(aws, "secretsmanager", refusal, **names)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("CreateSecret", "InvalidRequestException"),
        ("PutSecretValue", "InvalidRequestException"),
        ("RotateSecret", "InvalidParameterException"),
        ("UpdateSecret", "InvalidRequestException"),
    ],
)
def test_a_raw_write_needs_a_token(aws: EmbeddedAws, operation: str, code: str) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_no_client_request_token."""
    name = "Name" if operation == "CreateSecret" else "SecretId"
    answer = send(
        aws,
        "secretsmanager",
        json.dumps({name: "raw", "SecretString": "x"}),
        {
            "X-Amz-Target": f"secretsmanager.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    assert answer.status == 400
    assert json.loads(answer.body) == {"__type": code, "Message": NO_TOKEN}


def _ids(secrets: Any, name: str, **options: bool) -> list[str]:
    listed = secrets.list_secret_version_ids(SecretId=name, **options)["Versions"]
    return [each["VersionId"] for each in listed]


def test_a_version_without_a_label_is_kept(secrets: Any, unique: str) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_deprecated_secret_version."""
    put = {"SecretId": unique, "ClientRequestToken": TOKEN}
    first = secrets.create_secret(Name=unique, SecretString="1", ClientRequestToken=TOKEN)
    later = [
        secrets.put_secret_value(SecretId=unique, SecretString=value)["VersionId"]
        for value in ("2", "3")
    ]
    later.append(secrets.update_secret(SecretId=unique, SecretString="4")["VersionId"])

    newest_first = [*reversed(later), first["VersionId"]]
    assert _ids(secrets, unique) == newest_first[:2]
    listed = secrets.list_secret_version_ids(SecretId=unique, IncludeDeprecated=True)
    assert [each["VersionId"] for each in listed["Versions"]] == newest_first
    assert ["VersionStages" in each for each in listed["Versions"]] == [True, True, False, False]
    assert set(secrets.describe_secret(SecretId=unique)["VersionIdsToStages"]) == {*later[1:]}
    assert secrets.get_secret_value(SecretId=unique, VersionId=TOKEN)["SecretString"] == "1"
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.put_secret_value(**put, SecretString="other")
    secrets.update_secret_version_stage(
        SecretId=unique,
        VersionStage="AWSCURRENT",
        MoveToVersionId=TOKEN,
        RemoveFromVersionId=later[-1],
    )
    assert secrets.get_secret_value(SecretId=unique)["SecretString"] == "1"
    pages = secrets.list_secret_version_ids(SecretId=unique, IncludeDeprecated=True, MaxResults=3)
    rest = secrets.list_secret_version_ids(
        SecretId=unique, IncludeDeprecated=True, NextToken=pages["NextToken"]
    )
    assert [each["VersionId"] for each in pages["Versions"] + rest["Versions"]] == newest_first


def test_a_version_names_its_key_and_the_day_it_was_read(
    aws: EmbeddedAws, secrets: Any, unique: str
) -> None:
    """localstack ...::test_rotate_secret_with_lambda_success; for keys, API_UpdateSecret."""
    key = aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name=unique, SecretString="1")
    for value in ("2", "3"):
        secrets.put_secret_value(SecretId=unique, SecretString=value)
    secrets.get_secret_value(SecretId=unique)

    def listed() -> list[tuple[list[str], bool]]:
        versions = secrets.list_secret_version_ids(SecretId=unique, IncludeDeprecated=True)
        return [(each["KmsKeyIds"], "LastAccessedDate" in each) for each in versions["Versions"]]

    default = ["DefaultEncryptionKey"]
    assert listed() == [(default, True), (default, False), (default, False)]
    secrets.update_secret(SecretId=unique, KmsKeyId=key)
    assert listed() == [([key], True), ([key], False), (default, False)]
    oldest = _ids(secrets, unique, IncludeDeprecated=True)[-1]
    aws.client("kms", REGION).disable_key(KeyId=key)
    assert secrets.get_secret_value(SecretId=unique, VersionId=oldest)["SecretString"] == "1"
    with pytest.raises(secrets.exceptions.DecryptionFailure):
        secrets.get_secret_value(SecretId=unique)


def test_a_change_within_a_second_has_a_later_date(secrets: Any, unique: str) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_last_updated_date."""
    secrets.create_secret(Name=unique, SecretString="1")
    dates = [secrets.describe_secret(SecretId=unique)["LastChangedDate"]]
    for value in ("2", "3", "4"):
        time.sleep(0.002)
        secrets.update_secret(SecretId=unique, SecretString=value)
        dates.append(secrets.describe_secret(SecretId=unique)["LastChangedDate"])
    assert dates == sorted(set(dates))


def test_an_access_is_noted_by_the_day(secrets: Any, unique: str) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_last_accessed_date."""
    secrets.create_secret(Name=unique, SecretString="1")
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId=unique)
    with pytest.raises(ClientError):
        secrets.get_secret_value(SecretId=unique, VersionStage="NONE")
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId=unique)
    secrets.get_secret_value(SecretId=unique)
    accessed = secrets.describe_secret(SecretId=unique)["LastAccessedDate"].astimezone(UTC)
    assert accessed == datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_description_has_no_member_without_a_value(secrets: Any, unique: str) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_secret_tags."""
    secrets.create_secret(Name=unique)
    required = {"ARN", "CreatedDate", "LastChangedDate", "Name"}

    def described() -> Any:
        answer = secrets.describe_secret(SecretId=unique)
        del answer["ResponseMetadata"]
        return answer

    def listed() -> Any:
        filters = [{"Key": "name", "Values": [unique]}]
        (entry,) = secrets.list_secrets(Filters=filters)["SecretList"]
        return entry

    assert (set(described()), set(listed())) == (required, required)
    secrets.tag_resource(SecretId=unique, Tags=[{"Key": "tag1", "Value": "value1"}])
    assert described()["Tags"] == listed()["Tags"] == [{"Key": "tag1", "Value": "value1"}]
    secrets.untag_resource(SecretId=unique, TagKeys=["tag1"])
    assert described()["Tags"] == []


def test_a_list_shows_the_key_of_each_secret(aws: EmbeddedAws, secrets: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html."""
    key = aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name=unique, KmsKeyId=key)
    (entry,) = secrets.list_secrets(Filters=[{"Key": "name", "Values": [unique]}])["SecretList"]
    assert entry["KmsKeyId"] == key


def test_a_missing_secret_can_be_deleted_without_recovery(secrets: Any, unique: str) -> None:
    """localstack ...::test_delete_non_existent_secret_returns_as_if_secret_exists."""
    answer = secrets.delete_secret(SecretId=unique, ForceDeleteWithoutRecovery=True)
    assert answer["Name"] == unique
    assert f":secret:{unique}-" in answer["ARN"]
    assert abs(answer["DeletionDate"].timestamp() - time.time()) < 60
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.delete_secret(SecretId=unique)


FOUND = [
    # localstack secretsmanager/test_secretsmanager.py::...::test_list_secrets_filtering
    ([{"Key": "name", "Values": ["/"]}], "24"),
    ([{"Key": "name", "Values": ["!/"]}], "13"),
    ([{"Key": "name", "Values": ["testing1 one"]}], ""),
    ([{"Key": "description", "Values": ["a"]}], "123"),
    ([{"Key": "description", "Values": ["!a"]}], "4"),
    ([{"Key": "description", "Values": ["a secret"]}], "12"),
    ([{"Key": "description", "Values": ["a"]}, {"Key": "name", "Values": ["secret"]}], ""),
    ([{"Key": "description", "Values": ["!c"]}], "1234"),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
    ([{"Key": "name", "Values": ["testing1", "/testing4"]}], "14"),
    ([{"Key": "name", "Values": ["TESTING1"]}], ""),
    ([{"Key": "description", "Values": ["AN SECRET"]}], "2"),
    ([{"Key": "tag-key", "Values": ["te"]}], "3"),
    ([{"Key": "tag-value", "Values": ["blue"]}], "3"),
    ([{"Key": "all", "Values": ["team"]}], "3"),
    ([{"Key": "all", "Values": ["four testing4"]}], "4"),
    ([{"Key": "primary-region", "Values": ["eu"]}], ""),
    ([{"Key": "owning-service", "Values": ["rds"]}], ""),
]


@pytest.fixture(scope="module")
def filtered(aws: EmbeddedAws) -> Any:
    """Make the secrets of the test that was recorded, in a region of their own."""
    client = aws.client("secretsmanager", "ca-central-1")
    descriptions = ("a secret", "an secret", "asecret", "thesecret")
    prefixes = ("testing1/one", "/testing2/two", "testing3/three", "/testing4/four")
    for number, (prefix, description) in enumerate(zip(prefixes, descriptions, strict=True), 1):
        tags = [{"Key": "team", "Value": "blue"}] if number == 3 else []
        client.create_secret(
            Name=f"{prefix}-{number}", SecretString="secret", Description=description, Tags=tags
        )
    return client


@pytest.mark.parametrize(("filters", "found"), FOUND, ids=str)
def test_a_filter_finds_what_it_finds_on_aws(
    filtered: Any, filters: list[dict[str, Any]], found: str
) -> None:
    listed = filtered.list_secrets(Filters=filters)["SecretList"]
    assert "".join(sorted(each["Name"][-1] for each in listed)) == found
    batch = filtered.batch_get_secret_value(Filters=filters)["SecretValues"]
    assert "".join(sorted(each["Name"][-1] for each in batch)) == found


@pytest.mark.parametrize(
    ("condition", "passes"),
    [({}, False), ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, True)],
)
def test_a_policy_for_everyone_does_not_pass(
    secrets: Any, condition: dict[str, Any], *, passes: bool
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_secret-policy.html."""
    answer = secrets.validate_resource_policy(
        ResourcePolicy=policy(Action="secretsmanager:GetSecretValue", **condition)
    )
    assert answer["PolicyValidationPassed"] is passes
    assert bool(answer["ValidationErrors"]) is not passes


@pytest.mark.parametrize("operation", ["put_secret_value", "update_secret"])
def test_a_replica_without_a_key_of_its_own_refuses_a_value(
    aws: EmbeddedAws, secrets: Any, unique: str, operation: str
) -> None:
    """moto test_secretsmanager/test_secrets_duplication.py::test_update_replica."""
    secrets.create_secret(
        Name=unique, SecretString="1", AddReplicaRegions=[{"Region": "eu-west-1"}]
    )
    replica = aws.client("secretsmanager", "eu-west-1")
    with pytest.raises(replica.exceptions.InvalidParameterException, match=REPLICA):
        getattr(replica, operation)(SecretId=unique, SecretString="2")


def test_a_raw_error_has_its_message_in_capitals(aws: EmbeddedAws) -> None:
    """localstack secretsmanager/test_secretsmanager.py::...::test_secret_not_found."""
    answer = send(
        aws,
        "secretsmanager",
        json.dumps({"SecretId": "unknown-secret"}),
        {
            "X-Amz-Target": "secretsmanager.GetSecretValue",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    assert json.loads(answer.body) == {"__type": "ResourceNotFoundException", "Message": NOT_FOUND}

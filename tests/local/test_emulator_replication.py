# ruff: noqa: PLR0913, PLR0917 (boto3's clients come untyped; arguments are fixtures)
"""Replicas of secrets, as AWS documents them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION, OTHER, THIRD = "us-east-1", "us-west-2", "eu-west-1"
NOT_PERMITTED = "Operation not permitted on a replica secret. Call must be made in primary"

Make = Callable[..., Any]


@pytest.fixture
def home(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager", REGION)


@pytest.fixture
def away(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager", OTHER)


@pytest.fixture
def make_key(aws: EmbeddedAws) -> Make:
    def make(region: str) -> str:
        return str(aws.client("kms", region).create_key()["KeyMetadata"]["Arn"])

    return make


@pytest.fixture
def replicated(home: Any, make_key: Make, unique: str) -> str:
    """The name of a secret with a replica, each under a key of its region."""
    home.create_secret(
        Name=unique,
        SecretString="first",
        KmsKeyId=make_key(REGION),
        Tags=[{"Key": "Project", "Value": "p"}],
        AddReplicaRegions=[{"Region": OTHER, "KmsKeyId": make_key(OTHER)}],
    )
    return unique


def value(client: Any, name: str, **asked: str) -> str:
    return str(client.get_secret_value(SecretId=name, **asked)["SecretString"])


def status(home: Any, name: str) -> dict[str, Any]:
    (found,) = home.describe_secret(SecretId=name)["ReplicationStatus"]
    return dict(found)


def test_a_secret_is_replicated_when_it_is_created(
    home: Any, away: Any, make_key: Make, unique: str
) -> None:
    key = make_key(OTHER)
    created = home.create_secret(
        Name=unique, SecretString="a", AddReplicaRegions=[{"Region": OTHER, "KmsKeyId": key}]
    )
    asked = {"Region": OTHER, "KmsKeyId": key}
    succeeded = {"Status": "InSync", "StatusMessage": "Replication succeeded"}
    assert created["ReplicationStatus"] == [{**asked, **succeeded}]
    assert status(home, unique) == {**asked, **succeeded}
    described = away.describe_secret(SecretId=unique)
    assert described["ARN"] == created["ARN"].replace(REGION, OTHER)
    assert described["PrimaryRegion"] == REGION
    assert described["KmsKeyId"] == key
    answer = away.get_secret_value(SecretId=described["ARN"])
    assert (answer["SecretString"], answer["VersionId"]) == ("a", created["VersionId"])


def test_a_secret_without_a_value_is_replicated_too(home: Any, away: Any, unique: str) -> None:
    home.create_secret(Name=unique, AddReplicaRegions=[{"Region": OTHER}])
    with pytest.raises(away.exceptions.ResourceNotFoundException, match="AWSCURRENT"):
        away.get_secret_value(SecretId=unique)
    home.put_secret_value(SecretId=unique, SecretString="a")
    assert value(away, unique) == "a"


def test_a_secret_is_replicated_later(home: Any, aws: EmbeddedAws, unique: str) -> None:
    home.create_secret(Name=unique, SecretString="a")
    home.replicate_secret_to_regions(SecretId=unique, AddReplicaRegions=[{"Region": OTHER}])
    home.replicate_secret_to_regions(SecretId=unique, AddReplicaRegions=[{"Region": THIRD}])
    for region in (OTHER, THIRD):
        assert value(aws.client("secretsmanager", region), unique) == "a"
    statuses = home.describe_secret(SecretId=unique)["ReplicationStatus"]
    assert [each["Region"] for each in statuses] == [OTHER, THIRD]


def test_a_secret_is_not_replicated_to_its_own_region(home: Any, unique: str) -> None:
    replicas = [{"Region": REGION}]
    with pytest.raises(home.exceptions.InvalidParameterException, match="same as the primary"):
        home.create_secret(Name=unique, SecretString="a", AddReplicaRegions=replicas)
    with pytest.raises(home.exceptions.ResourceNotFoundException):
        home.describe_secret(SecretId=unique)


def test_values_and_labels_reach_the_replica(home: Any, away: Any, replicated: str) -> None:
    version = home.put_secret_value(
        SecretId=replicated, SecretString="second", VersionStages=["AWSPENDING"]
    )["VersionId"]
    assert value(away, replicated) == "first"
    assert value(away, replicated, VersionStage="AWSPENDING") == "second"
    current = away.get_secret_value(SecretId=replicated)["VersionId"]
    home.update_secret_version_stage(
        SecretId=replicated,
        VersionStage="AWSCURRENT",
        MoveToVersionId=version,
        RemoveFromVersionId=current,
    )
    assert value(away, replicated) == "second"
    assert value(away, replicated, VersionStage="AWSPREVIOUS") == "first"


def test_tags_and_the_resource_policy_are_carried(
    home: Any, away: Any, replicated: str, policy: Make
) -> None:
    home.tag_resource(SecretId=replicated, Tags=[{"Key": "Owner", "Value": "o"}])
    tags = away.describe_secret(SecretId=replicated)["Tags"]
    assert {tag["Key"] for tag in tags} == {"Project", "Owner"}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret"}
    home.put_resource_policy(SecretId=replicated, ResourcePolicy=policy(statement))
    carried = json.loads(away.get_resource_policy(SecretId=replicated)["ResourcePolicy"])
    assert carried["Statement"][0]["Effect"] == "Deny"
    home.delete_resource_policy(SecretId=replicated)
    assert "ResourcePolicy" not in away.get_resource_policy(SecretId=replicated)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("put_secret_value", {"SecretString": "b"}),
        ("update_secret", {"Description": "b"}),
        ("tag_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_resource", {"TagKeys": ["Project"]}),
        ("put_resource_policy", {"ResourcePolicy": '{"Version": "2012-10-17", "Statement": []}'}),
        ("delete_resource_policy", {}),
        ("delete_secret", {"ForceDeleteWithoutRecovery": True}),
        ("rotate_secret", {}),
        ("replicate_secret_to_regions", {"AddReplicaRegions": [{"Region": THIRD}]}),
        ("remove_regions_from_replication", {"RemoveReplicaRegions": [OTHER]}),
    ],
)
def test_a_replica_refuses_every_change(
    away: Any, replicated: str, operation: str, arguments: dict[str, Any]
) -> None:
    before = away.describe_secret(SecretId=replicated)["VersionIdsToStages"]
    with pytest.raises(away.exceptions.InvalidParameterException, match=NOT_PERMITTED):
        getattr(away, operation)(SecretId=replicated, **arguments)
    assert away.describe_secret(SecretId=replicated)["VersionIdsToStages"] == before


def test_a_replica_is_read_with_the_key_of_its_region_only(
    aws: EmbeddedAws, home: Any, replicated: str, make_role: Make, unique: str
) -> None:
    keys = {REGION: home.describe_secret(SecretId=replicated)["KmsKeyId"]}
    keys[OTHER] = status(home, replicated)["KmsKeyId"]

    def reads(region: str, key: str, via: str) -> bool:
        role = make_role(
            {"Action": "secretsmanager:GetSecretValue"},
            {
                "Action": "kms:Decrypt",
                "Resource": keys[key],
                "Condition": {
                    "StringEquals": {"kms:ViaService": f"secretsmanager.{via}.amazonaws.com"},
                    "StringLike": {
                        "kms:EncryptionContext:SecretARN": f"arn:*:{region}:*:secret:{unique}-*"
                    },
                },
            },
        )
        session = aws.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="test")
        client = aws.client_as("secretsmanager", region, session["Credentials"])
        try:
            client.get_secret_value(SecretId=replicated)
        except ClientError as error:
            if "Access to KMS is not allowed" in str(error):
                return False
            raise
        return True

    assert reads(REGION, REGION, REGION)
    assert reads(OTHER, OTHER, OTHER)
    assert not reads(OTHER, REGION, REGION)
    assert not reads(REGION, OTHER, OTHER)
    assert not reads(OTHER, OTHER, REGION)


def test_whoever_replicates_may_decrypt_with_one_key_and_encrypt_with_the_other(
    aws: EmbeddedAws, home: Any, make_key: Make, make_role: Make, client_of: Make, unique: str
) -> None:
    own, theirs = make_key(REGION), make_key(OTHER)
    home.create_secret(Name=unique, SecretString="a", KmsKeyId=own)
    asked = [{"Region": OTHER, "KmsKeyId": theirs}]
    decrypt = {"Action": "kms:Decrypt", "Resource": own}
    encrypt = {"Action": ["kms:GenerateDataKey", "kms:Encrypt"], "Resource": theirs}
    for statements, expected in (
        ([decrypt], "Failed"),
        ([encrypt], "Failed"),
        ([decrypt, encrypt], "InSync"),
    ):
        role = make_role({"Action": "secretsmanager:*"}, *statements)
        answer = client_of("secretsmanager", role).replicate_secret_to_regions(
            SecretId=unique, AddReplicaRegions=asked
        )
        assert [each["Status"] for each in answer["ReplicationStatus"]] == [expected]
    assert value(aws.client("secretsmanager", OTHER), unique) == "a"


def test_whoever_writes_may_encrypt_with_the_replicas_key_or_leaves_it_behind(
    home: Any, away: Any, replicated: str, make_role: Make, client_of: Make
) -> None:
    own, theirs = home.describe_secret(SecretId=replicated)["KmsKeyId"], status(home, replicated)
    write = {"Action": ["secretsmanager:PutSecretValue", "secretsmanager:Update*"]}
    at_home = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": own}
    there = {"Action": ["kms:Encrypt", "kms:GenerateDataKey"], "Resource": theirs["KmsKeyId"]}

    client_of("secretsmanager", make_role(write, at_home)).put_secret_value(
        SecretId=replicated, SecretString="second"
    )
    closed = "No permissions available on the KMS key to complete the replication"
    failed = {**theirs, "Status": "Failed", "StatusMessage": closed}
    assert status(home, replicated) == failed
    assert (value(home, replicated), value(away, replicated)) == ("second", "first")
    # Nobody else's right stands in for the writer's.
    home.tag_resource(SecretId=replicated, Tags=[{"Key": "a", "Value": "b"}])
    assert status(home, replicated) == failed
    assert value(away, replicated) == "first"

    client_of("secretsmanager", make_role(write, at_home, there)).update_secret(
        SecretId=replicated, SecretString="third"
    )
    assert status(home, replicated) == theirs
    assert value(away, replicated) == "third"


def test_a_replica_left_behind_catches_up_when_it_is_replicated_again(
    home: Any, away: Any, replicated: str, make_role: Make, client_of: Make
) -> None:
    own, theirs = home.describe_secret(SecretId=replicated)["KmsKeyId"], status(home, replicated)
    at_home = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": own}
    writer = make_role({"Action": "secretsmanager:PutSecretValue"}, at_home)
    client_of("secretsmanager", writer).put_secret_value(SecretId=replicated, SecretString="b")
    assert status(home, replicated)["Status"] == "Failed"
    asked = [{"Region": OTHER, "KmsKeyId": theirs["KmsKeyId"]}]
    home.replicate_secret_to_regions(SecretId=replicated, AddReplicaRegions=asked)
    assert status(home, replicated) == theirs
    assert value(away, replicated) == "b"


def test_a_key_of_another_region_makes_no_replica(
    home: Any, away: Any, make_key: Make, unique: str
) -> None:
    home.create_secret(
        Name=unique,
        SecretString="a",
        AddReplicaRegions=[{"Region": OTHER, "KmsKeyId": make_key(REGION)}],
    )
    found = status(home, unique)
    assert (found["Status"], found["StatusMessage"]) == (
        "Failed",
        "The KMS key is disabled or not found",
    )
    with pytest.raises(away.exceptions.ResourceNotFoundException):
        away.describe_secret(SecretId=unique)


def test_a_secret_of_the_name_is_overwritten_only_if_asked_to(
    home: Any, away: Any, unique: str
) -> None:
    away.create_secret(Name=unique, SecretString="theirs")
    home.create_secret(Name=unique, SecretString="ours", AddReplicaRegions=[{"Region": OTHER}])
    assert status(home, unique)["StatusMessage"] == (
        "Secret with this name already exists in this region"
    )
    assert value(away, unique) == "theirs"
    home.replicate_secret_to_regions(
        SecretId=unique, AddReplicaRegions=[{"Region": OTHER}], ForceOverwriteReplicaSecret=True
    )
    assert status(home, unique)["Status"] == "InSync"
    assert value(away, unique) == "ours"


def test_a_replica_whose_key_is_disabled_stays_behind_and_says_so(
    aws: EmbeddedAws, home: Any, away: Any, replicated: str
) -> None:
    kms, key = aws.client("kms", OTHER), status(home, replicated)["KmsKeyId"]
    kms.disable_key(KeyId=key)
    home.put_secret_value(SecretId=replicated, SecretString="second")
    assert status(home, replicated)["Status"] == "Failed"
    kms.enable_key(KeyId=key)
    assert value(away, replicated) == "first"
    home.put_secret_value(SecretId=replicated, SecretString="third")
    assert status(home, replicated)["Status"] == "InSync"
    assert value(away, replicated) == "third"


def test_a_secret_with_replicas_is_not_deleted(home: Any, away: Any, replicated: str) -> None:
    arn = home.describe_secret(SecretId=replicated)["ARN"]
    refusal = rf"You can't delete secret {arn} that still has replica regions \[{OTHER}\]\."
    with pytest.raises(home.exceptions.InvalidParameterException, match=refusal):
        home.delete_secret(SecretId=replicated, ForceDeleteWithoutRecovery=True)
    answer = home.remove_regions_from_replication(
        SecretId=replicated, RemoveReplicaRegions=[OTHER]
    )
    assert answer["ReplicationStatus"] == []
    with pytest.raises(away.exceptions.ResourceNotFoundException):
        away.describe_secret(SecretId=replicated)
    home.delete_secret(SecretId=replicated, ForceDeleteWithoutRecovery=True)
    with pytest.raises(home.exceptions.ResourceNotFoundException):
        home.describe_secret(SecretId=replicated)


def test_one_region_is_removed_and_the_others_stay(
    home: Any, aws: EmbeddedAws, unique: str
) -> None:
    both = [{"Region": OTHER}, {"Region": THIRD}]
    home.create_secret(Name=unique, SecretString="a", AddReplicaRegions=both)
    home.remove_regions_from_replication(SecretId=unique, RemoveReplicaRegions=[OTHER])
    assert status(home, unique)["Region"] == THIRD
    assert value(aws.client("secretsmanager", THIRD), unique) == "a"


def test_a_promoted_replica_goes_its_own_way(home: Any, away: Any, replicated: str) -> None:
    arn = away.describe_secret(SecretId=replicated)["ARN"]
    assert away.stop_replication_to_replica(SecretId=arn)["ARN"] == arn
    away.put_secret_value(SecretId=replicated, SecretString="theirs")
    home.put_secret_value(SecretId=replicated, SecretString="ours")
    assert (value(home, replicated), value(away, replicated)) == ("ours", "theirs")
    assert "ReplicationStatus" not in home.describe_secret(SecretId=replicated)
    assert "PrimaryRegion" not in away.describe_secret(SecretId=replicated)
    # The name is taken there now, by a secret that has the replica's ARN.
    home.delete_secret(SecretId=replicated, ForceDeleteWithoutRecovery=True)
    assert value(away, replicated) == "theirs"


def test_only_a_replica_is_promoted_and_only_in_its_region(
    home: Any, away: Any, replicated: str, unique: str
) -> None:
    with pytest.raises(home.exceptions.InvalidRequestException, match="is not a replica"):
        home.stop_replication_to_replica(SecretId=replicated)
    with pytest.raises(away.exceptions.ResourceNotFoundException):
        away.stop_replication_to_replica(SecretId=f"{unique}-none")
    assert status(home, replicated)["Region"] == OTHER


def test_promotion_takes_a_permission_of_its_own(
    aws: EmbeddedAws, replicated: str, make_role: Make
) -> None:
    role = make_role({"Action": ["secretsmanager:PutSecretValue", "secretsmanager:Describe*"]})
    session = aws.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="test")
    client = aws.client_as("secretsmanager", OTHER, session["Credentials"])
    with pytest.raises(ClientError, match="secretsmanager:StopReplicationToReplica"):
        client.stop_replication_to_replica(SecretId=replicated)


def test_a_rotation_reaches_the_replica_and_ends_with_its_promotion(
    aws: EmbeddedAws, home: Any, away: Any, replicated: str, make_function: Make
) -> None:
    source = """
import boto3
def handler(event, context):
    secrets = boto3.client("secretsmanager")
    secret, token = event["SecretId"], event["ClientRequestToken"]
    if event["Step"] == "createSecret":
        secrets.put_secret_value(SecretId=secret, ClientRequestToken=token,
                                 SecretString="rotated", VersionStages=["AWSPENDING"])
    if event["Step"] == "finishSecret":
        current = secrets.get_secret_value(SecretId=secret)["VersionId"]
        secrets.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT",
                                            MoveToVersionId=token, RemoveFromVersionId=current)
"""
    function = make_function(source, {"Action": ["secretsmanager:*", "kms:*"]})
    functions = aws.client("lambda", REGION)
    functions.add_permission(
        FunctionName=function,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    arn = functions.get_function_configuration(FunctionName=function)["FunctionArn"]
    token = str(uuid.uuid4())
    home.rotate_secret(
        SecretId=replicated,
        RotationLambdaARN=arn,
        RotationRules={"AutomaticallyAfterDays": 30},
        ClientRequestToken=token,
    )
    for _ in range(500):
        stages = away.describe_secret(SecretId=replicated)["VersionIdsToStages"]
        if "AWSCURRENT" in stages.get(token, ()):
            break
    assert value(away, replicated) == "rotated"
    away.stop_replication_to_replica(SecretId=replicated)
    assert "RotationLambdaARN" not in away.describe_secret(SecretId=replicated)
    with pytest.raises(away.exceptions.InvalidRequestException, match="No Lambda rotation"):
        away.rotate_secret(SecretId=replicated)


def test_a_policy_may_name_the_regions_that_are_asked(
    aws: EmbeddedAws, replicated: str, make_role: Make
) -> None:
    role = make_role(
        {
            "Action": "secretsmanager:DescribeSecret",
            "Resource": f"arn:aws:secretsmanager:*:*:secret:{replicated}-*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": [OTHER, THIRD]}},
        }
    )
    session = aws.client("sts", REGION).assume_role(RoleArn=role, RoleSessionName="test")
    allowed = aws.client_as("secretsmanager", OTHER, session["Credentials"])
    refused = aws.client_as("secretsmanager", REGION, session["Credentials"])
    assert allowed.describe_secret(SecretId=replicated)["PrimaryRegion"] == REGION
    with pytest.raises(ClientError, match="AccessDenied"):
        refused.describe_secret(SecretId=replicated)

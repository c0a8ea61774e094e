import io
import json
import zipfile
from typing import Any

from tests.provider.specimen import Specimen, World
from tests.provider.specimens import kms

OTHER_REGION = "eu-west-1"
SOURCE = "def handler(event, context): pass"


def policy(world: World, sid: str = "Account") -> str:
    principal = {"AWS": f"arn:aws:iam::{world.account_id}:root"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Resource": "*"}
    statement["Action"] = "secretsmanager:GetSecretValue"
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def key(world: World, name: str = "secrets-key", region: str = "us-east-1") -> str:
    made = world.make(
        "aws:kms/key:Key", name, policy=kms.policy(world), deletionWindowInDays=7, region=region
    )
    return str(made["arn"])


def replicas(world: World, name: str = "replica-key") -> list[dict[str, str]]:
    return [{"region": OTHER_REGION, "kmsKeyId": key(world, name, OTHER_REGION)}]


def secret(world: World, name: str = "a-secret") -> str:
    made = world.make("aws:secretsmanager/secret:Secret", name, recoveryWindowInDays=0)
    return str(made["arn"])


def secret_with_value(world: World, name: str = "a-secret") -> str:
    arn = secret(world, name)
    world.make(
        "aws:secretsmanager/secretVersion:SecretVersion",
        f"{name}-value",
        secretId=arn,
        secretString="a value",
    )
    return arn


def rotator(world: World, name: str = "rotator") -> str:
    """Make a function that may rotate, once; the roles and functions of these tests stay."""
    functions, iam = world.client("lambda"), world.client("iam")
    try:
        return str(functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])
    except functions.exceptions.ResourceNotFoundException:
        pass
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    statement = trust | {"Action": "sts:AssumeRole"}
    role: Any = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", SOURCE)
    function: Any = functions.create_function(
        FunctionName=name,
        Role=role["Arn"],
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    functions.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    return str(function["FunctionArn"])


SPECIMENS = [
    Specimen(
        "aws:secretsmanager/secret:Secret",
        lambda world: {
            "name": "specimen/secret",
            "description": "of the tests",
            "kmsKeyId": key(world),
            "policy": policy(world),
            "recoveryWindowInDays": 0,
            "replicas": replicas(world),
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "specimen/another"},
            {"description": "another"},
            {"description": None},
            {"kmsKeyId": key(world, "another-key")},
            {"policy": policy(world, "Another")},
            {"policy": "{}"},
            {"recoveryWindowInDays": 7},
            {"replicas": replicas(world, "another-replica-key")},
            {"replicas": [*replicas(world), {"region": "eu-west-2"}]},
            {"replicas": None},
            {"forceOverwriteReplicaSecret": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="ResourceExistsException",
        not_read=frozenset({"recoveryWindowInDays", "forceOverwriteReplicaSecret"}),
        import_differs=frozenset({"recoveryWindowInDays"}),
    ),
    Specimen(
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda world: {"secretId": secret(world), "secretString": "one"},
        lambda world: [
            {"secretString": "another"},
            {"versionStages": ["AWSCURRENT", "BLUE"]},
            {"versionStages": ["AWSCURRENT"]},
            {"secretId": secret(world, "another-secret")},
        ],
        seen_gone=False,
    ),
    Specimen(
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        lambda world: {
            "secretArn": secret(world),
            "policy": policy(world),
            "blockPublicPolicy": True,
        },
        lambda world: [
            {"policy": policy(world, "Another")},
            {"blockPublicPolicy": False},
            {"secretArn": secret(world, "another-secret")},
        ],
        not_read=frozenset({"blockPublicPolicy"}),
        seen_gone=False,
        import_differs=frozenset({"blockPublicPolicy"}),
    ),
    Specimen(
        "aws:secretsmanager/secretRotation:SecretRotation",
        lambda world: {
            "secretId": secret_with_value(world),
            "rotationLambdaArn": rotator(world),
            "rotateImmediately": False,
            "rotationRules": {"automaticallyAfterDays": 30, "duration": "3h"},
        },
        lambda world: [
            {"rotationRules": {"automaticallyAfterDays": 31, "duration": "3h"}},
            {"rotationRules": {"scheduleExpression": "rate(4 days)"}},
            {"rotateImmediately": True},
            {"rotationLambdaArn": rotator(world, "another-rotator")},
            {"rotationEnabled": False, "rotationRules": None, "rotationLambdaArn": None},
            {"secretId": secret_with_value(world, "another-secret")},
        ],
        not_read=frozenset({"rotateImmediately"}),
        seen_gone=False,
        import_differs=frozenset({"rotateImmediately"}),
    ),
]

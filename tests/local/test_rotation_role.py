"""What the role of a rotation may do, and every call beside that: refused, each tried."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.deployment import Deployment
from local.proofs import soak
from tests.recording import PROJECT, ROOT

# A function that makes calls with its role's credentials; it tells AWS's error codes, no values.
PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    outcomes = []
    for service, operation, arguments in event:
        try:
            getattr(boto3.client(service), operation)(**arguments)
            outcomes.append("done")
        except ClientError as error:
            outcomes.append(str(error))
    return outcomes
"""
SECRETS = "secretsmanager"


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    with deployment.running(
        soak.stack(ROOT, "alternatingUsers", function={"handler": "query"})
    ) as made:
        yield made


@pytest.fixture(scope="module")
def arns(deployed: Deployment) -> dict[str, str]:
    """The rotated secret, its administrator's, and another under the same key."""
    other = deployed.client(SECRETS).create_secret(
        Name=f"{PROJECT}/dev/other",
        KmsKeyId=deployed.outputs["key_arn"],
        SecretString="no value",
    )["ARN"]
    own, admin = (deployed.outputs["secret_arns"][name] for name in ("database", "admin"))
    return {"own": own, "admin": admin, "other": other}


@pytest.fixture(scope="module")
def call(deployed: Deployment) -> Any:
    """Return the function that makes calls with the role of the rotation of `database`."""
    functions = deployed.client("lambda")
    role = functions.get_function_configuration(
        FunctionName=deployed.outputs["rotation_function_arns"]["database"]
    )["Role"]

    def make(*calls: tuple[str, str, dict[str, Any]]) -> list[str]:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as packed:
            packed.writestr("app.py", PROBE)
        name = "role-probe"
        functions.create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": content.getvalue()},
            Timeout=60,
        )
        functions.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.02}
        )
        try:
            answer = functions.invoke(FunctionName=name, Payload=json.dumps(calls).encode())
            outcomes: list[str] = json.loads(answer["Payload"].read())
        finally:
            functions.delete_function(FunctionName=name)
        assert "FunctionError" not in answer, outcomes
        return outcomes

    return make


def test_the_role_does_its_work_on_its_secret(call: Any, arns: dict[str, str]) -> None:
    own = {"SecretId": arns["own"]}
    outcomes = call(
        (SECRETS, "describe_secret", own),
        (SECRETS, "get_secret_value", own),
        (SECRETS, "get_random_password", {}),
        (SECRETS, "put_secret_value", {**own, "SecretString": "{}", "VersionStages": ["OTHER"]}),
        (SECRETS, "get_secret_value", {"SecretId": arns["admin"]}),
    )
    assert outcomes == ["done"] * len(outcomes)


@pytest.mark.parametrize("whose", ["other", pytest.param("admin", marks=pytest.mark.exhaustive)])
def test_the_role_is_refused_all_of_it_on_another_secret(
    call: Any, arns: dict[str, str], whose: str
) -> None:
    secret = {"SecretId": arns[whose]}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        (SECRETS, "describe_secret", secret),
        (SECRETS, "list_secret_version_ids", secret),
        (SECRETS, "put_secret_value", {**secret, "SecretString": "{}"}),
        (
            SECRETS,
            "update_secret_version_stage",
            {**secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": "v" * 32},
        ),
    ]
    if whose == "other":
        calls.append((SECRETS, "get_secret_value", secret))
    for (_, operation, _), outcome in zip(calls, call(*calls), strict=True):
        assert "AccessDenied" in outcome, operation


def test_the_role_is_refused_everything_else_on_its_own_secret(
    call: Any, arns: dict[str, str], deployed: Deployment
) -> None:
    own, key = {"SecretId": arns["own"]}, {"KeyId": deployed.outputs["key_arn"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    calls: list[tuple[str, str, dict[str, Any]]] = [
        (SECRETS, "list_secret_version_ids", own),  # a single user needs it, to find what works
        (SECRETS, "delete_secret", own),
        (SECRETS, "update_secret", {**own, "Description": "x"}),
        (SECRETS, "rotate_secret", own),
        (SECRETS, "cancel_rotate_secret", own),
        (SECRETS, "put_resource_policy", {**own, "ResourcePolicy": policy}),
        (SECRETS, "tag_resource", {**own, "Tags": [{"Key": "a", "Value": "b"}]}),
        (SECRETS, "create_secret", {"Name": "new", "SecretString": "x"}),
        (SECRETS, "list_secrets", {}),
        # The key serves Secrets Manager, and not who calls it directly.
        ("kms", "generate_data_key", {**key, "KeySpec": "AES_256"}),
        ("kms", "encrypt", {**key, "Plaintext": "text"}),
        ("kms", "disable_key", key),
        ("iam", "list_roles", {}),
        ("lambda", "list_functions", {}),
        ("logs", "create_log_group", {"logGroupName": "another"}),
    ]
    for (service, operation, _), outcome in zip(calls, call(*calls), strict=True):
        assert "AccessDenied" in outcome, (service, operation)

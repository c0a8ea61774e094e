"""Tries a role: what it may read, and what a role without some of its grants may read.

The embedded AWS lets nobody but Lambda assume a function's role, as AWS does; so a probe with the
role is deployed beside the stack, asked, and removed.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi

from local.provider.archive import package

READ = "read"
_PROBE = Path(__file__).with_name("probe.py")

Client = Callable[[str], Any]
Statement = dict[str, Any]


def read_as(client: Client, role_arn: str, secret_ids: Sequence[str]) -> dict[str, str]:
    """Let a function of the role read secrets.

    Args:
        client: service -> the administrator's client.
        role_arn: ARN of the role.
        secret_ids: names or ARNs.

    Returns:
        Secret id -> `read`, or AWS's error.

    """
    functions = client("lambda")
    name = f"probe-{secrets.token_hex(4)}"
    functions.create_function(
        FunctionName=name,
        Role=role_arn,
        Runtime="python3.13",
        Handler="probe.lambda_handler",
        Timeout=30,
        Code={"ZipFile": package(pulumi.AssetArchive({"probe.py": pulumi.FileAsset(_PROBE)}))},
    )
    try:
        answer = functions.invoke(
            FunctionName=name, Payload=json.dumps({"SecretIds": list(secret_ids)}).encode()
        )
        outcomes: dict[str, str] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"the probe failed: {outcomes}")
    finally:
        functions.delete_function(FunctionName=name)
    return outcomes


@contextmanager
def role_like(client: Client, role_arn: str, keep: Callable[[Statement], bool]) -> Iterator[str]:
    """Copy a role with those of its statements that `keep` wants; yield the copy's ARN."""
    iam = client("iam")
    original = iam.get_role(RoleName=role_arn.rsplit("/", 1)[1])["Role"]
    name = f"like-{secrets.token_hex(4)}"
    copy = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(original["AssumeRolePolicyDocument"])
    )["Role"]
    kept = []
    try:
        for number, document in enumerate(_policies(iam, original["RoleName"])):
            statements = [each for each in document["Statement"] if keep(each)]
            if statements:
                kept.append(f"kept-{number}")
                iam.put_role_policy(
                    RoleName=name,
                    PolicyName=kept[-1],
                    PolicyDocument=json.dumps({**document, "Statement": statements}),
                )
        yield copy["Arn"]
    finally:
        for policy in kept:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def _policies(iam: Any, role: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 (boto3 makes its classes at run time)
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

"""Finds out what a function's role can read, and what a copy with fewer permissions can read.

As in AWS, only Lambda can assume a function's role, so a function with the role is deployed next
to the stack, called and removed.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pulumi

from local.functions import Function, FunctionError
from local.provider.archive import package

READ = "read"
_PROBE = Path(__file__).with_name("probe.py")
_WAIT = {"Delay": 0.02, "MaxAttempts": 500}

Client = Callable[[str], Any]
Statement = dict[str, Any]


def copied_configuration(function: Function) -> dict[str, Any]:
    """Return the arguments of CreateFunction to copy a function's layers and environment."""
    found = function.configuration
    return {
        "Layers": [layer["Arn"] for layer in found.get("Layers", ())],
        "Architectures": found["Architectures"],
        "Environment": {"Variables": found["Environment"]["Variables"]},
    }


def read_as(client: Client, role_arn: str, secret_ids: Sequence[str]) -> dict[str, str]:
    """Let a function with the role read secrets, by name or ARN.

    Returns:
        Secret id -> `read`, or AWS's error.

    """
    return probe(client, role_arn, {"SecretIds": list(secret_ids)})["Secrets"]


def probe(
    client: Client, role_arn: str, event: Mapping[str, Any], **configuration: object
) -> dict[str, dict[str, str]]:
    """Let a function with the role try to read.

    Args:
        client: service -> the administrator's client.
        role_arn: ARN of the role.
        event: what to read; see `probe.py`.
        configuration: further arguments of CreateFunction.

    Returns:
        The response; see `probe.py`.

    """
    with deployed_function(
        client, {"probe.py": _PROBE}, "probe.lambda_handler", role_arn, configuration
    ) as (ask):
        outcomes: dict[str, dict[str, str]] = ask(event)
    return outcomes


@contextmanager
def deployed_function(
    client: Client,
    files: Mapping[str, Path],
    handler: str,
    role_arn: str,
    configuration: Mapping[str, object],
) -> Iterator[Callable[[object], Any]]:
    """Deploy one of our functions with a role of the stack; yield a function that calls it.

    A call raises `FunctionError` if the function raises.
    """
    functions = client("lambda")
    name = f"{handler.partition('.')[0]}-{secrets.token_hex(4)}"
    assets = {inside: pulumi.FileAsset(str(path)) for inside, path in files.items()}
    functions.create_function(
        FunctionName=name,
        Role=role_arn,
        Runtime="python3.13",
        Handler=handler,
        Timeout=900,  # for hundreds of secrets on a busy machine
        Code={"ZipFile": package(pulumi.AssetArchive({**assets}))},
        **configuration,
    )

    def call(event: object) -> Any:  # noqa: ANN401 (any JSON)
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise FunctionError(f"{name} raised: {result}")
        return result

    try:
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=_WAIT)
        yield call
    finally:
        functions.delete_function(FunctionName=name)


@contextmanager
def role_copy(client: Client, role_arn: str, keep: Callable[[Statement], bool]) -> Iterator[str]:
    """Copy a role with the statements that `keep` selects; yield the copy's ARN."""
    iam = client("iam")
    original = iam.get_role(RoleName=role_arn.rsplit("/", 1)[1])["Role"]
    name = f"like-{secrets.token_hex(4)}"
    boundary = original.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    copy = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(original["AssumeRolePolicyDocument"]),
        **({"PermissionsBoundary": boundary} if boundary else {}),
    )["Role"]
    with ExitStack() as undone:
        undone.callback(iam.delete_role, RoleName=name)
        for number, (document, attached) in enumerate(_policies(iam, original["RoleName"])):
            statements = [each for each in document["Statement"] if keep(each)]
            text = json.dumps({**document, "Statement": statements}, separators=(",", ":"))
            kept = f"{name}-{number}"
            if not statements:
                continue
            if not attached:
                iam.put_role_policy(RoleName=name, PolicyName=kept, PolicyDocument=text)
                undone.callback(iam.delete_role_policy, RoleName=name, PolicyName=kept)
                continue
            arn = iam.create_policy(PolicyName=kept, PolicyDocument=text)["Policy"]["Arn"]
            undone.callback(iam.delete_policy, PolicyArn=arn)
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
            undone.callback(iam.detach_role_policy, RoleName=name, PolicyArn=arn)
        yield copy["Arn"]


def _policies(iam: Any, role: str) -> Iterator[tuple[dict[str, Any], bool]]:  # noqa: ANN401 (boto3 makes its classes at run time)
    """Yield each policy of a role, and whether it is a managed one, with its own size limit."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"], False
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        yield found["PolicyVersion"]["Document"], True

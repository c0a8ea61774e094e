"""What stands in for Pulumi's AWS provider: makes resources with boto3, one function a type.

It creates, in an empty account. It neither reads back, nor updates, nor deletes.
"""

import io
import json
import secrets
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from local.aws import EmbeddedAws

Inputs = Mapping[str, Any]
Made = tuple[str, dict[str, Any]]
Create = Callable[["AwsProvider", str, Inputs], Made]


class DeploymentError(Exception):
    """AWS refused a resource; the text names the resource and gives AWS's reason."""


class AwsProvider:
    """Makes the resources of one region in the embedded AWS."""

    preview = False

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._aws = aws
        self._region = region

    def client(self, service: str) -> Any:  # noqa: ANN401 (boto3 makes its classes at run time)
        """Return the administrator's client in the region."""
        return self._aws.client(service, self._region)

    def create(self, type_: str, name: str, inputs: Inputs) -> Made:
        """Make a resource.

        Raises:
            DeploymentError: AWS refused, or the type is not in the table below.

        """
        if type_ not in _TYPES:
            raise DeploymentError(
                f"{name}: the local run cannot make {type_}; add a function for it to"
                f" {Path(__file__).name}"
            )
        try:
            id_, outputs = _TYPES[type_](self, name, inputs)
        except (ClientError, BotoCoreError) as error:
            raise DeploymentError(f"{name} ({type_}): {error}") from error
        return id_, {**inputs, **outputs}

    def invoke(self, token: str, args: Inputs) -> dict[str, Any]:
        """Answer a provider function."""
        del args
        if token != "aws:index/getCallerIdentity:getCallerIdentity":  # noqa: S105 (a type token)
            raise DeploymentError(f"the local run cannot answer {token}")
        identity = self.client("sts").get_caller_identity()
        return {
            "id": identity["Account"],
            "accountId": identity["Account"],
            "arn": identity["Arn"],
            "userId": identity["UserId"],
        }


def package(archive: pulumi.AssetArchive) -> bytes:
    """Zip the files of an archive; the bytes depend on names and contents only."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, asset in sorted(archive.assets.items()):
            if not isinstance(asset, pulumi.FileAsset):
                raise DeploymentError(f"{name}: the local run packs files only")
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, Path(asset.path).read_bytes())
    return data.getvalue()


def _key(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    kms = provider.client("kms")
    key = kms.create_key(
        Description=inputs["description"], Policy=inputs["policy"], Tags=_tags(inputs, "Tag")
    )["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(
            KeyId=key["KeyId"], RotationPeriodInDays=inputs["rotationPeriodInDays"]
        )
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _key_alias(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("kms").create_alias(
        AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"]
    )
    return inputs["name"], {}


def _secret(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    optional = {"Description": inputs.get("description"), "KmsKeyId": inputs.get("kmsKeyId")}
    secret = provider.client("secretsmanager").create_secret(
        Name=inputs["name"],
        Tags=_tags(inputs),
        **{key: value for key, value in optional.items() if value},
    )
    return secret["ARN"], {"arn": secret["ARN"]}


def _secret_version(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    version = provider.client("secretsmanager").put_secret_value(
        SecretId=inputs["secretId"], SecretString=inputs["secretString"]
    )
    id_ = f"{version['ARN']}|{version['VersionId']}"
    return id_, {"arn": version["ARN"], "versionId": version["VersionId"]}


def _secret_rotation(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    secret = provider.client("secretsmanager").rotate_secret(
        SecretId=inputs["secretId"],
        RotationLambdaARN=inputs["rotationLambdaArn"],
        RotationRules=_capitalized(inputs["rotationRules"]),
        RotateImmediately=inputs.get("rotateImmediately", True),
    )
    return secret["ARN"], {"rotationEnabled": True}


def _role(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    role = provider.client("iam").create_role(
        RoleName=_physical(name),
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Description=inputs.get("description", ""),
        Tags=_tags(inputs),
    )["Role"]
    return role["RoleName"], {"arn": role["Arn"], "name": role["RoleName"]}


def _policy(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    policy = provider.client("iam").create_policy(
        PolicyName=_physical(name),
        PolicyDocument=inputs["policy"],
        Description=inputs.get("description", ""),
        Tags=_tags(inputs),
    )["Policy"]
    return policy["Arn"], {"arn": policy["Arn"], "name": policy["PolicyName"]}


def _role_policy_attachment(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    provider.client("iam").attach_role_policy(
        RoleName=inputs["role"], PolicyArn=inputs["policyArn"]
    )
    return _physical(name), {}


def _role_policy(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    physical = _physical(name)
    provider.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=physical, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{physical}", {"name": physical}


def _log_group(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    logs = provider.client("logs")
    name = inputs["name"]
    logs.create_log_group(
        logGroupName=name, kmsKeyId=inputs["kmsKeyId"], tags=inputs.get("tags", {})
    )
    logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (arn,) = [group["arn"] for group in groups if group["logGroupName"] == name]
    return name, {"arn": arn.removesuffix(":*")}


def _function(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    functions = provider.client("lambda")
    logging = inputs["loggingConfig"]
    function = functions.create_function(
        FunctionName=_physical(name),
        Role=inputs["role"],
        Code={"ZipFile": package(inputs["code"])},
        Handler=inputs["handler"],
        Runtime=inputs["runtime"],
        Architectures=inputs["architectures"],
        MemorySize=inputs["memorySize"],
        Timeout=inputs["timeout"],
        Layers=inputs.get("layers", []),
        Environment=_capitalized(inputs.get("environment", {})),
        VpcConfig=_capitalized(inputs.get("vpcConfig", {})),
        LoggingConfig={"LogFormat": logging["logFormat"], "LogGroup": logging["logGroup"]},
        TracingConfig=_capitalized(inputs.get("tracingConfig", {"mode": "PassThrough"})),
        Publish=bool(inputs.get("publish")),
        Tags=inputs.get("tags", {}),
    )
    physical = function["FunctionName"]
    functions.get_waiter("function_active_v2").wait(
        FunctionName=physical, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    if (reserved := inputs.get("reservedConcurrentExecutions")) is not None:
        functions.put_function_concurrency(
            FunctionName=physical, ReservedConcurrentExecutions=reserved
        )
    # A published function is answered with its version's ARN; Pulumi's `arn` is unqualified.
    arn = ":".join(function["FunctionArn"].split(":")[:7])
    return physical, {"arn": arn, "name": physical, "version": function["Version"]}


def _function_alias(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    alias = provider.client("lambda").create_alias(
        Name=inputs["name"],
        FunctionName=inputs["functionName"],
        FunctionVersion=inputs["functionVersion"],
        Description=inputs.get("description", ""),
    )
    return alias["AliasArn"], {"arn": alias["AliasArn"]}


def _permission(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    statement_id = inputs.get("statementId") or _physical(name)
    keys = ("action", "principal", "sourceAccount", "sourceArn", "qualifier")
    provider.client("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=statement_id,
        **_capitalized({key: inputs[key] for key in keys if inputs.get(key)}),
    )
    return statement_id, {"statementId": statement_id}


def _invocation(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    answer = provider.client("lambda").invoke(
        FunctionName=inputs["functionName"],
        Qualifier=inputs.get("qualifier", "$LATEST"),
        Payload=inputs["input"].encode(),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        # What the function raised; the functions here raise no values.
        reason = json.loads(result).get("errorMessage", answer["FunctionError"])
        raise DeploymentError(f"{name}: {inputs['functionName']} failed: {reason}")
    return _physical(name), {"result": result}


def _physical(name: str) -> str:
    """Name a resource as Pulumi's auto-naming does: seven random hexadecimal digits."""
    return f"{name}-{secrets.token_hex(4)[:7]}"


def _tags(inputs: Inputs, prefix: str = "") -> list[dict[str, str]]:
    tags = inputs.get("tags", {}).items()
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in tags]


def _capitalized(inputs: Inputs) -> dict[str, Any]:
    return {f"{key[0].upper()}{key[1:]}": value for key, value in inputs.items()}


_TYPES: dict[str, Create] = {
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:kms/alias:Alias": _key_alias,
    "aws:kms/key:Key": _key,
    "aws:lambda/alias:Alias": _function_alias,
    "aws:lambda/function:Function": _function,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:lambda/permission:Permission": _permission,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretRotation:SecretRotation": _secret_rotation,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}

"""What the seeder, a rotation and the watch share: log group, role with policies, function.

Functions, not a base class: each component names its own resources.
"""

from collections.abc import Mapping
from typing import NamedTuple, NotRequired, TypedDict, Unpack

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..policies import iam as policies
from . import grants


class SmallFunctionArgs(TypedDict):
    """Arguments that these functions share."""

    key_arn: pulumi.Input[str]
    """ARN of the KMS key of the logs, and of what the function reads and writes."""
    log_group_name: str
    """Name of the log group to create."""
    runtime: NotRequired[str]
    """Runtime (default python3.13)."""
    architecture: NotRequired[str]
    """arm64 (default) or x86_64."""
    log_retention_days: NotRequired[int]
    """Days that logs are kept, as CloudWatch allows (default 30)."""
    role_path: NotRequired[str | None]
    """Path of the role and its policies (default `/`)."""
    permissions_boundary: NotRequired[str | None]
    """ARN of the role's permissions boundary (default None)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of all resources that support tags."""


class Program(TypedDict):
    """The code and settings of a function, as arguments of `aws.lambda_.Function`."""

    code: pulumi.Archive
    handler: str
    memory_size: int
    timeout: int
    environment: NotRequired[aws.lambda_.FunctionEnvironmentArgsDict]
    vpc_config: NotRequired[aws.lambda_.FunctionVpcConfigArgsDict | None]


class Identity(NamedTuple):
    """The role and the log group of a function."""

    logs: aws.cloudwatch.LogGroup
    role: aws.iam.Role
    policies: list[pulumi.Resource]
    """The role's inline policies; a call of the function has to wait for them."""

    @property
    def granted_role_arn(self) -> pulumi.Output[str]:
        """ARN of the role, known when its policies exist."""
        granted = pulumi.Output.all(self.role.arn, *(each.urn for each in self.policies))
        return granted.apply(lambda resolved: str(resolved[0]))


def runtime(args: SmallFunctionArgs) -> str:
    """Return the function's runtime."""
    return args.get("runtime", limits.DEFAULT_RUNTIME)


def checks(args: SmallFunctionArgs) -> list[limits.Check]:
    """List the shared arguments for `limits.check`."""
    return [
        ("runtime", runtime(args), limits.RUNTIMES),
        ("architecture", _architecture(args), limits.ARCHITECTURES),
        ("log_retention_days", _log_retention_days(args), limits.LOG_RETENTION_DAYS),
    ]


def identity(
    name: str,
    args: SmallFunctionArgs,
    description: str,
    documents: Mapping[str, pulumi.Input[policies.Policy]],
    child: pulumi.ResourceOptions,
) -> Identity:
    """Create the log group, and a role with an inline policy for each document.

    `documents` are as for `grants.inline`; the policy `logs` is added, for the log group.
    """
    logs = aws.cloudwatch.LogGroup(
        f"{name}-logs",
        name=args["log_group_name"],
        retention_in_days=_log_retention_days(args),
        kms_key_id=args["key_arn"],
        tags=args.get("tags"),
        opts=child,
    )
    role = aws.iam.Role(
        f"{name}-role",
        description=description,
        assume_role_policy=pulumi.Output.json_dumps(policies.assume_role("lambda.amazonaws.com")),
        path=args.get("role_path"),
        permissions_boundary=args.get("permissions_boundary"),
        tags=args.get("tags"),
        opts=child,
    )
    write_logs = {"logs": logs.arn.apply(policies.write_logs)}
    inline = grants.inline(name, role.name, {**write_logs, **documents}, child)
    return Identity(logs, role, inline)


def function(
    name: str,
    args: SmallFunctionArgs,
    identity: Identity,
    opts: pulumi.ResourceOptions,
    **program: Unpack[Program],
) -> aws.lambda_.Function:
    """Create the function."""
    return aws.lambda_.Function(
        f"{name}-function",
        runtime=runtime(args),
        architectures=[_architecture(args)],
        role=identity.role.arn,
        logging_config={"log_format": "Text", "log_group": identity.logs.name},
        tags=args.get("tags"),
        opts=opts,
        **program,
    )


def _architecture(args: SmallFunctionArgs) -> str:
    return args.get("architecture", limits.DEFAULT_ARCHITECTURE)


def _log_retention_days(args: SmallFunctionArgs) -> int:
    return args.get("log_retention_days", limits.DEFAULT_LOG_RETENTION_DAYS)

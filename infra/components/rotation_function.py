"""What the rotation of one secret and of a group share: the function, and a secret's schedule.

Functions, not a base class: each component names its own resources.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..policies import iam as policies
from . import packages, small_function
from .small_function import SmallFunctionArgs

_DEFAULT_DAYS = 30


class AdminArgs(TypedDict):
    """The secret with which rotation logs in to change another user."""

    admin_secret_arn: NotRequired[pulumi.Input[str] | None]
    """ARN of the admin secret; alternatingUsers needs it."""
    admin_key_arn: NotRequired[pulumi.Input[str] | None]
    """ARN of that secret's KMS key; None: the AWS managed key (default: the rotated secret's)."""


class RotationFunctionArgs(SmallFunctionArgs, AdminArgs):
    """Arguments of a function that rotates secrets."""

    account_id: str
    """Account of the secrets; Secrets Manager may call the function only for this account."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, for each region that has a replica of the secret."""
    files: Mapping[str, Path]
    """The package, exactly: path in the package -> file."""
    handler: str
    """`module.function` in the package."""
    strategy: str
    """singleUser, alternatingUsers or random."""
    database_host: NotRequired[str | None]
    """Host of the database server (default None: `host` and `port` of the secret's value)."""
    database_port: NotRequired[int | None]
    """Its port (default 5432); with `database_host`."""
    vpc_config: NotRequired[aws.lambda_.FunctionVpcConfigArgsDict | None]
    """Subnets and security groups from which to reach the database (default None: outside any
    VPC)."""


class ScheduleArgs(TypedDict):
    """When Secrets Manager rotates a secret."""

    secret_arn: pulumi.Input[str]
    """ARN of the secret. Known when the secret has its initial value, which rotation needs."""
    every_days: NotRequired[int | None]
    """Days between rotations, 1 to 1000 (default 30)."""
    schedule: NotRequired[str | None]
    """`rate(...)` or `cron(...)` in UTC, instead of `every_days`."""
    window_hours: NotRequired[int | None]
    """Length of the rotation window in hours, 1 to 24 (default: that of Secrets Manager, until the
    end of the day, or one hour for a schedule in hours)."""
    rotate_immediately: NotRequired[bool]
    """Whether to rotate also when rotation is set up or its schedule changes (default false:
    Secrets Manager only runs `testSecret`). Turning it on later rotates nothing by itself."""


class Rotated(NamedTuple):
    """What a function rotates, and how `handler/rotation.py` knows it."""

    secret_arns: Sequence[pulumi.Input[str]]
    description: str
    environment: Mapping[str, pulumi.Input[str]]
    """Environment variables, in addition to those that every such function has."""
    texts: Mapping[str, str]
    """More files of the package: path -> text."""


class RotationFunction(NamedTuple):
    """A function that rotates secrets."""

    identity: small_function.Identity
    function: aws.lambda_.Function


def check(owner: str, args: RotationFunctionArgs, *others: limits.Check) -> None:
    """Check the plain arguments of a function, and others.

    Raises:
        ValueError: names the owner, the arguments and what is allowed.

    """
    limits.check(
        owner,
        [
            ("strategy", args["strategy"], limits.ROTATION_STRATEGIES),
            ("database_port", args.get("database_port"), limits.PORT),
            *others,
            *small_function.checks(args),
        ],
    )
    admin = args.get("admin_secret_arn")
    if (admin is None) is (args["strategy"] == "alternatingUsers"):
        raise ValueError(
            f"{owner}: admin_secret_arn is required for alternatingUsers, and not allowed for"
            " other strategies; set it or remove it"
        )


def props(args: RotationFunctionArgs) -> dict[str, Any]:
    """Return the inputs of the component, without those of its children only."""
    # The role may have to exist before the VPC's security group does.
    apart = {"files", "vpc_config"}
    return {key: value for key, value in args.items() if key not in apart}


def schedule_checks(args: ScheduleArgs) -> list[limits.Check]:
    """List the plain arguments of a schedule for `limits.check`."""
    return [
        ("every_days", args.get("every_days"), limits.ROTATION_DAYS),
        ("window_hours", args.get("window_hours"), limits.ROTATION_WINDOW_HOURS),
    ]


def create(
    component: pulumi.ComponentResource, name: str, args: RotationFunctionArgs, rotated: Rotated
) -> RotationFunction:
    """Create the function, with a role that may rotate exactly these secrets."""
    runtime, child = small_function.runtime(args), pulumi.ResourceOptions(parent=component)
    if cost := packages.cost_of_source(name, args["files"], runtime):
        pulumi.log.info(cost, component)
    documents: dict[str, pulumi.Input[policies.Policy]] = {
        "rotate": pulumi.Output.all(
            pulumi.Output.all(*rotated.secret_arns),
            args.get("admin_secret_arn"),
            args.get("admin_key_arn", args["key_arn"]),
            args["key_arn"],
            *args.get("replica_key_arns", {}).values(),
        ).apply(
            lambda resolved: policies.rotate_secrets(
                *resolved, history=args["strategy"] == "singleUser"
            )
        ),
    }
    if args.get("vpc_config"):
        documents["network"] = policies.use_network()
    identity = small_function.identity(name, args, rotated.description, documents, child)
    function = small_function.function(
        name,
        args,
        identity,
        # Lambda creates network interfaces with the role's permissions as soon as it is created.
        pulumi.ResourceOptions(parent=component, depends_on=identity.policies),
        code=packages.archive(args["files"], runtime, rotated.texts),
        handler=args["handler"],
        memory_size=256,
        # Enough for two logins that time out, and the calls before and after them.
        timeout=60,
        environment={"variables": {**rotated.environment, **_environment(args)}},
        vpc_config=args.get("vpc_config"),
    )
    return RotationFunction(identity, function)


def permission(
    name: str,
    function: aws.lambda_.Function,
    secret_arn: pulumi.Input[str],
    account_id: str,
    opts: pulumi.ResourceOptions,
) -> aws.lambda_.Permission:
    """Allow Secrets Manager to call the function, only for this secret."""
    return aws.lambda_.Permission(
        name,
        action="lambda:InvokeFunction",
        function=function.name,
        principal="secretsmanager.amazonaws.com",
        source_account=account_id,
        source_arn=secret_arn,
        opts=opts,
    )


def schedule(
    name: str,
    args: ScheduleArgs,
    function_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Rotate a secret on a schedule. Secrets Manager calls the function at once."""
    aws.secretsmanager.SecretRotation(
        f"{name}-rotation",
        secret_id=args["secret_arn"],
        rotation_lambda_arn=function_arn,
        rotate_immediately=args.get("rotate_immediately", False),
        rotation_rules=_rules(args),
        opts=opts,
    )


def _environment(args: RotationFunctionArgs) -> dict[str, pulumi.Input[str]]:
    """Return the environment variables of `handler/rotation.py` that all secrets share."""
    environment: dict[str, pulumi.Input[str]] = {"STRATEGY": args["strategy"]}
    admin = args.get("admin_secret_arn")
    if admin is not None:
        environment["ADMIN_SECRET_ARN"] = admin
    host, port = args.get("database_host"), args.get("database_port")
    if host is not None:
        environment["ROTATION_HOST"] = host
        environment |= {"ROTATION_PORT": str(port)} if port is not None else {}
    return environment


def _rules(args: ScheduleArgs) -> aws.secretsmanager.SecretRotationRotationRulesArgsDict:
    """Return the schedule: an expression or a number of days, and the window."""
    window, expression = args.get("window_hours"), args.get("schedule")
    return {
        "automatically_after_days": (
            None if expression else args.get("every_days") or _DEFAULT_DAYS
        ),
        "schedule_expression": expression,
        "duration": f"{window}h" if window else None,
    }

"""Rotation of one secret: the function, its least-privilege role, and the schedule.

Each secret has its own function, which may read and write only that secret. The four steps of a
rotation are in `handler/rotation.py`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

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


class SecretRotationArgs(SmallFunctionArgs, AdminArgs):
    """Arguments of a `SecretRotation`."""

    secret_arn: pulumi.Input[str]
    """ARN of the secret. Known when the secret has its initial value, which rotation needs."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, for each region that has a replica of the secret."""
    account_id: str
    """Account of the secret; Secrets Manager may call the function only for this account."""
    files: Mapping[str, Path]
    """The package, exactly: path in the package -> file."""
    handler: str
    """`module.function` in the package."""
    strategy: str
    """singleUser, alternatingUsers or random."""
    generate: Mapping[str, Mapping[str, Any]]
    """Fields that rotation generates -> rules, with the keys of a stack file's `generate`."""
    database_host: NotRequired[str | None]
    """Host of the database server (default None: `host` and `port` of the secret's value)."""
    database_port: NotRequired[int | None]
    """Its port (default 5432); with `database_host`."""
    overlap_hours: NotRequired[int]
    """Hours that a previous value stays in the secret (default 0: not at all); random only."""
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
    vpc_config: NotRequired[aws.lambda_.FunctionVpcConfigArgsDict | None]
    """Subnets and security groups from which to reach the database (default None: outside any
    VPC)."""


class SecretRotation(pulumi.ComponentResource):
    """A function that rotates one secret, and its schedule.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group, its secret and, in a VPC, its network.
        aws.lambda.Permission: allows Secrets Manager to call it, only for this secret.
        aws.secretsmanager.SecretRotation: the schedule.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    function_arn: pulumi.Output[str]
    """ARN of the function."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role. Known when its policies exist."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        runtime = small_function.runtime(args)
        admin = args.get("admin_secret_arn")
        limits.check(
            f"SecretRotation {name!r}",
            [
                ("strategy", args["strategy"], limits.ROTATION_STRATEGIES),
                ("database_port", args.get("database_port"), limits.PORT),
                ("overlap_hours", args.get("overlap_hours"), limits.OVERLAP_HOURS),
                ("every_days", args.get("every_days"), limits.ROTATION_DAYS),
                ("window_hours", args.get("window_hours"), limits.ROTATION_WINDOW_HOURS),
                *small_function.checks(args),
            ],
        )
        if (admin is None) is (args["strategy"] == "alternatingUsers"):
            raise ValueError(
                f"SecretRotation {name!r}: admin_secret_arn is required for alternatingUsers, and"
                " not allowed for other strategies; set it or remove it"
            )
        # The role may have to exist before the VPC's security group does.
        apart = {"files", "vpc_config"}
        props = {key: value for key, value in args.items() if key not in apart}
        super().__init__("lambda-secrets:index:SecretRotation", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        if cost := packages.cost_of_source(name, args["files"], runtime):
            pulumi.log.info(cost, self)

        documents: dict[str, pulumi.Input[policies.Policy]] = {
            "rotate": pulumi.Output.all(
                args["secret_arn"],
                admin,
                args.get("admin_key_arn", args["key_arn"]),
                args["key_arn"],
                *args.get("replica_key_arns", {}).values(),
            ).apply(
                lambda resolved: policies.rotate_secret(
                    *resolved, history=args["strategy"] == "singleUser"
                )
            ),
        }
        if args.get("vpc_config"):
            documents["network"] = policies.use_network()
        identity = small_function.identity(name, args, "Rotates one secret", documents, child)
        function = small_function.function(
            name,
            args,
            identity,
            # Lambda creates network interfaces with the role's permissions as soon as it is
            # created.
            pulumi.ResourceOptions(parent=self, depends_on=identity.policies),
            code=packages.archive(args["files"], runtime),
            handler=args["handler"],
            memory_size=256,
            # Enough for two logins that time out, and the calls before and after them.
            timeout=60,
            environment={"variables": _environment(args)},
            vpc_config=args.get("vpc_config"),
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_account=args["account_id"],
            source_arn=args["secret_arn"],
            opts=child,
        )
        aws.secretsmanager.SecretRotation(
            f"{name}-rotation",
            secret_id=args["secret_arn"],
            rotation_lambda_arn=function.arn,
            rotate_immediately=args.get("rotate_immediately", False),
            rotation_rules=_rules(args),
            # Secrets Manager calls the function as soon as rotation is set up.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, *identity.policies]),
        )

        self.function_name = function.name
        self.function_arn = function.arn
        self.role_arn = identity.granted_role_arn
        self.log_group_name = identity.logs.name
        self.register_outputs(
            {
                "function_name": self.function_name,
                "function_arn": self.function_arn,
                "role_arn": self.role_arn,
                "log_group_name": self.log_group_name,
            }
        )


def _environment(args: SecretRotationArgs) -> dict[str, pulumi.Input[str]]:
    """Return the environment variables that `handler/rotation.py` reads."""
    environment: dict[str, pulumi.Input[str]] = {
        "SECRET_ARN": args["secret_arn"],
        "STRATEGY": args["strategy"],
        "GENERATE": json.dumps({key: dict(rules) for key, rules in args["generate"].items()}),
        "OVERLAP_SECONDS": str(args.get("overlap_hours", 0) * 3600),
    }
    admin = args.get("admin_secret_arn")
    if admin is not None:
        environment["ADMIN_SECRET_ARN"] = admin
    host, port = args.get("database_host"), args.get("database_port")
    if host is not None:
        environment["ROTATION_HOST"] = host
        environment |= {"ROTATION_PORT": str(port)} if port is not None else {}
    return environment


def _rules(args: SecretRotationArgs) -> aws.secretsmanager.SecretRotationRotationRulesArgsDict:
    """Return the schedule: an expression or a number of days, and the window."""
    window, schedule = args.get("window_hours"), args.get("schedule")
    return {
        "automatically_after_days": None if schedule else args.get("every_days") or _DEFAULT_DAYS,
        "schedule_expression": schedule,
        "duration": f"{window}h" if window else None,
    }

"""A function that checks every 15 minutes whether secrets rotate on time and have replicas.

CloudWatch has no metric for this, and an alarm cannot notice a missing event that should come
every 30 days, because it looks back at most seven.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html No event
or metric reports a replica that failed either. So the function asks Secrets Manager for each
secret's next rotation and the state of its replicas. `Monitoring` has the alarms.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NotRequired

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..policies import monitoring as monitoring_policies
from . import packages, small_function
from .small_function import SmallFunctionArgs


class RotationWatchArgs(SmallFunctionArgs):
    """Arguments of a `RotationWatch`."""

    secret_arns: Mapping[str, pulumi.Input[str]]
    """ARNs of the secrets to check, by full name."""
    rotating: Collection[str]
    """Full names of those that rotate."""
    replica_regions: NotRequired[Collection[str]]
    """Regions where every one of them has a replica (default none)."""
    account_id: str
    """Account of the rule that calls the function."""
    secret_prefix: NotRequired[str]
    """Prefix of the full names (default: the secrets must fit in one policy)."""
    file: Path
    """The function's only module, with its `lambda_handler`."""


class RotationWatch(pulumi.ComponentResource):
    """A function that reports overdue secrets and broken replicas.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group, and DescribeSecret on these secrets; if they are too
            many for a policy, on all with `secret_prefix`.
        aws.cloudwatch.EventRule, aws.cloudwatch.EventTarget: every 15 minutes.
        aws.lambda.Permission: allows this rule to call it.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: RotationWatchArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        limits.check(f"RotationWatch {name!r}", small_function.checks(args))
        apart = {"file", "secret_prefix"}
        props = {key: value for key, value in args.items() if key not in apart}
        super().__init__("lambda-secrets:index:RotationWatch", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        secrets = args["secret_arns"]
        watched = {
            "secrets": list(secrets),
            "rotating": list(args["rotating"]),
            "replicaRegions": list(args.get("replica_regions", ())),
        }

        identity = small_function.identity(
            name,
            args,
            "Checks the rotation dates and the replicas of secrets",
            {
                "describe": pulumi.Output.all(*secrets.values()).apply(
                    lambda arns: monitoring_policies.describe_secrets(
                        arns, args.get("secret_prefix")
                    )
                )
            },
            child,
        )
        function = small_function.function(
            name,
            args,
            identity,
            child,
            code=packages.archive(
                {args["file"].name: args["file"]},
                small_function.runtime(args),
                {"watched.json": json.dumps(watched)},
            ),
            handler=f"{args['file'].stem}.lambda_handler",
            memory_size=128,
            # Enough for a thousand secrets.
            timeout=60,
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            description="Checks that secrets are rotated on time and have replicas",
            schedule_expression="rate(15 minutes)",
            tags=args.get("tags"),
            opts=child,
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_account=args["account_id"],
            source_arn=rule.arn,
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=function.arn,
            # The rule calls the function immediately.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, *identity.policies]),
        )

        self.function_name = function.name
        self.log_group_name = identity.logs.name
        self.register_outputs(
            {"function_name": self.function_name, "log_group_name": self.log_group_name}
        )

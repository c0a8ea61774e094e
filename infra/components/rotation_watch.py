"""Watches whether secrets rotate in time and have replicas: a function, called every 15 minutes.

CloudWatch has no metric for it, and no alarm can miss an event that comes every 30 days: it looks
back seven at most. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
Nor does an event or a metric tell of a replica that failed. So the function asks Secrets Manager
when each secret is due, and how its replicas are. It makes no alarm.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from infra.aws import limits
from infra.components import packages
from infra.policies import iam as policies
from infra.policies import monitoring as monitoring_policies

_TIMEOUT_SECONDS = 60


class RotationWatchArgs(TypedDict):
    """What a ``RotationWatch`` is made of."""

    secret_arns: Mapping[str, pulumi.Input[str]]
    """ARNs of the secrets to look at, by full name."""
    rotating: Collection[str]
    """Full names of those that rotate."""
    replica_regions: NotRequired[Collection[str]]
    """Regions where every one of them has a replica (default none)."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key of the logs."""
    account_id: str
    """Account of the rule that calls the function."""
    log_group_name: str
    """Name of the log group, which is made here."""
    file: Path
    """The function's only module, with its ``lambda_handler``."""
    runtime: NotRequired[str]
    """Runtime (default python3.13)."""
    architecture: NotRequired[str]
    """arm64 (default) or x86_64."""
    log_retention_days: NotRequired[int]
    """Days that logs are kept, as CloudWatch allows (default 30)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of everything that takes tags."""


class RotationWatch(pulumi.ComponentResource):
    """A function that tells which secrets are overdue, and which replicas are broken.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group, and DescribeSecret on these secrets.
        aws.cloudwatch.EventRule, aws.cloudwatch.EventTarget: every 15 minutes.
        aws.lambda.Permission: this rule calls it.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: RotationWatchArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        runtime = args.get("runtime", "python3.13")
        architecture = args.get("architecture", "arm64")
        retention = args.get("log_retention_days", 30)
        limits.check(
            f"RotationWatch {name!r}",
            [
                ("runtime", runtime, limits.RUNTIMES),
                ("architecture", architecture, limits.ARCHITECTURES),
                ("log_retention_days", retention, limits.LOG_RETENTION_DAYS),
            ],
        )
        props = {key: given for key, given in args.items() if key != "file"}
        super().__init__("lambda-secrets:index:RotationWatch", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags, secrets = args.get("tags"), args["secret_arns"]

        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=args["log_group_name"],
            retention_in_days=retention,
            kms_key_id=args["key_arn"],
            tags=tags,
            opts=child,
        )
        role = aws.iam.Role(
            f"{name}-role",
            description="Reads when secrets were rotated, and how their replicas are",
            assume_role_policy=pulumi.Output.json_dumps(
                policies.assume_role("lambda.amazonaws.com")
            ),
            tags=tags,
            opts=child,
        )
        documents = {
            "logs": logs.arn.apply(policies.write_logs),
            "describe": pulumi.Output.all(*secrets.values()).apply(
                monitoring_policies.describe_secrets
            ),
        }
        granted = [
            aws.iam.RolePolicy(
                f"{name}-{what}",
                role=role.name,
                policy=pulumi.Output.json_dumps(document),
                opts=child,
            )
            for what, document in documents.items()
        ]
        function = aws.lambda_.Function(
            f"{name}-function",
            code=packages.archive({args["file"].name: args["file"]}, runtime),
            handler=f"{args['file'].stem}.lambda_handler",
            runtime=runtime,
            architectures=[architecture],
            role=role.arn,
            memory_size=128,
            timeout=_TIMEOUT_SECONDS,
            environment={
                "variables": {
                    "SECRETS": ",".join(secrets),
                    "ROTATING": ",".join(args["rotating"]),
                    "REPLICA_REGIONS": ",".join(args.get("replica_regions", ())),
                }
            },
            logging_config={"log_format": "Text", "log_group": logs.name},
            tags=tags,
            opts=child,
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            description="Looks whether secrets were rotated in time and have replicas",
            schedule_expression="rate(15 minutes)",
            tags=tags,
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
            # The rule calls at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, *granted]),
        )

        self.function_name = function.name
        self.log_group_name = logs.name
        self.register_outputs(
            {"function_name": self.function_name, "log_group_name": self.log_group_name}
        )

"""Rotation of one secret: the function, its least-privilege role, and the schedule.

The function may read and write only that secret. The four steps of a rotation are in
`handler/rotation.py`. `RotationGroup` has one function for several secrets.
"""

import json
from collections.abc import Mapping
from typing import Any, NotRequired

import pulumi

from ..aws import limits
from . import rotation_function
from .rotation_function import AdminArgs as AdminArgs  # noqa: PLC0414 (it was defined here)
from .rotation_function import Rotated, RotationFunctionArgs, ScheduleArgs

# A secret that leaves a group keeps its schedule: Secrets Manager would end the rotation with it.
_LEAVES = pulumi.ResourceOptions(
    aliases=[pulumi.Alias(type_="lambda-secrets:index:GroupedSecretRotation")]
)


class SecretRotationArgs(ScheduleArgs, RotationFunctionArgs):
    """Arguments of a `SecretRotation`."""

    generate: Mapping[str, Mapping[str, Any]]
    """Fields that rotation generates -> rules, with the keys of a stack file's `generate`."""
    overlap_hours: NotRequired[int]
    """Hours that a previous value stays in the secret (default 0: not at all); random only."""


class SecretRotation(pulumi.ComponentResource):
    """A function that rotates one secret, and its schedule.

    With the name of the `GroupedSecretRotation` that the secret had before, the secret keeps its
    schedule. Otherwise Pulumi deletes the earlier one, which turns rotation off.

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
        rotation_function.check(
            f"SecretRotation {name!r}",
            args,
            ("overlap_hours", args.get("overlap_hours"), limits.OVERLAP_HOURS),
            *rotation_function.schedule_checks(args),
        )
        props = rotation_function.props(args)
        opts = pulumi.ResourceOptions.merge(opts, _LEAVES)
        super().__init__("lambda-secrets:index:SecretRotation", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)

        generate = {field: dict(rules) for field, rules in args["generate"].items()}
        environment = {
            "SECRET_ARN": args["secret_arn"],
            "GENERATE": json.dumps(generate),
            "OVERLAP_SECONDS": str(args.get("overlap_hours", 0) * 3600),
        }
        rotated = Rotated([args["secret_arn"]], "Rotates one secret", environment, {})
        identity, function = rotation_function.create(self, name, args, rotated)
        permission = rotation_function.permission(
            f"{name}-permission", function, args["secret_arn"], args["account_id"], child
        )
        waits = pulumi.ResourceOptions(parent=self, depends_on=[permission, *identity.policies])
        rotation_function.schedule(name, args, function.arn, waits)

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

"""A rotation function for several secrets: fewer functions and roles, and wider permissions.

Whoever runs code in the function can read and write every secret of the group, and the admin
secret. `GroupedSecretRotation` has the schedule of each secret; `SecretRotation` has one function
for one secret.
"""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from ..aws import limits
from . import grants, rotation_function
from .rotation_function import Rotated, RotationFunctionArgs


class GroupedSecret(TypedDict):
    """One secret of a group."""

    name: str
    """Full name of the secret."""
    arn: pulumi.Input[str]
    """ARN of the secret."""
    generate: Mapping[str, Mapping[str, Any]]
    """Fields that rotation generates -> rules, with the keys of a stack file's `generate`."""
    overlap_hours: NotRequired[int]
    """Hours that a previous value stays in the secret (default 0: not at all); random only."""


class RotationGroupArgs(RotationFunctionArgs):
    """Arguments of a `RotationGroup`."""

    secrets: Mapping[str, GroupedSecret]
    """The secrets, by logical name: as many as one policy can list, and at most 30."""


class RotationGroup(pulumi.ComponentResource):
    """A function that rotates several secrets.

    Resources:
        aws.cloudwatch.LogGroup, aws.iam.Role, aws.lambda.Function: the function.
        aws.iam.RolePolicy: its own log group, its secrets and, in a VPC, its network.
        aws.lambda.Permission: allows Secrets Manager to call it, for each of its secrets.
    """

    function_name: pulumi.Output[str]
    """Name of the function."""
    function_arn: pulumi.Output[str]
    """ARN of the function. Known when Secrets Manager may call it for every secret."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role. Known when its policies exist."""
    log_group_name: pulumi.Output[str]
    """Name of the log group."""

    def __init__(
        self, name: str, args: RotationGroupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secrets = args["secrets"]
        if not 1 <= len(secrets) <= limits.SECRETS_PER_ROTATION_GROUP:
            raise ValueError(
                f"RotationGroup {name!r}: secrets must be 1 to"
                f" {limits.SECRETS_PER_ROTATION_GROUP}, got {len(secrets)}; use more groups"
            )
        grants.check_one_policy(
            f"RotationGroup {name!r}",
            [each["name"] for each in secrets.values()],
            len(args.get("replica_key_arns", {})),
        )
        rotation_function.check(
            f"RotationGroup {name!r}",
            args,
            *(
                (f"overlap_hours of {logical}", each.get("overlap_hours"), limits.OVERLAP_HOURS)
                for logical, each in secrets.items()
            ),
        )
        props = rotation_function.props(args)
        super().__init__("lambda-secrets:index:RotationGroup", name, props, opts)

        rotated = {
            each["name"]: {
                "generate": {field: dict(rules) for field, rules in each["generate"].items()},
                "overlapSeconds": each.get("overlap_hours", 0) * 3600,
            }
            for each in secrets.values()
        }
        arns = [each["arn"] for each in secrets.values()]
        identity, function = rotation_function.create(
            self,
            name,
            args,
            Rotated(arns, "Rotates a group of secrets", {}, {"rotated.json": json.dumps(rotated)}),
        )
        permissions = [
            rotation_function.permission(
                f"{name}-{logical}-permission",
                function,
                each["arn"],
                args["account_id"],
                pulumi.ResourceOptions(parent=self),
            )
            for logical, each in secrets.items()
        ]

        self.function_name = function.name
        callable_arn = pulumi.Output.all(function.arn, *(each.urn for each in permissions))
        self.function_arn = callable_arn.apply(lambda resolved: str(resolved[0]))
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

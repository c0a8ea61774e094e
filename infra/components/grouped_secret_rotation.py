"""Rotation of one secret by the function of a `RotationGroup`."""

import pulumi

from ..aws import limits
from . import rotation_function
from .rotation_function import ScheduleArgs

# A secret that joins a group keeps its schedule: Secrets Manager would end the rotation with it.
_JOINS = pulumi.ResourceOptions(
    aliases=[pulumi.Alias(type_="lambda-secrets:index:SecretRotation")]
)


class GroupedSecretRotationArgs(ScheduleArgs):
    """Arguments of a `GroupedSecretRotation`."""

    function_arn: pulumi.Input[str]
    """ARN of the group's function. Known when Secrets Manager may call it."""


class GroupedSecretRotation(pulumi.ComponentResource):
    """The schedule of a secret that a group's function rotates.

    With the name of the `SecretRotation` that the secret had before, the secret keeps its
    schedule. Otherwise Pulumi deletes the earlier one, which turns rotation off.

    Resources:
        aws.secretsmanager.SecretRotation: the schedule.
    """

    def __init__(
        self,
        name: str,
        args: GroupedSecretRotationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        limits.check(f"GroupedSecretRotation {name!r}", rotation_function.schedule_checks(args))
        super().__init__(
            "lambda-secrets:index:GroupedSecretRotation",
            name,
            {**args},
            pulumi.ResourceOptions.merge(opts, _JOINS),
        )
        child = pulumi.ResourceOptions(parent=self)
        rotation_function.schedule(name, args, args["function_arn"], child)
        self.register_outputs({})

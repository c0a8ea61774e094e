"""Allows a role from elsewhere in the account to read secrets of the environment."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from ..policies import iam as policies
from . import grants


class ExternalReaderArgs(TypedDict):
    """Arguments of an `ExternalReader`."""

    role_arn: str
    """ARN of the role, in this account. Another account grants the read to its own roles."""
    secret_arns: Mapping[str, pulumi.Input[str]]
    """ARNs of the secrets to read, by full name. The names decide how the policies are split."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the secrets."""
    replica_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, for each region that has replicas of these secrets."""
    path: NotRequired[str | None]
    """Path of the policies (default `/`)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the policies."""


class ExternalReader(pulumi.ComponentResource):
    """The permission to read the named secrets, attached to an existing role.

    Resources:
        aws.iam.Policy, aws.iam.RolePolicyAttachment: as many as the secrets need.
    """

    policy_arns: list[pulumi.Output[str]]
    """ARNs of the policies. Known when all are attached."""

    def __init__(
        self, name: str, args: ExternalReaderArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        replica_key_arns = args.get("replica_key_arns", {})
        grants.check(f"ExternalReader {name!r}", list(args["secret_arns"]), len(replica_key_arns))
        super().__init__("lambda-secrets:index:ExternalReader", name, {**args}, opts)

        attached = grants.attach(
            f"{name}-read",
            args["role_arn"].rpartition("/")[2],
            args["secret_arns"],
            [args["key_arn"], *replica_key_arns.values()],
            policies.read_secrets,
            args.get("tags"),
            pulumi.ResourceOptions(parent=self),
            args.get("path"),
        )

        self.policy_arns = grants.policy_arns(attached)
        self.register_outputs({"policy_arns": self.policy_arns})

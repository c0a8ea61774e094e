"""Who may have a secret, whatever IAM says: a resource policy that refuses everybody else.

It is no part of the secret's own component: it names roles, and these name the secret.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..policies import resource_policy as resource_policies


class SecretPolicyArgs(TypedDict):
    """What a `SecretPolicy` is made of."""

    secret_arn: pulumi.Input[str]
    """ARN of the secret. Its replicas get the same policy."""
    partition: str
    """Partition of the account, such as `aws`."""
    account_id: str
    """Account outside of which nobody may have the secret."""
    readers: Sequence[pulumi.Input[str]]
    """ARNs of roles that may read the value."""
    writers: Sequence[pulumi.Input[str]]
    """ARNs of roles that may read and change the value."""
    administrators: Sequence[str]
    """ARNs of roles and users that may do everything, with `*` and `?`; who deploys must be
    among them. None: nobody is refused, and `foreign_readers` are granted the read."""
    foreign_readers: NotRequired[Sequence[str] | None]
    """ARNs of roles of other accounts that may read the value (default none)."""
    organization_id: NotRequired[str | None]
    """Organization outside of which nobody may have the secret (default None: not asked)."""


class SecretPolicy(pulumi.ComponentResource):
    """A resource policy that refuses, and in its own account grants nothing.

    Resources:
        aws.secretsmanager.SecretPolicy: refused by AWS if it were public.
    """

    policy: pulumi.Output[str]
    """The policy, in JSON. Known once it is in force."""

    def __init__(
        self, name: str, args: SecretPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        if not args["administrators"] and not args.get("foreign_readers"):
            raise ValueError(
                f"SecretPolicy {name!r}: administrators is empty, so no one could change the"
                " policy again; add the deployer"
            )
        super().__init__("lambda-secrets:index:SecretPolicy", name, {**args}, opts)

        document = pulumi.Output.all(
            account_arn=f"arn:{args['partition']}:iam::{args['account_id']}:root",
            readers=list(args["readers"]),
            writers=list(args["writers"]),
            administrators=list(args["administrators"]),
            organization_id=args.get("organization_id"),
            foreign_readers=list(args.get("foreign_readers") or ()),
        ).apply(lambda all_: resource_policies.secret_policy(**all_))
        made = aws.secretsmanager.SecretPolicy(
            f"{name}-policy",
            secret_arn=args["secret_arn"],
            policy=pulumi.Output.json_dumps(document),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.policy = made.policy
        self.register_outputs({"policy": self.policy})

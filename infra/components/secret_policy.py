"""The resource policy of a secret: it denies everyone else, whatever IAM allows.

It is not part of `AppSecret`, because it refers to roles, and these refer to the secret.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..policies import resource_policy as resource_policies


class SecretPolicyArgs(TypedDict):
    """Arguments of a `SecretPolicy`."""

    secret_arn: pulumi.Input[str]
    """ARN of the secret. Its replicas get the same policy."""
    partition: str
    """Partition of the account, such as `aws`."""
    account_id: str
    """Account outside of which no one may use the secret."""
    readers: Sequence[pulumi.Input[str]]
    """ARNs of roles that may read the value."""
    writers: Sequence[pulumi.Input[str]]
    """ARNs of roles that may read and change the value."""
    administrators: Sequence[str]
    """ARNs of roles and users that may do everything, with `*` and `?` as wildcards; the deployer
    must be among them. None: no one is denied, and `foreign_readers` may read."""
    foreign_readers: NotRequired[Sequence[str] | None]
    """ARNs of roles of other accounts that may read the value (default none)."""
    organization_id: NotRequired[str | None]
    """Organization outside of which no one may use the secret (default None: no such limit)."""


class SecretPolicy(pulumi.ComponentResource):
    """A resource policy that denies, and grants nothing in its own account.

    Resources:
        aws.secretsmanager.SecretPolicy: AWS rejects it if it is public.
    """

    policy: pulumi.Output[str]
    """The policy, in JSON. Known when it is in force."""

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
        ).apply(lambda resolved: resource_policies.secret_policy(**resolved))
        policy = aws.secretsmanager.SecretPolicy(
            f"{name}-policy",
            secret_arn=args["secret_arn"],
            policy=pulumi.Output.json_dumps(document),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.policy = policy.policy
        self.register_outputs({"policy": self.policy})

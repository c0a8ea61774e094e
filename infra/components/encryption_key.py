"""The environment's own KMS key.

In its account it grants nothing; decrypt permission is on each role. A role of another account
also needs a grant here.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from ..aws import limits
from ..aws.location import Location
from ..policies import iam as policies
from . import kms_key


class EncryptionKeyArgs(TypedDict):
    """Arguments of an `EncryptionKey`."""

    description: pulumi.Input[str]
    """Description of the key, as the console shows it."""
    alias: str
    """Alias of the key, without `alias/`."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of the key."""
    account_id: str
    """Account that administers and uses the key."""
    log_group_prefix: NotRequired[str]
    """Prefix of the names of log groups that may be encrypted with the key."""
    parameters: NotRequired[bool]
    """Whether Parameter Store may also use the key (default false)."""
    replication_regions: NotRequired[Sequence[str]]
    """Other regions to or from which secrets under the key are replicated; Secrets Manager there
    may also use it (default none)."""
    foreign_readers: NotRequired[Mapping[str, Sequence[str]] | None]
    """ARN of a role of another account -> full names of the secrets that it may decrypt (default
    none)."""
    rotation_period_in_days: NotRequired[pulumi.Input[int]]
    """Days between rotations of the key material, 90 to 2560 (default 365)."""
    deletion_window_in_days: NotRequired[pulumi.Input[int]]
    """Days in which its deletion can be cancelled, 7 to 30 (default 30)."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the key (default false)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the key."""


class EncryptionKey(pulumi.ComponentResource):
    """A customer managed key that can be used only through Secrets Manager.

    It is a single-region key: replicas in another region have an independent key there, so that
    losing one key does not affect the other region.

    Resources:
        aws.kms.Key: symmetric, rotated, with its own key policy.
        aws.kms.Alias: `alias/<alias>`.
    """

    arn: pulumi.Output[str]
    """ARN of the key."""
    alias_name: pulumi.Output[str]
    """Name of the alias, with `alias/`."""

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        rotation = args.get("rotation_period_in_days", kms_key.ROTATION_PERIOD_DAYS)
        window = args.get("deletion_window_in_days", limits.KEY_DELETION_WINDOW_DAYS.most)
        limits.check(
            f"EncryptionKey {name!r}",
            [
                ("rotation_period_in_days", rotation, limits.KEY_ROTATION_PERIOD_DAYS),
                ("deletion_window_in_days", window, limits.KEY_DELETION_WINDOW_DAYS),
            ],
        )
        props = {key: value for key, value in args.items() if key != "protect"}
        super().__init__("lambda-secrets:index:EncryptionKey", name, props, opts)

        key, alias = kms_key.key_with_alias(
            name,
            pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
            pulumi.ResourceOptions(parent=self),
            description=args["description"],
            alias=args["alias"],
            policy=policies.key_policy(
                Location.from_args(args),
                args.get("log_group_prefix"),
                parameters=args.get("parameters", False),
                replication_regions=args.get("replication_regions", ()),
                foreign_readers=args.get("foreign_readers"),
            ),
            region=args["region"],
            rotation_period_in_days=rotation,
            deletion_window_in_days=window,
            tags=args.get("tags"),
        )

        self.arn = key.arn
        self.alias_name = alias.name
        self.register_outputs({"arn": self.arn, "alias_name": self.alias_name})

"""A rotated KMS key and its alias, as the environment, the audit trail and the alarms have one."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict, Unpack

import pulumi
import pulumi_aws as aws

from ..policies.iam import Policy

ROTATION_PERIOD_DAYS = 365


class KeyArgs(TypedDict):
    """Arguments of a key and its alias."""

    description: pulumi.Input[str]
    """Description of the key."""
    alias: str
    """Name of the alias, without `alias/`."""
    policy: Policy
    """The key policy."""
    region: NotRequired[str]
    """Region of both (default: the provider's)."""
    rotation_period_in_days: NotRequired[pulumi.Input[int]]
    """Days between rotations of the key material (default 365)."""
    deletion_window_in_days: pulumi.Input[int]
    """Days in which its deletion can be cancelled."""
    tags: Mapping[str, pulumi.Input[str]] | None
    """Tags of the key."""


def key_with_alias(
    name: str,
    key_opts: pulumi.ResourceOptions,
    alias_opts: pulumi.ResourceOptions,
    **args: Unpack[KeyArgs],
) -> tuple[aws.kms.Key, aws.kms.Alias]:
    """Create `<name>-key` and `<name>-alias`."""
    key = aws.kms.Key(
        f"{name}-key",
        region=args.get("region"),
        description=args["description"],
        enable_key_rotation=True,
        rotation_period_in_days=args.get("rotation_period_in_days", ROTATION_PERIOD_DAYS),
        deletion_window_in_days=args["deletion_window_in_days"],
        policy=pulumi.Output.json_dumps(args["policy"]),
        tags=args["tags"],
        opts=key_opts,
    )
    alias = aws.kms.Alias(
        f"{name}-alias",
        region=args.get("region"),
        name=f"alias/{args['alias']}",
        target_key_id=key.key_id,
        opts=alias_opts,
    )
    return key, alias

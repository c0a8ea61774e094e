"""One secret in Secrets Manager.

This component writes the value only with `from: config`. Otherwise the seeder (`from: generate`)
or someone else (`from: external`) writes it, and it is never in Pulumi's state.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits


class AppSecretArgs(TypedDict):
    """Arguments of an `AppSecret`."""

    name: str
    """Full name of the secret: the path that operators, replicas and the handler share."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the value."""
    description: NotRequired[pulumi.Input[str]]
    """Description of the secret."""
    recovery_window_in_days: NotRequired[pulumi.Input[int]]
    """Days in which a deleted secret can be restored, 7 to 30 (default); 0: deleted at once."""
    value: NotRequired[pulumi.Input[str] | None]
    """The secret's text, at most 65,536 bytes of UTF-8; it is in the state, encrypted.
    None: someone else writes it."""
    replicas: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Region -> ARN of the KMS key there, which encrypts the replica."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the secret (default false)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the secret and its replicas."""


class AppSecret(pulumi.ComponentResource):
    """A secret encrypted with a customer managed key, and its replicas in other regions.

    A replica has the value, tags and resource policy of the secret, and the same ARN except for
    the region. It can be written only in the secret's own region, and is deleted immediately with
    the secret; restoring the secret replicates it again.

    Resources:
        aws.secretsmanager.Secret: name, key, recovery window, replicas.
        aws.secretsmanager.SecretVersion: only with a `value`.
    """

    arn: pulumi.Output[str]
    """ARN of the secret, with the six characters that Secrets Manager appends."""
    name: pulumi.Output[str]
    """Full name of the secret."""

    def __init__(
        self, name: str, args: AppSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        window = args.get("recovery_window_in_days", limits.RECOVERY_WINDOW_DAYS.most)
        if window != 0:
            limits.check(
                f"AppSecret {name!r} (or 0 days: no recovery)",
                [("recovery_window_in_days", window, limits.RECOVERY_WINDOW_DAYS)],
            )
        if errors := limits.secret_name_errors(args["name"]):
            raise ValueError(f"AppSecret {name!r}: name {args['name']!r} {'; '.join(errors)}")
        value = args.get("value")
        if isinstance(value, str):
            _check_size(value)
        props = {key: value for key, value in args.items() if key not in {"value", "protect"}}
        super().__init__("lambda-secrets:index:AppSecret", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)

        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            name=args["name"],
            description=args.get("description"),
            kms_key_id=args["key_arn"],
            recovery_window_in_days=window,
            # Always with its key: the provider identifies a replica by region and key, and a key
            # chosen by AWS would be a permanent difference. Status and last access do not count.
            # https://github.com/pulumi/pulumi-aws/issues/2270
            replicas=[
                {"region": region, "kms_key_id": key_arn}
                for region, key_arn in sorted(args.get("replicas", {}).items())
            ]
            or None,
            # Not `force_overwrite_replica_secret`: a secret with this name in that region may be
            # this one, promoted in an outage and written since.
            tags=args.get("tags"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        )
        if value is not None:
            aws.secretsmanager.SecretVersion(
                f"{name}-value",
                secret_id=secret.id,
                secret_string=pulumi.Output.secret(value).apply(_check_size),
                opts=child,
            )

        self.arn = secret.arn
        self.name = secret.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def _check_size(value: str) -> str:
    size = len(value.encode())
    if size > limits.SECRET_VALUE_BYTES:
        raise ValueError(
            f"a secret's value must have at most {limits.SECRET_VALUE_BYTES} bytes, got {size}"
        )
    return value

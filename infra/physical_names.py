"""Names that AWS takes, whatever the names of project, stack and secret are.

Pulumi names a resource after its logical name, with seven random digits. That has neither project
nor stack, and a secret named `team/db`, or with 50 characters, makes names that IAM and Lambda
reject. So each new role and function is named `<project>-<stack>-<logical name>-<digits>`,
shortened if it must be. A resource that exists keeps its name.
"""

import hashlib
import re
import secrets
from typing import Any, NamedTuple

import pulumi

from .aws import limits

_DIGITS = 7
_SYMBOLS = re.compile(r"[^A-Za-z0-9_-]")


class _Named(NamedTuple):
    """Where a type of resource has its name."""

    argument: str
    length: int
    """The most characters that AWS allows."""


# Not managed policies, which always fit: a name of one's own makes the provider delete one that is
# replaced before its successor exists, and IAM keeps a policy that is attached.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
# https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
_TYPES = {
    "aws:iam/role:Role": _Named("name", 64),
    "aws:iam/rolePolicy:RolePolicy": _Named("name", 128),
    "aws:lambda/function:Function": _Named("name", 64),
    "aws:lambda/permission:Permission": _Named("statement_id", 100),
}


def register(prefix: str) -> None:
    """Name all resources that are created from now on in this stack."""

    def named(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        about = _TYPES.get(args.type_)
        props: dict[str, Any] = dict(args.props)
        if about is None or props.get(about.argument) is not None:
            return None
        props[about.argument] = physical_name(prefix, args.name, about.length)
        # One that exists keeps its name, also without this prefix.
        keep = pulumi.ResourceOptions(ignore_changes=[about.argument])
        return pulumi.ResourceTransformationResult(
            props, pulumi.ResourceOptions.merge(args.opts, keep)
        )

    pulumi.runtime.register_stack_transformation(named)


def physical_name(prefix: str, name: str, length: int) -> str:
    """Return a new name; with its digits, a resource that the state lost blocks no other."""
    digits = secrets.token_hex(_DIGITS)[:_DIGITS]
    stem = _SYMBOLS.sub("-", prefix + name)[: length - len(digits) - 1]
    return f"{stem}-{digits}"


def log_group(prefix: str, name: str) -> str:
    """Return a log group's name; a hash tells two apart that lost other characters or their end.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    """
    whole = prefix + re.sub(r"[^\w./#-]", "-", name, flags=re.ASCII)
    if whole == prefix + name and len(whole) <= limits.LOG_GROUP_NAME_LENGTH:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"{whole[: limits.LOG_GROUP_NAME_LENGTH - len(digest) - 1]}-{digest}"

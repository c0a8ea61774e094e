"""What `resourcePolicy` must satisfy, so that no one is locked out. Pure: no Pulumi, no boto3."""

import re
from collections.abc import Iterator, Sequence

from pydantic.alias_generators import to_camel

from ...aws import limits
from ..errors import ConfigError
from ..schema import ResourcePolicySettings

_ADMINISTRATOR = re.compile(
    r"arn:aws[a-z-]*:(iam|sts)::(\d{12}|\*):(root|(role|user|federated-user)/[\w+=,.@*?/-]+)"
)
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
# Path of the roles of IAM Identity Center, followed by its region unless that is us-east-1.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_IDENTITY_CENTER = "aws-reserved/sso.amazonaws.com/"
# An unknown path, which only a `*` matches.
_UNKNOWN = "\0" * 64
# Administrators are in three statements; the rest of the policy is smaller than this.
_REST_CHARACTERS = 6_000


def errors(policy: ResourcePolicySettings) -> Iterator[ConfigError]:
    """Yield an error for each broken rule."""
    path = "resourcePolicy.administrators"
    if not policy.enabled:
        for key in ("administrators", "organization_id"):
            if getattr(policy, key):
                yield ConfigError(
                    "resourcePolicy.enabled",
                    f"must be true when `{to_camel(key)}` is set, got false",
                )
                return
        return
    if not policy.administrators:
        rule = "is empty, so with `enabled` no one could change the secrets"
        yield ConfigError(path, f"{rule}; add the deployer")
    for arn in policy.administrators:
        if not _ADMINISTRATOR.fullmatch(arn):
            yield ConfigError(
                path, f"must be ARNs of roles and users (* and ? allowed), got {arn!r}"
            )
        elif not arn.split(":", 5)[5].partition("/")[2].strip("*?/") and not arn.endswith(":root"):
            yield ConfigError(
                path, f"matches everyone with {arn!r}; list specific roles and users"
            )
    if policy.organization_id is not None and not _ORGANIZATION.fullmatch(policy.organization_id):
        rule = "must be o- followed by 10 to 32 lower-case letters and digits"
        yield ConfigError(
            "resourcePolicy.organizationId", f"{rule}, got {policy.organization_id!r}"
        )
    room = (limits.RESOURCE_POLICY_CHARACTERS - _REST_CHARACTERS) // 3
    if (size := sum(len(arn) + len('"",') for arn in policy.administrators)) > room:
        yield ConfigError(path, f"must have at most {room} characters in total, got {size}")


def lockout(administrators: Sequence[str], caller_arn: str) -> Iterator[ConfigError]:
    """Yield an error if the policy would deny the secrets to the deployer.

    `caller_arn` is that of GetCallerIdentity. For a role's session it has the role's name but not
    its path, so the administrators must match the role with any path. That is still exact, because
    role names are unique in an account.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    arns, remedy = _principals(caller_arn)
    if not all(any(_like(arn, pattern) for pattern in administrators) for arn in arns):
        yield ConfigError(
            "resourcePolicy.administrators",
            f"would lock out the deployer, {caller_arn}; add {' and '.join(remedy)}",
        )


def _principals(caller_arn: str) -> tuple[list[str], list[str]]:
    """Return possible values of `aws:PrincipalArn` for the caller, and patterns for all."""
    session = _SESSION.fullmatch(caller_arn)
    if session is None:  # a user, root, or a federated user
        return [caller_arn], [caller_arn]
    partition, account_id, name = session.groups()
    roles = f"arn:{partition}:iam::{account_id}:role/"
    if name.startswith("AWSReservedSSO_"):
        roles += _IDENTITY_CENTER
        return [roles + name, f"{roles}{_UNKNOWN}/{name}"], [f"{roles}*{name}"]
    return [roles + name, f"{roles}{_UNKNOWN}/{name}"], [roles + name, f"{roles}*/{name}"]


def _like(arn: str, pattern: str) -> bool:
    """Match like `ArnLike`: each of the six parts separately."""
    parts = zip(arn.split(":", 5), pattern.split(":", 5), strict=True)
    return all(
        re.fullmatch(re.escape(like).replace(r"\*", ".*").replace(r"\?", "."), part, re.DOTALL)
        for part, like in parts
    )

"""What `resourcePolicy` must keep to: nobody is locked out. Pure: no Pulumi, no boto3."""

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
# Where the roles of IAM Identity Center are, with its region behind it unless that is us-east-1.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_IDENTITY_CENTER = "aws-reserved/sso.amazonaws.com/"
# Stands for a path that is not known: no pattern but a `*` matches it.
_UNKNOWN = "\0" * 64
# Administrators stand in three statements; the rest of the policy is smaller than this.
_REST_CHARACTERS = 6_000


def errors(policy: ResourcePolicySettings) -> Iterator[ConfigError]:
    """Say which rules are broken."""
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
        yield ConfigError(path, "is empty, so no one could change the secrets; add the deployer")
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
    """Say whether the policy would refuse the secrets to whoever makes it.

    `caller_arn` is that of GetCallerIdentity. Of a role's session it tells the role's name and
    not its path, so the administrators must name the role whatever its path is. That is not less
    exact: no two roles of an account have the same name.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    arns, remedy = _principals(caller_arn)
    if not all(any(_like(arn, pattern) for pattern in administrators) for arn in arns):
        yield ConfigError(
            "resourcePolicy.administrators",
            f"would lock out the deployer, {caller_arn}; add {' and '.join(remedy)}",
        )


def _principals(caller_arn: str) -> tuple[list[str], list[str]]:
    """Tell what `aws:PrincipalArn` may be for the caller, and patterns that match each."""
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
    """Match as `ArnLike` does: each of the six parts by itself."""
    parts = zip(arn.split(":", 5), pattern.split(":", 5), strict=True)
    return all(
        re.fullmatch(re.escape(like).replace(r"\*", ".*").replace(r"\?", "."), part, re.DOTALL)
        for part, like in parts
    )

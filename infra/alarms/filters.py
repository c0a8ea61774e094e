"""Filter patterns for CloudTrail's events in a trail's log group. Pure.

A denied call has no reliable request parameters or resource, so denials are matched in the whole
account. All other events are matched by the secret's name, which a request contains alone or in
the ARN: by the prefix of the environment's secrets, and by the exact names of existing ones.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from ..aws.limits import FILTER_PATTERN_LENGTH

_SUCCEEDED = "($.errorCode NOT EXISTS)"
_SECRETS_MANAGER = '($.eventSource = "secretsmanager.amazonaws.com")'
_IAM = '($.eventSource = "iam.amazonaws.com")'
_READ = '($.eventName = "GetSecretValue")'
# In the name of each rotation role of one secret; before version 0.2 they had no prefix.
_ROTATION = "-rotation-role-"
_ROTATION_ROLES = f"*{_ROTATION}*"
# With more roles, one filter watches all of the stack.
MANY_ROLES = 48
# This many names of any length fit in one pattern with its other conditions.
_NAMES_A_PATTERN = 6
# Room for the ids of existing secrets in a pattern, unless one needs more; the rest is for known
# readers. Room for their ARNs, in patterns with few other conditions, and for a name in an ARN.
_IDS_CHARACTERS = 350
_ARNS_CHARACTERS = 850
_NAME_CHARACTERS = 150
# Length to which a log group's name is cut if the pattern is too long; functions' have 76.
_LOG_GROUP_CHARACTERS = 80
# Length of a comparison without the value.
_COMPARISON_CHARACTERS = len('($.additionalEventData.SecretId = "") || ')
# Fields with the secret in a rotation event; AWS has changed the spelling before.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
_ROTATED = ("SecretId", "secretId", "arn", "aRN")


class Secrets(NamedTuple):
    """The secrets that patterns match; `*` matches any characters."""

    ids: Sequence[str]
    """How requests refer to them."""
    arns: Sequence[str]
    """Their ARNs, as events and policies contain them."""


def of_environment(secret_prefix: str) -> Secrets:
    """Return the secrets with this name prefix."""
    return Secrets([f"*{secret_prefix}*"], [f"*:secret:{secret_prefix}*"])


def of_existing(secret_arns: Sequence[str]) -> list[Secrets]:
    """Return these secrets, in as many parts as the length of a pattern requires.

    A request has the name, the ARN, or the ARN without the six characters at its end.
    """
    ids, arns = [], []
    for arn in secret_arns:
        full = arn.split(":secret:", 1)[1]
        name = full[: -len("-AbCdEf")]
        ids += [name, f"*:secret:{name}", f"*:secret:{full}"]
        arns.append(f"*:secret:{full[: -len('AbCdEf')][:_NAME_CHARACTERS]}*")
    parts = _parts(ids, 1, _IDS_CHARACTERS), _parts(arns, len(_ROTATED), _ARNS_CHARACTERS)
    none: list[str] = []
    return [Secrets(*each) for each in zip_longest(*parts, fillvalue=none)]


def denied_reads() -> str:
    """Match reads, single or batch, that IAM, a resource policy or the key policy denied."""
    reads = '($.eventName = "*GetSecretValue")'
    return _all(_SECRETS_MANAGER, reads, '($.errorCode = "AccessDenied*")')


def reads(secret_ids: Sequence[str]) -> str:
    """Match every read of these secrets that succeeded."""
    return _all(_SECRETS_MANAGER, _READ, _SUCCEEDED, _of_secrets(secret_ids))


def unknown_readers(
    secret_ids: Sequence[str],
    own_arns: Sequence[str],
    known_arns: Sequence[str] = (),
    role_prefix: str | None = None,
) -> str:
    """Match reads by anyone except sessions of these roles, and these users.

    `own_arns` are the roles of this environment. If the pattern is too long with the name of each,
    all roles with `role_prefix` are known, and after that all rotation roles.

    For a caller in another account the event has only the account, so a known reader there covers
    its whole account, in which no one else may read. The first known reader is of this account.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

    Raises:
        ValueError: the pattern is longer than CloudWatch Logs allows.

    """
    pattern, count = "", 0
    for own in _ever_shorter(own_arns, role_prefix):
        pattern, count = _unknown_readers(secret_ids, [*own, *known_arns]), len(own)
        if len(pattern) <= FILTER_PATTERN_LENGTH:
            return pattern
    raise ValueError(
        f"{count + len(known_arns)} known readers need a filter pattern of {len(pattern)}"
        f" characters, but CloudWatch Logs allows {FILTER_PATTERN_LENGTH}"
    )


def _ever_shorter(arns: Sequence[str], prefix: str | None) -> Iterator[list[str]]:
    """Yield ways to name these roles, the most exact one first; the first role stays."""
    yield [*arns]
    if prefix is None:
        return
    account = arns[0].rpartition("/")[0].partition("/")[0]
    of_stack = [arn for arn in arns if not _name(arn).startswith(prefix)]
    yield [f"{account}/{prefix}*", *of_stack]
    yield [
        f"{account}/{prefix}*",
        f"{account}/{_ROTATION_ROLES}",
        *(arn for arn in of_stack if _ROTATION not in arn),
    ]


def _unknown_readers(secret_ids: Sequence[str], known_arns: Sequence[str]) -> str:
    accounts = [arn.split(":")[4] for arn in known_arns]
    home, *others = dict.fromkeys(accounts)
    known = " && ".join(
        f'($.userIdentity.arn != "{_caller(arn)}")'
        for arn, account in zip(known_arns, accounts, strict=True)
        if account == home  # a role of the same name in another account is another role
    )
    # It is not documented whether `!=` matches a missing field.
    nobody = "($.userIdentity.arn NOT EXISTS)"
    if others:
        elsewhere = " && ".join(f'($.userIdentity.accountId != "{each}")' for each in others)
        nobody = f"({nobody} && {elsewhere})"
        known = f'($.userIdentity.arn = "*") && {known}'
    unknown = f"({nobody} || ({known}))"
    return _all(_SECRETS_MANAGER, _READ, _SUCCEEDED, _of_secrets(secret_ids), unknown)


def deleted_secrets(secret_ids: Sequence[str]) -> str:
    """Match the deletion of one of these secrets, or the removal or promotion of a replica."""
    return _all(
        _SECRETS_MANAGER,
        _any_event("DeleteSecret", "RemoveRegionsFromReplication", "StopReplicationToReplica"),
        _SUCCEEDED,
        _of_secrets(secret_ids),
    )


def rotations(secret_arns: Sequence[str], event_name: str) -> str:
    """Match events of rotations: `RotationFailed` or `RotationSucceeded`."""
    ours = [f'($.additionalEventData.{key} = "{arn}")' for arn in secret_arns for key in _ROTATED]
    return _all(_SECRETS_MANAGER, f'($.eventName = "{event_name}")', f"({' || '.join(ours)})")


def changed_secret_policies(secret_ids: Sequence[str]) -> str:
    """Match changes of the resource policies of these secrets."""
    events = _any_event("PutResourcePolicy", "DeleteResourcePolicy")
    return _all(_SECRETS_MANAGER, events, _SUCCEEDED, _of_secrets(secret_ids))


def changed_grants(secret_arns: Sequence[str]) -> str:
    """Match changes of any IAM policy that mentions these secrets."""
    about = _one_of("$.requestParameters.policyDocument", secret_arns)
    return _all(_IAM, _SUCCEEDED, about)


def changed_policies_of_many(role_prefix: str) -> str:
    """Match changes of what any role with this prefix, or any rotation role, may do."""
    return changed_role_policies([f"*/{role_prefix}*", f"*/{_ROTATION_ROLES}"])


def changed_role_policies(role_arns: Sequence[str]) -> str:
    """Match changes of what these roles may do, or of who may assume them."""
    return _all(
        _IAM,
        # Attach, Detach, Put, Delete and UpdateAssume, but not Get.
        _any_event("*RolePolicy", "*RolePermissionsBoundary"),
        "($.readOnly IS FALSE)",
        _SUCCEEDED,
        _any("$.requestParameters.roleName", [_name(arn) for arn in role_arns]),
    )


def changed_managed_policies(policy_arns: Sequence[str]) -> str:
    """Match new versions of these policies, and changes of the default version."""
    events = _any_event("CreatePolicyVersion", "SetDefaultPolicyVersion")

    def pattern(arns: Sequence[str]) -> str:
        return _all(_IAM, events, _SUCCEEDED, _any("$.requestParameters.policyArn", arns))

    return _shortened(pattern, policy_arns, [f"*/{_name(arn)}" for arn in policy_arns])


def changed_key_policies(key_arns: Sequence[str]) -> str:
    """Match changes of who may use these keys."""
    return _of_keys(key_arns, "PutKeyPolicy", "CreateGrant", "RevokeGrant")


def disabled_keys(key_arns: Sequence[str]) -> str:
    """Match what makes these keys, and everything encrypted with them, unusable."""
    return _of_keys(key_arns, "DisableKey", "ScheduleKeyDeletion")


def changed_trails() -> str:
    """Match changes that stop or reduce the recording of any trail of the account."""
    events = _any_event("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
    return _all('($.eventSource = "cloudtrail.amazonaws.com")', events, _SUCCEEDED)


def changed_logs(log_group_names: Sequence[str]) -> str:
    """Match changes of these log groups and their metric filters."""
    events = _any_event("DeleteLogGroup", "DeleteMetricFilter", "PutMetricFilter")

    def pattern(names: Sequence[str]) -> str:
        groups = _any("$.requestParameters.logGroupName", names)
        return _all('($.eventSource = "logs.amazonaws.com")', events, _SUCCEEDED, groups)

    shorter = [
        name if len(name) <= _LOG_GROUP_CHARACTERS else f"{name[:_LOG_GROUP_CHARACTERS]}*"
        for name in log_group_names
    ]
    return _shortened(pattern, log_group_names, shorter)


def split(names: Sequence[Any], most: int = _NAMES_A_PATTERN) -> list[Sequence[Any]]:
    """Split names into parts of `most` (default: as many as fit in one pattern)."""
    return [names[at : at + most] for at in range(0, len(names), most)]


def count(
    existing: Sequence[Secrets], log_groups: int, roles: int, policies: int, keys: int
) -> int:
    """Count the metric filters that watch these parts of existing secrets, and so many others."""
    of_secrets = sum(4 * bool(ids) + 3 * bool(arns) for ids, arns in (*existing, (["*"], ["*"])))
    of_roles = 1 if roles > MANY_ROLES else len(split(range(roles)))
    denied_and_trails = 2
    of_others = (len(split(range(number))) for number in (log_groups, policies, keys, keys))
    return of_secrets + of_roles + denied_and_trails + sum(of_others)


def _shortened(
    pattern: Callable[[Sequence[str]], str], values: Sequence[str], shorter: Sequence[str]
) -> str:
    """Return the pattern, with the shorter values if it would be too long."""
    written = pattern(values)
    return written if len(written) <= FILTER_PATTERN_LENGTH else pattern(shorter)


def _of_keys(key_arns: Sequence[str], *event_names: str) -> str:
    ids = [f"*{_name(arn)}" for arn in key_arns]  # a request contains the id or the ARN
    return _all(
        '($.eventSource = "kms.amazonaws.com")',
        _any_event(*event_names),
        _SUCCEEDED,
        _any("$.requestParameters.keyId", ids),
    )


def _parts(values: Sequence[str], times: int, most: int) -> list[list[str]]:
    """Split values so that `times` comparisons of each take at most `most` characters a part."""
    parts: list[list[str]] = []
    room = 0
    for value in values:
        need = times * (len(value) + _COMPARISON_CHARACTERS)
        if need > room:
            parts.append([])
            room = most
        parts[-1].append(value)
        room -= need
    return parts


def _of_secrets(secret_ids: Sequence[str]) -> str:
    return _one_of("$.requestParameters.secretId", secret_ids)


def _one_of(selector: str, values: Sequence[str]) -> str:
    """Compare with each value, without extra brackets for a single one."""
    return _any(selector, values) if len(values) > 1 else f'({selector} = "{values[0]}")'


def _caller(arn: str) -> str:
    """Match a user, or every session of a role, whose ARN lacks the role's path.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    return f"*:assumed-role/{_name(arn)}/*" if ":role/" in arn else arn


def _name(arn: str) -> str:
    """Return a role's name, or a key's id, from the end of its ARN."""
    return arn.rpartition("/")[2]


def _any_event(*names: str) -> str:
    return _any("$.eventName", names)


def _any(selector: str, values: Sequence[str]) -> str:
    comparisons = [f'({selector} = "{value}")' for value in values]
    return f"({' || '.join(comparisons)})"


def _all(*conditions: str) -> str:
    return f"{{ {' && '.join(conditions)} }}"

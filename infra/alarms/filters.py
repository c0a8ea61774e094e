"""Filter patterns over CloudTrail's events, as they stand in a trail's log group. Pure.

A refused call has neither request parameters nor a resource that can be relied on, so refusals
are looked for in the whole account. Everything else is looked for by the secret's name, which a
request gives alone or within the ARN: by the prefix of the environment's secrets, and exactly of
those that exist already.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from ..aws.limits import FILTER_PATTERN_LENGTH

_SUCCEEDED = "($.errorCode NOT EXISTS)"
_SECRETS_MANAGER = '($.eventSource = "secretsmanager.amazonaws.com")'
_IAM = '($.eventSource = "iam.amazonaws.com")'
_READ = '($.eventName = "GetSecretValue")'
# So many names of any length fit one pattern beside what else it says.
_NAMES_A_PATTERN = 6
# What the ids of existing secrets take of a pattern, unless one takes more; the rest is for known
# readers. What their ARNs take, beside which there is little, and the most of a name in these.
_IDS_CHARACTERS = 350
_ARNS_CHARACTERS = 850
_NAME_CHARACTERS = 150
# The most of a log group's name in a pattern that would be too long; functions' have 76.
_LOG_GROUP_CHARACTERS = 80
# What a comparison takes beside the value.
_COMPARISON_CHARACTERS = len('($.additionalEventData.SecretId = "") || ')
# Where an event of a rotation has the secret; AWS has changed the spelling before.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
_ROTATED = ("SecretId", "secretId", "arn", "aRN")


class Secrets(NamedTuple):
    """Which secrets patterns are about; `*` stands for any characters."""

    ids: Sequence[str]
    """What requests name them by."""
    arns: Sequence[str]
    """Their ARNs, as AWS writes them, and policies that grant something."""


def of_environment(secret_prefix: str) -> Secrets:
    """Name the secrets whose full names start so."""
    return Secrets([f"*{secret_prefix}*"], [f"*:secret:{secret_prefix}*"])


def of_existing(secret_arns: Sequence[str]) -> list[Secrets]:
    """Name these secrets, in as many parts as patterns take.

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
    """Match reads, of one or a batch, that IAM, a resource policy or the key's policy refused."""
    reads = '($.eventName = "*GetSecretValue")'
    return _all(_SECRETS_MANAGER, reads, '($.errorCode = "AccessDenied*")')


def reads(secret_ids: Sequence[str]) -> str:
    """Match every read of these secrets that succeeded."""
    return _all(_SECRETS_MANAGER, _READ, _SUCCEEDED, _of_secrets(secret_ids))


def unknown_readers(secret_ids: Sequence[str], known_arns: Sequence[str]) -> str:
    """Match reads by anybody but the sessions of these roles, and these users.

    Of a caller in another account the event tells the account alone, so there a known reader
    stands for its account, of which nobody else is granted the read. The first is of this account.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

    Raises:
        ValueError: CloudWatch Logs takes no pattern of that length.

    """
    accounts = [arn.split(":")[4] for arn in known_arns]
    home, *others = dict.fromkeys(accounts)
    known = " && ".join(
        f'($.userIdentity.arn != "{_caller(arn)}")'
        for arn, account in zip(known_arns, accounts, strict=True)
        if account == home  # a role of the same name in another account is another role
    )
    # Whether `!=` holds of what is missing is not documented.
    nobody = "($.userIdentity.arn NOT EXISTS)"
    if others:
        elsewhere = " && ".join(f'($.userIdentity.accountId != "{each}")' for each in others)
        nobody = f"({nobody} && {elsewhere})"
        known = f'($.userIdentity.arn = "*") && {known}'
    unknown = f"({nobody} || ({known}))"
    pattern = _all(_SECRETS_MANAGER, _READ, _SUCCEEDED, _of_secrets(secret_ids), unknown)
    if len(pattern) > FILTER_PATTERN_LENGTH:
        raise ValueError(
            f"{len(known_arns)} known readers need a filter pattern of {len(pattern)} characters,"
            f" but CloudWatch Logs allows {FILTER_PATTERN_LENGTH}"
        )
    return pattern


def deleted_secrets(secret_ids: Sequence[str]) -> str:
    """Match the deletion of one of these secrets, or the end of a replica as such."""
    return _all(
        _SECRETS_MANAGER,
        _any_event("DeleteSecret", "RemoveRegionsFromReplication", "StopReplicationToReplica"),
        _SUCCEEDED,
        _of_secrets(secret_ids),
    )


def rotations(secret_arns: Sequence[str], event_name: str) -> str:
    """Match what Secrets Manager tells of a rotation: `RotationFailed`, `RotationSucceeded`."""
    ours = [f'($.additionalEventData.{key} = "{arn}")' for arn in secret_arns for key in _ROTATED]
    return _all(_SECRETS_MANAGER, f'($.eventName = "{event_name}")', f"({' || '.join(ours)})")


def changed_secret_policies(secret_ids: Sequence[str]) -> str:
    """Match a change of the resource policy of one of these secrets."""
    events = _any_event("PutResourcePolicy", "DeleteResourcePolicy")
    return _all(_SECRETS_MANAGER, events, _SUCCEEDED, _of_secrets(secret_ids))


def changed_grants(secret_arns: Sequence[str]) -> str:
    """Match an IAM policy, of whomever, that is written about these secrets."""
    about = _one_of("$.requestParameters.policyDocument", secret_arns)
    return _all(_IAM, _SUCCEEDED, about)


def changed_role_policies(role_arns: Sequence[str]) -> str:
    """Match a change of what these roles may do, or of who may assume them."""
    return _all(
        _IAM,
        # Attach, Detach, Put, Delete and UpdateAssume; Get is none.
        _any_event("*RolePolicy", "*RolePermissionsBoundary"),
        "($.readOnly IS FALSE)",
        _SUCCEEDED,
        _any("$.requestParameters.roleName", [_name(arn) for arn in role_arns]),
    )


def changed_managed_policies(policy_arns: Sequence[str]) -> str:
    """Match another version of these policies, whatever it is about."""
    events = _any_event("CreatePolicyVersion", "SetDefaultPolicyVersion")

    def pattern(arns: Sequence[str]) -> str:
        return _all(_IAM, events, _SUCCEEDED, _any("$.requestParameters.policyArn", arns))

    return _shortened(pattern, policy_arns, [f"*/{_name(arn)}" for arn in policy_arns])


def changed_key_policies(key_arns: Sequence[str]) -> str:
    """Match a change of who may use these keys."""
    return _of_keys(key_arns, "PutKeyPolicy", "CreateGrant", "RevokeGrant")


def disabled_keys(key_arns: Sequence[str]) -> str:
    """Match what makes these keys, and all that is under them, unusable."""
    return _of_keys(key_arns, "DisableKey", "ScheduleKeyDeletion")


def changed_trails() -> str:
    """Match what ends or narrows what any trail of the account records."""
    events = _any_event("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
    return _all('($.eventSource = "cloudtrail.amazonaws.com")', events, _SUCCEEDED)


def changed_logs(log_group_names: Sequence[str]) -> str:
    """Match what ends or changes what is counted of these log groups."""
    events = _any_event("DeleteLogGroup", "DeleteMetricFilter", "PutMetricFilter")

    def pattern(names: Sequence[str]) -> str:
        groups = _any("$.requestParameters.logGroupName", names)
        return _all('($.eventSource = "logs.amazonaws.com")', events, _SUCCEEDED, groups)

    shorter = [
        name if len(name) <= _LOG_GROUP_CHARACTERS else f"{name[:_LOG_GROUP_CHARACTERS]}*"
        for name in log_group_names
    ]
    return _shortened(pattern, log_group_names, shorter)


def split(names: Sequence[Any]) -> list[Sequence[Any]]:
    """Split names so that those of each part fit one pattern."""
    return [names[at : at + _NAMES_A_PATTERN] for at in range(0, len(names), _NAMES_A_PATTERN)]


def _shortened(
    pattern: Callable[[Sequence[str]], str], values: Sequence[str], shorter: Sequence[str]
) -> str:
    """Write the pattern, with the shorter values if CloudWatch Logs takes no such long one."""
    written = pattern(values)
    return written if len(written) <= FILTER_PATTERN_LENGTH else pattern(shorter)


def _of_keys(key_arns: Sequence[str], *event_names: str) -> str:
    ids = [f"*{_name(arn)}" for arn in key_arns]  # a request names it by id or ARN
    return _all(
        '($.eventSource = "kms.amazonaws.com")',
        _any_event(*event_names),
        _SUCCEEDED,
        _any("$.requestParameters.keyId", ids),
    )


def _parts(values: Sequence[str], times: int, most: int) -> list[list[str]]:
    """Split values so that comparing each of a part so many times takes so many characters."""
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
    """Compare with each, in no more brackets than one needs."""
    return _any(selector, values) if len(values) > 1 else f'({selector} = "{values[0]}")'


def _caller(arn: str) -> str:
    """Match a user, or every session of a role: its ARN is without the role's path.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    return f"*:assumed-role/{_name(arn)}/*" if ":role/" in arn else arn


def _name(arn: str) -> str:
    """Take a role's name, or a key's id, from the end of its ARN."""
    return arn.rpartition("/")[2]


def _any_event(*names: str) -> str:
    return _any("$.eventName", names)


def _any(selector: str, values: Sequence[str]) -> str:
    comparisons = [f'({selector} = "{value}")' for value in values]
    return f"({' || '.join(comparisons)})"


def _all(*conditions: str) -> str:
    return f"{{ {' && '.join(conditions)} }}"

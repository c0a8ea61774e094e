"""What a role has no room for. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator

from ...aws.limits import MANAGED_POLICIES_PER_ROLE, SECRETS_PER_ROTATION_GROUP
from ...names import Names
from ...policies.iam import count_policies, split_by_size
from ..errors import ConfigError
from ..functions import AppFunction, functions, rotation_groups
from ..schema import Settings


def errors(settings: Settings, names: Names) -> Iterator[ConfigError]:
    """Reject functions that may use more secrets than the policies of one role can grant."""
    regions = len(settings.replica_regions)
    try:
        split_by_size(map(names.secret, settings.own_secrets), regions, writing=True)
    except ValueError as error:
        yield ConfigError("replicaRegions", f"has too many regions: {error}; list fewer")
        return
    for function in functions(settings).values():
        remedy = "list fewer secrets, give them shorter names, or use more functions"
        needed = _policies(function, settings, names)
        yield from _too_many(f"{function.section}.secrets", needed, remedy)
    for group, rotated in rotation_groups(settings.secrets).items():
        fitting = split_by_size(map(names.secret, rotated), regions, writing=True)[0]
        room = min(len(fitting), SECRETS_PER_ROTATION_GROUP)
        if len(rotated) > room:
            rule = f"is {group!r}, which has {len(rotated)} secrets, but one function has room for"
            why = "because of the size of its policies"
            path = f"secrets.{rotated[room]}.rotation.group"
            yield ConfigError(path, f"{rule} {room} of them, {why}; use more groups")


def readers(settings: Settings, names: Names, foreign: Collection[str]) -> Iterator[ConfigError]:
    """Reject readers with more secrets than the policies of their role can grant.

    The roles `foreign` are of other accounts, whose own policies grant the read.
    """
    for name, reader in settings.readers.items():
        if reader.role not in foreign:
            secrets = map(names.secret, reader.secrets)
            needed = count_policies(secrets, len(settings.replica_regions))
            remedy = "list fewer secrets, or give them shorter names"
            yield from _too_many(f"readers.{name}.secrets", needed, remedy)


def _too_many(path: str, needed: int, remedy: str) -> Iterator[ConfigError]:
    if needed > MANAGED_POLICIES_PER_ROLE:
        rule = f"needs {needed} policies to read all of them"
        yield ConfigError(
            path, f"{rule}, but IAM allows {MANAGED_POLICIES_PER_ROLE} per role; {remedy}"
        )


def _policies(function: AppFunction, settings: Settings, names: Names) -> int:
    own = function.settings
    secrets = [names.secret(each) for each in own.secrets if each in settings.own_secrets]
    parameters = [
        [
            names.parameter(each)
            for each in own.parameters
            if each in settings.parameters and settings.parameters[each].secure == secure
        ]
        for secure in (False, True)
    ]
    granted = count_policies(secrets, len(settings.replica_regions), parameters)
    return granted + len(own.role.policy_arns)

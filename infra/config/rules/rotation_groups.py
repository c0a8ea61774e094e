"""What the secrets of a rotation group must have in common. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator, Mapping

from ..errors import ConfigError
from ..functions import rotation_groups
from ..schema import SecretSettings
from . import rotation as rotation_rules

_REMEDY = "make them the same, or choose another group for one of them"


def errors(
    secrets: Mapping[str, SecretSettings], whole: Mapping[str, SecretSettings]
) -> Iterator[ConfigError]:
    """Reject secrets that one function cannot rotate with one set of permissions.

    The network, the accounts and the CA bundle are those of the stack. `whole` are the secrets
    without errors; a group with another secret is not judged.
    """
    for group, names in rotation_groups(secrets).items():
        if whole.keys() >= {*names}:
            yield from _group(group, {name: secrets[name] for name in names})


def _group(group: str, secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    first, *others = secrets
    expected = secrets[first].rotation
    same_kind = [first]
    for name in others:
        rotation = secrets[name].rotation
        for key, field in (("strategy", "strategy"), ("adminSecret", "admin_secret")):
            ours, theirs = getattr(rotation, field), getattr(expected, field)
            if ours != theirs:
                rule = f"must be the same for all secrets of group {group!r}: {first} has"
                text = f"{rule} {_shown(theirs)}, got {_shown(ours)}; {_REMEDY}"
                yield ConfigError(f"secrets.{name}.rotation.{key}", text)
                break  # another strategy has other keys
        else:
            same_kind.append(name)
    yield from _servers(group, {name: secrets[name] for name in same_kind})


def _servers(group: str, secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Reject databases that are not on the server of the first; it may be named in two ways."""
    first = None
    for name, secret in secrets.items():
        if not rotation_rules.is_database(secret):
            continue
        server = rotation_rules.server_of(secret)
        if server is None:
            rule = "is not set, and neither is `fields.host`, so the server is not known"
            why = f"the secrets of group {group!r} must be for the same server"
            yield ConfigError(f"secrets.{name}.rotation.host", f"{rule}; set it, because {why}")
        elif first is None:
            first = (name, server)
        elif server != first[1]:
            rule = f"is {group!r}, whose secrets must be for the same server"
            which = f"{first[0]} is for {first[1]}, and this one for {server}"
            text = f"{rule}: {which}; choose another group"
            yield ConfigError(f"secrets.{name}.rotation.group", text)


def _shown(value: object) -> str:
    return "none" if value is None else repr(value)

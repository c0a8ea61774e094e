"""What the secrets of a rotation group must have in common. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator, Mapping

from ..errors import ConfigError
from ..schema import RotationSettings, SecretSettings
from . import rotation as rotation_rules

# Keys of `rotation` that the function and its role have once.
_SHARED = ("strategy", "adminSecret", "host", "port")


def errors(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Reject secrets that one function cannot rotate with one set of permissions.

    The network, the accounts and the CA bundle are those of the stack.
    """
    for group, names in groups(secrets).items():
        first, *others = names
        for name in others:
            yield from _different(group, (first, secrets[first]), (name, secrets[name]))
        for name in names:
            is_database = rotation_rules.is_database(secrets[name])
            if is_database and rotation_rules.server_of(secrets[name]) is None:
                rule = "is not set, and neither is `fields.host`, so the server is not known"
                why = f"the secrets of group {group!r} must be for the same server"
                yield ConfigError(
                    f"secrets.{name}.rotation.host", f"{rule}; set it, because {why}"
                )


def groups(secrets: Mapping[str, SecretSettings]) -> dict[str, list[str]]:
    """Return the groups: name -> logical names of its secrets."""
    found: dict[str, list[str]] = {}
    for name, secret in secrets.items():
        if secret.rotation and secret.rotation.group and secret.existing is None:
            found.setdefault(secret.rotation.group, []).append(name)
    return found


def _different(
    group: str, first: tuple[str, SecretSettings], other: tuple[str, SecretSettings]
) -> Iterator[ConfigError]:
    (first_name, first_secret), (name, secret) = first, other
    remedy = "make them the same, or choose another group"
    shared, own = (_shared(each.rotation) for each in (first_secret, secret))
    for key, expected in shared.items():
        if own[key] != expected:
            rule = f"must be the same for all secrets of group {group!r}: {first_name} has"
            yield ConfigError(
                f"secrets.{name}.rotation.{key}",
                f"{rule} {_shown(expected)}, got {_shown(own[key])}; {remedy}",
            )
    if shared == own and rotation_rules.is_database(secret):
        ours, theirs = map(rotation_rules.server_of, (secret, first_secret))
        if ours and theirs and ours != theirs:
            rule = f"is {group!r}, whose secrets must be for the same server"
            which = f"{first_name} is for {theirs}, and this one for {ours}"
            yield ConfigError(
                f"secrets.{name}.rotation.group", f"{rule}: {which}; choose another group"
            )


def _shared(rotation: RotationSettings | None) -> dict[str, object]:
    by_key = rotation.model_dump(by_alias=True) if rotation else {}
    return {key: by_key.get(key) for key in _SHARED}


def _shown(value: object) -> str:
    return "none" if value is None else repr(value)

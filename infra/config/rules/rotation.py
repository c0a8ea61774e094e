"""What rotation must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from ...aws.place import Place
from ..errors import ConfigError
from ..schema import RotationSettings, SecretSettings
from ..shared import postgres_fields
from . import schedules

_ENGINES = ("postgres", "aurora-postgresql")
_PROXY = "an endpoint of RDS Proxy, which accepts no password but AWSCURRENT's"


def errors(
    secrets: Mapping[str, SecretSettings], names: Collection[str], region: str
) -> Iterator[ConfigError]:
    """Say which rules are broken.

    `names` are those of all secrets, also of wrong ones; `region` is the stack's own, or nothing.
    """
    for name, secret in secrets.items():
        if secret.rotation is not None and secret.existing is None:
            path = f"secrets.{name}.rotation"
            yield from _schedule(path, secret.rotation)
            yield from (_database if is_database(secret) else _random)(path, secret)
            yield from _admin(path, name, secrets, names)
            yield from _admins_region(path, secret.rotation.admin_secret, secrets, region)
    yield from _fields(secrets)
    yield from dict.fromkeys(_users(secrets))


def is_database(secret: SecretSettings) -> bool:
    """Whether rotation logs in to a database by it."""
    return secret.rotation is not None and secret.rotation.strategy != "random"


def server_of(secret: SecretSettings) -> postgres_fields.Server | None:
    """Return the server that it is rotated at; None where the config does not say it."""
    return postgres_fields.server(_at_server(secret))


def _at_server(secret: SecretSettings) -> dict[str, object]:
    """Return the fields with the server of `rotation`, if that is another one."""
    rotation = secret.rotation
    if rotation is None or rotation.host is None:
        return dict(secret.fields)
    return {**secret.fields, "host": rotation.host, "port": rotation.port}


def _schedule(path: str, rotation: RotationSettings) -> Iterator[ConfigError]:
    if rotation.schedule is None:
        return
    if rotation.every_days is not None:
        yield ConfigError(f"{path}.schedule", "is given beside `everyDays`; keep one")
    yield from schedules.errors(path, rotation.schedule, rotation.window_hours)


def _random(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if secret.source != "generate" or not secret.generate:
        yield ConfigError(path, "of `random` makes what `generate` names; name what is to be made")
    if "previous" in {*secret.fields, *secret.generate}:
        yield ConfigError(
            path, "of `random` keeps old values in `previous`; give that field another name"
        )
    for key in ("host", "port"):
        if getattr(secret.rotation, key) is not None:
            rule = "goes with a database, and `random` has none; drop it"
            yield ConfigError(f"{path}.{key}", rule)


def _database(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if secret.rotation and secret.rotation.overlap_hours:
        yield ConfigError(
            f"{path}.overlapHours", "goes with `random`; a user has one password at a time"
        )
    if secret.source == "config":
        yield ConfigError(path, "would be undone by `from: config`; use `generate` or `external`")
    yield from _endpoint(path, secret)
    if secret.source != "generate":
        return
    for field in postgres_fields.missing(_at_server(secret), "host", "username"):
        yield ConfigError(path, f"logs in to a database, and `fields` has no `{field}`; add it")
    fields = secret.fields
    if fields.get("engine", _ENGINES[0]) not in _ENGINES:
        yield ConfigError(
            path, f"knows {' and '.join(_ENGINES)}, and `engine` in `fields` is another"
        )
    if set(secret.generate) != {"password"}:
        yield ConfigError(
            path, "changes the password of a database; `generate` must name `password` alone"
        )


def _endpoint(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    """Refuse a server that no rotation can log in to."""
    rotation, server = secret.rotation, server_of(secret)
    host = rotation.host if rotation else None
    for fault in postgres_fields.field_errors({"host": host}, ("host",)):
        yield ConfigError(f"{path}.host", f"{fault.message}, got {host!r}")
    if rotation and rotation.port is not None and host is None:
        yield ConfigError(f"{path}.port", "goes with `host`; name that, too, or drop it")
    if server and server.is_rds_proxy:
        rule = f"is {_PROXY}" if host else f"is not set, and `fields.host` is {_PROXY}"
        yield ConfigError(f"{path}.host", f"{rule}; set it to the database's own endpoint")


def _admin(
    path: str, name: str, secrets: Mapping[str, SecretSettings], names: Collection[str]
) -> Iterator[ConfigError]:
    rotation = secrets[name].rotation
    admin = rotation.admin_secret if rotation else None
    if rotation is None or rotation.strategy != "alternatingUsers":
        if admin is not None:
            yield ConfigError(f"{path}.adminSecret", "goes with `alternatingUsers`; drop it")
    elif admin is None or admin == name or admin not in names:
        others = ", ".join(sorted(set(names) - {name})) or "there is none"
        yield ConfigError(
            f"{path}.adminSecret", f"must be another secret ({others}), got {admin!r}"
        )
    elif admin in secrets:
        ours = server_of(secrets[name])
        theirs = postgres_fields.server(secrets[admin].fields)
        if ours and theirs and ours != theirs:
            rule = f"must be of {ours}, where the secret is rotated, and {admin!r} is of {theirs}"
            yield ConfigError(f"{path}.adminSecret", f"{rule}; name one of that server")


def _admins_region(
    path: str, admin: str | None, secrets: Mapping[str, SecretSettings], region: str
) -> Iterator[ConfigError]:
    """Refuse an existing secret that a rotation, which asks its own region, does not find."""
    existing = secrets[admin].existing if admin and admin in secrets else None
    if existing and region and (away := Place.of(existing).region) != region:
        rule = f"is in {away}, and a rotation reads it in aws:region {region!r} only"
        yield ConfigError(f"{path}.adminSecret", f"{rule}; name one that is there, got {admin!r}")


def _fields(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Find fields that a rotation could not log in with, its administrators' among them."""
    rotated = {name: each for name, each in secrets.items() if is_database(each)}
    admins = {each.rotation.admin_secret for each in rotated.values() if each.rotation}
    for name, secret in secrets.items():
        if name in rotated or name in admins:
            find = (
                postgres_fields.rotation_errors
                if name in rotated
                else postgres_fields.field_errors
            )
            for fault in find(secret.fields):
                yield ConfigError(f"secrets.{name}.fields.{fault.field}", fault.message)


class _User(NamedTuple):
    """A user of a database."""

    server: postgres_fields.Server
    name: str


class _Owner(NamedTuple):
    """The secret that logs in as a user."""

    secret: str
    original: str | None
    """The user of which that one is a clone that rotation makes."""


def _users(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Find users that a rotation changes, and another secret logs in as."""
    changed: dict[_User, _Owner] = {}
    for name, secret in secrets.items():
        if is_database(secret):
            for user, owner in _users_of(name, secret).items():
                first = changed.setdefault(user, owner)
                if first.secret != name:
                    yield ConfigError(f"secrets.{name}.rotation", _shared(user, owner, first))
    for name, secret in secrets.items():
        if not is_database(secret):
            for user, owner in _users_of(name, secret).items():
                if user in changed:
                    path = f"secrets.{changed[user].secret}.rotation"
                    yield ConfigError(path, _shared(user, changed[user], owner))


def _shared(user: _User, owner: _Owner, other: _Owner) -> str:
    if owner.original and other.original and owner.original != other.original:
        return (
            f"makes {user.name!r}, a clone of {owner.original!r}, and so does the secret"
            f" {other.secret!r} of {other.original!r}: names are cut to 63 bytes; give one of the"
            " two a shorter username"
        )
    return (
        f"changes the password of {user.name!r}, by which the secret {other.secret!r} logs in to"
        " the same server; give each secret a user of its own"
    )


def _users_of(name: str, secret: SecretSettings) -> dict[_User, _Owner]:
    """Return the users that a secret logs in as, where it is used and where it is rotated."""
    users = {
        str(user): _Owner(name, None)
        for field in ("username", "alternateUsername")
        if (user := postgres_fields.given(secret.fields, field)) is not None
    }
    if len(users) == 1 and secret.rotation and secret.rotation.strategy == "alternatingUsers":
        (original,) = users
        users.setdefault(postgres_fields.clone_of(original), _Owner(name, original))
    servers = {postgres_fields.server(secret.fields), server_of(secret)} - {None}
    return {_User(server, user): users[user] for server in servers if server for user in users}

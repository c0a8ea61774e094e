"""What rotation must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from ...aws.location import Location
from ..errors import ConfigError
from ..schema import RotationSettings, SecretSettings
from ..shared import postgres_fields
from . import schedules

_ENGINES = ("postgres", "aurora-postgresql")
_PROXY = "an RDS Proxy endpoint, which accepts only the password in AWSCURRENT"


def errors(
    secrets: Mapping[str, SecretSettings], names: Collection[str], region: str
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `names` include those of secrets with errors; `region` is the stack's own, or empty.
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
    """Whether rotation logs in to a database with it."""
    return secret.rotation is not None and secret.rotation.strategy != "random"


def server_of(secret: SecretSettings) -> postgres_fields.Server | None:
    """Return the server on which it is rotated; None if the config does not say."""
    return postgres_fields.server(_at_server(secret))


def _at_server(secret: SecretSettings) -> dict[str, object]:
    """Return the fields with the server of `rotation`, if that is set."""
    rotation = secret.rotation
    if rotation is None or rotation.host is None:
        return dict(secret.fields)
    return {**secret.fields, "host": rotation.host, "port": rotation.port}


def _schedule(path: str, rotation: RotationSettings) -> Iterator[ConfigError]:
    if rotation.schedule is None:
        return
    if rotation.every_days is not None:
        yield ConfigError(f"{path}.schedule", "is set together with `everyDays`; keep one")
    yield from schedules.errors(path, rotation.schedule, rotation.window_hours)


def _random(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if secret.source != "generate" or not secret.generate:
        yield ConfigError(
            path, "has strategy `random`, which needs at least one field under `generate`; add one"
        )
    if "previous" in {*secret.fields, *secret.generate}:
        yield ConfigError(
            path,
            "has strategy `random`, which stores old values in `previous`; rename that field",
        )
    for key in ("host", "port"):
        if getattr(secret.rotation, key) is not None:
            rule = "is only for databases, not for `random`; remove it"
            yield ConfigError(f"{path}.{key}", rule)


def _database(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if secret.rotation and secret.rotation.overlap_hours:
        yield ConfigError(
            f"{path}.overlapHours",
            "is only for `random`, because a user has one password at a time; remove it",
        )
    if secret.source == "config":
        rule = "cannot be combined with `from: config`, which would undo each rotation"
        yield ConfigError(path, f"{rule}; use `from: generate` or `from: external`")
    yield from _endpoint(path, secret)
    if secret.source != "generate":
        return
    for field in postgres_fields.missing(_at_server(secret), "host", "username"):
        yield ConfigError(path, f"logs in to a database, but `fields` has no `{field}`; add it")
    fields = secret.fields
    if fields.get("engine", _ENGINES[0]) not in _ENGINES:
        yield ConfigError(
            path, f"supports {' and '.join(_ENGINES)}, but `fields.engine` is neither; change it"
        )
    if set(secret.generate) != {"password"}:
        yield ConfigError(
            path, "changes a database password, so `generate` must have only the field `password`"
        )


def _endpoint(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    """Reject a server to which rotation cannot log in."""
    rotation, server = secret.rotation, server_of(secret)
    host = rotation.host if rotation else None
    for error in postgres_fields.field_errors({"host": host}, ("host",)):
        yield ConfigError(f"{path}.host", f"{error.message}, got {host!r}")
    if rotation and rotation.port is not None and host is None:
        yield ConfigError(
            f"{path}.port", "is only for `host`, which is not set; set it, or remove `port`"
        )
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
            yield ConfigError(f"{path}.adminSecret", "is only for `alternatingUsers`; remove it")
    elif admin is None or admin == name or admin not in names:
        others = ", ".join(sorted(set(names) - {name})) or "there is none yet; add it to `secrets`"
        got = "none" if admin is None else repr(admin)
        yield ConfigError(f"{path}.adminSecret", f"must be another secret ({others}), got {got}")
    elif admin in secrets:
        ours = server_of(secrets[name])
        theirs = postgres_fields.server(secrets[admin].fields)
        if ours and theirs and ours != theirs:
            rule = f"must be for {ours}, where rotation logs in, but {admin!r} is for {theirs}"
            yield ConfigError(f"{path}.adminSecret", f"{rule}; choose another secret")


def _admins_region(
    path: str, admin: str | None, secrets: Mapping[str, SecretSettings], region: str
) -> Iterator[ConfigError]:
    """Reject an existing admin secret in another region, where rotation does not look for it."""
    existing = secrets[admin].existing if admin and admin in secrets else None
    if existing and region and (away := Location.of(existing).region) != region:
        rule = f"must be in aws:region {region!r}, where rotation reads it"
        got = f"{admin!r}, which is in {away}"
        yield ConfigError(f"{path}.adminSecret", f"{rule}, got {got}; choose another secret")


def _fields(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Reject fields with which rotation cannot log in, including those of admin secrets."""
    rotated = {name: each for name, each in secrets.items() if is_database(each)}
    admins = {each.rotation.admin_secret for each in rotated.values() if each.rotation}
    for name, secret in secrets.items():
        if name in rotated or name in admins:
            find = (
                postgres_fields.rotation_errors
                if name in rotated
                else postgres_fields.field_errors
            )
            for error in find(secret.fields):
                yield ConfigError(f"secrets.{name}.fields.{error.field}", error.message)


class _User(NamedTuple):
    """A user of a database."""

    server: postgres_fields.Server
    name: str


class _Owner(NamedTuple):
    """The secret that logs in as a user."""

    secret: str
    original: str | None
    """The user whose clone that user is, created by rotation; or None."""


def _users(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Reject users that rotation changes while another secret also logs in as them."""
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
            f"creates the user {user.name!r} from {owner.original!r}, and the secret"
            f" {other.secret!r} creates the same user from {other.original!r}, because names are"
            " cut to 63 bytes; give one of the two a shorter username"
        )
    return (
        f"changes the password of user {user.name!r}, but secret {other.secret!r} logs in as that"
        " user on the same server; give each secret its own user"
    )


def _users_of(name: str, secret: SecretSettings) -> dict[_User, _Owner]:
    """Return the users as which a secret logs in, where it is used and where it is rotated."""
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

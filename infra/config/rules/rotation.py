"""What rotation must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping

from infra.aws.place import Place
from infra.config.errors import ConfigError
from infra.config.rules import schedules
from infra.config.schema import RotationSettings, SecretSettings

_ENGINES = ("postgres", "aurora-postgresql")
_CLONE = "_clone"
_PORT = 5432


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
            if secret.rotation.strategy == "random":
                yield from _random(path, secret)
            else:
                yield from _database(path, secret)
            yield from _admin(path, name, secrets, names)
            yield from _admins_region(path, secret.rotation.admin_secret, secrets, region)
    yield from _users(secrets)


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


def _database(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if secret.rotation and secret.rotation.overlap_hours:
        yield ConfigError(
            f"{path}.overlapHours", "goes with `random`; a user has one password at a time"
        )
    if secret.source == "config":
        yield ConfigError(path, "would be undone by `from: config`; use `generate` or `external`")
    if secret.source != "generate":
        return
    fields = secret.fields
    for field in ("host", "username"):
        if not fields.get(field) or not isinstance(fields[field], str):
            yield ConfigError(path, f"logs in to a database, and `fields` has no text `{field}`")
    port = fields.get("port", _PORT)
    if isinstance(port, bool) or not str(port).isdecimal():
        yield ConfigError(path, "logs in to a database, and `port` in `fields` is no number")
    if fields.get("engine", _ENGINES[0]) not in _ENGINES:
        yield ConfigError(
            path, f"knows {' and '.join(_ENGINES)}, and `engine` in `fields` is another"
        )
    if set(secret.generate) != {"password"}:
        yield ConfigError(
            path, "changes the password of a database; `generate` must name `password` alone"
        )


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
        ours, theirs = secrets[name].fields, secrets[admin].fields
        for field in ("host", "port"):
            if field in ours and field in theirs and ours[field] != theirs[field]:
                yield ConfigError(
                    f"{path}.adminSecret", f"is of another server: its `{field}` differs"
                )


def _admins_region(
    path: str, admin: str | None, secrets: Mapping[str, SecretSettings], region: str
) -> Iterator[ConfigError]:
    """Refuse an existing secret that a rotation, which asks its own region, does not find."""
    existing = secrets[admin].existing if admin and admin in secrets else None
    if existing and region and (away := Place.of(existing).region) != region:
        rule = f"is in {away}, and a rotation reads it in aws:region {region!r} only"
        yield ConfigError(f"{path}.adminSecret", f"{rule}; name one that is there, got {admin!r}")


def _users(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    """Find users that a rotation changes, and another secret logs in as."""
    changed: dict[tuple[object, ...], str] = {}
    for name, secret in secrets.items():
        if secret.rotation is None or secret.rotation.strategy == "random":
            continue
        for user in _users_of(secret):
            if changed.setdefault(user, name) != name:
                yield ConfigError(f"secrets.{name}.rotation", _shared(changed[user], user))
    for name, secret in secrets.items():
        if secret.rotation is None or secret.rotation.strategy == "random":
            for user in _users_of(secret) & changed.keys():
                yield ConfigError(f"secrets.{changed[user]}.rotation", _shared(name, user))


def _shared(other: str, user: tuple[object, ...]) -> str:
    return (
        f"changes the password of {user[2]!r}, by which the secret {other!r} logs in to the same"
        " server; give each secret a user of its own"
    )


def _users_of(secret: SecretSettings) -> set[tuple[object, ...]]:
    """Users of a database that a secret logs in as: server, port and name of each."""
    fields = secret.fields
    names = [fields.get("username"), fields.get("alternateUsername")]
    if secret.rotation and secret.rotation.strategy == "alternatingUsers" and not names[1]:
        names[1] = f"{names[0]}{_CLONE}"
    host, port = fields.get("host"), str(fields.get("port", _PORT))
    return {(host, port, name) for name in names if host and name}

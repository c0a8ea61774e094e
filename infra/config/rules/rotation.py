"""What rotation must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping

from infra.config.rules import schedules
from infra.config.schema import RotationSettings, SecretSettings

Fault = tuple[str, str]

_ENGINES = ("postgres", "aurora-postgresql")
_CLONE = "_clone"
_PORT = 5432


def broken(secrets: Mapping[str, SecretSettings], names: Collection[str]) -> Iterator[Fault]:
    """Say which rules are broken; ``names`` are those of all secrets, also of faulty ones."""
    for name, secret in secrets.items():
        if secret.rotation is not None:
            path = f"secrets.{name}.rotation"
            for key, fault in _schedule(secret.rotation):
                yield f"{path}.{key}", fault
            if secret.rotation.strategy == "random":
                yield from _random(path, secret)
            else:
                yield from _database(path, secret)
            yield from _admin(path, name, secrets, names)
    yield from _users(secrets)


def _schedule(rotation: RotationSettings) -> Iterator[Fault]:
    if rotation.schedule is None:
        return
    if rotation.every_days is not None:
        yield "schedule", "is given beside `everyDays`; keep one"
    yield from schedules.faults(rotation.schedule, rotation.window_hours)


def _random(path: str, secret: SecretSettings) -> Iterator[Fault]:
    if secret.source != "generate" or not secret.generate:
        yield path, "of `random` makes what `generate` names; name what is to be made"
    if "previous" in {*secret.fields, *secret.generate}:
        yield path, "of `random` keeps old values in `previous`; give that field another name"


def _database(path: str, secret: SecretSettings) -> Iterator[Fault]:
    if secret.rotation and secret.rotation.overlap_hours:
        yield f"{path}.overlapHours", "goes with `random`; a user has one password at a time"
    if secret.source == "config":
        yield path, "would be undone by `from: config`; use `generate` or `external`"
    if secret.source != "generate":
        return
    fields = secret.fields
    for field in ("host", "username"):
        if not fields.get(field) or not isinstance(fields[field], str):
            yield path, f"logs in to a database, and `fields` has no text `{field}`"
    port = fields.get("port", _PORT)
    if isinstance(port, bool) or not str(port).isdecimal():
        yield path, "logs in to a database, and `port` in `fields` is no number"
    if fields.get("engine", _ENGINES[0]) not in _ENGINES:
        yield path, f"knows {' and '.join(_ENGINES)}, and `engine` in `fields` is another"
    if set(secret.generate) != {"password"}:
        yield path, "changes the password of a database; `generate` must name `password` alone"


def _admin(
    path: str, name: str, secrets: Mapping[str, SecretSettings], names: Collection[str]
) -> Iterator[Fault]:
    rotation = secrets[name].rotation
    admin = rotation.admin_secret if rotation else None
    if rotation is None or rotation.strategy != "alternatingUsers":
        if admin is not None:
            yield f"{path}.adminSecret", "goes with `alternatingUsers`; drop it"
    elif admin is None or admin == name or admin not in names:
        others = ", ".join(sorted(set(names) - {name})) or "there is none"
        yield f"{path}.adminSecret", f"must be another secret ({others}), got {admin!r}"
    elif admin in secrets:
        ours, theirs = secrets[name].fields, secrets[admin].fields
        for field in ("host", "port"):
            if field in ours and field in theirs and ours[field] != theirs[field]:
                yield f"{path}.adminSecret", f"is of another server: its `{field}` differs"


def _users(secrets: Mapping[str, SecretSettings]) -> Iterator[Fault]:
    """Find users that a rotation changes, and another secret logs in as."""
    changed: dict[tuple[object, ...], str] = {}
    for name, secret in secrets.items():
        if secret.rotation is None or secret.rotation.strategy == "random":
            continue
        for user in _users_of(secret):
            if changed.setdefault(user, name) != name:
                yield f"secrets.{name}.rotation", _shared(changed[user], user)
    for name, secret in secrets.items():
        if secret.rotation is None or secret.rotation.strategy == "random":
            for user in _users_of(secret) & changed.keys():
                yield f"secrets.{changed[user]}.rotation", _shared(name, user)


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

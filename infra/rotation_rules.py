"""What rotation must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

import re
from collections.abc import Collection, Iterator, Mapping

from infra import limits
from infra.schema import RotationSettings, SecretSettings

Fault = tuple[str, str]

_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
_CRON = re.compile(r"cron\(0 [^ ]+ [^ ]+ [^ ]+ [^ ]+ \*\)")


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


def _schedule(rotation: RotationSettings) -> Iterator[Fault]:
    """Check a schedule as Secrets Manager does, but for what is inside a cron expression.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
    """
    schedule, window = rotation.schedule, rotation.window_hours
    if schedule is None:
        return
    if rotation.every_days is not None:
        yield "schedule", "is given beside `everyDays`; keep one"
    if rate := _RATE.fullmatch(schedule):
        hours = rate[2] == "hour"
        allowed = limits.ROTATION_RATE_HOURS if hours else limits.ROTATION_RATE_DAYS
        if int(rate[1]) not in allowed:
            yield "schedule", f"must be every {allowed} {rate[2]}s, got {schedule!r}"
        elif hours and window is not None and window > int(rate[1]):
            yield (
                "windowHours",
                f"must not reach into the next rotation ({schedule}), got {window}",
            )
    elif not _CRON.fullmatch(schedule):
        rule = "must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *)"
        yield "schedule", f"{rule}, in UTC, got {schedule!r}"


def _random(path: str, secret: SecretSettings) -> Iterator[Fault]:
    if secret.source != "generate" or not secret.generate:
        yield path, "of `random` makes what `generate` names; name what is to be made"


def _database(path: str, secret: SecretSettings) -> Iterator[Fault]:
    if secret.rotation and secret.rotation.overlap_hours:
        yield f"{path}.overlapHours", "goes with `random`; a user has one password at a time"
    if secret.source == "config":
        yield path, "would be undone by `from: config`; use `generate` or `external`"
    if secret.source != "generate":
        return
    for field in ("host", "username"):
        if not secret.fields.get(field):
            yield path, f"logs in to a database, and `fields` has no `{field}`"
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

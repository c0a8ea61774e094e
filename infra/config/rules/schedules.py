"""Schedules of rotation: what Secrets Manager takes. Pure: no Pulumi, no boto3.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from infra.aws import limits
from infra.config.errors import ConfigError

_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
_CRON = re.compile(r"cron\(0 (\S+) (\S+) (\S+) (\S+) \*\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FORM = "must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC"
_DAY_HOURS = 24


def errors(path: str, schedule: str, window_hours: int | None) -> Iterator[ConfigError]:
    """Say what is wrong with a schedule or its window, which are keys below ``path``."""
    key, gap = f"{path}.schedule", _DAY_HOURS
    if rate := _RATE.fullmatch(schedule):
        hours = rate[2] == "hour"
        allowed = limits.ROTATION_RATE_HOURS if hours else limits.ROTATION_RATE_DAYS
        if int(rate[1]) not in allowed:
            yield ConfigError(key, f"must be every {allowed} {rate[2]}s, got {schedule!r}")
            return
        gap = min(gap, int(rate[1])) if hours else gap
    elif cron := _CRON.fullmatch(schedule):
        hours_of_day, day, month, weekday = (
            _numbers(cron[1], range(24)),
            _numbers(cron[2], range(1, 32), "?LW"),
            _numbers(cron[3], range(1, 13), names=_MONTHS),
            _numbers(cron[4], range(1, 8), "?L#", names=_WEEKDAYS),
        )
        if None in (hours_of_day, day, month, weekday):
            yield ConfigError(key, f"{_FORM}, each field within its range, got {schedule!r}")
            return
        if (cron[2] == "?") is (cron[4] == "?"):
            yield ConfigError(key, f"must have ? for either day or weekday, got {schedule!r}")
        moments = sorted(hours_of_day or ())
        gap = min(
            (later - sooner for sooner, later in pairwise(moments)),
            default=gap,
        )
        if gap not in limits.ROTATION_RATE_HOURS:
            yield ConfigError(
                key,
                f"must leave {limits.ROTATION_RATE_HOURS.least} hours, got {schedule!r}",
            )
    else:
        yield ConfigError(key, f"{_FORM}, got {schedule!r}")
    if window_hours is not None and window_hours > gap:
        yield ConfigError(
            f"{path}.windowHours",
            f"must not reach into the next rotation ({schedule}), got {window_hours}",
        )


def _numbers(
    text: str, allowed: range, wildcards: str = "", names: tuple[str, ...] = ()
) -> set[int] | None:
    """Read a field of a cron expression; what a wildcard stands for is not worked out: all."""
    if any(wildcard in text for wildcard in wildcards):
        return set(allowed)
    for number, name in enumerate(names, start=allowed.start):
        text = text.upper().replace(name, str(number))
    found: set[int] = set()
    for part in text.split(","):
        read = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if read is None:
            return None
        first = int(read[1]) if read[1] else allowed.start
        last = int(read[2] or (first if read[1] and not read[3] else allowed.stop - 1))
        step = int(read[3] or 1)
        if first not in allowed or last not in allowed or first > last or not step:
            return None
        found |= set(range(first, last + 1, step))
    return found

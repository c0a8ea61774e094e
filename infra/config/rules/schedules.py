"""Rotation schedules that Secrets Manager accepts. Pure: no Pulumi, no boto3."""

import math
from collections.abc import Iterator
from itertools import pairwise

from ...aws import limits
from ...aws import schedule_expressions as schedules
from ...aws.schedule_expressions import Cron, Rate
from ..errors import ConfigError

_FORM = "must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC"
_DAY_HOURS = 24
_RATES = {"hour": limits.ROTATION_RATE_HOURS, "day": limits.ROTATION_RATE_DAYS}


def errors(path: str, schedule: str, window_hours: int | None) -> Iterator[ConfigError]:
    """Yield the errors of a schedule and its window, which are keys under `path`."""
    parsed = schedules.parse(schedule)
    for rule in _violations(parsed):
        yield ConfigError(f"{path}.schedule", f"{rule}, got {schedule!r}")
    most = _longest_window(parsed)
    if window_hours is not None and window_hours > most:
        why = "a window ends before the next one opens and on the same day (UTC)"
        rule = f"must be at most {most} with {schedule}, because {why}"
        yield ConfigError(f"{path}.windowHours", f"{rule}, got {window_hours}")


def _violations(parsed: Rate | Cron | None) -> Iterator[str]:
    if parsed is None:
        yield _FORM
    elif isinstance(parsed, Rate):
        if parsed.number not in _RATES[parsed.unit]:
            yield f"must be every {_RATES[parsed.unit]} {parsed.unit}s"
    elif None in parsed:
        yield f"{_FORM}, with each field in its range"
    else:
        if bool(parsed.days) is bool(parsed.weekdays):
            yield "must have ? for either day or weekday"
        if _gap_hours(parsed) not in limits.ROTATION_RATE_HOURS:
            yield f"must leave at least {limits.ROTATION_RATE_HOURS.least} hours between rotations"


def _gap_hours(parsed: Rate | Cron) -> int:
    """Return the fewest hours between two rotations, at most a whole day."""
    if isinstance(parsed, Cron):
        hours = sorted(parsed.hours or ())
        moments = pairwise(
            [*hours, hours[0] + _DAY_HOURS] if schedules.is_daily(parsed) else hours
        )
        return min((later - sooner for sooner, later in moments), default=_DAY_HOURS)
    return min(parsed.number, _DAY_HOURS) if parsed.unit == "hour" else _DAY_HOURS


def _longest_window(parsed: Rate | Cron | None) -> int:
    """Return the most hours that a window may have; a whole day if the schedule is wrong.

    The windows of a rate in hours open at all multiples of that number, from midnight on.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
    """
    if parsed is None or [*_violations(parsed)]:
        return _DAY_HOURS
    if isinstance(parsed, Cron):
        return min(_gap_hours(parsed), _DAY_HOURS - max(parsed.hours or ()))
    return math.gcd(parsed.number, _DAY_HOURS) if parsed.unit == "hour" else _DAY_HOURS

"""Parses schedule expressions of rotation. Pure: no Pulumi, no boto3.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

import functools
import re
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

_RATE = re.compile(r"rate\((0|[1-9][0-9]*) (hour|day)s?\)")
_CRON = re.compile(r"cron\(0 (\S+) (\S+) (\S+) (\S+) \*\)")
_PART = re.compile(r"(?:\*|([0-9]+)(?:-([0-9]+))?)(?:/([0-9]+))?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Rate(NamedTuple):
    """`rate(...)`: a number of hours or days."""

    number: int
    unit: str
    """`hour` or `day`."""


class Cron(NamedTuple):
    """`cron(0 HOURS DAYS MONTHS WEEKDAYS *)`: the values of each field.

    None if a field is out of range; empty for `?`. A field with `L`, `W` or `#` names one day of a
    month, which one depends on the month: it has the first value.
    """

    hours: frozenset[int] | None
    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None


def parse(expression: str) -> Rate | Cron | None:
    """Parse an expression; None if it has neither form."""
    if rate := _RATE.fullmatch(expression):
        return Rate(int(rate[1]), rate[2])
    if cron := _CRON.fullmatch(expression):
        return Cron(
            _values(cron[1], range(24)),
            _values(cron[2], range(1, 32), "?LW"),
            _values(cron[3], range(1, 13), names=_MONTHS),
            _values(cron[4], range(1, 8), "?L#", names=_WEEKDAYS),
        )
    return None


def longest_gap_days(expression: str) -> int | None:
    """Return the most days between two rotations; None if it rotates less than once in 8 years.

    A weekday with `L` or `#` is one day of a month, and counts as its first day.
    """
    parsed = parse(expression)
    if isinstance(parsed, Rate):
        return parsed.number if parsed.unit == "day" else -(-parsed.number // 24)
    if parsed is None or None in parsed:
        return None
    return max(_gaps(parsed, monthly=bool(set("L#") & set(expression.split()[4]))), default=None)


def is_daily(cron: Cron) -> bool:
    """Whether it ever rotates on two days in a row."""
    return 1 in _gaps(cron, monthly=False)


@functools.cache
def _gaps(cron: Cron, *, monthly: bool) -> frozenset[int]:
    """Return the days between two rotations in eight years, two of which are leap years."""
    every = (date(2024, 1, 1) + timedelta(number) for number in range(8 * 365 + 2))
    days = [day for day in every if _runs(cron, day, monthly=monthly)]
    return frozenset((later - sooner).days for sooner, later in pairwise(days))


def _runs(cron: Cron, day: date, *, monthly: bool) -> bool:
    if day.month not in (cron.months or ()):
        return False
    if monthly:
        return day.day == 1
    if cron.days:
        return day.day in cron.days
    return day.isoweekday() % 7 + 1 in (cron.weekdays or ())


def _values(
    text: str, allowed: range, wildcards: str = "", names: tuple[str, ...] = ()
) -> frozenset[int] | None:
    if text == "?" and "?" in wildcards:
        return frozenset()
    if any(wildcard in text for wildcard in wildcards):
        return frozenset({allowed.start})
    for number, name in enumerate(names, start=allowed.start):
        text = text.upper().replace(name, str(number))
    values: set[int] = set()
    for part in text.split(","):
        numbers = _part(part, allowed)
        if not numbers:
            return None
        values.update(numbers)
    return frozenset(values)


def _part(text: str, allowed: range) -> range | None:
    """Parse a number, a range or a step of a field."""
    read = _PART.fullmatch(text)
    if read is None:
        return None
    first = int(read[1]) if read[1] else allowed.start
    last = int(read[2] or (first if read[1] and not read[3] else allowed.stop - 1))
    step = int(read[3] or 1)
    is_within = first in allowed and last in allowed and first <= last
    return range(first, last + 1, step) if is_within and step else None

"""Parses schedule expressions of rotation. Pure: no Pulumi, no boto3.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

import calendar
import functools
import re
from datetime import date, timedelta
from itertools import chain, pairwise
from typing import NamedTuple

_RATE = re.compile(r"rate\((0|[1-9][0-9]*) (hour|day)s?\)")
_CRON = re.compile(r"cron\(0 (\S+) (\S+) (\S+) (\S+) \*\)")
_PART = re.compile(r"(?=.)(?:\*|([0-9]+)(?:-([0-9]+))?)?(?:/([0-9]+))?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY, _MONDAY, _FRIDAY, _SATURDAY = 1, 2, 6, 7
# What names a day only together with its month.
_OF_DAYS = re.compile(r"L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W")
_OF_WEEKDAYS = re.compile(r"L|[1-7]L|[1-7]#[1-5]")
# The calendar repeats after so many days, until 2100, which has no 29 February.
_CALENDAR_DAYS = 28 * 365 + 7


class Rate(NamedTuple):
    """`rate(...)`: a number of hours or days."""

    number: int
    unit: str
    """`hour` or `day`."""


class Cron(NamedTuple):
    """`cron(0 HOURS DAYS MONTHS WEEKDAYS *)`: the values of each field.

    None if a field is out of range; empty for `?`. Days and weekdays are numbers, or what names
    one day of a month: `L`, `15W`, `2#5`.
    """

    hours: frozenset[int] | None
    days: frozenset[str] | None
    months: frozenset[int] | None
    weekdays: frozenset[str] | None


class _Day(NamedTuple):
    """A day, with all that names it in the fields of a `Cron`."""

    days: frozenset[str]
    month: int
    weekdays: frozenset[str]


def parse(expression: str) -> Rate | Cron | None:
    """Parse an expression; None if it has neither form."""
    if rate := _RATE.fullmatch(expression):
        return Rate(int(rate[1]), rate[2])
    if cron := _CRON.fullmatch(expression):
        return Cron(
            _values(cron[1], range(24)),
            _labels(cron[2], range(1, 32), _OF_DAYS),
            _values(_numbered(cron[3], _MONTHS), range(1, 13)),
            _labels(_numbered(cron[4], _WEEKDAYS), range(1, 8), _OF_WEEKDAYS),
        )
    return None


def longest_gap_days(expression: str) -> int | None:
    """Return the most days between two rotations; None if it never rotates."""
    parsed = parse(expression)
    if isinstance(parsed, Rate):
        return parsed.number if parsed.unit == "day" else -(-parsed.number // 24)
    if parsed is None or None in parsed:
        return None
    return max(_gaps(parsed), default=None)


def is_daily(cron: Cron) -> bool:
    """Whether it ever rotates on two days in a row."""
    return 1 in _gaps(cron)


@functools.cache
def _gaps(cron: Cron) -> frozenset[int]:
    """Return the days between two rotations."""
    runs = [number for number, day in enumerate(_calendar()) if _runs(cron, day)]
    again = [first + _CALENDAR_DAYS for first in runs[:1]]
    return frozenset(later - sooner for sooner, later in pairwise(runs + again))


def _runs(cron: Cron, day: _Day) -> bool:
    if day.month not in (cron.months or ()):
        return False
    if cron.days:
        return not cron.days.isdisjoint(day.days)
    return not day.weekdays.isdisjoint(cron.weekdays or ())


@functools.cache
def _calendar() -> tuple[_Day, ...]:
    return tuple(_day(date(2024, 1, 1) + timedelta(number)) for number in range(_CALENDAR_DAYS))


def _day(day: date) -> _Day:
    last = calendar.monthrange(day.year, day.month)[1]
    left, weekday = last - day.day, day.isoweekday() % 7 + 1
    near = _nearest_to(day.day, weekday, last)
    days = [f"{day.day}", f"L-{left}", *(f"{each}W" for each in near)]
    days += ["L"] * (left == 0) + ["LW"] * (last in near)
    weekdays = [f"{weekday}", f"{weekday}#{(day.day + 6) // 7}"]
    weekdays += [f"{weekday}L"] * (left < 7) + ["L"] * (weekday == _SATURDAY)  # noqa: PLR2004 (days of a week)
    return _Day(frozenset(days), day.month, frozenset(weekdays))


def _nearest_to(day: int, weekday: int, last: int) -> set[int]:
    """Return the days of a month to which this one is the nearest from Monday to Friday."""
    if weekday in (_SUNDAY, _SATURDAY):
        return set()
    near = {day}
    if weekday == _MONDAY:
        near |= {1, 2} if day == 3 else {day - 1}  # noqa: PLR2004 (the 1st is a Saturday)
    if weekday == _FRIDAY:
        near |= {day + 1, last} if day + 2 == last else {day + 1}
    return near & {*range(1, last + 1)}


def _numbered(text: str, names: tuple[str, ...]) -> str:
    """Replace names by their numbers, from 1 on, however they are capitalized."""
    return re.sub(
        rf"\b({'|'.join(names)})(?!\d)",
        lambda name: str(names.index(name[1].upper()) + 1),
        text,
        flags=re.IGNORECASE,
    )


def _values(text: str, allowed: range) -> frozenset[int] | None:
    parts = [_part(part, allowed) for part in text.split(",")]
    return frozenset(chain(*parts)) if all(parts) else None


def _labels(text: str, allowed: range, special: re.Pattern[str]) -> frozenset[str] | None:
    """Parse the field of days or weekdays."""
    if text == "?":
        return frozenset()
    parts = [
        [part] if special.fullmatch(part) else [*map(str, _part(part, allowed))]
        for part in text.split(",")
    ]
    return frozenset(chain(*parts)) if all(parts) else None


def _part(text: str, allowed: range) -> range:
    """Parse a number, a range or a step of a field; empty if it is none, or out of range."""
    read = _PART.fullmatch(text)
    if read is None:
        return range(0)
    first = int(read[1]) if read[1] else allowed.start
    last = int(read[2] or (first if read[1] and not read[3] else allowed.stop - 1))
    step = int(read[3] or 1)
    is_within = first in allowed and last in allowed and first <= last
    return range(first, last + 1, step) if is_within and step else range(0)

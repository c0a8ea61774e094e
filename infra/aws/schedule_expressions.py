"""Parses schedule expressions of rotation. Pure: no Pulumi, no boto3.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

import re
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

    None if a field is out of range; empty for `?`. The meaning of `L`, `W` and `#` depends on the
    month, so a field with one of them has every value.
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


def _values(
    text: str, allowed: range, wildcards: str = "", names: tuple[str, ...] = ()
) -> frozenset[int] | None:
    if text == "?" and "?" in wildcards:
        return frozenset()
    if any(wildcard in text for wildcard in wildcards):
        return frozenset(allowed)
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

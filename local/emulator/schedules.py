"""EventBridge: the schedule expressions that a rule can have.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

The year is any number: AWS takes those outside its documented range.
"""

import re
from typing import NamedTuple


class _Field(NamedTuple):
    """A field of a cron expression."""

    least: int
    most: int
    names: tuple[str, ...] = ()
    extra: str = r"(?!)"
    """What only this field can have, as a regular expression; by default nothing."""


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31, extra=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field(1, 12, _MONTHS),
    _Field(1, 7, _DAYS, extra=rf"\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])"),
    _Field(0, 9999),
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4

_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\((\S+(?: \S+){5})\)")
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/\d+)?")


def is_valid(expression: str) -> bool:
    """Return whether a rule can have the expression: `rate(5 minutes)`, `cron(0 12 * * ? *)`."""
    if _RATE.fullmatch(expression):
        return True
    cron = _CRON.fullmatch(expression)
    if cron is None:
        return False
    texts = cron[1].split(" ")
    if [texts[_DAY_OF_MONTH], texts[_DAY_OF_WEEK]].count("?") != 1:
        return False
    return all(
        _is_item(item, field)
        for text, field in zip(texts, _FIELDS, strict=True)
        for item in text.split(",")
    )


def _is_item(text: str, field: _Field) -> bool:
    if re.fullmatch(field.extra, text):
        return True
    item = _ITEM.fullmatch(text)
    return item is not None and all(_is_value(value, field) for value in item.groups() if value)


def _is_value(text: str, field: _Field) -> bool:
    if text.isdecimal():
        return field.least <= int(text) <= field.most
    return text.upper() in field.names

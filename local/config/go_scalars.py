"""How the Pulumi CLI reads a YAML scalar without quotes, and how it writes a number.

Ported from resolve.go of https://github.com/go-yaml/yaml, v3.0.1.
"""

import math
import re
from datetime import datetime
from decimal import Decimal

_WORDS: dict[str, object] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    "([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|(0|[1-9][0-9]{0,19}))"
)
_BASES = (2, 8, 16, 10)
_INTEGERS = range(-(2**63), 2**64)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DIVIDED = re.compile("(?<=[0-9])_(?=[0-9])")
# A time after a T has a zone; a time after a space has none.
_DATE = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:(?:([Tt])| )(\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?(4)(?:Z|[-+]\d\d:\d\d)))?",
    re.ASCII,
)
# Numbers in this range are written without an exponent.
LEAST_WITHOUT_EXPONENT, LEAST_WITH_EXPONENT = 1e-6, 1e21


def plain(text: str) -> object:
    """Return the value of a scalar without quotes: text, a number, true, false, None, a date."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-":
        return _date(text) or _number(text.replace("_", ""), text)
    return _number(_DIVIDED.sub("", text), text) if text[0] == "." else text


def number(value: float) -> str:
    """Format a number as the CLI does, with Go's encoding/json."""
    if not LEAST_WITHOUT_EXPONENT <= abs(value) < LEAST_WITH_EXPONENT:
        return re.sub(r"e-0(?=\d$)", "e-", repr(value))
    return format(Decimal(repr(value)), "f")


def _date(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, _, *time = found.groups(default="0")
    hour, minute, second = map(int, time)
    try:  # the calendar repeats every 400 years, and datetime has no year 0
        return datetime(  # noqa: DTZ001 (only its validity matters)
            int(year) % 400 + 2000, int(month), int(day), hour, minute, second
        )
    except ValueError:
        return None


def _number(digits: str, text: str) -> object:
    if found := _INTEGER.fullmatch(digits):
        sign, *written = found.groups()
        value = next(int(each, base) for each, base in zip(written, _BASES, strict=True) if each)
        value = -value if sign == "-" else value
        if value in _INTEGERS:
            return value
    if _FLOAT.fullmatch(digits) and math.isfinite(fraction := float(digits)):
        return fraction
    return text

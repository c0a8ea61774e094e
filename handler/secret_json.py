"""Reads a secret's value, a JSON object, and writes it again without losing anything."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
_MAX_BYTES = 65_536
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Lossy(Exception):
    """Writing the value again would change or lose a part of it; the text says what to do.

    The text may name a field, and contains no secret value.
    """


def parse(text: str) -> dict[str, Any] | None:
    """Read a value; None if it is not a JSON object, or is nested too deeply."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # a ValueError would quote what it could not decode
        return None
    return value if isinstance(value, dict) else None


def rewrite(value: dict[str, Any], original: str) -> str:
    """Write a value that was derived from what `parse` read from `original`.

    Raises:
        Lossy: `original` has something that `parse` loses, or the value is too large.

    """
    try:
        json.loads(
            original, object_pairs_hook=_unique, parse_float=_exact, parse_constant=_constant
        )
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise Lossy("the value is nested too deeply; make it flatter") from None
    # A lone surrogate cannot be encoded in UTF-8, only escaped.
    written = _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
    size = len(written.encode())
    if size > _MAX_BYTES:
        raise Lossy(
            f"the new value would have {size:,} bytes, and Secrets Manager stores at most"
            f" {_MAX_BYTES:,}; make it smaller"
        )
    return written


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, each in pairs:
        if name in fields:
            raise Lossy(f"the value has the field {name!r} twice; remove one of them")
        fields[name] = each
    return fields


def _exact(digits: str) -> float:
    number = float(digits)
    try:
        kept = Decimal(repr(number)) == Decimal(digits)
    except ArithmeticError:  # the exponent is too large
        kept = False
    if not kept:
        raise Lossy(
            "the value has a number with more digits, or a larger exponent, than a 64-bit float"
            " keeps; put it in quotes"
        )
    return number


def _constant(name: str) -> NoReturn:
    raise Lossy(f"the value has {name}, which JSON does not allow; put it in quotes")

"""Searches a long text for any of thousands of values at once."""

from collections.abc import Collection
from typing import AnyStr

_SAMPLE = 8
_STEP = 9
_LONG = _SAMPLE + _STEP - 1


def contains_any(text: AnyStr, values: Collection[AnyStr]) -> bool:
    """Whether a text contains any of these values.

    Only values of fewer than 16 characters are searched for one by one. Of a longer value, every
    occurrence covers the 8 characters at one of every ninth position, so that one pass over these
    positions finds the few values that can be there at all.
    """
    long = [value for value in values if len(value) >= _LONG]
    samples = {value[start : start + _SAMPLE] for value in long for start in range(_STEP)}
    seen = samples.intersection(text[at : at + _SAMPLE] for at in range(0, len(text), _STEP))
    return any(
        value in text
        for value in values
        if len(value) < _LONG or any(sample in value for sample in seen)
    )

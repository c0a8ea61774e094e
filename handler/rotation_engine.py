"""What the steps of a rotation and the engines of the strategies share."""

from collections.abc import Mapping
from typing import Any, Protocol

Value = dict[str, Any]
"""A secret's value, a JSON object."""


class RotationError(Exception):
    """A step failed. The text says why and what to do, and contains no secret value.

    Names in the text come from the secret and may contain newlines, so they are escaped.
    """

    def __init__(self, text: str) -> None:
        super().__init__("".join(each if each.isprintable() else _escaped(each) for each in text))


class Refused(RotationError):
    """The password was rejected; another one may be accepted."""


class Abandoned(RotationError):
    """The rotation was abandoned and AWSPENDING removed; the secret may be rotated again."""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


class Engine(Protocol):
    """The part of a rotation that depends on the strategy. Every method may be repeated."""

    def next_value(self, current: Value, generated: Mapping[str, str]) -> Value:
        """Return the value that follows `current`; `generated` are the new texts by field."""

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether `pending` was derived from `current` or from an equal value."""

    def set(self, pending: Value) -> None:
        """Make `pending` valid where it is used."""

    def test(self, value: Value) -> None:
        """Use the value. Raises `Refused` if it is not valid."""

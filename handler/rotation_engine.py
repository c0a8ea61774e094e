"""What the steps of a rotation and the engines of the strategies have in common."""

from collections.abc import Mapping
from typing import Any, Protocol

Value = dict[str, Any]
"""A secret's value, a JSON object."""


class RotationError(Exception):
    """A step cannot go on. The text says why and what to do, and holds no value.

    It is one line: names in it are from the secret, whose writers may have put newlines in.
    """

    def __init__(self, text: str) -> None:
        super().__init__("".join(each if each.isprintable() else _escaped(each) for each in text))


class Refused(RotationError):
    """The password is wrong; another one may be right."""


class Abandoned(RotationError):
    """AWSPENDING is taken off already; the secret may be rotated again."""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


class Engine(Protocol):
    """What is particular to one kind of secret. Every method may be repeated."""

    def next_value(self, current: Value, made: Mapping[str, str]) -> Value:
        """Return the value that follows `current`; `made` are the new texts, by field."""

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether `pending` was made from `current`, or from one like it."""

    def set(self, pending: Value) -> None:
        """Make `pending` valid where it is used."""

    def test(self, value: Value) -> None:
        """Use the value. Raises `Refused` where it is not valid."""

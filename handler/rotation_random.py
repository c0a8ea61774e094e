"""Rotates what is its own proof: keys and tokens that nobody else keeps.

With an overlap, the value carries the texts that it supersedes and the time until which they are
to be accepted: `"previous": {<field>: <old text>, …, "validUntil": <ISO 8601, UTC>}`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rotation_engine import Refused, Value

_PREVIOUS = "previous"


class Random:
    """New texts for `fields`, valid as soon as they are current."""

    def __init__(self, fields: frozenset[str], overlap_seconds: int) -> None:
        self._fields = fields
        self._overlap = timedelta(seconds=overlap_seconds)

    def next_value(self, current: Value, made: Mapping[str, str]) -> Value:
        """Return the value with the new texts and, with an overlap, the old ones beside them."""
        following = {**current, **made}
        following.pop(_PREVIOUS, None)
        if self._overlap:
            valid_until = (datetime.now(UTC) + self._overlap).isoformat(timespec="seconds")
            old = {field: current[field] for field in made if field in current}
            following[_PREVIOUS] = {**old, "validUntil": valid_until}
        return following

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether the rest is the same, and the old texts are those of `current`."""
        made = {field: pending.get(field, "") for field in self._fields}
        return _timeless(pending) == _timeless(self.next_value(current, made))

    def set(self, pending: Value) -> None:
        """Do nothing: nobody else has to know it."""

    def test(self, value: Value) -> None:
        """See that every field is there."""
        missing = sorted(field for field in self._fields if not value.get(field))
        if missing:
            raise Refused(f"the value has no field {', no '.join(missing)}")


def _timeless(value: Value) -> Value:
    previous = {**value.get(_PREVIOUS, {}), "validUntil": None}
    return {**value, _PREVIOUS: previous}

"""Rotates keys and tokens that are stored only in the secret.

With an overlap, the value also has the texts that it replaces, and the time until which they are
accepted: `"previous": {<field>: <old text>, …, "validUntil": <ISO 8601, UTC>}`. If those replaced
others that are still valid, `previous` has a `previous` of the same form, and so on.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rotation_engine import Refused, Value

_PREVIOUS = "previous"
# `validUntil` is written before the new texts become current, which failed steps may delay. After
# a longer delay the rotation is abandoned, so the overlap is never shorter than configured.
_TIME_TO_FINISH = timedelta(hours=1)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class Random:
    """New texts for `fields`, valid as soon as they are current."""

    def __init__(self, fields: frozenset[str], overlap_seconds: int) -> None:
        self._fields = fields
        self._overlap = timedelta(seconds=overlap_seconds)

    def next_value(self, current: Value, generated: Mapping[str, str]) -> Value:
        """Return the value with the new texts and, with an overlap, the old ones next to them."""
        return self._following(current, generated, datetime.now(UTC).replace(microsecond=0))

    def follows(self, pending: Value, current: Value) -> bool:
        """Return whether `pending` was derived from `current`.

        With an overlap, also whether there is still time to finish.
        """
        generated, made_at = {field: pending.get(field, "") for field in self._fields}, _LONG_AGO
        if self._overlap:
            valid_until = _valid_until(pending.get(_PREVIOUS))
            if valid_until < datetime.now(UTC) + self._overlap:
                return False
            made_at = valid_until - self._overlap - _TIME_TO_FINISH
        return pending == self._following(current, generated, made_at)

    def _following(self, current: Value, generated: Mapping[str, str], made_at: datetime) -> Value:
        following = {**current, **generated}
        older = following.pop(_PREVIOUS, None)
        if self._overlap:
            valid_until = made_at + _TIME_TO_FINISH + self._overlap
            previous = {field: current[field] for field in generated if field in current}
            previous["validUntil"] = valid_until.isoformat(timespec="seconds")
            following[_PREVIOUS] = previous
            for link in _links(older):
                if _valid_until(link) > made_at:
                    kept = {name: text for name, text in link.items() if name != _PREVIOUS}
                    previous[_PREVIOUS] = kept
                    previous = kept
        return following

    def set(self, pending: Value) -> None:
        """Do nothing: the texts are stored nowhere else."""

    def test(self, value: Value) -> None:
        """Check that no field is missing or empty."""
        missing = sorted(field for field in self._fields if value.get(field) in (None, ""))
        if missing:
            raise Refused(f"the value lacks {', '.join(missing)}")


def _links(previous: Any) -> Iterator[Value]:
    """Yield `previous`, its own `previous`, and so on."""
    while isinstance(previous, dict):
        yield previous
        previous = previous.get(_PREVIOUS)


def _valid_until(previous: Any) -> datetime:
    """Return `validUntil`; if it is invalid, a time long past."""
    try:
        return datetime.fromisoformat(previous["validUntil"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return _LONG_AGO

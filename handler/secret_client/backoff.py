"""After several failures in a row, a value is not asked for during some seconds."""

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# From this failure in a row on; one or two may be those of a grant that is on its way.
_FAILURES = 3
_FIRST_SECONDS, _MOST_SECONDS = 0.5, 5.0
_MAX_KEYS = 1000


class Backoff:
    """Failures in a row, by key."""

    def __init__(self) -> None:
        self._failed: dict[object, tuple[int, float, Any]] = {}

    def recent(self, key: object) -> "Any":
        """Return the last error, if it is not yet time to try again; else None."""
        _, until, outcome = self._failed.get(key, (0, 0.0, None))
        # Further ahead than any back-off: the clock was another one, in a test that froze it.
        return outcome if 0 < until - monotonic() <= _MOST_SECONDS else None

    def failed(self, key: object, outcome: "Any") -> None:
        """Note a failure."""
        count = self._failed.pop(key, (0,))[0] + 1
        seconds = 0.0
        if count >= _FAILURES:
            seconds = min(_MOST_SECONDS, _FIRST_SECONDS * 2 ** (count - _FAILURES))
        if len(self._failed) >= _MAX_KEYS:
            self._failed.clear()
        self._failed[key] = (count, monotonic() + seconds, outcome)

    def worked(self, key: object) -> None:
        """Forget the failures."""
        self._failed.pop(key, None)

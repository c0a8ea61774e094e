"""Running time and time of day: if they drift apart, there was a freeze."""

from time import monotonic, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Entry, Flight

# Without a freeze, they drift apart by less than this.
DRIFT_SECONDS = 1.0
# The longest time that the extension caches a value, by its own clock of running time.
EXTENSION_SECONDS = 300


class Clocks:
    """Remembers freezes for as long as the extension may have a value from before them."""

    def __init__(self, drift: float) -> None:
        """Take the time of day less the running time, as it was when the client was made."""
        self._drift = drift
        self._freezes: list[tuple[float, float]] = []

    def frozen_seconds(self, start: float, now: float) -> float:
        """Return how much older than by its own clock a value of the extension may be.

        A clock that was set back may hide a freeze of any length.
        """
        step = now - start - self._drift
        if abs(step) > DRIFT_SECONDS:
            self._drift += step
            self._freezes.append((start, step if step > 0 else float("inf")))
        self._freezes = [each for each in self._freezes if each[0] > start - EXTENSION_SECONDS]
        return sum(seconds for _, seconds in self._freezes)


def was_frozen(call: "Flight | Entry") -> bool:
    """Whether there was a freeze since the call, or that of a cached value, began."""
    apart = (time() - call.asked_at) - (monotonic() - call.asked)
    return abs(apart) > DRIFT_SECONDS

"""What is cached, and what is being asked."""

from _thread import RLock, allocate_lock
from time import monotonic

from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# After this part of its time, a value is fetched again while the cached one is still served.
_FRESH_PART = 2 / 3
_MAX_ENTRIES = 1000
_MAX_BYTES = 8 * 1024 * 1024


class Entry:
    """A cached value. It ages by running time and by the time of day, whichever is further on.

    An execution environment is frozen between invocations, when running time may stand still.
    """

    __slots__ = ("asked", "asked_at", "fresh_at", "fresh_until", "retry_after", "seconds", "value")

    def __init__(self, value: Value, asked: float, asked_at: float, seconds: float) -> None:
        """Take both times of the request, and for how many seconds the value is valid."""
        self.value = value
        self.asked = asked
        self.asked_at = asked_at
        self.seconds = seconds
        self.fresh_until = asked + seconds * _FRESH_PART
        """Running time, and `fresh_at` time of day, until which it is served without a call."""
        self.fresh_at = asked_at + seconds * _FRESH_PART
        self.retry_after = 0.0
        """After a failed fetch, nothing is fetched before this running time."""


class Flight:
    """A call in progress, and the threads that wait for its outcome."""

    __slots__ = ("asked", "asked_at", "deadline", "done", "outcome", "thread")

    def __init__(self, asked: float, asked_at: float, deadline: float, thread: int) -> None:
        self.asked = asked
        self.asked_at = asked_at
        self.deadline = deadline
        self.thread = thread
        self.done = allocate_lock()
        self.done.acquire()
        self.outcome: Any = None
        """The value, or the error; None if the thread that asked ended without either."""

    def wait(self, deadline: float) -> bool:
        """Wait for the outcome; False if the deadline comes first."""
        if not self.done.acquire(timeout=max(0.0, deadline - monotonic())):
            return False
        self.done.release()
        return True


class Cache:
    """The entries and the calls in progress, by key, and the values that were read."""

    def __init__(self) -> None:
        self.entries: dict[object, Entry] = {}
        self.flights: dict[object, Flight] = {}
        self._bytes = 0
        self._lock = RLock()  # a signal handler may read, too
        self._read: dict[object, Value] | None = None

    def keep(self, key: object, value: Value, flight: Flight, seconds: float) -> None:
        """Cache a value; its age counts from the time of the request."""
        with self._lock:
            self.drop(key)
            self._bytes += _size(value)
            while self._bytes > _MAX_BYTES or len(self.entries) >= _MAX_ENTRIES:
                if not self.entries:
                    break
                self.drop(next(iter(self.entries)))
            self.entries[key] = Entry(value, flight.asked, flight.asked_at, seconds)
            if self._read is not None:
                self._remember(value)

    def drop(self, key: object) -> None:
        """Drop an entry, if there is one."""
        with self._lock:
            old = self.entries.pop(key, None)
            if old is not None:
                self._bytes -= _size(old.value)

    def after_fork(self) -> None:
        """Forget what other threads were doing."""
        self._lock = RLock()
        self.flights.clear()
        self._bytes = sum(_size(entry.value) for entry in self.entries.values())

    def end(self, key: object, flight: Flight) -> None:
        """End a call, whatever came of it."""
        if self.flights.get(key) is flight:
            del self.flights[key]
        flight.done.release()

    def values(self) -> tuple[Value, ...]:
        """Return the last different values; from the first call on, those dropped, too."""
        with self._lock:
            if self._read is None:
                self._read = {}
                for entry in self.entries.values():
                    self._remember(entry.value)
            return tuple(self._read.values())

    def _remember(self, value: Value) -> None:
        read = self._read
        assert read is not None  # noqa: S101 (for the type)
        # Not the text itself, which `vars` would show.
        key = value.arn, value.version, hash(value._text or value._binary)  # noqa: SLF001
        read.pop(key, None)
        read[key] = value
        while len(read) > _MAX_ENTRIES or sum(map(_size, read.values())) > _MAX_BYTES:
            del read[next(iter(read))]


def _size(value: Value) -> int:
    return (value._text or value._binary or "").__sizeof__()  # noqa: SLF001 (no copy of it)

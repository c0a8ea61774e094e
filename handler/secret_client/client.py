"""The client: the first read of each value, in most environments the only one.

`loading` does the rest. It is imported when it is needed, as is `sdk`.
"""

import os
from _thread import RLock, allocate_lock, get_ident
from time import monotonic, time

from .extension import Question, from_extension, is_elsewhere
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .loading import Loader
    from .telemetry import Telemetry

    T = TypeVar("T")

# After this part of its time, a value is fetched again while the cached one is still served.
_FRESH_PART = 2 / 3
_MAX_ENTRIES = 1000
_MAX_BYTES = 8 * 1024 * 1024


class Entry:
    """A cached value. Its age is by running time or by time of day, whichever is greater.

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

    def is_fresh(self, running: float, day: float) -> bool:
        """Whether it is served without a call, at a running time and a time of day."""
        return self.fresh_until > running and self.asked_at <= day < self.fresh_at


class Flight:
    """A call, and the threads that wait for its outcome: it is in progress while `done` is locked.

    The thread that makes it locks `done` by a `with`, which an exception of a signal handler can
    not come in between of.
    """

    __slots__ = ("asked", "asked_at", "deadline", "done", "outcome", "thread")

    def __init__(self, asked: float, asked_at: float, deadline: float, thread: int) -> None:
        self.asked = asked
        self.asked_at = asked_at
        self.deadline = deadline
        self.thread = thread
        self.done = allocate_lock()
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

    def flight(self, deadline: float) -> Flight:
        """Return a call of this thread, which other threads cannot find yet."""
        return Flight(monotonic(), time(), deadline, get_ident())

    def keep(self, key: object, value: Value, flight: Flight, seconds: float) -> None:
        """Cache a value, unless a newer one is cached. Its age starts with the request."""
        with self._lock:
            if self._read is not None:
                self._remember(value)
            cached = self.entries.get(key)
            if cached is not None and flight.asked < cached.asked <= monotonic():
                return
            self.drop(key)
            self._bytes += _size(value)
            while self.entries and (self._bytes > _MAX_BYTES or len(self.entries) >= _MAX_ENTRIES):
                self.drop(_oldest(self.entries))
            self.entries[key] = Entry(value, flight.asked, flight.asked_at, seconds)

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

    def forget(self, key: object, flight: Flight) -> None:
        """Forget a call, if it is still the one of its key."""
        if self.flights.get(key) is flight:
            self.flights.pop(key, None)  # a signal handler may have ended it meanwhile

    def values(self) -> tuple[Value, ...]:
        """Return the last different values; after the first call, also values dropped since."""
        with self._lock:
            if self._read is None:
                self._read = {}
                for entry in tuple(self.entries.values()):
                    self._remember(entry.value)
            return tuple(self._read.values())

    def _remember(self, value: Value) -> None:
        read = self._read
        assert read is not None  # noqa: S101 (for the type)
        # Not the text: `vars` would show it.
        key = value.arn, value.version, hash(value._text or value._binary)  # noqa: SLF001
        read.pop(key, None)
        read[key] = value
        while len(read) > _MAX_ENTRIES or sum(map(_size, tuple(read.values()))) > _MAX_BYTES:
            read.pop(_oldest(read), None)


def _oldest(kept: "dict[Any, Any]") -> object:
    """Return the first key. The copy is one step, so no signal handler can interrupt it."""
    return next(iter(tuple(kept)), None)


def _size(value: Value) -> int:
    return (value._text or value._binary or "").__sizeof__()  # noqa: SLF001 (no copy of it)


# The part of an invocation's remaining time that is left to the handler.
_RESERVE_SECONDS = 0.2
# Without a freeze, running time and time of day drift apart by less than this.
DRIFT_SECONDS = 1.0


class SecretClient:
    """Reads secrets and parameters; see the package's text.

    Safe to use from any number of threads, in signal handlers, and after a fork. SnapStart may
    restore it anywhere.

    Args:
        cache_seconds: instead of SECRETS_CACHE_SECONDS.
        replica_regions: instead of SECRETS_REPLICA_REGIONS.
        telemetry: instead of SECRETS_TELEMETRY.
        timeout_seconds: longest time a call may take; a second while a cached value is valid. The
            default is more than Lambda's default timeout, 3 s: pass the `context`, which also
            bounds a call, and allows further tries when nobody answered.
        make_client: service and region (None: the function's own) -> client of an SDK, instead of
            the client's own. It must have short timeouts: what hangs in it lives on in its
            thread.

    """

    def __init__(
        self,
        *,
        cache_seconds: float | None = None,
        replica_regions: tuple[str, ...] | None = None,
        telemetry: bool | None = None,
        timeout_seconds: float = 5.0,
        make_client: "Callable[[str, str | None], Any] | None" = None,
    ) -> None:
        environ = os.environ
        if cache_seconds is None:
            given = environ.get("SECRETS_CACHE_SECONDS") or "150"
            self._cache_seconds = _seconds("SECRETS_CACHE_SECONDS", given)
        else:
            self._cache_seconds = _seconds("cache_seconds", cache_seconds)
        self._timeout_seconds = _seconds("timeout_seconds", timeout_seconds)
        if not self._timeout_seconds:
            raise ValueError("timeout_seconds must be more than 0, got 0")
        if replica_regions is None:
            listed = environ.get("SECRETS_REPLICA_REGIONS", "")
            replica_regions = tuple(listed.replace(",", " ").split())
        elif {*map(type, replica_regions)} - {str} or isinstance(replica_regions, str):
            raise TypeError(f"replica_regions must be a tuple of names, got {replica_regions!r}")
        if telemetry is None:
            telemetry = environ.get("SECRETS_TELEMETRY", "").lower() == "true"
        self._telemetry = _telemetry() if telemetry else None
        self._replica_regions = replica_regions
        self._make_client = make_client
        # Read now, because an application may change its credentials later.
        self._token = environ.get("AWS_SESSION_TOKEN", "")
        self._cache = Cache()
        self._entries = self._cache.entries
        self._loaders: dict[None, Loader] = {}
        self._drift = time() - monotonic()
        self._process = os.getpid()
        if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from snapshot_restore_py import register_after_restore

            register_after_restore(self._after_restore)

    def get_secret(
        self,
        secret_id: str,
        *,
        version_id: str | None = None,
        version_stage: str | None = None,
        refresh: bool = False,
        context: "Any" = None,
    ) -> Value:
        """Read a secret.

        Args:
            secret_id: name or ARN. With an ARN of another region, the SDK asks that region.
            version_id: one version; without it and `version_stage`, AWSCURRENT.
            version_stage: the version with this staging label.
            refresh: bypass every cache, the extension's too, and ask AWS directly. The value was
                read after this call began.
            context: Lambda's context object; its remaining time then bounds the call.

        Raises:
            SecretError: one subclass for each cause.

        """
        key: object = secret_id
        if version_id is not None or version_stage is not None:
            key = (secret_id, version_id, version_stage)
        try:
            entry = self._entries.get(key)
        except TypeError:  # not hashable, so not a name either
            entry = None
        if (  # `_fresh` and `Entry.is_fresh`, without their calls
            entry is not None
            and entry.fresh_until > monotonic()
            and entry.asked_at <= time() < entry.fresh_at
            and not refresh
        ):
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry.value
        path, selectors = "/secretsmanager/get?secretId=", {}
        if version_id is not None:
            selectors["versionId"] = version_id
        if version_stage is not None:
            selectors["versionStage"] = version_stage
        question = Question("secretsmanager", secret_id, key, path, selectors, refresh=refresh)
        return self._load(question, context)

    def get_parameter(  # noqa: PLR0913 (each selects the value)
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        decrypt: bool = True,
        refresh: bool = False,
        context: "Any" = None,
    ) -> Value:
        """Read a parameter of Parameter Store; a SecureString decrypted.

        Args:
            name: name or ARN.
            version: one version, by number; without it and `label`, the newest.
            label: the version with this label; not with `version`.
            decrypt: whether a SecureString is decrypted, or its ciphertext wanted.
            refresh: as in `get_secret`.
            context: as in `get_secret`.

        Raises:
            SecretError: one subclass for each cause.

        """
        key = (name, version, label, decrypt)
        value = None if refresh else self._fresh(key)
        if value is not None:
            return value
        path, selectors = "/systemsmanager/parameters/get?name=", {}
        if version is not None:
            if label is not None or type(version) is not int:
                from .errors import InvalidValue

                raise InvalidValue(
                    f"{name!a}: pass either a version, a number, or a label, not both"
                )
            selectors["version"] = str(version)
        if label is not None:
            selectors["label"] = label
        if decrypt:
            selectors["withDecryption"] = "true"
        return self._load(Question("ssm", name, key, path, selectors, refresh=refresh), context)

    def values_read(self) -> tuple[Value, ...]:
        """Return the last different values that were read, for `redaction`.

        From the first call on, those that the cache drops are kept as well, as far as there is
        room.
        """
        if self._process != os.getpid():
            self._after_fork()
        return self._cache.values()

    def with_fresh_credentials(
        self,
        secret_id: str,
        use: "Callable[[Value], T]",
        is_auth_error: "Callable[[Exception], bool]",
        *,
        context: "Any" = None,
    ) -> "T":
        """Use a secret that may be rotated at any moment; no rotation is noticed.

        `use` is called with the cached value. If it fails to authenticate, it is called with
        AWSCURRENT, read again; then AWSPENDING, whose password the database may already have;
        then AWSCURRENT, read once more. No version is tried twice. After all of them were refused
        several times, only the cached value is tried for some seconds.

        Args:
            secret_id: name or ARN.
            use: logs in and does the work; called up to four times.
            is_auth_error: whether an exception of `use` means that the credentials were refused.
            context: as in `get_secret`.

        Raises:
            Exception: of `use`: any that is no authentication error, or the last one that is,
                with notes that say what could not be read.
            SecretError: nothing could be read.

        """
        from .credentials import use_fresh

        return use_fresh(self, self._loader, secret_id, use, is_auth_error, context)

    def _fresh(self, key: object) -> Value | None:
        try:
            entry = self._entries.get(key)
        except TypeError:  # not hashable, so not a name either
            return None
        if entry is None or not entry.is_fresh(monotonic(), time()):
            return None
        if self._telemetry is not None:
            self._telemetry.hits += 1
        return entry.value

    def _load(self, question: Question, context: "Any") -> Value:
        if self._process != os.getpid():
            self._after_fork()
        start, now = monotonic(), time()
        if (
            question.refresh
            or self._loaders
            or question.key in self._entries
            or abs(now - start - self._drift) > DRIFT_SECONDS
            or not self._token
            or is_elsewhere(question)
        ):
            return self._loader().load(question, context)
        deadline = start + self._seconds(context)
        if deadline <= start:
            return self._loader().load(question, context)
        flight = self._cache.flight(deadline)
        with flight.done:
            if self._cache.flights.setdefault(question.key, flight) is flight:
                try:
                    return self._load_first(question, context, flight)
                finally:
                    self._cache.forget(question.key, flight)
        return self._loader().load(question, context)

    def _load_first(self, question: Question, context: "Any", flight: Flight) -> Value:
        try:
            value = from_extension(
                question,
                self._token,
                (flight.asked + flight.deadline) / 2,
                lambda: self._loader().prepare(question),
            )
            if abs(time() - monotonic() - self._drift) > DRIFT_SECONDS:
                raise ConnectionError("the answer is from before a freeze")
        except (OSError, ValueError, OverflowError) as error:
            # Without its frames: their locals hold the token and the response.
            failure = error.with_traceback(None)
            return self._loader().load(question, context, flight, failure)
        flight.outcome = value
        self._cache.keep(question.key, value, flight, self._cache_seconds)
        if self._telemetry is not None:
            self._telemetry.emit(question.name, monotonic() - flight.asked, value)
        return value

    def _seconds(self, context: "Any") -> float:
        """Return how long a call may take."""
        if context is None:
            return self._timeout_seconds
        left = getattr(context, "get_remaining_time_in_millis", str)()
        if not isinstance(left, (int, float)):
            raise TypeError("context must be the object that Lambda calls the handler with")
        return min(self._timeout_seconds, left / 1000 - _RESERVE_SECONDS)

    def _loader(self) -> "Loader":
        if not self._loaders:
            from .clocks import Clocks
            from .extension_retries import Extension
            from .loading import Loader

            made = Loader(
                self._cache,
                Extension(self._token),
                Clocks(self._drift),
                seconds=self._seconds,
                cache_seconds=self._cache_seconds,
                replica_regions=self._replica_regions,
                make_client=self._make_client,
                telemetry=self._telemetry,
            )
            self._loaders.setdefault(None, made)
        return self._loaders[None]

    def _after_fork(self) -> None:
        """Forget the calls of the parent's threads, which do not exist in this process."""
        self._process = os.getpid()
        self._loaders.clear()
        self._cache.after_fork()

    def _after_restore(self) -> None:
        """Drop what the snapshot cached: its values may have any age."""
        self._entries.clear()
        self._after_fork()
        self._drift = time() - monotonic()


def _seconds(name: str, given: "Any") -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} must be a number of seconds, got {given!r}")
    return seconds


def _telemetry() -> "Telemetry":
    from .telemetry import Telemetry

    return Telemetry()

"""Reads that are not the first: one thread asks for all of them, the others wait.

It asks the extension, or AWS itself if the extension fails or may have an older value.
"""

from _thread import get_ident
from time import monotonic, time

from .backoff import Backoff
from .clocks import EXTENSION_SECONDS, Clocks, was_frozen
from .errors import NETWORK, TRANSIENT, SecretError, Unavailable
from .extension import Question, is_elsewhere
from .extension_retries import SLOW_SECONDS, Extension
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .client import Cache, Entry, Flight
    from .sdk import Sdk
    from .telemetry import Telemetry

# While the cached value is valid, a fetch may take this long. After a failure, the next fetch
# waits as long.
_STALE_SECONDS = 1.0
# A thread that has this much time left asks again after a thread with less time has failed.
_AGAIN_SECONDS = 0.25
# As many reads as `with_fresh_credentials` makes; together they take at most 20 seconds.
_FURTHER_TRIES = 3
# After a freeze, or if the thread that asked has ended, it tries again, up to this often.
_ATTEMPTS = 4
_MAX_OUTDATED = 1000


class Loader:
    """Reads for one client, in one process."""

    def __init__(  # noqa: PLR0913 (what the client was made with)
        self,
        cache: "Cache",
        extension: Extension,
        clocks: Clocks,
        *,
        seconds: "Callable[[Any], float]",
        cache_seconds: float,
        replica_regions: tuple[str, ...],
        make_client: "Callable[[str, str | None], Any] | None",
        telemetry: "Telemetry | None",
    ) -> None:
        """`seconds` returns how long a call may take, given a Lambda context."""
        self.backoff = Backoff()
        self._cache = cache
        self._seconds = seconds
        self._cache_seconds = cache_seconds
        self._replica_regions = replica_regions
        self._make_client = make_client
        self._extension = extension
        self._clocks = clocks
        self._telemetry = telemetry
        self._sdk: Sdk | None = None
        # ARN -> version that a refresh found, and until when the extension may have another one.
        self._outdated: dict[str, tuple[str, float]] = {}

    def load(
        self,
        question: Question,
        context: "Any",
        flight: "Flight | None" = None,
        failure: Exception | None = None,
    ) -> Value:
        """Read; try again if there was no answer and no cached value, and the context leaves time.

        `flight` and `failure` are a call that this thread has started, and how the extension
        failed.
        """
        try:
            return self._load(question, context, flight, failure)
        except Unavailable as error:
            if context is not None and not question.refresh:
                for _ in range(_FURTHER_TRIES):
                    if self._seconds(context) <= 0:
                        break
                    try:
                        return self._load(question, context)
                    except Unavailable as again:
                        error.add_note(str(again))
            raise

    def _load(
        self,
        question: Question,
        context: "Any",
        flight: "Flight | None" = None,
        failure: Exception | None = None,
    ) -> Value:
        if flight is None:
            start, now = monotonic(), time()
            deadline = start + self._seconds(context)
        else:
            start, now, deadline = flight.asked, flight.asked_at, flight.deadline
        key = (question.key, "refresh") if question.refresh else question.key
        cached = None if question.refresh else self._valid(question.key)
        if cached is not None:
            if key in self._cache.flights or cached.is_fresh(start, now):
                if self._telemetry is not None:
                    self._telemetry.hits += 1
                return cached.value
            if cached.asked + cached.seconds > start + _STALE_SECONDS:
                deadline = min(deadline, start + _STALE_SECONDS)
        try:
            self._require_sense(question, cached, start, deadline)
            if flight is None:
                value = self._join_or_lead(question, key, deadline)
            else:
                value = self._lead(question, flight, deadline, failure)
        except SecretError as error:
            return self._serve_stale(question, start, error)
        self._count(question, start, value)
        return value

    def _valid(self, key: object) -> "Entry | None":
        """Return the cached entry, if both clocks say that it is valid."""
        entry = self._cache.entries.get(key)
        if entry is None:
            return None
        age = max(monotonic() - entry.asked, time() - entry.asked_at)
        return entry if age < entry.seconds and time() >= entry.asked_at else None

    def _require_sense(
        self, question: Question, cached: "Entry | None", start: float, deadline: float
    ) -> None:
        """Raise an error if it makes no sense to ask now."""
        if deadline <= start:
            late = "the invocation has no time left; raise the function's timeout"
            raise Unavailable(f"{question.name}: {late}")
        if cached is not None and cached.retry_after > start:
            raise Unavailable(f"{question.name}: it failed a moment ago")
        if (error := self.backoff.recent(question.key)) is not None:
            raise type(error)(*error.args)

    # --- one call for all threads ----------------------------------------------------------------

    def _join_or_lead(self, question: Question, key: object, deadline: float) -> Value:
        """Ask, or wait for the thread that is asking; ask again if that one had less time."""
        arrived, flights = monotonic(), self._cache.flights
        for _ in range(_ATTEMPTS):
            if value := self._read_since(arrived, question):
                return value
            mine = self._cache.flight(deadline)
            with mine.done:
                flight = flights.setdefault(key, mine)
                if flight is not mine and _is_given_up(flight):
                    flights[key] = flight = mine
                if flight is mine:
                    try:
                        return self._lead(question, mine, deadline)
                    finally:
                        self._cache.forget(key, mine)
            if not flight.wait(deadline):
                break
            outcome = flight.outcome
            if was_frozen(flight) or (question.refresh and flight.asked < arrived):
                continue
            if isinstance(outcome, Value):
                return outcome
            if isinstance(outcome, SecretError) and not (
                isinstance(outcome, Unavailable)
                and flight.deadline < deadline
                and deadline - monotonic() > _AGAIN_SECONDS
            ):
                raise type(outcome)(*outcome.args)
        raise Unavailable(f"{question.name}: no answer to another thread's request; {NETWORK}")

    def _read_since(self, arrived: float, question: Question) -> Value | None:
        """Return what another thread has read since; for a refresh, not from the extension."""
        entry = self._cache.entries.get(question.key)
        if entry is None or not arrived < entry.asked <= monotonic() or was_frozen(entry):
            return None
        return None if question.refresh and entry.value.source == "extension" else entry.value

    def _lead(
        self,
        question: Question,
        flight: "Flight",
        deadline: float,
        failure: Exception | None = None,
    ) -> Value:
        """Fetch and cache a value. The threads that wait for this call get it, or the error."""
        try:
            for _ in range(_ATTEMPTS):
                try:
                    value, seconds = self._fetch(question, flight, deadline, failure)
                except SecretError:
                    if not was_frozen(flight) or monotonic() >= deadline:
                        raise
                else:
                    if not was_frozen(flight):
                        break
                # The outcome is from before the freeze.
                flight.asked, flight.asked_at, failure = monotonic(), time(), None
            else:
                raise Unavailable(
                    f"{question.name}: Lambda froze the environment during each attempt; read it"
                    " inside the handler"
                )
        except SecretError as error:
            flight.outcome = error
            entry = self._cache.entries.get(question.key)
            if entry is not None and not question.refresh and isinstance(error, TRANSIENT):
                entry.retry_after = monotonic() + _STALE_SECONDS
            if not isinstance(error, TRANSIENT):
                self.backoff.failed(question.key, error)
            raise
        flight.outcome = value
        self.backoff.worked(question.key)
        self._keep(question, value, flight, seconds)
        return value

    # --- the cache -------------------------------------------------------------------------------

    def _keep(self, question: Question, value: Value, flight: "Flight", seconds: float) -> None:
        """Cache a value, and drop what a refresh has shown to be old."""
        entry = self._cache.entries.get(question.key)
        is_news = question.refresh and (entry is None or entry.value.version != value.version)
        if is_news:
            if len(self._outdated) >= _MAX_OUTDATED:
                self._outdated.clear()
            self._outdated[value.arn] = (value.version, flight.asked + EXTENSION_SECONDS)
            self._cache.drop(question.key)  # also a newer one: it is from the extension
            for key, other in tuple(self._cache.entries.items()):
                if other.value.arn == value.arn and other.value.version != value.version:
                    self._cache.drop(key)
        self._cache.keep(question.key, value, flight, seconds)

    def _is_bypassed(self, entry: "Entry", flight: "Flight") -> bool:
        """Whether the extension may have an older version than a refresh has found."""
        _, until = self._outdated.get(entry.value.arn, ("", 0.0))
        return until > flight.asked

    def _is_outdated(self, value: Value, flight: "Flight") -> bool:
        """Whether the extension's value is of another version than a refresh has found."""
        version, until = self._outdated.get(value.arn, ("", 0.0))
        return until > flight.asked and version != value.version

    def _serve_stale(self, question: Question, start: float, error: SecretError) -> Value:
        """Serve the cached value if it is still valid and the error transient; else raise it."""
        entry = None if question.refresh else self._valid(question.key)
        if entry is None or not isinstance(error, TRANSIENT):
            self._count(question, start, None, error)
            raise error
        self._count(question, start, entry.value, error, monotonic() - entry.asked)
        return entry.value

    def _count(self, question: Question, start: float, value: Value | None, *why: "Any") -> None:
        if self._telemetry is not None:
            self._telemetry.emit(question.name, monotonic() - start, value, *why)

    # --- the sources -----------------------------------------------------------------------------

    def _fetch(
        self, question: Question, flight: "Flight", deadline: float, failure: Exception | None
    ) -> tuple[Value, float]:
        """Ask; return the value and for how long it is valid."""
        why = "the extension may have an older version"
        regions: tuple[str | None, ...] = (None,)
        if elsewhere := is_elsewhere(question):
            why = "the extension reads in the function's own region only"
            regions = (question.name.split(":", 4)[3],)
        elif question.service == "secretsmanager":
            regions = (None, *self._replica_regions)
        seconds = self._seconds_after_freezes(flight)
        entry = self._cache.entries.get(question.key)
        is_slow = False
        direct = elsewhere or question.refresh or (entry and self._is_bypassed(entry, flight))
        if not direct and seconds is not None:
            half = (flight.asked + deadline) / 2  # the rest is for the SDK and the replicas
            if len(regions) > 1 and self._is_down(question, None):
                half = min(half, monotonic() + SLOW_SECONDS)
            try:
                value = self._extension.read(question, half, failure)
            except OSError as error:
                why = f"the extension failed: {error}"
                is_slow = isinstance(error, TimeoutError)
            except (ValueError, OverflowError) as error:  # the port or the token is invalid
                why = f"the extension was not asked: {type(error).__name__}"
            else:
                if not self._is_outdated(value, flight):
                    return value, seconds
        value = self._from_sdk(question, regions, deadline, why)
        if is_slow:
            self._extension.mark_slow()
        return value, self._cache_seconds

    def _seconds_after_freezes(self, flight: "Flight") -> float | None:
        """How long a response of the extension is valid; None if it may already be too old."""
        frozen = self._clocks.frozen_seconds(flight.asked, flight.asked_at)
        seconds = self._cache_seconds - frozen
        return None if frozen and seconds <= 0 else seconds

    def _is_down(self, question: Question, region: str | None) -> bool:
        return self._sdk is not None and self._sdk.is_down(question.service, region)

    def prepare(self, question: Question) -> None:
        """Prepare the direct call in its own thread, while the extension may still answer."""
        self._sdk_made().prepare((question.service, None))

    def _sdk_made(self) -> "Sdk":
        if self._sdk is None:
            from .sdk import Sdk

            self._sdk = self._sdk or Sdk(self._make_client, self._cache.flight)
        return self._sdk

    def _from_sdk(
        self, question: Question, regions: "tuple[str | None, ...]", deadline: float, why: str
    ) -> Value:
        # A region that is down comes last.
        asked = sorted(regions, key=lambda region: self._is_down(question, region))
        try:
            return self._sdk_made().read(question, asked, deadline, why)
        except ImportError as error:
            reason = f"{why}; AWS cannot be asked directly: add boto3 to the package ({error})"
            raise Unavailable(f"{question.name}: {reason}") from None


def _is_given_up(flight: "Flight") -> bool:
    """Whether not to wait for a call: a signal interrupted or ended it, or it was frozen."""
    return (
        flight.thread == get_ident()
        or not flight.done.locked()
        or flight.deadline <= monotonic()
        or was_frozen(flight)
    )

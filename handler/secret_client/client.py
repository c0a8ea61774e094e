"""The client."""

import os
from _thread import allocate_lock
from time import monotonic

from .errors import NETWORK, TRANSIENT, SecretError, Unavailable
from .extension import Flight, Question, encoded, from_extension
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .sdk import Sdk
    from .telemetry import Telemetry

    T = TypeVar("T")

# The longest time that the extension caches a value.
_EXTENSION_SECONDS = 300
# Left of an invocation's time for the handler to answer.
_RESERVE_SECONDS = 0.2
# After this part of its time, a value is fetched again while the cached one is still served.
_FRESH_PART = 2 / 3
# While the cached value is valid, a fetch may take this long. After it fails, the next one waits
# for as long.
_STALE_SECONDS = 1.0
_MAX_ENTRIES = 1000


class _Entry:
    """A cached value, and the times, on the clock of `monotonic`, that decide how it is used."""

    __slots__ = ("extension_stale_until", "fresh_until", "retry_after", "valid_until", "value")

    value: Value
    fresh_until: float
    """Until then it is served without a call."""
    valid_until: float
    """Until then it is served while another thread fetches, or when a fetch fails."""
    extension_stale_until: float
    """Until then the extension may hold an older version."""
    retry_after: float
    """After a failed fetch, nothing is fetched before this time while the value is valid."""

    def __init__(
        self, value: Value, fresh_until: float, valid_until: float, extension_stale_until: float
    ) -> None:
        self.value = value
        self.fresh_until = fresh_until
        self.valid_until = valid_until
        self.extension_stale_until = extension_stale_until
        self.retry_after = 0.0


class SecretClient:
    """Reads secrets and parameters; see the package's text.

    Safe to use from any number of threads. Nothing of an execution environment is kept from the
    time the client is made, so SnapStart may restore it anywhere.

    Args:
        cache_seconds: instead of SECRETS_CACHE_SECONDS.
        replica_regions: instead of SECRETS_REPLICA_REGIONS.
        telemetry: instead of SECRETS_TELEMETRY.
        timeout_seconds: longest time a call may take; a second while a cached value is valid. The
            default is more than Lambda's default timeout, 3 s: pass the `context`, which also
            bounds a call, and allows a second try when the first read of a value got no answer.
        make_client: service and region (None: the function's own) -> client of an SDK, instead of
            boto3's. It must have short timeouts: what hangs in it lives on in its thread.

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
        given = environ.get("SECRETS_CACHE_SECONDS") or "150"
        try:
            seconds = float(given if cache_seconds is None else cache_seconds)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"SECRETS_CACHE_SECONDS must be a number of seconds, got {given!r}")
        if replica_regions is None:
            listed = environ.get("SECRETS_REPLICA_REGIONS", "")
            replica_regions = tuple(listed.replace(",", " ").split())
        if telemetry is None:
            telemetry = environ.get("SECRETS_TELEMETRY", "").lower() == "true"
        self._cache_seconds = seconds
        self._replica_regions = replica_regions
        self._timeout_seconds = timeout_seconds
        self._telemetry: Telemetry | None = None
        if telemetry:
            from .telemetry import Telemetry

            self._telemetry = Telemetry()
        self._cache: dict[object, _Entry] = {}
        # (key, whether it is a refresh) -> the call in progress.
        self._flights: dict[tuple[object, bool], Flight] = {}
        self._lock = allocate_lock()
        self._make_client = make_client
        self._sdk: Sdk | None = None
        # What was read lately: a value is still secret after a rotation.
        self._read: dict[object, Value] = {}
        if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from snapshot_restore_py import register_after_restore

            register_after_restore(self._forget)

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
            refresh: go round every cache, the extension's too, which only the SDK can.
            context: Lambda's context object; its remaining time then bounds the call.

        Raises:
            SecretError: one subclass for each cause.

        """
        key: object = secret_id
        if version_id is not None or version_stage is not None:
            key = (secret_id, version_id, version_stage)
        entry = self._cache.get(key)
        if entry is not None and entry.fresh_until > monotonic() and not refresh:
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry.value
        path = encoded("/secretsmanager/get?secretId", secret_id)
        arguments = {"SecretId": secret_id}
        if version_id is not None:
            path += encoded("&versionId", version_id)
            arguments["VersionId"] = version_id
        if version_stage is not None:
            path += encoded("&versionStage", version_stage)
            arguments["VersionStage"] = version_stage
        return self._load(
            Question("secretsmanager", secret_id, key, path, arguments, refresh=refresh), context
        )

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
            label: the version with this label.
            decrypt: whether a SecureString is decrypted, or its ciphertext wanted.
            refresh: as in `get_secret`.
            context: as in `get_secret`.

        Raises:
            SecretError: one subclass for each cause.

        """
        key = (name, version, label, decrypt)
        entry = self._cache.get(key)
        if entry is not None and entry.fresh_until > monotonic() and not refresh:
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry.value
        path = encoded("/systemsmanager/parameters/get?name", name)
        selected = name
        if label is not None:
            path += encoded("&label", label)
            selected = f"{name}:{label}"
        if version is not None:
            path += f"&version={version}"
            selected = f"{name}:{version}"
        if decrypt:
            path += "&withDecryption=true"
        arguments = {"Name": selected, "WithDecryption": decrypt}
        return self._load(Question("ssm", name, key, path, arguments, refresh=refresh), context)

    def values_read(self) -> tuple[Value, ...]:
        """Return the last thousand different values that were read, for `secret_redaction`."""
        with self._lock:
            return tuple(self._read.values())

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
        the value as it is now, with AWSPENDING, which a rotation sets before AWSCURRENT, and with
        the value as it is then; with no version twice.

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
        refused: set[str] = set()
        failure = Exception()
        now = (None, True)
        for stage, refresh in ((None, False), now, ("AWSPENDING", True), now):
            try:
                value = self.get_secret(
                    secret_id, version_stage=stage, refresh=refresh, context=context
                )
            except SecretError as error:
                if not refused:
                    raise
                failure.add_note(str(error))
                continue
            if value.version in refused:
                continue
            try:
                return use(value)
            except Exception as error:
                if not is_auth_error(error):
                    raise
                failure = error
                refused.add(value.version)
        raise failure

    def _load(self, question: Question, context: "Any") -> Value:
        """Read; once more if nobody answered, no cached value serves, and the context leaves time.

        Importing boto3 may take all the time of the first try.
        """
        try:
            return self._load_once(question, context)
        except Unavailable as error:
            if context is not None and not question.refresh:
                try:
                    return self._load_once(question, context)
                except Unavailable as again:
                    error.add_note(str(again))
            raise

    def _load_once(self, question: Question, context: "Any") -> Value:
        start = monotonic()
        deadline = self._deadline(start, context)
        flight_key = (question.key, question.refresh)
        mine, stale = Flight(), None
        try:
            with self._lock:
                entry = self._cache.get(question.key)
                flight = self._flights.get(flight_key)
                if entry and entry.valid_until > start and not question.refresh:
                    if entry.fresh_until > start or flight:
                        return self._served_from_cache(entry)
                    stale = entry
                    if stale.valid_until > start + _STALE_SECONDS:
                        deadline = min(deadline, start + _STALE_SECONDS)
                if not flight and deadline > start and not (stale and stale.retry_after > start):
                    flight = self._flights[flight_key] = mine
            if flight is mine:
                value = self._fetch_for_all(question, entry, mine, start, deadline)
            elif flight:
                value = self._join(question, flight, deadline)
            else:
                late = "the invocation has no time left; raise the function's timeout"
                why = late if deadline <= start else "it failed a moment ago"
                raise Unavailable(f"{question.name}: {why}")
        except SecretError as error:
            return self._serve_stale(question, stale, start, error)
        else:
            self._count(question, start, value)
            return value
        finally:
            # A signal may raise at any line above.
            if self._flights.get(flight_key) is mine:
                del self._flights[flight_key]
            mine.done.release()

    def _deadline(self, start: float, context: "Any") -> float:
        seconds = self._timeout_seconds
        if context is not None:
            left = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
            seconds = min(seconds, left)
        return start + seconds

    def _served_from_cache(self, entry: _Entry) -> Value:
        """Serve a value that another thread has just fetched, or is fetching again."""
        if self._telemetry is not None:
            self._telemetry.hits += 1
        return entry.value

    def _fetch_for_all(
        self,
        question: Question,
        entry: _Entry | None,
        flight: Flight,
        start: float,
        deadline: float,
    ) -> Value:
        """Fetch and keep a value; the threads that wait for the flight get it, or the error."""
        direct = question.refresh or (entry is not None and entry.extension_stale_until > start)
        try:
            value = flight.outcome = self._fetch(question, deadline, direct=direct)
            self._keep(question, value, start)
        except SecretError as error:
            flight.outcome = error
            if entry and not question.refresh and isinstance(error, TRANSIENT):
                entry.retry_after = monotonic() + _STALE_SECONDS
            raise
        return value

    def _join(self, question: Question, flight: Flight, deadline: float) -> Value:
        """Wait for the value that another thread fetches."""
        outcome = flight.wait(deadline)
        if isinstance(outcome, SecretError):
            raise type(outcome)(*outcome.args)
        if not isinstance(outcome, Value):
            raise Unavailable(f"{question.name}: no answer to another thread; {NETWORK}")
        return outcome

    def _serve_stale(
        self, question: Question, stale: _Entry | None, start: float, error: SecretError
    ) -> Value:
        """Serve the cached value if it is still valid and the error transient; else raise it."""
        if not stale or stale.valid_until <= monotonic() or not isinstance(error, TRANSIENT):
            self._count(question, start, None, error)
            raise error
        age = monotonic() - stale.valid_until + self._cache_seconds
        self._count(question, start, stale.value, error, age)
        return stale.value

    def _keep(self, question: Question, value: Value, asked: float) -> None:
        """Cache a value; its age counts from the time of the request."""
        seconds = self._cache_seconds
        until = asked + seconds
        seen = (value.version, value._text or value._binary)  # noqa: SLF001 (part of the client)
        with self._lock:
            self._read.pop(seen, None)
            self._read[seen] = value
            if len(self._read) > _MAX_ENTRIES:
                del self._read[next(iter(self._read))]
            entry = self._cache.pop(question.key, None)
            if len(self._cache) >= _MAX_ENTRIES:
                del self._cache[next(iter(self._cache))]
            stale_until = entry.extension_stale_until if entry else 0.0
            if question.refresh and (not entry or entry.value.version != value.version):
                # The extension may still have the old version.
                stale_until, entry = asked + _EXTENSION_SECONDS, None
            if not entry or (
                entry.valid_until <= until
                and (stale_until <= asked or value.source != "extension")
            ):
                entry = _Entry(value, asked + seconds * _FRESH_PART, until, stale_until)
            self._cache[question.key] = entry

    def _forget(self) -> None:
        """Drop what a snapshot holds: its clock stands still, so its values may be of any age."""
        self._cache.clear()
        self._sdk = None

    def _count(self, question: Question, start: float, value: Value | None, *told: "Any") -> None:
        if self._telemetry is not None:
            self._telemetry.emit(question.name, monotonic() - start, value, *told)

    def _fetch(self, question: Question, deadline: float, *, direct: bool) -> Value:
        service = question.service
        regions: tuple[str | None, ...] = (None,)
        now = monotonic()
        why = "the extension may hold an older version"
        if service == "secretsmanager":
            elsewhere = question.name.startswith("arn:") and _other_region(question.name)
            if elsewhere:
                regions, direct = (elsewhere,), True
                why = "the extension reads in the function's own region only"
            else:
                regions = (None, *self._replica_regions)
        if not direct:
            # The other half of the time is for the SDK and the replicas.
            half = (now + deadline) / 2
            if len(regions) > 1 and self._is_down(service, None, now):
                half = min(half, now + 0.25)  # enough to answer from its cache
            try:
                return from_extension(question, half)
            except OSError as error:
                why = f"the extension failed: {error}"
            except (ValueError, OverflowError) as error:  # the port or the header is invalid
                why = f"the extension was not asked: {type(error).__name__}"
        # A region that is down comes last.
        asked = sorted(regions, key=lambda region: self._is_down(service, region, now))
        try:
            return self._from_sdk(question, asked, deadline, why)
        except ImportError as error:
            told = f"{why}; boto3, in the package, would tell the cause ({error})"
            raise Unavailable(f"{question.name}: {told}") from None

    def _is_down(self, service: str, region: str | None, now: float) -> bool:
        return self._sdk is not None and self._sdk.down_until.get((service, region), now) > now

    def _from_sdk(
        self, question: Question, regions: "list[str | None]", deadline: float, why: str
    ) -> Value:
        sdk = self._sdk
        if sdk is None:
            from .sdk import Sdk

            with self._lock:
                sdk = self._sdk = self._sdk or Sdk(self._make_client)
        return sdk.read(question, regions, deadline, why)


def _other_region(arn: str) -> str:
    """Return the region of an ARN if it is not the function's own, which Lambda names."""
    region, own = "".join(arn.split(":", 4)[3:4]), os.environ.get("AWS_REGION", "")
    return region if own and region != own else ""

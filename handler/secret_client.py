"""Reads secrets and parameters in a Lambda function, through AWS's extension, fast and safely.

One file without dependencies; copy it into your package. Make one ``SecretClient`` for each
execution environment and call it inside the handler:

    secrets = SecretClient()

    def lambda_handler(event, context):
        password = secrets.get_secret("app/database", context=context).json["password"]

A value at hand costs a dictionary look-up. Otherwise one thread asks the AWS Parameters and
Secrets Lambda Extension, over a plain socket; when that fails, the AWS SDK, which names the true
cause, too; and when the region does not answer, the replica regions. boto3 is imported only then.
No error, log line or ``repr`` made here holds a value.

Environment variables, read when the client is made:
    SECRETS_CACHE_SECONDS: longest time a value is kept here (default 150). The extension keeps
        it besides, for SECRETS_MANAGER_TTL: nothing that is served is older than both together.
    SECRETS_REPLICA_REGIONS: regions to read replicas of secrets from, in order, with commas.
    SECRETS_TELEMETRY: ``true`` prints metrics; ``secret_telemetry.py`` must be in the package.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import os

# `socket` brings enums and selectors that nothing here needs: 2 ms of a cold start.
from _socket import AF_INET, SOCK_STREAM, socket
from _thread import allocate_lock, start_new_thread
from json import JSONDecoder
from time import monotonic, sleep
from types import MappingProxyType, MemberDescriptorType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from secret_telemetry import Telemetry

    T = TypeVar("T")

# `localhost` may mean ::1 first, where the extension does not listen.
_HOST = "127.0.0.1"
_OK = 200
# The longest time for which the extension keeps a value.
_EXTENSION_SECONDS = 300
_NOT_READY = b"not ready to serve traffic, please wait"
_NOT_READY_PAUSE_SECONDS = 0.002
# On AWS, ready before the first invocation.
_READY_SECONDS = 1.0
# Kept of an invocation's time, for the handler to answer with.
_RESERVE_SECONDS = 0.2
# A region that did not answer is not asked again for so long.
_REGION_DOWN_SECONDS = 30.0
# From this part of its time on, a value is fetched anew while the old one is still served.
_FRESH_PART = 2 / 3
# So long is asked while the old one is good, and so long not at all after that failed.
_STALE_SECONDS = 1.0
_MAX_ENTRIES = 1000
# RFC 3986's unreserved characters stand for themselves.
_ENCODED = [
    chr(byte) if byte in b"-._~" or (byte < 128 and chr(byte).isalnum()) else f"%{byte:02X}"
    for byte in range(256)
]
_decode = JSONDecoder().decode


# --- what goes wrong -----------------------------------------------------------------------------


class SecretError(Exception):
    """A value could not be read. The text names it and the next step, and holds no value."""


class SecretNotFound(SecretError):
    """There is no such secret, parameter, version, stage or label."""


class AccessDenied(SecretError):
    """The function's role may not read it."""


class DecryptionFailed(SecretError):
    """The KMS key is disabled or gone, or the role may not use it."""


class Throttled(SecretError):
    """AWS answers no more of these calls for now; that passes."""


class Unavailable(SecretError):
    """Nobody answered, or not in time."""


class InvalidValue(SecretError):
    """The value is there, but not of the kind that was asked for."""


# --- what is read --------------------------------------------------------------------------------


class Value:
    """What was read. Immutable, all the way down; ``repr`` shows everything but the value."""

    __slots__ = ("_binary", "_json", "_text", "arn", "name", "source", "stages", "version")

    _text: str | None
    _binary: bytes | None
    _json: "Mapping[str, Any] | None"
    name: str
    """Name of the secret or parameter."""
    arn: str
    version: str
    """Version id of a secret; version number of a parameter, as text."""
    stages: tuple[str, ...]
    """Staging labels of a secret's version; of a parameter, none."""
    source: str
    """``extension``, ``sdk`` or ``replica:<region>``."""

    def __init__(  # noqa: PLR0913 (its fields)
        self,
        text: str | None,
        binary: bytes | None,
        *,
        name: str,
        arn: str,
        version: str,
        stages: tuple[str, ...],
        source: str,
    ) -> None:
        put = object.__setattr__
        put(self, "_text", text)
        put(self, "_binary", binary)
        put(self, "_json", None)
        put(self, "name", name)
        put(self, "arn", arn)
        put(self, "version", version)
        put(self, "stages", stages)
        put(self, "source", source)

    def __setattr__(self, name: str, value: object = None) -> None:
        raise AttributeError(f"a Value cannot be changed: {name}")

    __delattr__ = __setattr__

    def __repr__(self) -> str:
        return f"<Value of {self.name}, version {self.version}, from the {self.source}>"

    def __reduce__(self) -> str:
        raise TypeError("a Value is not to be pickled: it holds a secret")

    @property
    def text(self) -> str:
        """The value as text. Raises ``InvalidValue`` where it is binary."""
        if self._text is None:
            raise InvalidValue(f"{self.name}: the value is binary; read it as `binary`")
        return self._text

    @property
    def binary(self) -> bytes:
        """The value as bytes; text as UTF-8."""
        if self._binary is None:
            return self.text.encode()
        return self._binary

    @property
    def json(self) -> "Mapping[str, Any]":
        """The value, a JSON object, read-only: its lists are tuples. Parsed once.

        Raises:
            InvalidValue: it is not a JSON object.

        """
        if self._json is not None:
            return self._json
        try:
            frozen: Any = _frozen(_decode(self.text))
        except (ValueError, RecursionError):
            frozen = None  # the decoding error holds the document
        if not isinstance(frozen, MappingProxyType):
            raise InvalidValue(f"{self.name}: the value is not a JSON object; read it as `text`")
        object.__setattr__(self, "_json", frozen)
        return frozen

    def as_object(self, kind: "type[T]") -> "T":
        """Read the JSON value as an object of a plain class with annotations.

        Annotations may be ``str``, ``int``, ``float``, ``bool``, ``dict``, ``list``, ``Any`` and
        unions of them with ``|``, not ``Optional`` nor your own classes; inside of ``dict`` and
        ``list`` nothing is checked. A class attribute is a default. ``__init__`` is not called,
        and the object's ``repr`` is the class's own.

        Raises:
            InvalidValue: names every field that is missing or of another type, and no value.

        """
        annotations: dict[str, Any] = {}
        for base in reversed(kind.__mro__[:-1]):
            annotations |= getattr(base, "__annotations__", {})
        found, faults = {}, []
        for name, annotation in annotations.items():
            if name not in self.json:
                # A slot is an attribute, too, but no default.
                if isinstance(getattr(kind, name, _SLOT), MemberDescriptorType):
                    faults.append(f"{name} is missing")
                continue
            value = self.json[name]
            wanted = annotation.__name__ if isinstance(annotation, type) else str(annotation)
            if not _is_a(value, wanted):
                faults.append(f"{name} is not {wanted}")
            found[name] = value
        if faults:
            raise InvalidValue(f"{self.name}: {', '.join(faults)}")
        made = object.__new__(kind)
        for name, value in found.items():
            object.__setattr__(made, name, value)
        return made


def _frozen(value: "Any") -> "Any":
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return value


_SLOT = vars(Value)["name"]


def _is_a(value: object, wanted: str) -> bool:
    names: dict[type, str] = {MappingProxyType: "dict", tuple: "list"}
    kind = names.get(type(value), type(value).__name__).removesuffix("Type")
    while "[" in wanted:
        before, _, after = wanted.rpartition("[")
        wanted = before + after.partition("]")[2]
    allowed = {part.strip().removeprefix("typing.") for part in wanted.split("|")}
    return bool({kind, "Any", "float" if kind == "int" else kind} & allowed)


# --- what is asked -------------------------------------------------------------------------------


class _Question:
    """What is read: how to ask the extension and the SDK for it, and how to read the answer."""

    __slots__ = ("arguments", "key", "name", "path", "refresh", "service")

    def __init__(  # noqa: PLR0913 (its fields)
        self, service: str, name: str, key: object, path: str, arguments: "Any", *, refresh: bool
    ) -> None:
        self.service = service
        self.name = name
        self.key = key
        self.path = path
        self.arguments = arguments
        self.refresh = refresh

    def read(self, answer: "Any", source: str) -> Value:
        """Read an answer of the extension, in bytes, or the SDK. ConnectionError: it is none."""
        try:
            if source == "extension":
                answer = _decode(answer.decode())
            if self.service == "ssm":
                answer = answer["Parameter"]
                text, binary = answer["Value"], None
                version = str(answer["Version"])
            else:
                text, binary = answer.get("SecretString"), answer.get("SecretBinary")
                version = answer["VersionId"]
            if isinstance(binary, str):  # base64 in JSON, bytes from the SDK
                from binascii import a2b_base64

                binary = a2b_base64(binary)
            if isinstance(text if binary is None else binary, (str, bytes)):
                return Value(
                    text,
                    binary,
                    name=answer["Name"],
                    arn=answer["ARN"],
                    version=version,
                    stages=tuple(answer.get("VersionStages") or ()),  # of an old version, none
                    source=source,
                )
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            pass  # a decoding error holds the document
        raise ConnectionError("the answer cannot be read")


class _Flight:
    """One call under way, and those who wait for its outcome."""

    __slots__ = ("done", "outcome")

    def __init__(self) -> None:
        self.done = allocate_lock()
        self.done.acquire()
        self.outcome: Any = None

    def wait(self, deadline: float) -> "Any":
        """Return what was answered or raised; TimeoutError where the deadline comes first."""
        if not self.done.acquire(timeout=max(0.0, deadline - monotonic())):
            return TimeoutError("no answer in time")
        self.done.release()
        return self.outcome


class _Entry:
    """A cached value, and the times, on the clock of ``monotonic``, that decide how it is used."""

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
    """Reads secrets and parameters; see the module's text.

    Safe to use from any number of threads. Nothing of an execution environment is kept from the
    time the client is made, so SnapStart may restore it anywhere.

    Args:
        cache_seconds: instead of SECRETS_CACHE_SECONDS.
        replica_regions: instead of SECRETS_REPLICA_REGIONS.
        telemetry: instead of SECRETS_TELEMETRY.
        timeout_seconds: longest time a call may take; a second, while an old value is good. More
            than Lambda's default timeout, 3 s: hand the ``context`` over, which bounds it, too,
            and gives the first read of a value a second try when nobody answered.
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
            import secret_telemetry

            self._telemetry = secret_telemetry.Telemetry()
        self._cache: dict[object, _Entry] = {}
        # (key, whether it is a refresh) -> the call in progress.
        self._flights: dict[tuple[object, bool], _Flight] = {}
        self._lock = allocate_lock()
        self._make_client = make_client or _boto3_client
        self._sdk: dict[tuple[str, str | None], Any] = {}
        self._down: dict[tuple[str, str | None], float] = {}
        # Everything read lately: what was rotated away is secret still.
        self._read: dict[object, Value] = {}
        if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from snapshot_restore_py import register_after_restore

            # A snapshot's clock stands still: what it holds may be of any age.
            for learnt in (self._cache, self._down, self._sdk):
                register_after_restore(learnt.clear)

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
            secret_id: name or ARN.
            version_id: one version; without it and ``version_stage``, AWSCURRENT.
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
        path = _encoded("/secretsmanager/get?secretId", secret_id)
        arguments = {"SecretId": secret_id}
        if version_id is not None:
            path += _encoded("&versionId", version_id)
            arguments["VersionId"] = version_id
        if version_stage is not None:
            path += _encoded("&versionStage", version_stage)
            arguments["VersionStage"] = version_stage
        return self._load(
            _Question("secretsmanager", secret_id, key, path, arguments, refresh=refresh), context
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
            version: one version, by number; without it and ``label``, the newest.
            label: the version with this label.
            decrypt: whether a SecureString is decrypted, or its ciphertext wanted.
            refresh: as in ``get_secret``.
            context: as in ``get_secret``.

        Raises:
            SecretError: one subclass for each cause.

        """
        key = (name, version, label, decrypt)
        entry = self._cache.get(key)
        if entry is not None and entry.fresh_until > monotonic() and not refresh:
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry.value
        path = _encoded("/systemsmanager/parameters/get?name", name)
        selected = name
        if label is not None:
            path += _encoded("&label", label)
            selected = f"{name}:{label}"
        if version is not None:
            path += f"&version={version}"
            selected = f"{name}:{version}"
        if decrypt:
            path += "&withDecryption=true"
        arguments = {"Name": selected, "WithDecryption": decrypt}
        return self._load(_Question("ssm", name, key, path, arguments, refresh=refresh), context)

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

        ``use`` is called with the cached value. If it fails to authenticate, it is called with
        the value as it is now, with AWSPENDING, which a rotation sets before AWSCURRENT, and with
        the value as it is then; with no version twice.

        Args:
            secret_id: name or ARN.
            use: logs in and does the work; called up to four times.
            is_auth_error: whether an exception of ``use`` means that the credentials were refused.
            context: as in ``get_secret``.

        Raises:
            Exception: of ``use``: any that is no authentication error, or the last one that is,
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

    def _load(self, question: _Question, context: "Any") -> Value:
        """Read; once more where nobody answered a first read and the context leaves time.

        A cold start has no older value to fall back on, and importing boto3 may take all its time.
        """
        cold = context is not None and not question.refresh and question.key not in self._cache
        try:
            return self._load_once(question, context)
        except Unavailable as error:
            if cold:
                try:
                    return self._load_once(question, context)
                except Unavailable as again:
                    error.add_note(str(again))
            raise

    def _load_once(self, question: _Question, context: "Any") -> Value:
        start = monotonic()
        deadline = self._deadline(start, context)
        flight_key = (question.key, question.refresh)
        mine, stale = _Flight(), None
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
        question: _Question,
        entry: _Entry | None,
        flight: _Flight,
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
            if entry and not question.refresh and isinstance(error, _TRANSIENT):
                entry.retry_after = monotonic() + _STALE_SECONDS
            raise
        return value

    def _join(self, question: _Question, flight: _Flight, deadline: float) -> Value:
        """Wait for the value that another thread fetches."""
        outcome = flight.wait(deadline)
        if isinstance(outcome, SecretError):
            raise type(outcome)(*outcome.args)
        if not isinstance(outcome, Value):
            raise Unavailable(f"{question.name}: no answer to another thread; {_NETWORK}")
        return outcome

    def _serve_stale(
        self, question: _Question, stale: _Entry | None, start: float, error: SecretError
    ) -> Value:
        """Serve the cached value if it is still valid and the error transient; else raise it."""
        if not stale or stale.valid_until <= monotonic() or not isinstance(error, _TRANSIENT):
            self._count(question, start, None, error)
            raise error
        age = monotonic() - stale.valid_until + self._cache_seconds
        self._count(question, start, stale.value, error, age)
        return stale.value

    def _keep(self, question: _Question, value: Value, asked: float) -> None:
        """Keep a value, which may be as old as the moment it was asked for."""
        seconds = self._cache_seconds
        until = asked + seconds
        seen = (value.version, value._text or value._binary)  # noqa: SLF001 (of one module)
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
                # The extension may not know yet what is new.
                stale_until, entry = asked + _EXTENSION_SECONDS, None
            if not entry or (
                entry.valid_until <= until
                and (stale_until <= asked or value.source != "extension")
            ):
                entry = _Entry(value, asked + seconds * _FRESH_PART, until, stale_until)
            self._cache[question.key] = entry

    def _count(self, question: _Question, start: float, value: Value | None, *told: "Any") -> None:
        if self._telemetry is not None:
            self._telemetry.emit(question.name, monotonic() - start, value, *told)

    def _fetch(self, question: _Question, deadline: float, *, direct: bool) -> Value:
        service = question.service
        regions = (None, *(self._replica_regions if service == "secretsmanager" else ()))
        now = monotonic()
        why = "the extension may hold an older version"
        if not direct:
            # Half of the time is left to the SDK and the replicas.
            half = (now + deadline) / 2
            if len(regions) > 1 and self._down.get((service, None), now) > now:
                half = min(half, now + 0.25)  # enough to answer from its cache
            try:
                return self._from_extension(question, half)
            except OSError as error:
                why = f"the extension failed: {error}"
            except (ValueError, OverflowError) as error:  # what is no port, or no header
                why = f"the extension was not asked: {type(error).__name__}"
        home, replicas = Unavailable(), ""
        # A region that is down comes last.
        asked = sorted(regions, key=lambda region: self._down.get((service, region), now) > now)
        for place, region in enumerate(asked):
            now = monotonic()
            share = now + (deadline - now) / (len(asked) - place)
            try:
                return self._from_sdk(question, region, share, why)
            except SecretError as error:
                # A replica's refusal says nothing of the secret itself.
                if region is not None:
                    replicas += f"; {region}: {type(error).__name__}"
                elif isinstance(error, Unavailable):
                    home = error
                else:
                    raise
            except ImportError as error:
                told = f"{why}; boto3, in the package, would tell the cause ({error})"
                raise Unavailable(f"{question.name}: {told}") from None
        raise Unavailable(f"{home}{replicas}") from home

    def _from_extension(self, question: _Question, deadline: float) -> Value:
        port = int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT") or 2773)
        header = f"X-Aws-Parameters-Secrets-Token: {_session_token(deadline)}"
        ready_by = 0.0
        while True:
            status, body = _request(_HOST, port, question.path, header, deadline)
            if body != _NOT_READY:
                break
            ready_by = ready_by or min(deadline, monotonic() + _READY_SECONDS)
            if monotonic() > ready_by:
                break
            sleep(_NOT_READY_PAUSE_SECONDS)
        if status != _OK:
            why = f"status {status}; its own line in this log tells why"
            if status == 401:
                why = "it did not accept the session token"
            elif body == _NOT_READY:
                why = "it was not ready; ask in the handler, not while a module is imported"
            raise ConnectionError(why)
        return question.read(body, "extension")

    def _from_sdk(
        self, question: _Question, region: str | None, deadline: float, why: str
    ) -> Value:
        place = (question.service, region)
        client = self._sdk.get(place)
        arguments = question.arguments
        if region is not None and question.name.startswith("arn:"):  # a replica's has its region
            fields = question.name.split(":")
            arguments = arguments | {"SecretId": ":".join([*fields[:3], region, *fields[4:]])}
        flight = _Flight()  # the SDK knows no deadline

        def run() -> None:
            try:
                sdk = client or self._sdk.setdefault(place, self._make_client(*place))
                ask = sdk.get_parameter if question.service == "ssm" else sdk.get_secret_value
                flight.outcome = ask(**arguments)
            except BaseException as error:  # noqa: BLE001 (raised by who waits)
                flight.outcome = error
            finally:
                flight.done.release()

        try:
            start_new_thread(run, ())
            answer = flight.wait(deadline)
            if isinstance(answer, BaseException):
                raise answer  # noqa: TRY301 (as if called here)
            return question.read(answer, "sdk" if region is None else f"replica:{region}")
        except ImportError:
            raise
        except Exception as error:
            cause, text = _cause(error)
            if cause is Unavailable:
                text = f"{why}; {text}"
                if client is not None:  # importing boto3 takes its time, too
                    self._down[place] = monotonic() + _REGION_DOWN_SECONDS
            raise cause(f"{question.name}: {text}") from error


def _boto3_client(service: str, region: str | None) -> "Any":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2, "mode": "standard"}
    )
    session: Any = boto3.Session()
    return session.client(service, region, config=config)


# --- why it failed -------------------------------------------------------------------------------

_TRANSIENT = (Throttled, Unavailable)

_NETWORK = "in a VPC, see its endpoints and their security groups; else AWS's health page"
_OTHER = SecretError, "see the function's AWS_ variables, and boto3's version"
_KEY = "grant the role kms:Decrypt on the key, and see that the key is enabled"
# AWS's code, or the name of the SDK's exception -> what it means, and the next step
_CAUSES = {
    code: (cause, step)
    for cause, step, codes in (
        (
            AccessDenied,
            "grant the function's role the read, and see the resource policy of the secret",
            "AccessDenied AccessDeniedException",
        ),
        (
            AccessDenied,
            "the credentials are bad: unset your own, or assign the function's role again",
            (
                "CredentialRetrievalError ExpiredTokenException InvalidSignatureException"
                " NoCredentialsError PartialCredentialsError UnrecognizedClientException"
            ),
        ),
        (
            SecretNotFound,
            "check name, region, version and stage, and that a value was put",
            "ParameterNotFound ParameterVersionNotFound ResourceNotFoundException",
        ),
        (
            SecretNotFound,
            "if it is marked for deletion: aws secretsmanager restore-secret",
            "InvalidRequestException",
        ),
        (
            Throttled,
            "keep values longer, or have the account's quota raised",
            "KMSThrottlingException ThrottlingException TooManyRequestsException",
        ),
        (DecryptionFailed, _KEY, "DecryptionFailure InvalidKeyId"),
        (
            InvalidValue,
            "see which name, version, stage or label is asked for",
            "InvalidParameterException ParamValidationError ValidationException",
        ),
        (Unavailable, _NETWORK, "KMSInternalException"),
    )
    for code in codes.split()
}


def _cause(error: Exception) -> tuple[type[SecretError], str]:
    """Tell cause and next step from what the SDK raised; the text is AWS's, without a value."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        said = response.get("Error", {})
        code = str(said.get("Code"))
        text = f"{code}: {said.get('Message', '')}".rstrip(" .:")
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500:
            return Unavailable, f"AWS answered {status} {code}; {_NETWORK}"
        cause, step = _CAUSES.get(code, _OTHER)
        # KMS's codes, Secrets Manager's words, IAM's, and Parameter Store's.
        key = any(word in f"to {text}" for word in ("to KMS", "kms:", "The ciphertext"))
        if key and cause in (AccessDenied, SecretError):
            cause, step = DecryptionFailed, _KEY
        return cause, f"{text}; {step}"
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "SSLError" not in kinds and kinds & {"ConnectionError", "HTTPClientError", "TimeoutError"}:
        return Unavailable, f"AWS did not answer ({error}); {_NETWORK}"
    name = type(error).__name__
    cause, step = _CAUSES.get(name, _OTHER)
    return cause, f"boto3 did not ask ({name}: {error}); {step}"


# --- the wire ------------------------------------------------------------------------------------


def _session_token(deadline: float) -> str:
    """Read the session token: from the environment or, under SnapStart, from Lambda's endpoint."""
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        return token
    uri = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    host, _, rest = uri.removeprefix("http://").partition(":")
    port, _, path = rest.partition("/")
    header = f"Authorization: {os.environ.get('AWS_CONTAINER_AUTHORIZATION_TOKEN', '')}"
    try:
        _, body = _request(host, int(port), f"/{path}", header, deadline)
        return str(_decode(body.decode())["Token"])
    except (ValueError, KeyError, TypeError):
        raise ConnectionError("no session token: is this Lambda?") from None


def _encoded(name: str, text: str) -> str:
    try:
        return f"{name}={text.encode().decode('latin-1').translate(_ENCODED)}"
    except (AttributeError, UnicodeEncodeError):
        raise InvalidValue(
            f"{name.lstrip('&')}={text!a} is no text: is an environment variable not set?"
        ) from None


def _request(host: str, port: int, path: str, header: str, deadline: float) -> tuple[int, bytes]:
    """Ask once, as HTTP/1.0: a Go server then sends no chunks.

    Raises:
        OSError: nobody listens, the connection broke, the answer is none, or the deadline passed.

    """
    request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\n{header}\r\n\r\n".encode("latin-1")
    connection = socket(AF_INET, SOCK_STREAM)
    try:
        connection.settimeout(_remaining(deadline))
        connection.connect((host, port))
        connection.sendall(request)
        answer, length = b"", -1
        while True:
            part = connection.recv(16_384)
            answer += part
            head, end, body = answer.partition(b"\r\n\r\n")
            if end:
                _, stated, rest = head.lower().partition(b"\r\ncontent-length:")
                if stated:
                    length = int(rest.partition(b"\r\n")[0])
            if not part or 0 <= length <= len(body):
                break
            connection.settimeout(_remaining(deadline))
        status = int(head[9:12])
        if not end or length not in (-1, len(body)):
            raise ValueError  # noqa: TRY301 (one text for all that is no answer)
        if length < 0 and b"chunked" in head.lower():
            body = _unchunked(body)
    except ConnectionRefusedError:
        raise ConnectionError(f"nothing listens on port {port}; is the layer attached?") from None
    except ValueError:
        raise ConnectionError("the answer is no HTTP, or cut short") from None
    finally:
        connection.close()
    return status, body


def _unchunked(body: bytes) -> bytes:
    """Take the parts together. ValueError: it is cut short."""
    whole = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return whole
        whole += body[:length]
        body = body[length + 2 :]


def _remaining(deadline: float) -> float:
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining

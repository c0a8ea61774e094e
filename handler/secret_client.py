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
_NOT_READY = b"not ready to serve traffic, please wait"
_NOT_READY_PAUSE_SECONDS = 0.002
# Ready before the first invocation's handler runs, on AWS; so long is a fault.
_READY_SECONDS = 1.0
# Kept of an invocation's remaining time, for the handler to answer with.
_RESERVE_SECONDS = 0.2
# A region that did not answer is not asked again for so long.
_REGION_DOWN_SECONDS = 30.0
# From this part of its time on, a value is fetched anew while the old one is still served.
_FRESH_PART = 2 / 3
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

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Value cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Value cannot be changed: {name}")

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

        Annotations may be ``str``, ``int``, ``float``, ``bool``, ``dict``, ``list`` and unions of
        them with ``|``; a class attribute is a default. ``__init__`` is not called, and the
        object's ``repr`` is the class's own.

        Raises:
            InvalidValue: names every field that is missing or of another type, and no value.

        """
        found, faults = {}, []
        for name, annotation in _annotations(kind).items():
            if name not in self.json:
                # A slot is an attribute of the class, too, but no default.
                if not hasattr(kind, name) or type(getattr(kind, name)) is MemberDescriptorType:
                    faults.append(f"{name} is missing")
                continue
            value = self.json[name]
            if not _is_a(value, annotation):
                faults.append(f"{name} is not {_name_of(annotation)}")
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


def _annotations(kind: type) -> "dict[str, Any]":
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        found |= getattr(base, "__annotations__", {})
    return found


def _is_a(value: object, annotation: "Any") -> bool:
    names: dict[type, str] = {MappingProxyType: "dict", tuple: "list"}
    kind = names.get(type(value), type(value).__name__)
    outer = _name_of(annotation)
    while "[" in outer:  # what a list or dict holds is not looked at
        before, _, after = outer.rpartition("[")
        outer = before + after.partition("]")[2]
    allowed = [part.strip() for part in outer.split("|")]
    return kind.removesuffix("Type") in allowed or (kind == "int" and "float" in allowed)


def _name_of(annotation: "Any") -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


# --- what is asked -------------------------------------------------------------------------------


class _Question:
    """What is read: how to ask the extension and the SDK for it, and how to read the answer."""

    __slots__ = ("id", "key", "operation", "path", "service", "stated")

    def __init__(self, key: object, id_: str, path: str, operation: str, **stated: object) -> None:
        self.key = key
        self.id = id_
        self.path = path
        self.operation = operation
        self.stated = stated
        self.service = "ssm" if operation == "get_parameter" else "secretsmanager"

    def arguments_in(self, region: str | None) -> dict[str, object]:
        """Arguments of the SDK's call; a replica has the ARN of its region."""
        arguments = {name: value for name, value in self.stated.items() if value is not None}
        if region is None or not self.id.startswith("arn:"):
            return arguments
        fields = self.id.split(":")
        return {**arguments, "SecretId": ":".join([*fields[:3], region, *fields[4:]])}

    def read(self, answer: "Mapping[str, Any]", source: str) -> Value:
        """Read an answer of the extension or the SDK. KeyError, TypeError: it is none."""
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
        if not isinstance(text if binary is None else binary, str | bytes):
            raise TypeError("neither text nor bytes")
        return Value(
            text,
            binary,
            name=answer["Name"],
            arn=answer["ARN"],
            version=version,
            stages=tuple(answer.get("VersionStages") or ()),  # of an old version, none
            source=source,
        )


class _Failed(Exception):
    """The extension did not answer with a value; the text says how."""


class _Flight:
    """One call under way, and those who wait for it."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = allocate_lock()
        self.done.acquire()
        self.value: Value | None = None
        self.error: SecretError | None = None

    def wait(self, question: _Question, deadline: float) -> Value:
        if not self.done.acquire(timeout=max(0.0, deadline - monotonic())):
            raise Unavailable(f"{question.id}: no answer in time, {_NEXT[Unavailable]}")
        self.done.release()
        if self.value is None:
            error = self.error or Unavailable(
                f"{question.id}: the thread that asked was ended; ask again"
            )
            raise type(error)(*error.args)
        return self.value


class SecretClient:
    """Reads secrets and parameters; see the module's text.

    Safe to use from any number of threads. Nothing of an execution environment is kept from the
    time the client is made, so SnapStart may restore it anywhere.

    Args:
        cache_seconds: instead of SECRETS_CACHE_SECONDS.
        replica_regions: instead of SECRETS_REPLICA_REGIONS.
        telemetry: instead of SECRETS_TELEMETRY.
        timeout_seconds: longest time one call here may take, whatever happens; less, when a
            ``context`` with less remaining time is handed over.
        make_client: service and region (None: the function's own) -> client of an SDK, instead of
            boto3's with short timeouts.

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
            try:
                cache_seconds = float(given)
            except ValueError:
                raise ValueError(
                    f"SECRETS_CACHE_SECONDS must be a number of seconds, got {given!r}"
                ) from None
        if replica_regions is None:
            listed = environ.get("SECRETS_REPLICA_REGIONS", "").split(",")
            replica_regions = tuple(region.strip() for region in listed if region.strip())
        if telemetry is None:
            telemetry = environ.get("SECRETS_TELEMETRY", "").lower() == "true"
        self._cache_seconds = cache_seconds
        self._replica_regions = replica_regions
        self._timeout_seconds = timeout_seconds
        self._telemetry: Telemetry | None = None
        if telemetry:
            import secret_telemetry

            self._telemetry = secret_telemetry.Telemetry()
        # key -> (value, time until which it is served without asking, time until which at all)
        self._cache: dict[object, tuple[Value, float, float]] = {}
        self._flights: dict[object, _Flight] = {}
        self._lock = allocate_lock()
        self._make_client = make_client or _boto3_client
        self._sdk: dict[tuple[str, str | None], Any] = {}
        self._down: dict[str | None, float] = {}
        # Everything read lately: what was rotated away is secret still.
        self._read: dict[object, Value] = {}
        if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from snapshot_restore_py import register_after_restore

            # A snapshot's clock stands still: what was read before it may be of any age.
            register_after_restore(self._cache.clear)

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
        if entry is not None and entry[1] > monotonic() and not refresh:
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry[0]
        query = f"secretId={_encoded(secret_id)}"
        if version_id is not None:
            query += f"&versionId={_encoded(version_id)}"
        if version_stage is not None:
            query += f"&versionStage={_encoded(version_stage)}"
        question = _Question(
            key,
            secret_id,
            f"/secretsmanager/get?{query}",
            "get_secret_value",
            SecretId=secret_id,
            VersionId=version_id,
            VersionStage=version_stage,
        )
        return self._load(question, context, refresh=refresh)

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
        if entry is not None and entry[1] > monotonic() and not refresh:
            if self._telemetry is not None:
                self._telemetry.hits += 1
            return entry[0]
        selector = version if version is not None else label
        query = f"name={_encoded(name)}"
        if version is not None:
            query += f"&version={version}"
        if label is not None:
            query += f"&label={_encoded(label)}"
        if decrypt:
            query += "&withDecryption=true"
        question = _Question(
            key,
            name,
            f"/systemsmanager/parameters/get?{query}",
            "get_parameter",
            Name=name if selector is None else f"{name}:{selector}",
            WithDecryption=decrypt,
        )
        return self._load(question, context, refresh=refresh)

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

        ``use`` is called with the value at hand. If it fails to authenticate, it is called with
        the value as it is now, and then with AWSPENDING, which a rotation sets before AWSCURRENT.

        Args:
            secret_id: name or ARN.
            use: logs in and does the work; called up to three times.
            is_auth_error: whether an exception of ``use`` means that the credentials were refused.
            context: as in ``get_secret``.

        Raises:
            Exception: of ``use``: any that is no authentication error, or the last one that is.

        """
        refused: set[str] = set()
        failure: Exception | None = None
        for stage, refresh in ((None, False), (None, True), ("AWSPENDING", True)):
            try:
                value = self.get_secret(
                    secret_id, version_stage=stage, refresh=refresh, context=context
                )
            except SecretError:
                if failure is None:
                    raise
                continue  # nothing newer to try; what was refused is told below
            if value.version in refused:
                continue
            try:
                return use(value)
            except Exception as error:
                if not is_auth_error(error):
                    raise
                failure = error
                refused.add(value.version)
        raise failure or SecretError(f"{secret_id}: it could not be read")

    def _load(self, question: _Question, context: "Any", *, refresh: bool) -> Value:
        start = monotonic()
        deadline = start + self._seconds(context)
        flight_key = (question.key, refresh)
        with self._lock:
            entry = self._cache.get(question.key)
            if entry is not None and entry[1] > start and not refresh:
                return entry[0]  # another thread has just fetched it
            flight = self._flights.get(flight_key)
            if flight is None:
                mine = self._flights[flight_key] = _Flight()
        if flight is not None:
            if entry is not None and entry[2] > start and not refresh:
                return entry[0]  # still good, and somebody is fetching the next
            return flight.wait(question, deadline)
        old = entry if entry is not None and not refresh else None
        try:
            mine.value = value = self._fetch(question, deadline, refresh=refresh)
        except SecretError as error:
            mine.error = error
            if old is not None and old[2] > monotonic() and isinstance(error, _TRANSIENT):
                # Ask again, but not at once: each asking may take a whole timeout.
                pause = min(monotonic() + 1.0, old[2])
                with self._lock:
                    if self._cache.get(question.key) is old:
                        self._cache[question.key] = (old[0], pause, old[2])
                self._count(old[0], start, old[2] - self._cache_seconds, stale=1)
                return old[0]
            self._count(None, start, start, errors=1)
            raise
        else:
            self._keep(question.key, value, start)
            if self._telemetry is not None:
                failover = value.source.startswith("replica:")
                self._count(value, start, start, misses=1, failovers=failover)
            return value
        finally:
            with self._lock:
                del self._flights[flight_key]
            mine.done.release()

    def _seconds(self, context: "Any") -> float:
        if context is None:
            return self._timeout_seconds
        remaining: float = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        return max(0.0, min(self._timeout_seconds, remaining))

    def _keep(self, key: object, value: Value, asked: float) -> None:
        """Keep a value, which may be as old as the moment it was asked for."""
        seconds = self._cache_seconds
        until = asked + seconds
        content = value._text or value._binary  # noqa: SLF001 (of one module)
        with self._lock:
            self._read[value.version, content] = value
            if len(self._read) > _MAX_ENTRIES:
                del self._read[next(iter(self._read))]
            entry = self._cache.pop(key, None)
            while len(self._cache) >= _MAX_ENTRIES:
                del self._cache[next(iter(self._cache))]
            if entry is None or entry[2] <= until:
                entry = (value, asked + seconds * _FRESH_PART, until)
            self._cache[key] = entry  # the old one, if it was asked for later: by a refresh

    def _count(self, value: Value | None, start: float, asked: float, **events: int) -> None:
        if self._telemetry is not None:
            now = monotonic()
            self._telemetry.emit(value, age=now - asked, seconds=now - start, **events)

    def _fetch(self, question: _Question, deadline: float, *, refresh: bool) -> Value:
        why = "it was asked to go round the extension"
        regions = (None, *(self._replica_regions if question.service == "secretsmanager" else ()))
        if not refresh and not (len(regions) > 1 and self._is_down(None)):
            try:
                # Half of the time is left to the SDK and the replicas.
                return self._from_extension(question, (monotonic() + deadline) / 2)
            except _Failed as failed:
                why = str(failed)
        failure: Unavailable | None = None
        replicas = ""
        asked = sorted(regions, key=self._is_down)  # a region that is down comes last
        for place, region in enumerate(asked):
            now = monotonic()
            share = now + (deadline - now) / (len(asked) - place)
            try:
                return self._from_sdk(question, region, share, why)
            except SecretError as error:
                if isinstance(error, Unavailable) and len(regions) > 1 and share > now:
                    self._down[region] = monotonic() + _REGION_DOWN_SECONDS
                # What a replica refuses says nothing of the secret: it may not be replicated.
                if region is not None:
                    replicas += f"; {region}: {type(error).__name__}"
                elif isinstance(error, Unavailable):
                    failure = error
                else:
                    raise
            except ImportError:
                raise Unavailable(f"{question.id}: {why}; {_NO_SDK}") from None
        if failure is None or replicas:
            raise Unavailable(f"{failure}{replicas}") from failure
        raise failure

    def _is_down(self, region: str | None) -> bool:
        return self._down.get(region, 0.0) > monotonic()

    def _from_extension(self, question: _Question, deadline: float) -> Value:
        ready_by = 0.0
        try:
            port = int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT") or 2773)
            header = f"X-Aws-Parameters-Secrets-Token: {_session_token(deadline)}"
            while True:
                status, body = _request(_HOST, port, question.path, header, deadline)
                if body != _NOT_READY:
                    break
                ready_by = ready_by or min(deadline, monotonic() + _READY_SECONDS)
                if monotonic() + _NOT_READY_PAUSE_SECONDS > ready_by:
                    break
                sleep(_NOT_READY_PAUSE_SECONDS)
        except (OSError, ValueError, OverflowError) as error:  # the latter: what is no port
            raise _Failed(f"no answer from the extension: {type(error).__name__}") from error
        if status != _OK:
            raise _Failed(_refusal(status, body))
        try:
            return question.read(_decode(body.decode()), "extension")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # No cause is chained: a decoding error carries the document.
            raise _Failed("the extension's answer cannot be read") from None

    def _from_sdk(
        self, question: _Question, region: str | None, deadline: float, why: str
    ) -> Value:
        def call() -> Value:
            client = self._client(question.service, region)
            answer = getattr(client, question.operation)(**question.arguments_in(region))
            return question.read(answer, "sdk" if region is None else f"replica:{region}")

        try:
            return _in_time(call, deadline)
        except ImportError:
            raise
        except TimeoutError as error:
            text = f"no answer from {region or 'the region'} in time ({why})"
            raise Unavailable(f"{question.id}: {text}; {_NEXT[Unavailable]}") from error
        except Exception as error:
            cause, text = _cause(error)
            raise cause(f"{question.id}: {text}; {_NEXT[cause]}") from error

    def _client(self, service: str, region: str | None) -> "Any":
        client = self._sdk.get((service, region))
        if client is None:
            client = self._sdk[service, region] = self._make_client(service, region)
        return client


def _boto3_client(service: str, region: str | None) -> "Any":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2, "mode": "standard"}
    )
    session: Any = boto3.session.Session()
    return session.client(service, region_name=region, config=config)


# --- why it failed -------------------------------------------------------------------------------

_TRANSIENT = (Throttled, Unavailable)

_NO_SDK = (
    "there is no boto3 to ask AWS itself: read the cause in the extension's own line of this log,"
    " or put boto3 into the package"
)

_NEXT = {
    SecretNotFound: "check name, region, version and stage, and that a value was put",
    AccessDenied: "grant the function's role the read, and see the resource policy of the secret",
    DecryptionFailed: "grant the role kms:Decrypt on the key, and see that the key is enabled",
    Throttled: "keep values longer, or have the account's quota raised",
    Unavailable: "in a VPC, see its endpoints and their security groups; else AWS's health page",
    InvalidValue: "see which name, version, stage or label is asked for",
}

_CAUSES = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "InvalidSignatureException": AccessDenied,
    "UnrecognizedClientException": AccessDenied,
    "DecryptionFailure": DecryptionFailed,
    "InvalidKeyId": DecryptionFailed,
    "InternalServiceError": Unavailable,
    "InvalidRequestException": SecretNotFound,  # marked for deletion
    "NoCredentialsError": AccessDenied,
    "ParamValidationError": InvalidValue,
    "ParameterNotFound": SecretNotFound,
    "ParameterVersionNotFound": SecretNotFound,
    "ResourceNotFoundException": SecretNotFound,
    "ServiceUnavailable": Unavailable,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
    "RequestLimitExceeded": Throttled,
}


def _cause(error: Exception) -> tuple[type[SecretError], str]:
    """Tell the cause from what the SDK raised; the text is AWS's, which holds no value."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        name = type(error).__name__
        if name in _CAUSES:
            return _CAUSES[name], f"boto3 did not ask ({name})"
        return Unavailable, f"AWS did not answer ({name})"
    code = str(response.get("Error", {}).get("Code"))
    message = str(response.get("Error", {}).get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500:
        return Unavailable, f"AWS answered {status} {code}"
    cause = _CAUSES.get(code, InvalidValue)
    # Secrets Manager's words, IAM's, and Parameter Store's.
    key = any(word in message for word in ("to KMS", "kms:", "The ciphertext"))
    if (cause is AccessDenied and key) or code.startswith("KMS"):
        cause = DecryptionFailed
    return cause, f"{code}: {message}".rstrip(" .")


def _refusal(status: int, body: bytes) -> str:
    if body == _NOT_READY:
        return (
            "the extension was not ready in time; it answers inside the handler only, never while"
            " the module is imported"
        )
    if status == 401:
        return "the extension did not accept the session token"
    if status == 400:
        return "the extension could not read it"
    return f"the extension answered with status {status}"


# --- the wire ------------------------------------------------------------------------------------


def _session_token(deadline: float) -> str:
    """Read the session token: from the environment or, under SnapStart, from Lambda's endpoint."""
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        return token
    uri = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    host, _, path = uri.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    if not name:
        raise ConnectionError("no session token: is this Lambda?")
    authorization = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    status, body = _request(
        name, int(port or 80), f"/{path}", f"Authorization: {authorization}", deadline
    )
    try:
        return str(_decode(body.decode())["Token"])
    except (ValueError, KeyError, TypeError):
        raise ConnectionError(f"no session token: the endpoint answered {status}") from None


def _encoded(text: str) -> str:
    return text.encode().decode("latin-1").translate(_ENCODED)


def _request(host: str, port: int, path: str, header: str, deadline: float) -> tuple[int, bytes]:
    """Ask once, as HTTP/1.0: a Go server then sends no chunks, and nothing waits for more.

    Raises:
        OSError: nobody listens, the connection broke, the answer is no HTTP or cut short, or the
            deadline passed.

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
    except ValueError:
        raise ConnectionError("the answer is not HTTP") from None
    finally:
        connection.close()
    if not end or length not in (-1, len(body)):
        raise ConnectionError("the answer is cut short")
    if length < 0 and b"chunked" in head.lower():
        body = _unchunked(body)
    return status, body


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        try:
            length = int(size, 16)
        except ValueError:
            raise ConnectionError("the answer is cut short") from None
        if not length:
            return whole
        whole += rest[:length]
        body = rest[length + 2 :]


def _remaining(deadline: float) -> float:
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining


def _in_time(call: "Callable[[], Value]", deadline: float) -> Value:
    """Run a call that knows no deadline, and leave it behind when time is up."""
    done = allocate_lock()
    done.acquire()
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 (whatever it is, the thread that waits raises it)
            outcome.append(error)
        finally:
            done.release()

    remaining = _remaining(deadline)
    start_new_thread(run, ())
    if not done.acquire(timeout=remaining):
        raise TimeoutError("the deadline has passed")
    found = outcome[0]
    if isinstance(found, BaseException):
        raise found
    value: Value = found
    return value

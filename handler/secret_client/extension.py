"""Asks the extension. Part of `secret_client`, from which errors and `Value` are imported."""

import os

# `socket` brings enums and selectors that nothing here needs: 2 ms of a cold start.
from _socket import AF_INET, SOCK_STREAM, socket
from _thread import allocate_lock
from json import JSONDecoder
from time import monotonic, sleep
from types import MappingProxyType, MemberDescriptorType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")

# `localhost` may mean ::1 first, where the extension does not listen.
_HOST = "127.0.0.1"
_OK = 200
_NOT_READY = b"not ready to serve traffic, please wait"
_NOT_READY_PAUSE_SECONDS = 0.002
# On AWS, ready before the first invocation.
_READY_SECONDS = 1.0
# RFC 3986's unreserved characters stand for themselves.
_ENCODED = [
    chr(byte) if byte in b"-._~" or (byte < 128 and chr(byte).isalnum()) else f"%{byte:02X}"
    for byte in range(256)
]
_decode = JSONDecoder().decode
# The next step when there was no answer.
NETWORK = "in a VPC, see its endpoints and their security groups; else AWS's health page"


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


TRANSIENT = (Throttled, Unavailable)


# --- what is read --------------------------------------------------------------------------------


class Value:
    """What was read. Immutable, all the way down; `repr` shows everything but the value."""

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
    """`extension`, `sdk` or `replica:<region>`."""

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
        """The value as text. Raises `InvalidValue` where it is binary."""
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

        Annotations may be `str`, `int`, `float`, `bool`, `dict`, `list`, `Any` and
        unions of them with `|`, not `Optional` nor your own classes; inside of `dict` and
        `list` nothing is checked. A class attribute is a default. `__init__` is not called,
        and the object's `repr` is the class's own.

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


class Question:
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
        """Read an answer of the extension, in bytes, or the SDK; ConnectionError if it cannot."""
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


class Flight:
    """A call in progress, and the threads that wait for its outcome."""

    __slots__ = ("done", "outcome")

    def __init__(self) -> None:
        self.done = allocate_lock()
        self.done.acquire()
        self.outcome: Any = None

    def wait(self, deadline: float) -> "Any":
        """Return the answer or the exception; a TimeoutError if the deadline comes first."""
        if not self.done.acquire(timeout=max(0.0, deadline - monotonic())):
            return TimeoutError("no answer in time")
        self.done.release()
        return self.outcome


# --- who is asked --------------------------------------------------------------------------------


def from_extension(question: Question, deadline: float) -> Value:
    """Ask the extension.

    Raises:
        OSError: it did not answer with a value.
        ValueError, OverflowError: the port or the header is invalid.

    """
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


def encoded(name: str, text: str) -> str:
    """Encode a query parameter; InvalidValue if the value is not text."""
    try:
        return f"{name}={text.encode().decode('latin-1').translate(_ENCODED)}"
    except (AttributeError, UnicodeEncodeError):
        raise InvalidValue(
            f"{name.lstrip('&')}={text!a} is no text: is an environment variable not set?"
        ) from None


def _request(host: str, port: int, path: str, header: str, deadline: float) -> tuple[int, bytes]:
    """Ask once, as HTTP/1.0: a Go server then sends no chunks.

    Raises:
        OSError: no listener, a broken connection, an invalid answer, or the deadline has passed.

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
            raise ValueError  # noqa: TRY301 (one text for every invalid answer)
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
    """Join the chunks; ValueError if the body is cut short."""
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

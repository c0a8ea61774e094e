"""Asks the extension."""

import os

# `socket` brings enums and selectors that nothing here needs: 2 ms of a cold start.
from _socket import AF_INET, SOCK_STREAM, socket
from _thread import allocate_lock
from time import monotonic, sleep

from .errors import InvalidValue
from .value import Value, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
                answer = decode(answer.decode())
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
        return str(decode(body.decode())["Token"])
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

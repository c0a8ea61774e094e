"""Asks the extension, over a plain socket.

Importing `socket` would add 2 ms to a cold start, and `http.client` 17 ms.
"""

import os
from _socket import AF_INET, SOCK_STREAM, socket
from time import monotonic

from .value import Value, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# `localhost` may resolve to ::1 first, where the extension does not listen.
HOST = "127.0.0.1"
_OK = 200
_SOON_SECONDS = 0.3
_PART_BYTES = 16_384
# The largest response: a secret has 64 KiB, and JSON writes a byte as at most six.
_MOST_BYTES = 1024 * 1024
# RFC 3986's unreserved characters are not encoded.
_ENCODED = [
    chr(byte) if byte in b"-._~" or (byte < 128 and chr(byte).isalnum()) else f"%{byte:02X}"
    for byte in range(256)
]


class Question:
    """What is read, and how the extension is asked for it."""

    __slots__ = ("key", "name", "path", "refresh", "selectors", "service")

    def __init__(  # noqa: PLR0913 (its fields)
        self,
        service: str,
        name: str,
        key: object,
        path: str,
        selectors: "dict[str, Any]",
        *,
        refresh: bool,
    ) -> None:
        """`selectors` are the other parameters of the query; None if not set."""
        self.service = service
        self.name = name
        self.key = key
        self.path = path + _encoded(path, name)
        self.selectors = {word: given for word, given in selectors.items() if given is not None}
        for word, given in self.selectors.items():
            self.path += f"&{word}={_encoded(word, given)}"
        self.refresh = refresh


def from_extension(
    question: Question, token: str, deadline: float, on_slow: "Callable[[], None] | None" = None
) -> Value:
    """Ask once; call `on_slow` if there is no response soon.

    Raises:
        Refused: it answered, and not with a value.
        OSError: it did not answer, or nothing that can be read.
        ValueError, OverflowError: the port or the token is invalid.

    """
    header = f"X-Aws-Parameters-Secrets-Token: {token}"
    status, body = request(port(), question.path, header, deadline, on_slow)
    if status != _OK:
        from .refusals import Refused

        raise Refused(status, body)
    try:
        return value_of(question.service, decode(body.decode()), "extension")
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass  # a decoding error contains the document
    raise ConnectionError("the answer cannot be read")


def is_elsewhere(question: Question) -> bool:
    """Whether the ARN is of a secret in another region than the function's (AWS_REGION)."""
    if question.service != "secretsmanager" or not question.name.startswith("arn:"):
        return False
    region, own = question.name.split(":", 4)[3:4], os.environ.get("AWS_REGION")
    return bool(own and region and region[0] not in ("", own))


def port() -> int:
    """Return the extension's port. Raises ValueError if the variable is not a number."""
    return int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT") or 2773)


def value_of(service: str, answer: "Any", source: str) -> Value:
    """Read a response; raises what a dictionary of another shape raises."""
    if service == "ssm":
        answer = answer["Parameter"]
        text, binary = answer["Value"], None
        version = str(answer["Version"])
    else:
        text, binary = answer.get("SecretString"), answer.get("SecretBinary")
        version = answer["VersionId"]
        if isinstance(binary, str):  # base64 in JSON, bytes from the SDK
            from binascii import a2b_base64

            binary = a2b_base64(binary)
    if not isinstance(text if binary is None else binary, (str, bytes)):
        raise TypeError
    return Value(
        text,
        binary,
        name=answer["Name"],
        arn=answer["ARN"],
        version=version,
        stages=tuple(answer.get("VersionStages") or ()),  # none for an old version
        source=source,
    )


def request(
    at: int, path: str, header: str, deadline: float, on_slow: "Callable[[], None] | None" = None
) -> tuple[int, bytes]:
    """Ask once, with HTTP/1.0, so that a Go server sends no chunks. Return status and body.

    Raises:
        OSError: no listener, a broken connection, an invalid answer, or the deadline has passed.
        ValueError, OverflowError: the port or the header is invalid.

    """
    head = f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n{header}\r\n\r\n".encode("latin-1", "replace")
    connection = socket(AF_INET, SOCK_STREAM)
    try:
        connection.settimeout(_remaining(deadline))
        connection.connect((HOST, at))
        connection.sendall(head)
        answer, length = b"", -1
        part = _first_part(connection, deadline, on_slow)
        while len(answer) < _MOST_BYTES:
            answer += part
            head, end, body = answer.partition(b"\r\n\r\n")
            if end:
                _, stated, rest = head.lower().partition(b"\r\ncontent-length:")
                if stated:
                    length = int(rest.partition(b"\r\n")[0])
            if not part or 0 <= length <= len(body):
                break
            connection.settimeout(_remaining(deadline))
            part = connection.recv(_PART_BYTES)
        status = int(head[9:12])
        if not end or length not in (-1, len(body)):
            raise ValueError  # noqa: TRY301 (one text for every invalid answer)
        if length < 0 and b"chunked" in head.lower():
            from .chunks import joined

            body = joined(body)
    except ConnectionRefusedError:
        raise ConnectionError(f"nothing listens on port {at}; is the layer attached?") from None
    except ValueError:
        raise ConnectionError("the answer is no HTTP, or cut short") from None
    finally:
        connection.close()
    return status, body


def _first_part(
    connection: socket, deadline: float, on_slow: "Callable[[], None] | None"
) -> bytes:
    if on_slow is not None:
        connection.settimeout(min(_SOON_SECONDS, _remaining(deadline)))
        try:
            return connection.recv(_PART_BYTES)
        except TimeoutError:
            connection.settimeout(_remaining(deadline))
            on_slow()
    return connection.recv(_PART_BYTES)


def _encoded(word: str, given: object) -> str:
    if isinstance(given, str):
        try:
            return given.encode().decode("latin-1").translate(_ENCODED)
        except UnicodeEncodeError:
            pass
    from .errors import InvalidValue

    word = word.rpartition("?")[2].rstrip("=")
    raise InvalidValue(
        f"{word} must be a string, got {given!a}; is an environment variable not set?"
    )


def _remaining(deadline: float) -> float:
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining

"""The fields of a secret that logs in to PostgreSQL, checked and normalized in one place.

The application, rotation and the preview of a deployment share this module, so that what the
preview accepts works later, and two spellings of a server are the same server. Standard library
only.

The fields are those of an RDS secret. A field that is `null` or "" counts as missing:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
"""

import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Value = Mapping[str, Any]

DEFAULT_PORT = 5432
DEFAULT_DATABASE = "postgres"
LOGIN = ("host", "port", "dbname", "username", "password")
_USERS = ("username", "alternateUsername")
_ROTATED = (*LOGIN, "alternateUsername")

_PORTS = range(1, 65_536)
# https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
_NAME_BYTES = 63
_CLONE = "_clone"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html; an endpoint
# that was added is NAME.endpoint.proxy-ID. In China `rds` comes before the region.
_RDS_PROXY = re.compile(
    r".+\.proxy-[a-z0-9]+\.([a-z0-9-]+\.rds|rds\.[a-z0-9-]+)\.amazonaws\.(com|com\.cn|eu)"
)


class Server(NamedTuple):
    """A database server: the address to connect to, and the host of its certificate."""

    host: str
    """A name in lower case without a final dot, or an address; IPv6 without brackets."""
    port: int

    @property
    def is_rds_proxy(self) -> bool:
        """Whether it is an endpoint of RDS Proxy, which accepts only AWSCURRENT's password."""
        return bool(_RDS_PROXY.fullmatch(self.host))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class FieldError(NamedTuple):
    """An error in a field."""

    field: str
    message: str
    """Completes a sentence that starts with the field: the rule and what to do, no value."""


def given(value: Value, field: str) -> Any:
    """Return the value of a field; None if it is missing."""
    content = value.get(field)
    return None if content == "" else content


def missing(value: Value, *fields: str) -> list[str]:
    """Return the names of the missing fields."""
    return [field for field in fields if given(value, field) is None]


def field_errors(value: Value, fields: tuple[str, ...] = LOGIN) -> Iterator[FieldError]:
    """Yield the errors in the fields that are present."""
    for field in fields:
        content = given(value, field)
        if content is not None and (message := _CHECKS.get(field, _text_error)(content)):
            yield FieldError(field, message)


def rotation_errors(value: Value) -> Iterator[FieldError]:
    """Yield the errors of a rotated value, whose names must fit: the server truncates them."""
    yield from field_errors(value, _ROTATED)
    for field in _USERS:
        name = given(value, field)
        if isinstance(name, str) and len(name.encode(errors="replace")) > _NAME_BYTES:
            yield FieldError(field, f"has more than {_NAME_BYTES} bytes; use a shorter name")


def server(value: Value) -> Server | None:
    """Return the server; None if `host` is missing, or `host` or `port` is invalid."""
    port = given(value, "port")
    port = DEFAULT_PORT if port is None else _port(port)
    if port is None or missing(value, "host") or any(field_errors(value, ("host",))):
        return None
    return Server(_host(value["host"]), port)


def database(value: Value) -> str:
    """Return the name of the database."""
    return str(given(value, "dbname") or DEFAULT_DATABASE)


def clone_of(user: str) -> str:
    """Return the name of the clone that `alternatingUsers` creates: at most 63 bytes."""
    return user.encode()[: _NAME_BYTES - len(_CLONE)].decode(errors="ignore") + _CLONE


def _host(text: str) -> str:
    return _ipv6(text) or text.removesuffix(".").lower()


def _ipv6(text: str) -> str | None:
    """Return an IPv6 address in its shortest form; None if it is not one."""
    inner = text[1:-1] if text[:1] + text[-1:] == "[]" else text
    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, inner))
    except (OSError, ValueError):
        return None


def _port(port: Any) -> int | None:
    if isinstance(port, str):
        # `int` would also accept signs, underscores and the digits of other scripts.
        digits = port.strip().lstrip("0")
        port = int(digits) if re.fullmatch("[0-9]{1,5}", digits) else None
    try:
        number = int(port)
    except (TypeError, ValueError, OverflowError):
        return None
    is_whole = number == port and not isinstance(port, bool)
    return number if is_whole and number in _PORTS else None


def _port_error(port: Any) -> str | None:
    return None if _port(port) else "must be a number from 1 to 65535"


def _host_error(host: Any) -> str | None:
    if (error := _text_error(host)) or _ipv6(host):
        return error
    if any(each.isspace() or not each.isprintable() for each in host):
        return "has a space or a control character in it; remove it"
    rule = "must be a host name or an IP address alone"
    if "/" in host or "@" in host:
        return f"{rule}; remove what comes before and after it, such as postgres:// and /db"
    if ":" in host:
        return f"{rule}; write the port into `port`"
    try:
        host.encode("idna")  # as Python's sockets do
    except UnicodeError:
        return rule
    return rule if host == "." or re.search(r"[,\[\]]|\.\.", host) else None


def _text_error(text: Any) -> str | None:
    if not isinstance(text, str):
        return "is not text; put it in quotes"
    if "\0" in text:  # the rest would be read as parameters of the login
        return "has a NUL in it; remove it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode; set it again"
    return None


_CHECKS = {"host": _host_error, "port": _port_error}

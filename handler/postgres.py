"""Logs in to PostgreSQL with a secret, over verified TLS; creates verifiers of passwords.

A login is by SCRAM only: the password is never sent, and the login fails unless the server proves
that it knows the user's password.

A secret has the fields of an RDS secret:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html.
The caller writes the statements and quotes with `identifier` and `literal` of `pg8000.native`.
"""

import functools
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pg8000.native import Connection, DatabaseError, Error, InterfaceError
from scramp import ScramException, ScramMechanism, core

import postgres_fields
from saslprep import saslprep

DEFAULT_CA_BUNDLE = "ca-bundle.pem"
_MIB = 1 << 20
_LOGIN_BYTES = _MIB  # a login needs about 2 KiB

# https://www.postgresql.org/docs/current/errcodes-appendix.html
REFUSED = "28P01"  # a wrong password, or an unknown user, which the server does not distinguish
_NO_LOGIN = "28000"  # also from RDS Proxy: https://github.com/aws/aws-secretsmanager-jdbc/pull/224
POOLER = "08P01"  # from PgBouncer for everything that it rejects, such as a wrong password
_WORDS = {
    REFUSED: "the password is wrong or has expired, or there is no such user",
    _NO_LOGIN: "the user may not log in: NOLOGIN, or pg_hba.conf forbids this address or SCRAM",
    "3D000": "there is no database with the name in `dbname`",
    "42501": "the user may not connect to this database; grant it CONNECT",
    "53300": "there are too many connections: to the server, to the database or by the user",
    "57P03": "the server is starting, stopping or recovering",
}
# For logins and verifiers: scramp's own rejects names and passwords that PostgreSQL accepts.
core.saslprep = saslprep
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
# pg8000's message for any lost connection.
_BROKEN_OFF = "network error"
# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/: another host name, another address.
_OTHER_HOST = {62, 64}
# https://www.postgresql.org/docs/current/protocol-message-formats.html: AuthenticationOk and the
# three of SASL; two that pg8000 would answer as well.
_OK, _SASL, _SASL_FINAL = 0, {10, 11, 12}, 12
_OTHER_LOGINS = {_OK: "no password", 3: "the password in clear text", 5: "an MD5 login"}


class ConnectionFailed(Error):  # type: ignore[misc] # pg8000 has no types
    """The login failed; the text says why, without a value of the secret.

    `sqlstate` is PostgreSQL's code of five characters if the server rejected the login. `lost` is
    true if the connection was lost, or there was no answer in time.
    """

    def __init__(self, reason: str, sqlstate: str | None = None, *, lost: bool = False) -> None:
        super().__init__(reason)
        self.sqlstate = sqlstate
        self.lost = lost


class NotByScram(ConnectionFailed):
    """The server asks for another kind of login; it may use SCRAM for another user."""


class _LimitedSocket(ssl.SSLSocket):
    """A socket with a deadline and a limit of bytes to read, whatever the server sends."""

    _deadline = 0.0
    _allowed = _received = 0

    def allow(self, deadline: float, size: int) -> None:
        """Allow `size` more bytes until `deadline`, in `time.monotonic`."""
        self._deadline, self._allowed, self._received = deadline, size, 0

    def recv_into(self, *arguments: Any) -> int:
        """Read for pg8000's stream of this socket."""
        self.settimeout(_seconds_until(self._deadline))
        received = super().recv_into(*arguments)
        self._received += received
        if self._received > self._allowed:
            raise InterfaceError(f"the server sent more than {self._allowed / _MIB:g} MiB")
        return received


class _ScramConnection(Connection):  # type: ignore[misc] # pg8000 has no types
    """A connection on which both sides have proven that they know the password.

    A server that asks for another kind of login may not be the one that the password is meant for.
    """

    _is_proven = False

    def __init__(
        self,
        link: _LimitedSocket,
        *,
        timeout_seconds: float,
        answer_bytes: int,
        channel_binding: bool,
        **options: Any,
    ) -> None:
        self._timeout_seconds, self._answer_bytes = timeout_seconds, answer_bytes
        self._channel_binding = channel_binding
        super().__init__(sock=link, ssl_context=False, **options)
        link.settimeout(timeout_seconds)  # for the next request

    def handle_messages(self, context: Any) -> None:
        """Read the response to a statement."""
        link = self._usock
        link.allow(time.monotonic() + self._timeout_seconds, self._answer_bytes)
        super().handle_messages(context)
        link.settimeout(self._timeout_seconds)  # for the next request

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: Any) -> None:  # noqa: N802 (pg8000's)
        code = int.from_bytes(data[:4])
        if code not in _SASL:
            self._require_proof(code)
        super().handle_AUTHENTICATION_REQUEST(data, context)
        if self._channel_binding and not self.auth.mechanism_name.endswith("-PLUS"):
            raise ConnectionFailed(
                "the server does not offer SCRAM-SHA-256-PLUS, so it may be a proxy; set the host"
                " of the database itself, or set it as `host` in the admin secret"
            )
        self._is_proven = self._is_proven or code == _SASL_FINAL  # its signature was correct

    def handle_READY_FOR_QUERY(self, data: bytes, context: Any) -> None:  # noqa: N802 (pg8000's)
        self._require_proof(_OK)
        super().handle_READY_FOR_QUERY(data, context)

    def _require_proof(self, code: int) -> None:
        if code == _OK and self._is_proven:
            return
        asked = _OTHER_LOGINS.get(code, "another kind of login")
        raise NotByScram(
            f"the server asks for {asked}, but only SCRAM logins are allowed; set"
            " password_encryption = scram-sha-256 and the method in pg_hba.conf (in PgBouncer"
            " auth_type = scram-sha-256), then set the user's password again"
        )


def connect(
    value: Mapping[str, Any],
    *,
    ca_bundle: Path | None = None,
    timeout_seconds: float = 5,
    answer_bytes: int = 64 * _MIB,
    channel_binding: bool = False,
) -> Connection:
    """Log in with the `username` and `password` at the `host`, `port` and `dbname` of a secret.

    The server's certificate must be for `host` and signed by an authority in `ca_bundle`, a PEM
    file; the default is the file next to this module named by `CA_BUNDLE`, or `ca-bundle.pem`. The
    timeout covers the whole login, except the lookup of the host name, and later each response as
    a whole. A response of more than `answer_bytes` is an error. With `channel_binding`, a server
    that forwards the login to another one is rejected.

    Raises:
        ConnectionFailed: the login failed, for any reason.
        OSError: the bundle cannot be read or (ssl.SSLError) has no certificate.

    """
    if missing := postgres_fields.missing(value, "host", "username", "password"):
        raise ConnectionFailed(f"the secret lacks {', '.join(missing)}")
    wrong = [
        f"the secret's {field} {message}" for field, message in postgres_fields.field_errors(value)
    ]
    server = postgres_fields.server(value)
    if server is None or wrong:
        raise ConnectionFailed("; ".join(wrong))
    package = Path(__file__).parent
    context = _tls(ca_bundle or package / os.environ.get("CA_BUNDLE", DEFAULT_CA_BUNDLE))
    deadline = time.monotonic() + timeout_seconds
    try:
        connection = _reached(server, deadline)
        try:
            # Without this the login waits 40 ms for the acknowledgement of the TLS handshake.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = link = _encrypted(connection, server.host, context, deadline)
            return _ScramConnection(
                link,
                timeout_seconds=timeout_seconds,
                answer_bytes=answer_bytes,
                channel_binding=channel_binding,
                user=value["username"],
                password=value["password"],
                host=server.host,
                database=postgres_fields.database(value),
            )
        except BaseException:
            connection.close()
            raise
    except ConnectionFailed as error:
        failure = error
    except Exception as error:  # noqa: BLE001 (its text may quote a secret value)
        failure = ConnectionFailed(_reason(error), sqlstate(error), lost=_is_lost(error))
    raise failure  # outside `except`, so that the original error is not attached


def is_auth_error(error: BaseException) -> bool:
    """Whether an error of `connect` or pg8000 means that other credentials may be accepted.

    The password or the user was rejected: one of two alternating users may be deleted, locked, or
    have an MD5 password. At the login, a rejection by a pooler or RDS Proxy counts too.
    """
    codes = {REFUSED, _NO_LOGIN} | ({POOLER} if isinstance(error, ConnectionFailed) else set())
    return sqlstate(error) in codes or isinstance(error, NotByScram)


def sqlstate(error: BaseException | None) -> str | None:
    """Return PostgreSQL's code if the error came from the server, otherwise None."""
    if isinstance(error, ConnectionFailed):
        return error.sqlstate
    return _refusal(error).get("C")


def printable(text: str) -> str:
    """Return a message of the server as one line of at most 500 characters."""
    return "".join(each if each.isprintable() else " " for each in text[:500])


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = 4096) -> str:
    """Return what PostgreSQL stores for a password and accepts instead of it in ALTER ROLE.

    It keeps the password out of statements and logs. The salt is random by default, and has at
    least 12 bytes; 4096 iterations are the server's default. The format is that of `pg_authid`:
    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    salt, stored_key, server_key, _ = ScramMechanism("SCRAM-SHA-256").make_auth_info(
        password, iterations, salt
    )
    in_text = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *in_text)


@functools.cache
def _tls(ca_bundle: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_bundle)
    context.sslsocket_class = _LimitedSocket
    return context


def _seconds_until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the server took too long")
    return seconds


def _reached(server: postgres_fields.Server, deadline: float) -> socket.socket:
    """Connect to the first address that answers; each gets a share of the remaining time."""
    failure = OSError()
    addresses = socket.getaddrinfo(*server, type=socket.SOCK_STREAM)
    for left, (*_, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            share = _seconds_until(deadline) / left
            return socket.create_connection((str(address[0]), server.port), share)
        except OSError as error:
            failure = error
    raise failure


def _encrypted(
    connection: socket.socket, host: str, context: ssl.SSLContext, deadline: float
) -> _LimitedSocket:
    """Start TLS. pg8000 would treat a server that disconnects as one without TLS."""
    connection.settimeout(_seconds_until(deadline))
    connection.sendall(_SSL_REQUEST)
    answer = connection.recv(1)
    if not answer:
        raise ConnectionResetError
    if answer != b"S":
        raise InterfaceError("the server does not accept TLS")
    connection.settimeout(_seconds_until(deadline))
    link = context.wrap_socket(connection, server_hostname=host)
    assert isinstance(link, _LimitedSocket)  # noqa: S101 (for the type)
    link.allow(deadline, _LOGIN_BYTES)
    return link


def _refusal(error: BaseException | None) -> dict[str, str]:
    """Return the fields of the server's error; empty if the error is not the server's."""
    if isinstance(error, DatabaseError):
        return dict(error.args[0])
    # pg8000 sends a goodbye after a rejection; if that fails, the rejection is in the context.
    return _refusal(error.__context__) if isinstance(error, InterfaceError) else {}


def _is_lost(error: BaseException) -> bool:
    if sqlstate(error):
        return False
    if isinstance(error, ssl.SSLError):  # otherwise the certificate or the TLS version
        return isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    return isinstance(error, OSError) or str(error) == _BROKEN_OFF


def _reason(error: Exception) -> str:
    if code := sqlstate(error):
        said = printable(_refusal(error).get("M", "")) if code == POOLER else ""
        words = f": {_WORDS.get(code, said)}".removesuffix(": ")
        return f"PostgreSQL refused the connection{words} (SQLSTATE {printable(code)})"
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_HOST:
            return "the server's certificate is not for the secret's host"
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ScramException):
        return "SCRAM failed: the server did not prove that it knows the password; check the host"
    if isinstance(error, Error):
        return f"the connection broke off: {error}"
    return (
        f"the server does not answer ({type(error).__name__}); check host, port and"
        " security groups"
    )

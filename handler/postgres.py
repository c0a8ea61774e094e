"""Logs in to PostgreSQL as a secret says, over verified TLS; makes what a password is stored as.

A login is by SCRAM only: the password itself is never sent, and a server that has not proven that
it knows the user's password is not logged in to.

A secret has the fields of an RDS secret:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html.
Statements are the caller's; `pg8000.native` has `identifier` and `literal` to quote with.
"""

import functools
import os
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pg8000.native import Connection, DatabaseError, Error, InterfaceError
from scramp import ScramException, ScramMechanism, core

import postgres_fields
from saslprep import saslprep

DEFAULT_CA_BUNDLE = "ca-bundle.pem"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
REFUSED = "28P01"  # the password; or there is no such user, which the server tells nobody
_NO_LOGIN = "28000"
_WORDS = {
    REFUSED: "the password is wrong or has expired, or there is no such user",
    _NO_LOGIN: "the user may not log in (NOLOGIN), or not from here or this way (pg_hba.conf)",
    "3D000": "there is no database of the name in `dbname`",
    "42501": "the user may not connect to this database; grant it CONNECT",
    "53300": "there are too many connections, of the server, the database or the user",
    "57P03": "the server is starting, stopping or recovering",
}
# Of logins and verifiers alike. scramp's own refuses names and passwords that PostgreSQL takes.
core.saslprep = saslprep
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
# pg8000's words for a connection that ended, however it did.
_BROKEN_OFF = "network error"
# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/: not for this name, or this address.
_OTHER_HOST = {62, 64}
# https://www.postgresql.org/docs/current/protocol-message-formats.html: AuthenticationOk and the
# three of SASL; two that pg8000 would answer as well.
_OK, _SASL, _SASL_FINAL = 0, {10, 11, 12}, 12
_OTHER_LOGINS = {_OK: "for no password", 3: "for the password in clear text", 5: "for MD5"}


class ConnectionFailed(Error):  # type: ignore[misc] # pg8000 has no types
    """There is no connection; the text says why, without a value of the secret.

    `sqlstate` is PostgreSQL's code, in five characters, when it was the server that refused.
    `lost` says that nobody refused: the connection broke off, or nobody answered in time.
    """

    def __init__(self, reason: str, sqlstate: str | None = None, *, lost: bool = False) -> None:
        super().__init__(reason)
        self.sqlstate = sqlstate
        self.lost = lost


class _ScramConnection(Connection):  # type: ignore[misc] # pg8000 has no types
    """A connection whose server and user have proven to each other that they know the password.

    A server that asks in another way may be one that the password is not meant for.
    """

    _is_proven = False

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: Any) -> None:  # noqa: N802 (pg8000's)
        code = int.from_bytes(data[:4])
        if code not in _SASL:
            self._require_proof(code)
        super().handle_AUTHENTICATION_REQUEST(data, context)
        self._is_proven = self._is_proven or code == _SASL_FINAL  # its signature was right

    def handle_READY_FOR_QUERY(self, data: bytes, context: Any) -> None:  # noqa: N802 (pg8000's)
        self._require_proof(_OK)
        super().handle_READY_FOR_QUERY(data, context)

    def _require_proof(self, code: int) -> None:
        if code == _OK and self._is_proven:
            return
        asked = _OTHER_LOGINS.get(code, "in a way of its own")
        raise ConnectionFailed(
            f"the server asks {asked}, and a login is by SCRAM only; set password_encryption ="
            " scram-sha-256 and the method in pg_hba.conf, then set the user's password again"
        )


def connect(
    value: Mapping[str, Any],
    *,
    ca_bundle: Path | None = None,
    timeout_seconds: float = 5,
    settings: Mapping[str, str] | None = None,
) -> Connection:
    """Log in with the `username` and `password` at the `host`, `port` and `dbname` of a secret.

    The server's certificate must be for `host` and signed by an authority of `ca_bundle`, in PEM;
    by default that is the file beside this module that `CA_BUNDLE` names, or `ca-bundle.pem`. The
    timeout is for the connection and, afterwards, for each answer of the server. The settings are
    in force from the login on, whatever the server has for the user or the database.

    Raises:
        ConnectionFailed: no connection, for whatever reason.
        OSError: the bundle cannot be read, or (ssl.SSLError) holds no certificate.

    """
    if missing := postgres_fields.missing(value, "host", "username", "password"):
        raise ConnectionFailed(f"the secret lacks {', '.join(missing)}")
    wrong = [f"the secret's {field} {message}" for field, message in postgres_fields.faults(value)]
    server = postgres_fields.server(value)
    if server is None or wrong:
        raise ConnectionFailed("; ".join(wrong))
    package = Path(__file__).parent
    context = _tls(ca_bundle or package / os.environ.get("CA_BUNDLE", DEFAULT_CA_BUNDLE))
    try:
        connection = socket.create_connection(server, timeout_seconds)
        try:
            # Otherwise the login waits for the acknowledgement of the TLS handshake, 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _encrypted(connection, server.host, context)
            return _ScramConnection(
                value["username"],
                password=value["password"],
                host=server.host,
                database=postgres_fields.database(value),
                ssl_context=False,
                sock=connection,
                startup_params=settings,
            )
        except BaseException:
            connection.close()
            raise
    except ConnectionFailed as error:
        failure = error
    except Exception as error:  # noqa: BLE001 (whatever it is, it may quote a value)
        failure = ConnectionFailed(_reason(error), sqlstate(error), lost=_is_lost(error))
    raise failure  # not from the error, which stays behind


def is_auth_error(error: BaseException) -> bool:
    """Whether other credentials may be accepted: `connect`'s errors and pg8000's own.

    The password was refused, or the user: of two that alternate, one may be gone or locked.
    """
    return sqlstate(error) in {REFUSED, _NO_LOGIN}


def sqlstate(error: BaseException | None) -> str | None:
    """Return PostgreSQL's code, where the error is the server's answer."""
    if isinstance(error, ConnectionFailed):
        return error.sqlstate
    if isinstance(error, DatabaseError):
        return str(error.args[0]["C"])
    # pg8000 says goodbye after a refusal; where that fails, the refusal is behind the failure.
    return sqlstate(error.__context__) if isinstance(error, InterfaceError) else None


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = 4096) -> str:
    """Return what PostgreSQL stores for a password, and takes instead of it in ALTER ROLE.

    With it no statement and no log holds the password. The salt is random unless given, of 12
    bytes or more; 4096 iterations are the server's default. The form is that of `pg_authid`:
    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    salt, stored_key, server_key, _ = ScramMechanism("SCRAM-SHA-256").make_auth_info(
        password, iterations, salt
    )
    in_text = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *in_text)


@functools.cache
def _tls(ca_bundle: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)


def _encrypted(connection: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Begin TLS as PostgreSQL does. pg8000 would take a server that leaves for one without TLS."""
    connection.sendall(_SSL_REQUEST)
    answer = connection.recv(1)
    if not answer:
        raise ConnectionResetError
    if answer != b"S":
        raise InterfaceError("the server refuses TLS")
    return context.wrap_socket(connection, server_hostname=host)


def _is_lost(error: BaseException) -> bool:
    if sqlstate(error):
        return False
    if isinstance(error, ssl.SSLError):  # else the certificate, or what TLS is spoken
        return isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    return isinstance(error, OSError) or str(error) == _BROKEN_OFF


def _reason(error: Exception) -> str:
    if code := sqlstate(error):
        words = f": {_WORDS[code]}" if code in _WORDS else ""
        return f"PostgreSQL refused the connection{words} (SQLSTATE {code})"
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_HOST:
            return "the server's certificate is not for the secret's host"
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ScramException):
        return "the server's answers are no login by SCRAM, or do not prove that it knows the user"
    if isinstance(error, Error):
        return f"the connection broke off: {error}"
    return f"the server does not answer ({type(error).__name__})"

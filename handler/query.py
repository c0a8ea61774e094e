"""The application function with a database: asks it as the secret says, and notices no rotation.

The connection is kept between requests. It is made anew when the secret's version is another one,
or when the server has ended it; a password that is refused then was rotated away, and the one
that took its place is tried in the same request. That one may be AWSPENDING's: the connection then
stays while AWSCURRENT is the version that was refused.
"""

import json
import os
from contextlib import suppress
from typing import Any

from pg8000.native import Connection, DatabaseError, Error, InterfaceError

from postgres import ConnectionFailed, connect, is_auth_error
from secret_client import SecretClient, SecretError, Value

_secrets = SecretClient()

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the server ends the connection,
# or has lost it; or the user of it is gone.
_ENDED = ("57P", "08", "42704")


class _Open:
    """The connection that is kept, what it was made with, and the version refused before that."""

    connection: Connection | None = None
    secret: Value | None = None
    refused = ""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature; its context object has no type)
    """Ask the database whose secret ``SECRET_NAME`` names who is logged in.

    Returns:
        ``statusCode`` 200 with a JSON body of ``message``, ``database_host``, ``database_name``,
        ``username``, ``session_user``, ``secret_version``, ``connected`` (whether this request
        logged in) and ``note``; 400 with ``error`` where ``SECRET_NAME`` is not set; 500 with
        ``error`` and ``request_id`` where there is no answer.

    """
    secret_name = os.environ.get("SECRET_NAME")
    if not secret_name:
        return _answer(400, {"error": "the environment variable SECRET_NAME is not set"})
    try:
        body = _secrets.with_fresh_credentials(secret_name, _ask, is_auth_error, context=context)
    except Exception as error:  # noqa: BLE001 (whatever went wrong, the caller learns nothing of it)
        # Of the client's errors and of `connect`'s it is known that they hold no value.
        known = isinstance(error, SecretError) or type(error).__module__ == "postgres"
        reason = str(error) if known else ""
        print(json.dumps({"level": "ERROR", "error": type(error).__name__, "reason": reason}))  # noqa: T201 (Lambda's log)
        request_id = getattr(context, "aws_request_id", "")
        return _answer(500, {"error": "the database did not answer", "request_id": request_id})
    return _answer(200, body)


def _ask(secret: Value) -> dict[str, Any]:
    kept = _Open.secret
    if kept is not None and kept.version == secret.version:
        _Open.refused = ""
    connected = kept is None or secret.version not in {kept.version, _Open.refused}
    try:
        if connected:
            _log_in(secret)
        database, user = _query()
    except (Error, OSError) as error:
        if not _has_ended(error):
            raise
        _log_in(secret)  # once more, whether it was kept or has just been made
        connected = True
        database, user = _query()
    used = _Open.secret or secret
    return {
        "message": f"the database answered; secret retrieved through the {secret.source}",
        "database_host": used.json["host"],
        "database_name": database,
        "username": used.json["username"],
        "session_user": user,
        "secret_version": used.version,
        "connected": connected,
        "note": "the password was used and is not shown",
    }


def _log_in(secret: Value) -> None:
    kept, _Open.connection, _Open.secret = _Open.connection, None, None
    if kept is not None:
        with suppress(InterfaceError, OSError):  # the server has closed it already
            kept.close()
    try:
        _Open.connection = connect(secret.json)
    except ConnectionFailed as error:
        if is_auth_error(error):
            _Open.refused = secret.version
        raise
    _Open.secret = secret


def _query() -> tuple[str, str]:
    assert _Open.connection is not None  # noqa: S101 (for the type)
    ((database, user),) = _Open.connection.run("SELECT current_database(), session_user")
    return str(database), str(user)


def _has_ended(error: Exception) -> bool:
    if isinstance(error, ConnectionFailed):
        return (error.sqlstate or "").startswith(_ENDED)
    if not isinstance(error, DatabaseError):
        return True
    told = error.args[0] if error.args else None
    return isinstance(told, dict) and str(told.get("C", "")).startswith(_ENDED)


def _answer(status: int, body: dict[str, object]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }

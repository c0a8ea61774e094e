"""An example function that queries its database, and is not disturbed by rotation.

The connection is kept between requests. It is reopened when the secret has a new version, or when
it was lost. If the password is rejected then, it was rotated, and the new one is tried in the same
request. The new one may be AWSPENDING's; then the connection is kept while AWSCURRENT is still the
rejected version.

A lost connection is reopened a few times, as far as the request has time: enough for a reset, not
for a failover. The query is then repeated, which is safe because it only reads. Do not repeat a
statement that writes: once it was sent, it may have taken effect.
"""

import json
import os
from contextlib import suppress
from time import sleep
from typing import Any

from pg8000.native import Connection, Error, InterfaceError

from postgres import ConnectionFailed, connect, is_auth_error, sqlstate
from secret_client import SecretClient, SecretError, Value

_secrets = SecretClient()

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the server closed the connection
# or lost it, or its user was deleted.
_ENDED = ("57P", "08", "42704")
# Pauses before the next login, after one that failed without being rejected.
_PAUSES_SECONDS = (0.1, 0.3, 1.0)
# The time for such a login, with `connect`'s timeout, and for the response.
_LOGIN_SECONDS = 6.0


class _KeptConnection:
    """The open connection, the secret that it logged in with, and the version rejected before."""

    connection: Connection | None = None
    secret: Value | None = None
    refused = ""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature; its context object has no type)
    """Query the database of the secret that `SECRET_NAME` names for the logged-in user.

    Returns:
        `statusCode` 200 with a JSON body of `message`, `database_host`, `database_name`,
        `username`, `session_user`, `secret_version`, `reused_connection` (whether an earlier
        request logged in) and `note`; 400 with `error` if `SECRET_NAME` is not set; 500 with
        `error`, which names the step that failed, and `request_id` if there is no result.

    """
    secret_name = os.environ.get("SECRET_NAME")
    if not secret_name:
        return _answer(400, {"error": "the environment variable SECRET_NAME is not set"})
    try:
        body = _secrets.with_fresh_credentials(
            secret_name, lambda secret: _ask(secret, context), is_auth_error, context=context
        )
    except Exception as error:  # noqa: BLE001 (the caller learns only which step failed)
        failed = _step(error)
        # Only the errors and notes of the client and of `connect` are known to contain no value.
        known = isinstance(error, (SecretError, ConnectionFailed))
        reasons = [str(error)] if known else []
        reasons += getattr(error, "__notes__", [])
        record = {"error": type(error).__name__, "failed": failed, "reason": "; ".join(reasons)}
        print(json.dumps({"level": "ERROR", **record}))  # noqa: T201 (Lambda's log)
        request_id = getattr(context, "aws_request_id", "")
        return _answer(500, {"error": failed, "request_id": request_id})
    return _answer(200, body)


def _step(error: Exception) -> str:
    if isinstance(error, SecretError):
        return "the secret could not be read"
    if isinstance(error, ConnectionFailed):
        return "the connection to the database failed"
    return "the query failed"


def _ask(secret: Value, context: Any) -> dict[str, Any]:
    kept = _KeptConnection.secret
    if kept is not None and kept.version == secret.version:
        _KeptConnection.refused = ""
    reused = kept is not None and secret.version in {kept.version, _KeptConnection.refused}
    pauses = iter(_PAUSES_SECONDS)
    while True:
        try:
            if not reused:
                _log_in(secret)
            database, user = _query()
            break
        except Error as error:
            if not _is_lost(error):
                raise
            if not reused:  # no pause after a lost connection that was open
                pause = next(pauses, None)
                if pause is None or _remaining_seconds(context) < pause + _LOGIN_SECONDS:
                    raise
                sleep(pause)
        reused = False
    used = _KeptConnection.secret or secret
    return {
        "message": f"the database answered; secret retrieved through the {secret.source}",
        "database_host": used.json["host"],
        "database_name": database,
        "username": used.json["username"],
        "session_user": user,
        "secret_version": used.version,
        "reused_connection": reused,
        "note": "the password was used and is not shown",
    }


def _log_in(secret: Value) -> None:
    kept, _KeptConnection.connection, _KeptConnection.secret = (
        _KeptConnection.connection,
        None,
        None,
    )
    if kept is not None:
        with suppress(InterfaceError, OSError):  # the server may have closed it already
            kept.close()
    try:
        _KeptConnection.connection = connect(secret.json)
    except ConnectionFailed as error:
        if is_auth_error(error):
            _KeptConnection.refused = secret.version
        raise
    _KeptConnection.secret = secret


def _query() -> tuple[str, str]:
    assert _KeptConnection.connection is not None  # noqa: S101 (for the type)
    try:
        ((database, user),) = _KeptConnection.connection.run(
            "SELECT current_database(), session_user"
        )
    except OSError as error:  # which pg8000 does not convert when it reads
        raise InterfaceError("network error") from error
    return str(database), str(user)


def _is_lost(error: Error) -> bool:
    if is_auth_error(error):  # that of a pooler also has a code of class 08
        return False
    if code := sqlstate(error):
        return code.startswith(_ENDED)
    return error.lost if isinstance(error, ConnectionFailed) else isinstance(error, InterfaceError)


def _remaining_seconds(context: Any) -> float:
    if context is None:
        return float("inf")
    return float(context.get_remaining_time_in_millis()) / 1000


def _answer(status: int, body: dict[str, object]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }

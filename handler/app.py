"""The application function: reads its database secret and says what it is connected to.

What it answers never holds the password; what it answers on an error holds nothing of the error.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from secret_client import SecretClient, SecretError

_secrets = SecretClient()

# RDS and rotation write `host` and `dbname`; both spellings are read.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
_FIELDS = {
    "database_host": ("host", "database_host"),
    "database_name": ("dbname", "database_name"),
    "username": ("username",),
    "password": ("password",),
}
_OPTIONAL = {"database_name"}  # null where no database was named at the creation of the server


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature; its context object has no type)
    """Read the secret that `SECRET_NAME` names.

    Returns:
        `statusCode` 200 with a JSON body of `message`, `database_host`, `database_name`,
        `username`, `extension_cache` and `note`, with `database_name` null where the secret
        names none; 400 with `error` where `SECRET_NAME` is not set; 500 with `error` and
        `request_id` where the secret cannot be read.

    """
    secret_name = os.environ.get("SECRET_NAME")
    if not secret_name:
        return _answer(400, {"error": "the environment variable SECRET_NAME is not set"})
    try:
        secret = _secrets.get_secret(secret_name, context=context)
        found = _database(secret_name, secret.json)
    except Exception as error:  # noqa: BLE001 (whatever went wrong, the caller learns nothing of it)
        # Only the client's own errors are known to hold no value.
        reason = str(error) if isinstance(error, SecretError) else ""
        print(json.dumps({"level": "ERROR", "error": type(error).__name__, "reason": reason}))  # noqa: T201 (Lambda's log)
        request_id = getattr(context, "aws_request_id", "")
        return _answer(500, {"error": "the secret could not be read", "request_id": request_id})
    return _answer(
        200,
        {
            "message": f"secret retrieved through the {secret.source}",
            "database_host": found["database_host"],
            "database_name": found["database_name"],
            "username": found["username"],
            "extension_cache": _extension_cache(),
            "note": "the password was retrieved and is not shown",
        },
    )


class IncompleteSecret(SecretError):
    """The secret lacks a field."""


def _database(secret_name: str, secret: Mapping[str, object]) -> dict[str, object]:
    found = {
        field: next((secret[key] for key in keys if secret.get(key)), None)
        for field, keys in _FIELDS.items()
    }
    missing = [
        " or ".join(_FIELDS[field])
        for field, value in found.items()
        if value is None and field not in _OPTIONAL
    ]
    if missing:
        raise IncompleteSecret(f"{secret_name}: no field {', no '.join(missing)}")
    return found


def _extension_cache() -> str:
    enabled = os.environ.get("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "TRUE").upper()
    size = os.environ.get("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "1000")
    ttl = os.environ.get("SECRETS_MANAGER_TTL", "300")
    if enabled != "TRUE" or "0" in (size, ttl):
        return "Disabled"
    return f"Enabled with {ttl}s TTL"


def _answer(status: int, body: dict[str, object]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }

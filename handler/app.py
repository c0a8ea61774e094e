"""An example function: reads its database secret and returns its fields except the password.

A response never contains the password; the response to an error contains no details of it.
"""

import json
import os
from typing import Any

from secret_client import SecretClient, SecretError, Value

_secrets = SecretClient()

# RDS and rotation write `host` and `dbname`; both spellings are read.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
_FIELDS = {
    "database_host": ("host", "database_host"),
    "database_name": ("dbname", "database_name"),
    "username": ("username",),
    "password": ("password",),
}
# A server may be created without a database, and RDS writes no host into a secret that it manages:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
_OPTIONAL = {"database_host", "database_name"}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature; its context object has no type)
    """Read the secret that `SECRET_NAME` names.

    Returns:
        `statusCode` 200 with a JSON body of `message`, `database_host`, `database_name`,
        `username`, `extension_cache` and `note`; host and name are null if the secret has none,
        and the note mentions a missing host. 400 with `error` if `SECRET_NAME` is not set; 500
        with `error` and `request_id` if the secret cannot be read.

    """
    secret_name = os.environ.get("SECRET_NAME")
    if not secret_name:
        return _answer(400, {"error": "the environment variable SECRET_NAME is not set"})
    try:
        secret = _secrets.get_secret(secret_name, context=context)
        answer = _answer(200, _body(secret))
    except Exception as error:  # noqa: BLE001 (the caller gets no details of any error)
        # Only the client's own errors are known to contain no secret value.
        reason = str(error) if isinstance(error, SecretError) else ""
        print(json.dumps({"level": "ERROR", "error": type(error).__name__, "reason": reason}))  # noqa: T201 (Lambda's log)
        request_id = getattr(context, "aws_request_id", "")
        return _answer(500, {"error": "the secret could not be read", "request_id": request_id})
    return answer


class IncompleteSecret(SecretError):
    """The secret lacks a field, or a field is not text."""


def _body(secret: Value) -> dict[str, object]:
    database = _database(secret)
    note = "the password was retrieved and is not shown"
    if database["database_host"] is None:
        note += "; the secret has no host, so take it from the function's environment"
    return {
        "message": f"secret retrieved through the {secret.source}",
        "database_host": database["database_host"],
        "database_name": database["database_name"],
        "username": database["username"],
        "extension_cache": _extension_cache(),
        "note": note,
    }


def _database(secret: Value) -> dict[str, str | None]:
    """Read the fields; `null` and "" count as missing."""
    found: dict[str, str | None] = {}
    wrong = []
    for field, names in _FIELDS.items():
        name = next((name for name in names if secret.json.get(name) not in (None, "")), None)
        found[field] = None if name is None else secret.json[name]
        if name is None and field not in _OPTIONAL:
            wrong.append(f"no field {' or '.join(names)}")
        elif not isinstance(found[field], str | None):
            wrong.append(f"field {name} is not text")
    if wrong:
        raise IncompleteSecret(f"{secret.name}: {', '.join(wrong)}")
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

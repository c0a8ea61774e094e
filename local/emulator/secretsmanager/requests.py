"""Every request to Secrets Manager: the id of its secret, its token, and the form of an error."""
# ruff: noqa: ANN401 (ministack is untyped)

import json
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response, error_response
from local.emulator.secretsmanager.shared import Data

NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
INVALID_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
    "following: -/_+=.@!"
)
# The error of each operation that needs a token; SDKs and the CLI send one by themselves.
NEEDS_TOKEN = {
    "CreateSecret": "InvalidRequestException",
    "PutSecretValue": "InvalidRequestException",
    "RotateSecret": "InvalidParameterException",
    "UpdateSecret": "InvalidRequestException",
}
_NO_TOKEN = "You must provide a ClientRequestToken value. We recommend a UUID-type value."  # noqa: S105 (a message)
# This error comes from the framework of AWS's services, which has `message` for all of them.
_VALIDATION = "ValidationException"


@replaces(secretsmanager, "handle_request")
async def check_id_and_token(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Refuse an id that cannot be a name or an ARN, and a write without a token.

    ministack does not find such a secret, and makes a token. Its errors have `message`, where
    Secrets Manager has `Message`.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    _method, _path, headers, body, _query = request
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    refusal = _refusal(operation, json_object(body))
    return _in_own_form(refusal or await original(*request))


def _refusal(operation: str, data: Data) -> Response | None:
    secret_id = str(data.get("SecretId") or data.get("Name") or "")
    if secret_id and not secret_id.startswith("arn:") and not NAME.fullmatch(secret_id):
        return error_response(_VALIDATION, INVALID_NAME)
    if operation in NEEDS_TOKEN and not data.get("ClientRequestToken"):
        return error_response(NEEDS_TOKEN[operation], _NO_TOKEN)
    return None


def _in_own_form(response: Response) -> Response:
    status, headers, body = response
    if status < HTTPStatus.BAD_REQUEST:
        return response
    error = json.loads(body)
    if "message" not in error or error.get("__type") == _VALIDATION:
        return response
    error["Message"] = error.pop("message")
    return status, headers, json.dumps(error).encode()

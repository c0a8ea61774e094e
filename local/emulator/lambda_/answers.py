"""The form of Lambda's responses: refusals, and the configuration of a function."""
# ruff: noqa: ANN401 (ministack is untyped)

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

Data = dict[str, Any]

# Lambda leaves these out when there is nothing to say.
_ABSENT_IF_EMPTY = (
    *("KMSKeyArn", "Layers", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"),
    *("StateReason", "StateReasonCode"),
)
# Of the shapes that its operations here answer with, this one alone names it so.
_CAPITAL_MESSAGE = "ResourceNotFoundException"
# Of a function in a list.
_NOT_LISTED = (
    *("State", "StateReason", "StateReasonCode", "RuntimeVersionConfig", "LastUpdateStatus"),
    *("LastUpdateStatusReason", "LastUpdateStatusReasonCode"),
)
_INVOCATIONS = ("/invocations", "/response-streaming-invocations")


def refusal(code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> Response:
    """Return a refusal."""
    response: Response = responses.error_response_json(
        code, message, status, content_type="application/json"
    )
    return response


def invalid(message: str) -> Response:
    """Return the refusal of a parameter's value."""
    return refusal("InvalidParameterValueException", message)


def conflict(message: str) -> Response:
    """Return the refusal of what cannot be done in the function's present state."""
    return refusal("ResourceConflictException", message, HTTPStatus.CONFLICT)


def not_found(message: str) -> Response:
    """Return the refusal of what is not there."""
    return refusal("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)


def function_not_found(name: str, qualifier: str | None = None) -> Response:
    """Return the refusal of a function, a version or an alias that is not there."""
    response: Response = lambda_svc._function_qualifier_not_found(name, qualifier)  # noqa: SLF001
    return response


def edited(response: Response, edit: Callable[[Data], None]) -> Response:
    """Return the response with its body as `edit` leaves it; a refusal as it is."""
    status, headers, body = response
    if status >= HTTPStatus.BAD_REQUEST:
        return response
    data = json.loads(body)
    edit(data)
    return status, headers, json.dumps(data).encode()


@replaces(lambda_svc, "handle_request")
async def answer_as_lambda_does(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Name the type of an error, and leave out of a configuration what a function does not have.

    ministack answers errors without their type, and empty values.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
    """
    status, headers, body = response = await original(*request)
    if status >= HTTPStatus.BAD_REQUEST:
        return status, headers, _typed(body)
    if request[1].endswith(_INVOCATIONS) or not body:
        return response
    return edited(response, _without_empty_values)


def _typed(body: bytes) -> bytes:
    try:
        error = json.loads(body)
    except ValueError:
        return body
    if "message" in error:
        key = "Message" if error.get("__type") == _CAPITAL_MESSAGE else "message"
        error = {"Type": "User", key: error.pop("message"), **error}
    return json.dumps(error).encode()


def _without_empty_values(answer: Data) -> None:
    listed = [*answer.get("Functions", []), *answer.get("Versions", [])]
    for configuration in listed:
        for key in _NOT_LISTED:
            configuration.pop(key, None)
    for configuration in (answer, answer.get("Configuration"), *listed):
        if isinstance(configuration, dict) and "FunctionArn" in configuration:
            for key in _ABSENT_IF_EMPTY:
                if not configuration.get(key, True):
                    del configuration[key]
            if not (configuration.get("VpcConfig") or {}).get("SubnetIds", True):
                del configuration["VpcConfig"]
    if "Configuration" in answer and not answer.get("Tags", True):
        del answer["Tags"]

"""What a handler of ministack answers."""

from http import HTTPStatus
from typing import Any

from ministack.core import responses

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


def error_response(code: str, message: str) -> Response:
    """Return a refusal of a service whose protocol is JSON."""
    response: Response = responses.error_response_json(code, message, HTTPStatus.BAD_REQUEST)
    return response


def json_response(answer: dict[str, Any]) -> Response:
    """Return the answer of a service whose protocol is JSON."""
    response: Response = responses.json_response(answer)
    return response


def succeeded(response: Response) -> bool:
    """Tell whether a request was done."""
    return response[0] == HTTPStatus.OK

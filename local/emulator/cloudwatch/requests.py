"""CloudWatch: a request's parameters and an error, in each of its three protocols."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from http import HTTPStatus
from typing import Any

from ministack.services import cloudwatch

from local.emulator.core.responses import Response
from local.emulator.validation.forms import parse_form

Parameters = dict[str, Any]


def parameters(operation: str, form: Parameters, data: Parameters) -> Parameters:
    """Return the parameters: `data` is what JSON or CBOR says, empty for a form."""
    return data or parse_form("monitoring", operation, form)


def error(code: str, message: str, *protocol: bool) -> Response:
    """Return an error in the protocol of the request.

    `protocol` is what ministack passes to a handler: whether it is CBOR, and whether it is JSON.
    """
    is_cbor, is_json = protocol
    response: Response = cloudwatch._error(code, message, 400, use_cbor=is_cbor, use_json=is_json)
    return response


def empty_list(operation: str, member: str, *protocol: bool) -> Response:
    """Return an answer whose only member is an empty list, in the protocol of the request."""
    is_cbor, is_json = protocol
    if is_cbor or is_json:
        answer = cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok
        response: Response = answer({member: []})
    else:
        result = f"<{operation}Result><{member}/></{operation}Result>"
        response = cloudwatch._xml(HTTPStatus.OK, f"{operation}Response", result)
    return response

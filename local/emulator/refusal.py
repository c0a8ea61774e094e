"""An operation that the embedded AWS does not offer is refused by its name."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core.router import detect_service

from local.emulator.core import errors, operations
from local.emulator.core.patching import replaces
from local.emulator.core.requests import Request
from local.emulator.core.responses import Response
from local.emulator.offered import OFFERED

CODE = "NotImplemented"
PAGE = "docs/emulator-operations.md"

logger = logging.getLogger("emulator.refusal")


@replaces(ministack.app, "_dispatch_service_request")
async def refuse_what_is_not_offered(
    original: Callable[..., Awaitable[Response]], *arguments: Any
) -> Response:
    """Refuse an operation that is not in the list of those offered.

    ministack answers what nothing here needs and no test looks at.
    """
    method, path, headers, body, query, _request_id = arguments
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # With a copy of the headers: it takes the encoding out, and ministack decompresses again.
        body = ministack.app._decompress_request_body(body, dict(headers))
    request = Request(method, path, headers, body, query)
    service = operations.botocore_name(detect_service(method, path, headers, request.parameters))
    operation = request.operation(service)
    if operation in OFFERED.get(service, ()):
        return await original(*arguments)
    name = operation or f"{method} {path}"
    message = f"The embedded AWS does not offer {name} of {service}: see {PAGE}"
    logger.warning(message)
    return errors.error(service, request, CODE, message, status=HTTPStatus.NOT_IMPLEMENTED)

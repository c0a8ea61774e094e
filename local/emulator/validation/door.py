"""The request of an offered operation is checked against its model before a handler sees it."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import ministack.app
from ministack.core import responses
from ministack.core.router import detect_service

from local.emulator.core import errors, operations
from local.emulator.core.patching import changes, replaces
from local.emulator.core.requests import Request
from local.emulator.core.responses import Response
from local.emulator.offered import OFFERED
from local.emulator.validation import refusals
from local.emulator.validation.constraints import violations
from local.emulator.validation.parameters import MalformedError, parse
from local.emulator.validation.refusals import Refusal

Handler = Callable[..., Awaitable[Response]]


@changes(ministack.app, "SERVICE_HANDLERS")
def validate_requests(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Refuse parameters that violate the service's model, after signature and permissions.

    ministack checks few parameters.
    """
    return {service: _validated(service, handler) for service, handler in handlers.items()}


def _validated(service: str, handler: Handler) -> Handler:
    async def handle(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, list[str]],
    ) -> Response:
        response = _refuse(service, Request(method, path, headers, body, query))
        return response or await handler(method, path, headers, body, query)

    return handle


@replaces(ministack.app, "_dispatch_service_request")
async def refuse_values_of_another_type(original: Handler, *arguments: Any) -> Response:
    """Refuse a request in which a value has another type than in the service's model.

    ministack fails on some of them when it searches for the resource whose permissions it checks.
    """
    try:
        return await original(*arguments)
    except Exception:
        *parts, _request_id = arguments
        request = Request(*parts)
        service = detect_service(request.method, request.path, request.headers, request.parameters)
        response = _refuse(service, request)
        if response is None:
            raise
        return response


def _refuse(service: str, request: Request) -> Response | None:
    """Return the error for a request; None if it is valid. `service` is ministack's name."""
    name = operations.botocore_name(service)
    operation = request.operation(name)
    # ministack's services also call one another, and not only for operations that are offered.
    if operation is None or operation not in OFFERED.get(name, ()):
        return None
    found = _violation(service, operation, request)
    return errors.error(name, request, found.code, found.message) if found else None


def _violation(service: str, operation: str, request: Request) -> Refusal | None:
    # ministack has read the model, for the types of its responses.
    model = responses._service_model(service).operation_model(operation)
    if model.input_shape is None:
        return None
    name = operations.botocore_name(service)
    try:
        values = parse(model, request)
    except MalformedError:
        return refusals.malformed(name)
    return refusals.refusal(name, operation, values, list(violations(model.input_shape, values)))

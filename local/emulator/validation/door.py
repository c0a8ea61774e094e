"""The request of an offered operation is checked against its model before a handler sees it."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Awaitable, Callable, Mapping

import ministack.app
from ministack.core import responses

from local.emulator.core import errors, operations
from local.emulator.core.patching import changes
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
    name = operations.botocore_name(service)

    async def handle(
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, list[str]],
    ) -> Response:
        request = Request(method, path, headers, body, query)
        operation = request.operation(name)
        # Services call one another by these handlers, too, and not only operations offered.
        if operation and operation in OFFERED.get(name, ()):
            found = _refusal(service, operation, request)
            if found:
                return errors.error(name, request, found.code, found.message)
        return await handler(method, path, headers, body, query)

    return handle


def _refusal(service: str, operation: str, request: Request) -> Refusal | None:
    """Return why the service refuses the parameters; None if it does not."""
    name = operations.botocore_name(service)
    # ministack reads the same model for the types of its responses.
    model = responses._service_model(service).operation_model(operation)
    if model.input_shape is None:
        return None
    try:
        found = list(violations(model.input_shape, parse(model, request)))
    except MalformedError:
        return refusals.malformed(name)
    return refusals.refusal(name, found) if found else None

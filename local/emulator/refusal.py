"""An operation that the embedded AWS does not offer is refused by its name."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

import cbor2
import ministack.app
from ministack.core.router import detect_service

from local.emulator.core import operations
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.offered import OFFERED

CODE = "NotImplemented"
# Names of services in ministack that differ from those in botocore.
BOTOCORE_NAMES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
PAGE = "docs/emulator-operations.md"

logger = logging.getLogger("emulator.refusal")


@replaces(ministack.app, "_dispatch_service_request")
async def refuse_what_is_not_offered(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Refuse an operation that is not in the list of those offered.

    ministack answers what nothing here needs and no test looks at.
    """
    method, path, headers, body, query, _request_id = request
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # With a copy of the headers: it takes the encoding out, and ministack decompresses again.
        body = ministack.app._decompress_request_body(body, dict(headers))
    parameters = ministack.app._routing_params(method, path, headers, body, query)
    service = detect_service(method, path, headers, parameters)
    service = BOTOCORE_NAMES.get(service, service)
    operation = operations.asked_for(service, method, path, headers, parameters)
    if operation in OFFERED.get(service, ()):
        return await original(*request)
    name = operation or f"{method} {path}"
    message = f"The embedded AWS does not offer {name} of {service}: see {PAGE}"
    logger.warning(message)
    return _refusal(service, message, headers, parameters)


def _refusal(
    service: str,
    message: str,
    headers: Mapping[str, str],
    parameters: Mapping[str, Any],
) -> Response:
    """Refuse in the form of the request's protocol."""
    error = {"__type": CODE, "message": message}
    if "cbor" in headers.get("smithy-protocol", ""):
        cbor = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return HTTPStatus.NOT_IMPLEMENTED, cbor, cbor2.dumps(error)
    if "x-amz-target" not in headers and (service == "s3" or "Action" in parameters):
        xml = f"<Error><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
        if service == "ec2":
            xml = f"<Response><Errors>{xml}</Errors></Response>"
        elif service != "s3":
            xml = f"<ErrorResponse>{xml}</ErrorResponse>"
        return HTTPStatus.NOT_IMPLEMENTED, {"Content-Type": "text/xml"}, xml.encode()
    typed = {"Content-Type": "application/json", "x-amzn-errortype": CODE}
    return HTTPStatus.NOT_IMPLEMENTED, typed, json.dumps(error).encode()

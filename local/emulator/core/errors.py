"""An error in the form of the request's protocol."""

import json
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

import cbor2

from local.emulator.core.requests import Request
from local.emulator.core.responses import Response


def error(
    service: str,
    request: Request,
    code: str,
    message: str,
    *,
    status: int = HTTPStatus.BAD_REQUEST,
) -> Response:
    """Return the error of a service, named as in botocore, to a request."""
    body = {"__type": code, "message": message}
    if "cbor" in request.headers.get("smithy-protocol", ""):
        cbor = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, cbor, cbor2.dumps(body)
    is_json = "x-amz-target" in request.headers
    if not is_json and (service == "s3" or "Action" in request.parameters):
        return status, {"Content-Type": "text/xml"}, _xml(service, code, message).encode()
    typed = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, typed, json.dumps(body).encode()


def _xml(service: str, code: str, message: str) -> str:
    text = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    if service == "s3":
        return f"<Error>{text}{request_id}</Error>"
    if service == "ec2":
        return f"<Response><Errors><Error>{text}</Error></Errors>{request_id}</Response>"
    sender = f"<Error><Type>Sender</Type>{text}</Error>"
    return f"<ErrorResponse>{sender}{request_id}</ErrorResponse>"

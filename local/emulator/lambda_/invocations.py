"""Invoke: what it takes, which version it runs, and what it answers.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import contextvars
import json
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, function_not_found, refusal
from local.emulator.lambda_.states import refusal_while_pending

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
REQUEST_BYTES = {"RequestResponse": 6_291_456, "Event": 1_048_576}
RESPONSE_BYTES = 6_291_556
TAIL_BYTES = 4_096

_LATEST = "$LATEST"
_SYNCHRONOUS = "RequestResponse"

_answered_id: contextvars.ContextVar[str] = contextvars.ContextVar("answered_id")
"""The id that the request is answered with."""
_request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("id", default=None)
"""The id of the invocation that is going on, in its context and log; None outside of Invoke."""


@replaces(ministack.app, "_dispatch_service_request")
async def remember_request_id(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Remember the id that a request is answered with.

    ministack's handlers do not know it.
    """
    _answered_id.set(request[-1])
    return await original(*request)


@replaces(lambda_svc, "handle_request")
async def check_payload(  # noqa: PLR0913, PLR0917 (as the original)
    original: Callable[..., Awaitable[Response]],
    method: str,
    path: str,
    headers: Data,
    body: bytes,
    query: Data,
) -> Response:
    """Refuse to Invoke with a payload that is not JSON or too large.

    ministack invokes with an empty object, or answers 500.
    """
    if method == "POST" and path.endswith("/invocations"):
        kind = headers.get("x-amz-invocation-type", _SYNCHRONOUS)
        limit = REQUEST_BYTES.get(kind, REQUEST_BYTES[_SYNCHRONOUS])
        if len(body) > limit:
            return refusal(
                "RequestTooLargeException",
                f"{len(body)} byte payload is too large for the {kind} invocation type "
                f"(limit {limit} bytes)",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
        if error := _json_error(body):
            return refusal(
                "InvalidRequestContentException",
                "Could not parse request body into json: Could not parse payload into json: "
                f"{error[0]}\n at [Source: REDACTED (`StreamReadFeature."
                f"INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {error[1]}]",
            )
    return await original(method, path, headers, body, query)


def _json_error(body: bytes) -> tuple[str, int] | None:
    try:
        json.loads(body.decode() or "{}")
    except UnicodeDecodeError as error:
        return f"Invalid UTF-8 start byte 0x{body[error.start]:02x}", error.start + 2
    except json.JSONDecodeError as error:
        found = body.decode()[error.pos : error.pos + 1]
        return f"Unexpected character ('{found}'): {error.msg}", error.pos + 1
    return None


@replaces(lambda_svc, "_invoke")
async def invoke(
    _original: Callable[..., Awaitable[Response]],
    name: str,
    event: Any,
    headers: Data,
    path_qualifier: str | None = None,
    query: Data | None = None,
) -> Response:
    """Invoke the version that the qualifier names, under the request id of the answer.

    ministack invokes functions that are not active, and has several ids for one invocation.
    """
    function = lambda_svc._functions.get(name)
    qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query)
    record = _chosen(function, qualifier)
    if function is None or record is None:
        return function_not_found(name, qualifier or _LATEST)
    kind = headers.get("x-amz-invocation-type", _SYNCHRONOUS)
    depth = lambda_svc._inbound_invoke_depth(headers) + 1
    refused = refusal_while_pending(record["config"])
    refused = refused or lambda_svc._recursive_loop_drop(name, function, depth)
    if refused is not None:
        return refused
    if kind == "DryRun":
        return HTTPStatus.NO_CONTENT, {}, b""
    arn = lambda_svc._func_arn(name) + (f":{qualifier}" if qualifier else "")
    invoked = {**record, "config": {**record["config"], "FunctionArn": arn}}
    lambda_svc._invoke_depth.set(depth)
    _request_id.set(_answered_id.get())
    if kind == "Event":
        lambda_svc.invoke_async_with_retry(invoked, event)
        return HTTPStatus.ACCEPTED, {}, b""
    result = await run_reentrant(
        lambda_svc._execute_function_with_config_scope,
        invoked,
        event,
        thread_name="ministack-lambda-invoke",
    )
    return _answer(result, record["config"].get("Version", _LATEST), headers)


def _chosen(function: Data | None, qualifier: str | None) -> Data | None:
    """Return the record of a version; of an alias with two, either one by its weight."""
    alias = ((function or {}).get("aliases") or {}).get(qualifier) or {}
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if random.random() < weight:  # noqa: S311 (it divides invocations)
            qualifier = version
    record: Data | None
    record, _ = lambda_svc._effective_func_record_for_qualifier(function, qualifier)
    return record


def _answer(result: Data, version: str, request: Data) -> Response:
    headers = {"Content-Type": "application/json"}
    if result.get("throttle"):
        headers["Retry-After"] = result["body"]["retryAfterSeconds"]
        return HTTPStatus.TOO_MANY_REQUESTS, headers, json.dumps(result["body"]).encode()
    headers["X-Amz-Executed-Version"] = version
    if request.get("x-amz-log-type") == "Tail":
        tail = result["log"].encode()[-TAIL_BYTES:]
        headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode()
    payload = json.dumps(result["body"], ensure_ascii=False).encode()
    is_too_large = len(payload) > RESPONSE_BYTES
    if is_too_large:
        error = {
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            f"({RESPONSE_BYTES} bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
        payload = json.dumps(error).encode()
    if is_too_large or result["error"]:
        headers["X-Amz-Function-Error"] = "Unhandled"
    return HTTPStatus.OK, headers, payload


@replaces(lambda_svc, "invoke_async_with_retry")
def keep_request_id(original: Callable[..., None], function: Data, event: Any) -> None:
    """Retry an asynchronous invocation under the request id that it has.

    ministack gives each try another.
    """
    token = _request_id.set(_request_id.get() or new_uuid())
    try:
        original(function, event)
    finally:
        _request_id.reset(token)


@replaces(lambda_svc, "_execute_function_dispatch")
def use_request_id(  # noqa: PLR0913, PLR0917 (as the original)
    original: Callable[..., Data],
    function: Data,
    config: Data,
    event: Any,
    request_id: str,
    started: float,
) -> Data:
    """Execute under the request id that the caller is answered with.

    ministack makes another.
    """
    return original(function, config, event, _request_id.get() or request_id, started)

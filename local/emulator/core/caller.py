"""Who calls: handlers of Secrets Manager and Parameter Store ask keys in the caller's name."""

import contextvars
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.router import extract_access_key_id
from ministack.services import secretsmanager, ssm

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

access_key_id: contextvars.ContextVar[str] = contextvars.ContextVar("access_key_id")


@replaces(secretsmanager, "handle_request")
@replaces(ssm, "handle_request")
async def remember_caller(
    original: Callable[..., Awaitable[Response]],
    *request: Any,  # noqa: ANN401 (ministack is untyped)
) -> Response:
    """Keep the caller's access key for the checks of keys.

    ministack's handlers do not know it.
    """
    _method, _path, headers, _body, query = request
    token = access_key_id.set(extract_access_key_id(headers, query) or "")
    try:
        return await original(*request)
    finally:
        access_key_id.reset(token)

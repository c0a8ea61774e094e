"""Parameter Store: what its modules share."""

from collections.abc import Callable
from typing import Any

from local.emulator.core.responses import Response, error_response

SECURE = "SecureString"

Data = dict[str, Any]
Handler = Callable[[Data], Response]


def validation_error(message: str) -> Response:
    """Refuse a request by what it says."""
    return error_response("ValidationException", message)

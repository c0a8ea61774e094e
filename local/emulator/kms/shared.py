"""KMS: what its modules share: requests, and the error of a key that is not there."""

from collections.abc import Callable
from typing import Any

from local.emulator.core.responses import Response

SYMMETRIC = "SYMMETRIC_DEFAULT"

Data = dict[str, Any]
Handler = Callable[[Data], Response]

"""What a handler of ministack is asked."""

import json
from typing import Any


def json_object(body: bytes) -> dict[str, Any]:
    """Return what a request of a JSON protocol says; nothing if it is malformed."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:  # the service itself answers that
        return {}
    return parsed if isinstance(parsed, dict) else {}

"""What a handler of ministack is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from local.emulator.core import operations


@dataclass(frozen=True)
class Request:
    """A request as ministack passes it to a handler."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    query: Mapping[str, list[str]]

    @cached_property
    def parameters(self) -> Mapping[str, list[str]]:
        """The parameters of the query string and of a form."""
        content_type = self.headers.get("content-type", "")
        if not content_type.startswith("application/x-www-form-urlencoded"):
            return self.query
        form = parse_qs(self.body.decode(errors="replace"), keep_blank_values=True)
        return {**form, **self.query}

    def operation(self, service: str) -> str | None:
        """Return the name of the operation; None when the request names none that AWS has.

        `service` is the name in botocore.
        """
        return operations.asked_for(service, self.method, self.path, self.headers, self.parameters)


def json_object(body: bytes) -> dict[str, Any]:
    """Return what a request of a JSON protocol says; nothing if it is malformed."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:  # the service itself answers that
        return {}
    return parsed if isinstance(parsed, dict) else {}

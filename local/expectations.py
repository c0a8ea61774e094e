"""What a function's response must contain: the key `expect` of stack config."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN = 200
_FAILED = 400


def unmet(answer: object, expected: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield each difference between a response and what is expected.

    A map must contain the expected keys, recursively. Where a map or list is expected, text is
    parsed as JSON, such as the body of an HTTP response. Without an expectation any response is
    accepted, except an HTTP response with a status of 400 or higher.
    """
    status = answer.get("statusCode") if isinstance(answer, Mapping) else None
    failed = isinstance(status, int) and status >= _FAILED
    body = _short(answer.get("body")) if isinstance(answer, Mapping) else ""
    if expected is None:
        yield from [f"status {status}: {body}"] if failed else []
        return
    found = list(_differences("", answer, expected))
    yield from found
    if found and failed:
        yield f"the body is {body}"


def _differences(path: str, actual: Any, expected: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON)
    if isinstance(actual, str) and isinstance(expected, Mapping | list):
        actual = _read(actual)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in actual:
                yield from _differences(inner, actual[key], value)
            else:
                yield f"{inner} is missing"
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, (one, value) in enumerate(zip(actual, expected, strict=True)):
            yield from _differences(f"{path}[{number}]", one, value)
    elif json.dumps(actual) != json.dumps(expected):  # in Python, 1 is True
        yield f"{path or 'the response'} must be {_short(expected)}, got {_short(actual)}"


def _read(text: str) -> Any:  # noqa: ANN401 (any JSON)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

"""Normal forms of values: two values are equal if the AWS provider treats them as equal."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_EMPTY: tuple[object, ...] = (None, "", [], {}, False)


def default(value: object) -> object:
    """Normalize None, false and an empty text, list or map to None, at any depth."""
    if isinstance(value, Mapping):
        formed = {key: default(inner) for key, inner in value.items()}
        return {key: inner for key, inner in formed.items() if inner is not None} or None
    if isinstance(value, list):
        return [default(each) for each in value] or None
    if isinstance(value, bool):
        return "true" if value else None
    return None if value in _EMPTY and value != 0 else value


def document(text: object) -> object:
    """Normalize JSON: whitespace and the order of keys are ignored."""
    try:
        return json.loads(text) if isinstance(text, str) and text else None
    except ValueError:
        return text


def compact(text: str) -> str:
    """Format JSON as the provider sends it: without whitespace, with sorted keys."""
    return json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def unordered(values: object) -> object:
    """Normalize a list whose order is ignored."""
    if not isinstance(values, list):
        return default(values)
    return sorted((default(each) for each in values), key=_text) or None


def policy(text: object) -> object:
    """Normalize an IAM policy: the order of statements, actions and resources is ignored.

    A text equals a list with one item, an account id equals its root ARN, condition values are
    text, and an empty policy equals none. A principal that is a text, such as `*`, is ignored.
    https://github.com/hashicorp/awspolicyequivalence
    """
    read = document(text)
    if not isinstance(read, Mapping) or not read:
        return read or None
    statements = _listed(read.get("Statement", []))
    formed = {**read, "Statement": sorted(map(_statement, statements), key=_text)}
    return {key: value for key, value in formed.items() if value not in ("", None)}


def _statement(statement: Any) -> object:
    if not isinstance(statement, Mapping):
        return statement
    formed: dict[str, Any] = dict(statement)
    if "Effect" in formed:
        formed["Effect"] = str(formed["Effect"]).lower()
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        if key in formed:
            formed[key] = _texts(formed[key])
    for key in ("Principal", "NotPrincipal"):
        principals = formed.pop(key, None)
        if isinstance(principals, Mapping):
            found = {kind: _texts(each, _root) for kind, each in principals.items()}
            formed[key] = {kind: each for kind, each in found.items() if each} or None
    if isinstance(conditions := formed.get("Condition"), Mapping):
        formed["Condition"] = {
            operator: {key: _texts(value) for key, value in tested.items()}
            if isinstance(tested, Mapping)
            else tested
            for operator, tested in conditions.items()
        }
    return {key: value for key, value in formed.items() if value not in ("", None, [])}


def _root(principal: str) -> str:
    """Return the root ARN of an account id."""
    return f"arn:aws:iam::{principal}:root" if re.fullmatch(r"\d{12}", principal) else principal


def _texts(value: object, written: Callable[[str], str] = str) -> list[str]:
    texts = (each if isinstance(each, str) else _text(each) for each in _listed(value))
    return sorted(map(written, texts))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)

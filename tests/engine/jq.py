#!/usr/bin/env python
"""As much of jq as advices use, each filter by its text; for want of jq."""

import json
import sys
from typing import Any

WITHOUT = (
    'walk(if type == "array" then map(select((.urn? // .) != $urn)) else . end)'  # a resource
)


def without(value: Any, urn: str) -> Any:
    """Leave out of every list what has the URN, or is it."""
    if isinstance(value, dict):
        return {key: without(each, urn) for key, each in value.items()}
    if isinstance(value, list):
        inner = [without(each, urn) for each in value]
        return [each for each in inner if urn not in (each, _urn(each))]
    return value


def _urn(value: Any) -> Any:
    return value.get("urn") if isinstance(value, dict) else None


def main(*arguments: str) -> None:
    text = sys.stdin.read()
    match arguments:
        case ["--arg", "urn", urn, filter_] if filter_ == WITHOUT:
            json.dump(without(json.loads(text), urn), sys.stdout)
        case ["--arg", "field", field, "{($field): .}"]:
            json.dump({field: json.loads(text)}, sys.stdout)
        case ["-j", "."]:
            found = json.loads(text)
            sys.stdout.write(found if isinstance(found, str) else json.dumps(found))
        case _:
            raise SystemExit(f"jq: teach {__file__} the filter of {arguments}")


main(*sys.argv[1:])

"""Pulumi's own check of config types, which the CLI runs before any program.

Ported from `Project.Validate` and `ValidateConfigValue` (sdk/go/common/workspace/project.go) and
`ValidateStackConfigAndApplyProjectConfig` (pkg/workspace/config.go) of
https://github.com/pulumi/pulumi, v3.274.1.
"""

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

_TYPES = ("string", "integer", "boolean", "array", "object")


def declaration_errors(project: str, declared: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the CLI rejects in the `config` section of Pulumi.yaml, a sentence each."""
    for key, declaration in declared.items():
        if not isinstance(declaration, dict):
            continue  # a default value, of any type
        if "default" in declaration and "value" in declaration:
            yield f"config key {key} has both a default and a value; keep one"
        if ":" in key and not key.startswith(f"{project}:"):
            yield from _foreign_errors(key, declaration)
        elif "type" in declaration:
            yield from _type_errors(key, declaration)


def missing_errors(declared: Mapping[str, Any], given: Container[str]) -> Iterator[str]:
    """Yield a sentence for each required key that is not in `given`."""
    for key, declaration in declared.items():
        if ":" in key or key in given:
            continue
        values = declaration if isinstance(declaration, dict) else {"default": declaration}
        if values.get("default") is None and values.get("value") is None:
            yield f"{key} is missing; set it, because Pulumi.yaml has no default"


def value_errors(declared: Mapping[str, Any], key: str, value: object) -> Iterator[str]:
    """Yield what the CLI rejects in a stack's decrypted value of a declared key."""
    declaration = declared.get(key)
    if not isinstance(declaration, dict) or "type" not in declaration:
        return
    # The CLI stores a scalar as text, whatever its type in YAML.
    kept = value if isinstance(value, dict | list) else _scalar(value)
    if not is_of_type(declaration["type"], declaration.get("items"), kept):
        yield f"{key} must be of type {type_name(declaration)}, got {_kind(value)}"


def is_of_type(type_: str, items: Mapping[str, Any] | None, value: object) -> bool:
    """Return whether Pulumi accepts the value for the type; `items` is that of an array."""
    match type_:
        case "string":
            return isinstance(value, str)
        case "integer":
            if isinstance(value, str):
                return re.fullmatch(r"[+-]?[0-9]+", value) is not None
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and float(value).is_integer()  # type: ignore[arg-type]
        case "boolean":
            return isinstance(value, bool) or value in ("true", "false")
        case "object":
            return isinstance(value, dict)
        case _:
            return (
                isinstance(value, list)
                and items is not None
                and all(is_of_type(items["type"], items.get("items"), each) for each in value)
            )


def type_name(declaration: Mapping[str, Any]) -> str:
    """Return a declared type as the CLI writes it, such as `array<string>`."""
    items = declaration.get("items")
    return f"array<{type_name(items)}>" if items else str(declaration["type"])


def _foreign_errors(key: str, declaration: Mapping[str, Any]) -> Iterator[str]:
    if "type" in declaration:
        yield f"config key {key} is in another namespace, so it cannot have a type"
    if "default" in declaration:
        yield f"config key {key} is in another namespace; write `value` instead of `default`"
    elif "value" not in declaration:
        yield f"config key {key} is in another namespace, so it needs a `value`"


def _type_errors(key: str, declaration: Mapping[str, Any]) -> Iterator[str]:
    type_, items = declaration["type"], declaration.get("items")
    if type_ not in _TYPES:
        yield f"config key {key} has the unknown type {type_!r}; types are {', '.join(_TYPES)}"
    elif type_ == "array" and not items:
        yield f"config key {key} is an array; set the type of its `items`"
    else:
        default = declaration.get("default")
        if default is not None and not is_of_type(type_, items, default):
            expected = type_name(declaration)
            yield f"the default of {key} must be of type {expected}, got {_kind(default)}"


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _kind(value: object) -> str:
    """Name the type of a value that may be secret."""
    kinds = {
        dict: "a map",
        list: "a list",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
    }
    return kinds.get(type(value), "text" if value is not None else "nothing")

"""What pydantic finds wrong with stack config, in the words of its keys. Pure: no Pulumi."""

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from infra.schema import Settings, model_in

_SHOWN_LENGTH = 60
# Pydantic's kinds of error in the words of YAML.
_KINDS = {
    "bool_type": "must be true or false",
    "dict_type": "must be a map",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "model_attributes_type": "must be a map",
    "model_type": "must be a map",
    "string_type": "must be text",
}


def lines(project: str, errors: list[ErrorDetails]) -> list[str]:
    """Write a line for each place at fault."""
    broken: dict[tuple[str, ...], list[str]] = {}
    inputs: dict[tuple[str, ...], object] = {}
    for error in errors:
        path = tuple(map(str, error["loc"]))
        if path[2:3] == ("fields",):
            path = path[:4]  # pydantic adds the type, of several, that did not fit
        broken.setdefault(path, []).append(_rule(path, error))
        inputs[path] = error["input"]
    return [
        f"{project}:{'.'.join(path)} {' or '.join(found).replace(' or must be ', ' or ')}"
        + ("" if found[0].startswith("is ") else f", got {_shown(path, inputs[path])}")
        for path, found in broken.items()
    ]


def _rule(path: tuple[str, ...], error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return f"is no key; allowed are {', '.join(_keys_beside(path))}"
        case "missing":
            return "is missing"
        case "string_too_long":
            return f"may have {error['ctx']['max_length']} characters"
        case "literal_error":
            return f"must be {error['ctx']['expected']}"
        case _:
            return _KINDS.get(error["type"], error["msg"])


def _keys_beside(path: tuple[str, ...]) -> list[str]:
    """Keys that are allowed where ``path`` ends."""
    model: type[BaseModel] = Settings
    for part in path[:-1]:
        annotations = {field.alias: field.annotation for field in model.model_fields.values()}
        model = model_in(annotations.get(part)) or model
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return [*keys, "secretValues"] if model is Settings else keys


def _shown(path: tuple[str, ...], value: object) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    if value is None:
        return "null"
    if path[0] in ("secrets", "parameters") and not _is_structure(path, value):
        return "a value that is not shown"
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _is_structure(path: tuple[str, ...], value: object) -> bool:
    """Whether a value in there can be no secret that was put in a wrong place."""
    return path[-1] in ("from", "strategy", "type", "tier") or (
        not isinstance(value, str) and "fields" not in path
    )

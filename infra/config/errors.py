"""Errors of stack config: their type, and pydantic's in plain words. Pure: no Pulumi."""

import json
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .model import model_in, rule_of
from .schema import Settings

_Place = tuple[int | str, ...]
_SHOWN_LENGTH = 60
_PROVIDER = "aws:"
_UNKNOWN, _MISSING = "is an unknown key", "is missing"
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
    "string_too_short": "must not be empty",
    "string_type": "must be text",
}
# Maps of text with free names; paths without the logical name of a secret.
_BY_NAME = (["tags"], ["secrets", "fields"])


class ConfigError(NamedTuple):
    """One error of stack config; `SettingsError` raises all of them at once."""

    path: str
    """Key in the project's config, such as `secrets.database.from`."""
    message: str
    """What is wrong and what to do, to be read after the path; never a secret value."""
    depends_on: tuple[str, ...] = ()
    """Other keys that the rule reads; if one of them is wrong by itself, this is no error."""

    def line(self, project: str) -> str:
        """Return it as one line, with the full key."""
        if self.path.startswith(_PROVIDER):
            return f"{self.path} {self.message}"
        return f"{project}:{self.path} {self.message}"


def of_schema(details: Iterable[ErrorDetails]) -> Iterator[ConfigError]:
    """Translate pydantic's errors: one per key, however many types did not match."""
    rules: dict[_Place, list[str]] = {}
    inputs: dict[_Place, object] = {}
    for error in details:
        place = error["loc"]
        if place[2:3] == ("fields",):
            place = place[:4]  # pydantic adds which of several types did not match
        rules.setdefault(place, []).append(_rule(tuple(map(str, place)), error))
        inputs[place] = error["input"]
    unknown = {place[:2] for place, broken in rules.items() if broken[0].startswith(_UNKNOWN)}
    for place, broken in rules.items():
        if place[0] == "exemptions" and broken[0] == _MISSING and place[:2] in unknown:
            continue  # it is a name with a dot, and no exemption
        message = _joined(broken)
        if not broken[0].startswith("is "):
            message += f", got {_shown(place, inputs[place])}"
        if broken[0] == _KINDS["string_type"]:
            message += _remedy(place, inputs[place])
        elif place[0] == "exemptions" and broken[0].startswith(_UNKNOWN):
            message += _dotted(("exemptions", f"{place[1]}.{place[2]}", "reason"), place[:2])
        yield ConfigError(".".join(map(str, place)), message)


def _joined(broken: list[str]) -> str:
    """Write the rules of several types as one, such as "must be text, a number, or a map"."""
    rules = [rule for rule in broken if not ("must be a number" in broken and "whole" in rule)]
    first, *others = rules
    if not others:
        return first
    *middle, last = (rule.removeprefix("must be ") for rule in others)
    return ", ".join([first, *middle]) + f"{',' if middle else ''} or {last}"


def _remedy(place: _Place, value: object) -> str:
    """Say how to set text that `pulumi config set --path` turned into another type."""
    if isinstance(value, int | float):
        text = json.dumps(value)
        end = "-- " if text.startswith("-") else ""
        shown = "VALUE" if _is_environment(place) else f"{end}{text}"
        command = f"pulumi config set --path --type string {_argument(place)} {shown}"
        return f"; put it in quotes, or run `{command}`"
    *parent, name = place
    if not isinstance(value, dict) or not value or parent[:1] + parent[2:] not in _BY_NAME:
        return ""
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        name = f"{name}.{key}"
    return _dotted((*parent, name), place)


def _dotted(meant: _Place, written: _Place) -> str:
    """Say how to set a name that contains dots, which `--path` takes for maps in maps."""
    return (
        f"; to set a name that contains dots, run `pulumi config set --path {_argument(meant)}`;"
        f" to remove the map, run `pulumi config rm --path {_argument(written)}`"
    )


def _argument(place: _Place) -> str:
    """Return a path as an argument of the CLI in a shell."""
    return shlex.quote("".join(map(_segment, place)).removeprefix("."))


def _segment(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part.isidentifier() else f"[{json.dumps(part, ensure_ascii=False)}]"


def _rule(path: tuple[str, ...], error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return f"{_UNKNOWN}; allowed keys: {', '.join(_sibling_keys(path))}"
        case "missing":
            return _MISSING
        case "string_type" if allowed := _allowed(path):
            return f"must be {allowed}"
        case "string_too_long":
            return f"must have at most {error['ctx']['max_length']} characters"
        case "literal_error":
            return f"must be {error['ctx']['expected']}"
        case _:
            text = "text or " if path[0] == "exemptions" and error["type"] == "model_type" else ""
            return _KINDS.get(error["type"], error["msg"]).replace("be a map", f"be {text}a map")


def _allowed(path: tuple[str, ...]) -> str:
    """Say what the key at the end of `path` may be, if it has a rule."""
    field = _fields(_owner(path)).get(path[-1])
    return str((field and rule_of(field)) or "")


def _sibling_keys(path: tuple[str, ...]) -> list[str]:
    """Keys that are allowed where `path` ends."""
    owner = _owner(path)
    return [*_fields(owner), "secretValues"] if owner is Settings else [*_fields(owner)]


def _owner(path: tuple[str, ...]) -> type[BaseModel] | None:
    """Return the model that has the key at the end of `path`; None in a map of plain values."""
    model: type[BaseModel] | None = Settings
    parts = iter(path[:-1])
    for part in parts:
        field = _fields(model).get(part)
        if field is None:
            return None
        if get_origin(field.annotation) in (dict, list):
            next(parts, None)  # a name or an index
        model = model_in(field.annotation)
    return model


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """Return a model's fields by their keys in config."""
    fields = model.model_fields.items() if model else ()
    return {field.alias or name: field for name, field in fields}


def _shown(path: _Place, value: object) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    if value is None:
        return "null"
    hidden = path[0] in ("secrets", "parameters") and not _is_structure(path, value)
    if hidden or _is_environment(path):
        return "a value that is not shown"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _is_environment(path: _Place) -> bool:
    """Whether it is an environment variable of a function, which may contain a secret."""
    return path[0] == "functions" and path[2:3] == ("environment",)


def _is_structure(path: _Place, value: object) -> bool:
    """Whether the value cannot be a secret in a wrong place."""
    return path[-1] in ("from", "group", "strategy", "type", "tier") or (
        not isinstance(value, str) and "fields" not in path
    )

"""Writes the generated parts of documents from the sources: `make docs`."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs import emulator_operations
from infra.config.model import Within, model_in, parts
from infra.config.rules.guardrails import RULES
from infra.config.schema import Settings

ROOT = Path(__file__).resolve().parent.parent
_TYPES: dict[object, dict[str, Any]] = {
    int: {"type": "integer"},
    str: {"type": "string"},
    dict: {"type": "object"},
    list: {"type": "array", "items": {"type": "string"}},
}
_SECRET_VALUES = (
    "Values of secrets with `from: config`, by logical name: text, a map of text, or JSON if the"
    " map has numbers; and of parameters, by `parameters/NAME`: text. Set each with"
    " `pulumi config set --secret --path 'secretValues[\"NAME\"]'`"
)


def config_page(text: str) -> str:
    """Return the page with its table of config keys up to date."""
    rows = [
        "| key | allowed | default | what it is |",
        "|---|---|---|---|",
        "| `aws:region` | a region's name | required | region of all resources except replicas |",
        *_rows(Settings, ""),
        f"| `secretValues` | map, encrypted | `{{}}` | {_SECRET_VALUES} |",
    ]
    return _between(text, "<!-- config: written by `make docs` -->", "<!-- end -->", rows)


def project_file(text: str) -> str:
    """Return Pulumi.yaml with its declarations of config keys up to date."""
    declarations: dict[str, dict[str, Any]] = {}
    for field in Settings.model_fields.values():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            default = default.model_dump(by_alias=True, exclude_none=True)
        declarations[str(field.alias)] = {
            **_TYPES[type(default)],
            "description": field.description,
            "default": default,
        }
    declarations["secretValues"] = {
        "type": "object",
        "description": _SECRET_VALUES,
        "default": {},
    }
    written = yaml.safe_dump({"config": declarations}, sort_keys=False, width=99)
    return _between(text, "# config: written by `make docs`", "# end", written.splitlines())


def _rows(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{path}{field.alias or name}"
        inner = model_in(field.annotation)
        by_name = get_origin(field.annotation) is dict
        if inner is None:
            yield f"| `{key}` | {_allowed(field)} | {_default(field)} | {field.description} |"
        elif by_name:
            yield f"| `{key}` | map by name | {_default(field)} | {field.description} |"
            yield from _rows(inner, f"{key}.<name>.")
        else:
            yield from _rows(inner, f"{key}.")


def _allowed(field: FieldInfo) -> str:
    if field.annotation is bool:
        return "true or false"
    kinds: dict[object, str] = {dict: "map", list: "list of text"}
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) in kinds:
            return kinds[get_origin(part)]
    rules = (*field.metadata, *parts(field.annotation))
    return next(filter(None, map(_choice, rules)), "text")


def _choice(rule: object) -> str:
    if get_origin(rule) is Literal:
        return "one of " + ", ".join(get_args(rule))
    return str(rule) if isinstance(rule, Within) else ""


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if field.is_required():
        return "required"
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return f"`{default}`" if default != "" else "empty"


def _between(text: str, start: str, end: str, lines: list[str]) -> str:
    pattern = f"({re.escape(start)}\n).*?({re.escape(end)})"
    body = "\n".join(lines)
    return re.sub(pattern, lambda found: f"{found[1]}{body}\n{found[2]}", text, flags=re.DOTALL)


def operations_page(text: str) -> str:
    """Return the page with its table of the embedded AWS's operations up to date."""
    start, end = "<!-- operations: written by `make docs` -->", "<!-- end -->"
    return _between(text, start, end, ["", *emulator_operations.rows()])


def production_page(text: str) -> str:
    """Return the page with its table of the rules of `protection` up to date."""
    rows = ["", "| from `protection` on | rules |", "|---|---|"]
    for level in ("standard", "strict"):
        keys = [key for key, rule in RULES.items() if rule.level == level and not rule.asks]
        rows.append(f"| `{level}` | {', '.join(f'`{key}`' for key in keys)} |")
    asks = [f"`{key}`" for key, rule in RULES.items() if rule.asks]
    rows += [f"| `strict`, for a deletion | {', '.join(asks)} |", ""]
    return _between(text, "<!-- rules: written by `make docs` -->", "<!-- end -->", rows)


WRITTEN = {
    "docs/config.md": config_page,
    "docs/production.md": production_page,
    "docs/emulator-operations.md": operations_page,
    "Pulumi.yaml": project_file,
}


def main() -> int:
    """Write the files whose generated part is out of date, and print their names."""
    for name, write in WRITTEN.items():
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = write(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"wrote {name}")  # noqa: T201 (a command's answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())

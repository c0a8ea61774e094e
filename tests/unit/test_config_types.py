"""Config types: what the Pulumi CLI refuses before a program runs is refused here, too."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.config.project import ProjectError, load
from tests.recording import ROOT

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
GRID: dict[str, Any] = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}

# (what Pulumi.yaml declares, what the stack's file says, what is refused or nothing).
# tests/engine/test_config_types.py puts the same table to the CLI itself.
VALUES: list[tuple[Mapping[str, Any], Any, str]] = [
    ({"type": "string"}, "text", ""),
    ({"type": "string"}, 7, ""),
    ({"type": "string"}, True, ""),
    ({"type": "string"}, {"a": 1}, "key must be of type string, got a map"),
    ({"type": "integer"}, 7, ""),
    ({"type": "integer"}, "-7", ""),
    ({"type": "integer"}, "+7", ""),
    ({"type": "integer"}, "7.0", "key must be of type integer, got text"),
    ({"type": "integer"}, "7 ", "key must be of type integer, got text"),
    ({"type": "integer"}, True, "key must be of type integer, got a boolean"),
    ({"type": "integer"}, [7], "key must be of type integer, got a list"),
    ({"type": "boolean"}, True, ""),
    ({"type": "boolean"}, "false", ""),
    ({"type": "boolean"}, "yes", "key must be of type boolean, got text"),
    ({"type": "boolean"}, 1, "key must be of type boolean, got an integer"),
    ({"type": "object"}, {}, ""),
    ({"type": "object"}, {"a": {"b": [1]}}, ""),
    ({"type": "object"}, [], "key must be of type object, got a list"),
    ({"type": "object"}, "text", "key must be of type object, got text"),
    (NAMES, [], ""),
    (NAMES, ["a", "b"], ""),
    (NAMES, ["a", 7], r"key must be of type array<string>, got a list"),
    (NAMES, {"a": 1}, r"key must be of type array<string>, got a map"),
    (NAMES, "a", r"key must be of type array<string>, got text"),
    (GRID, [[1, 2.0], ["3"]], ""),
    (GRID, [[1], 2], r"key must be of type array<array<integer>>, got a list"),
]

# (what Pulumi.yaml declares of a key, what is refused or nothing).
DECLARATIONS: list[tuple[str, Any, str]] = [
    ("key", 7, ""),
    ("key", ["a"], ""),
    ("key", {"type": "object", "default": {}}, ""),
    ("key", {**NAMES, "default": ["a"]}, ""),
    ("key", {"type": "integer", "default": "7"}, ""),
    ("aws:region", {"value": "us-east-1"}, ""),
    (
        "key",
        {"type": "object", "default": []},
        "default of key must be of type object, got a list",
    ),
    ("key", {"type": "string", "default": 7}, "default of key must be of type string, got an int"),
    ("key", {"type": "integer", "default": 7.5}, "of key must be of type integer, got a number"),
    ("key", {"type": "array", "default": []}, "key is an array; set the type of its `items`"),
    ("key", {"type": "list"}, "key has the unknown type 'list'"),
    ("key", {"default": 1, "value": 1}, "key has both a default and a value"),
    ("aws:region", {"type": "string", "value": "x"}, "aws:region is in another namespace, so it"),
    ("aws:region", {"default": "x"}, "aws:region is in another namespace; write `value`"),
    ("aws:region", {}, "aws:region is in another namespace, so it needs a `value`"),
]


# (what Pulumi.yaml declares of a key that the stack does not give, whether it is missed).
ABSENT: list[tuple[str, Any, bool]] = [
    ("key", 7, False),
    ("key", {"type": "integer", "default": 7}, False),
    ("key", {"value": 7}, False),
    ("aws:region", {"value": "us-east-1"}, False),
    ("key", {"type": "integer"}, True),
    ("key", {"default": None}, True),
    ("app:key", {"type": "integer"}, True),
]


def write(folder: Path, declared: Mapping[str, Any], **given: object) -> None:
    runtime = {"name": "yaml"}  # built into no CLI, so nothing runs
    project = {"name": "app", "runtime": runtime, "config": declared}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    config = {f"app:{key}": value for key, value in given.items()}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))


@pytest.mark.parametrize("stack", STACKS)
def test_the_cli_would_load_the_project_and_every_stack(stack: str) -> None:
    assert load(ROOT, stack).name == stack


def test_a_list_is_declared_as_an_array_of_text() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert declared["replicaRegions"]["type"] == "array"
    assert declared["replicaRegions"]["items"] == {"type": "string"}


@pytest.mark.parametrize(("declared", "value", "refused"), VALUES)
def test_a_value_is_refused_where_the_cli_refuses_it(
    tmp_path: Path, declared: Mapping[str, Any], value: object, refused: str
) -> None:
    write(tmp_path, {"key": declared}, key=value)
    if not refused:
        kept = load(tmp_path, "dev").config["app:key"]
        assert (kept if isinstance(value, str) else json.loads(kept)) == value
        return
    with pytest.raises(ProjectError, match=rf"^Pulumi\.dev\.yaml: {refused}$"):
        load(tmp_path, "dev")


@pytest.mark.parametrize(("key", "declared", "refused"), DECLARATIONS)
def test_a_declaration_is_refused_where_the_cli_refuses_it(
    tmp_path: Path, key: str, declared: Mapping[str, Any], refused: str
) -> None:
    write(tmp_path, {key: declared})
    if not refused:
        load(tmp_path, "dev")
        return
    with pytest.raises(ProjectError, match=rf"^Pulumi\.yaml: .*{refused}"):
        load(tmp_path, "dev")


@pytest.mark.parametrize(("key", "declared", "missed"), ABSENT)
def test_a_key_without_a_default_is_missed_where_the_cli_misses_it(
    tmp_path: Path, key: str, declared: object, *, missed: bool
) -> None:
    write(tmp_path, {key: declared})
    if not missed:
        load(tmp_path, "dev")
        return
    with pytest.raises(ProjectError, match=r"^Pulumi\.dev\.yaml: key is missing; set it"):
        load(tmp_path, "dev")


def test_every_error_of_type_comes_at_once_and_quotes_no_value(tmp_path: Path) -> None:
    declared = {
        "a": {"type": "object"},
        "b": {**NAMES, "default": "s3cr3t"},
        "c": {"type": "integer"},
    }
    write(tmp_path, declared, a="s3cr3t", c="s3cr3t")
    with pytest.raises(ProjectError) as error:
        load(tmp_path, "dev")
    assert len(str(error.value).splitlines()) == 3
    assert "s3cr3t" not in str(error.value)

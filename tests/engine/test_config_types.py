"""The table of config types, put to the Pulumi CLI itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.cli import Cli, needs_cli
from tests.unit.test_config_types import ABSENT, DECLARATIONS, VALUES, write

pytestmark = [pytest.mark.exhaustive, needs_cli]


def preview(folder: Path) -> str:
    cli = Cli(folder)
    ended = [cli.run("stack", "init", "dev"), cli.run("preview", "--stack", "dev")]
    return "".join(each.stdout + each.stderr for each in ended)


@pytest.mark.parametrize(("declared", "value", "refused"), VALUES)
def test_the_cli_refuses_the_same_values(
    tmp_path: Path, declared: Mapping[str, Any], value: object, refused: str
) -> None:
    write(tmp_path, {"key": declared}, key=value)
    printed = preview(tmp_path)
    assert ("with configuration key 'key' must be of type" in printed) == bool(refused), printed


@pytest.mark.parametrize(("key", "declared", "refused"), DECLARATIONS)
def test_the_cli_refuses_the_same_declarations(
    tmp_path: Path, key: str, declared: Mapping[str, Any], refused: str
) -> None:
    write(tmp_path, {key: declared})
    printed = preview(tmp_path)
    loaded = "Created stack 'dev'" in printed
    assert loaded != bool(refused), printed


@pytest.mark.parametrize(("key", "declared", "missed"), ABSENT)
def test_the_cli_misses_the_same_keys(
    tmp_path: Path, key: str, declared: object, *, missed: bool
) -> None:
    write(tmp_path, {key: declared})
    printed = preview(tmp_path)
    assert "Created stack 'dev'" in printed
    assert ("is missing configuration value" in printed) == missed, printed

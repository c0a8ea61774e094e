"""The tables of YAML's meanings, put to the Pulumi CLI itself."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.cli import Cli, needs_cli
from tests.unit.test_go_yaml import REFUSED, REFUSED_HERE, VALUES

pytestmark = [pytest.mark.exhaustive, needs_cli]


def meanings(folder: Path, texts: Iterable[str]) -> list[Any] | str:
    """Return what each text means to the CLI as a value in a stack's file, or its error."""
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: yaml\n")
    lines = [f"  app:k{index}:\n    value: {text}\n" for index, text in enumerate(texts)]
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n{''.join(lines)}")
    cli = Cli(folder)
    for command in (["stack", "init", "dev"], ["config", "--json", "--stack", "dev"]):
        ended = cli.run(*command)
        if ended.returncode:
            return ended.stderr
    read = json.loads(ended.stdout)
    return [json.loads(read[f"app:k{index}"]["value"])["value"] for index in range(len(lines))]


def test_every_value_means_the_same_to_the_cli(tmp_path: Path) -> None:
    assert meanings(tmp_path, [text for text, _ in VALUES]) == [meant for _, meant in VALUES]


def test_the_cli_makes_something_else_of_what_is_refused_here(tmp_path: Path) -> None:
    made = meanings(tmp_path, [text for text, _, _ in REFUSED_HERE])
    assert made == [meant for _, _, meant in REFUSED_HERE]


@pytest.mark.parametrize("text", [text for text, _ in REFUSED])
def test_the_cli_refuses_the_same_values(tmp_path: Path, text: str) -> None:
    error = str(meanings(tmp_path, [text]))
    assert error.startswith("error: could not read stack configuration"), error

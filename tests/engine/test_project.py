"""The tables of config keys and values, put to the Pulumi CLI itself."""

import json
from pathlib import Path

import pytest

from tests.engine.cli import Cli, needs_cli
from tests.unit.test_project import KEYS, REFUSED_KEYS, TEXTS

pytestmark = [pytest.mark.exhaustive, needs_cli]


def config(folder: Path, text: str) -> dict[str, str] | str:
    """Return the config that the CLI reads from a stack's file, or its error."""
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: yaml\n")
    (folder / "Pulumi.dev.yaml").write_text(text)
    cli = Cli(folder)
    for command in (["stack", "init", "dev"], ["config", "--json", "--stack", "dev"]):
        ended = cli.run(*command)
        if ended.returncode:
            return ended.stderr
    return {key: each.get("value", "") for key, each in json.loads(ended.stdout).items()}


def test_the_cli_keeps_every_value_as_the_same_text(tmp_path: Path) -> None:
    lines = [f"  k{index}: {written}\n" for index, (written, _) in enumerate(TEXTS)]
    read = config(tmp_path, f"config:\n{''.join(lines)}")
    assert read == {f"app:k{index}": text for index, (_, text) in enumerate(TEXTS)}


@pytest.mark.parametrize(("text", "named"), KEYS)
def test_the_cli_gives_keys_the_same_namespace(
    tmp_path: Path, text: str, named: dict[str, str]
) -> None:
    assert config(tmp_path, f"config: {text}\n") == named


@pytest.mark.parametrize("text", [text for text, _ in REFUSED_KEYS])
def test_the_cli_refuses_the_same_keys(tmp_path: Path, text: str) -> None:
    assert "as a configuration key" in str(config(tmp_path, f"config: {text}\n"))


def test_of_two_forms_of_one_key_the_cli_takes_any(tmp_path: Path) -> None:
    keys = "".join(f"  a{index}: 1\n  app:a{index}: 2\n" for index in range(64))
    read = config(tmp_path, f"config:\n{keys}")
    assert isinstance(read, dict)
    assert set(read.values()) == {"1", "2"}

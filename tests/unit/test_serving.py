"""What `make serve` prints for Pulumi, by how the CLI is installed."""

import os
from pathlib import Path

import pytest

from local import outputs
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine


def lines(cli: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    engine = PulumiEngine(Cli(cli, "3.274.1"))
    monkeypatch.setattr(engine, "_ports", {"aws": 1, "python": 2})
    engine.folder = cli.parent
    return outputs.of_pulumi(engine, "dev")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a CLI in a folder with a quote in its name, which is not on the PATH."""
    path = tmp_path / "it's here/pulumi"
    path.parent.mkdir()
    path.touch(0o700)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return path


def test_a_cli_without_a_host_for_python_is_given_one(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "export PULUMI_DEBUG_PROVIDERS=aws:1" in lines(cli, monkeypatch)
    assert "export PULUMI_DEBUG_LANGUAGES=python:2" in lines(cli, monkeypatch)
    cli.with_name("pulumi-language-python").touch(0o700)
    assert "export PULUMI_DEBUG_PROVIDERS=aws:1" in lines(cli, monkeypatch)
    assert "PULUMI_DEBUG_LANGUAGES" not in str(lines(cli, monkeypatch))


def test_the_built_cli_is_put_on_the_path(cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = str(cli.parent).replace("'", "'\"'\"'")
    assert f"export PATH='{quoted}':\"$PATH\"" in lines(cli, monkeypatch)
    monkeypatch.setenv("PATH", str(cli.parent), prepend=os.pathsep)
    assert "export PATH" not in str(lines(cli, monkeypatch))


def test_how_to_use_the_downloaded_provider_is_said(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, hint, up = lines(cli, monkeypatch)
    assert hint.startswith("# To use the AWS provider that Pulumi downloads: unset")
    assert up == "pulumi up --stack dev"

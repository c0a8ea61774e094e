"""The table of config types, put to the Pulumi CLI itself."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_config_types import DECLARATIONS, VALUES, write

PULUMI = shutil.which("pulumi")
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(PULUMI is None, reason="there is no pulumi on PATH"),
]


def preview(folder: Path) -> str:
    (folder / "state").mkdir()
    private = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder}/state",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    printed = ""
    for command in (["stack", "init", "dev"], ["preview", "--stack", "dev"]):
        ended = subprocess.run(  # noqa: S603 (the Pulumi CLI)
            [str(PULUMI), "--non-interactive", *command],
            cwd=folder,
            env=private,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        printed += ended.stdout + ended.stderr
    return printed


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

"""The Pulumi CLI, with a home, a state and a passphrase of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from local.engines import pulumi_cli

needs_cli = pytest.mark.usefixtures("pulumi")


def environment(directory: Path) -> dict[str, str]:
    """Make the folders that the CLI keeps everything in; return the variables that name them."""
    for name in ("home", "state"):
        (directory / name).mkdir()
    return {
        "PULUMI_BACKEND_URL": f"file://{directory}/state",
        "PULUMI_CONFIG_PASSPHRASE": "of the tests",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(directory / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


class Cli:
    """The CLI in a project's folder, which sees nothing of the caller's environment."""

    def __init__(self, folder: Path) -> None:
        found = pulumi_cli.find()
        assert found is not None
        self._path, self._folder = str(found.path), folder
        self._environment = environment(folder) | {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
        }

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `text` on its standard input."""
        return subprocess.run(  # noqa: S603 (the Pulumi CLI)
            [self._path, "--non-interactive", *command],
            cwd=self._folder,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

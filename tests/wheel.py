"""The wheel of this project, built and installed as a user of the components would."""

import subprocess
import sys
from pathlib import Path

from tests.recording import ROOT

PACKAGE = "lambda_secrets"


def build(folder: Path) -> Path:
    """Build the wheel of this checkout with what is installed; return its path."""
    pip("wheel", str(ROOT), "--no-build-isolation", "--wheel-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel without its requirements; return the folder to put on the path."""
    pip("install", str(wheel), "--target", str(folder))
    return folder


def pip(command: str, *arguments: str) -> None:
    """Run pip offline, for one distribution alone."""
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    done = subprocess.run(  # noqa: S603 (this Python's pip)
        [sys.executable, "-m", "pip", command, *options, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

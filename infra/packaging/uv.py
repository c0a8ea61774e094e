"""Finds uv, and runs it with the index that pip is configured to use."""

import functools
import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .. import own_files

INSTALL = "run `make .venv/uv` in the project, or `pip install uv`"
"""What to do if uv is missing."""
_OURS = own_files.PROJECT / ".venv/uv/bin/uv"
_INDEX = re.compile(r"^ *index-url *[=:] *(.*)$", re.MULTILINE)
# uv reads the index from these; the first replaces PyPI.
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_SECONDS = 900
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


class UvError(Exception):
    """uv's error message on one line, without credentials."""


def find() -> str | None:
    """Return the path of uv: installed by `make`, from the package `uv`, or on the PATH."""
    if _OURS.is_file():
        return str(_OURS)
    try:
        return str(importlib.import_module("uv").find_uv_bin())
    except (ImportError, FileNotFoundError):  # not installed; installed without its program
        return shutil.which("uv")


def run(*arguments: str | Path, folder: Path) -> str:
    """Run uv in a folder, and return what it prints.

    Raises:
        UvError: uv is missing, or fails.

    """
    uv = find()
    if uv is None:
        raise UvError(f"uv is not installed; {INSTALL}")
    try:
        done = subprocess.run(  # noqa: S603 (uv, found above)
            [uv, *map(str, arguments)],
            cwd=folder,
            env=environment(os.environ),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UvError(
            f"uv did not end within {_SECONDS} s; check the connection to the package index"
        ) from error
    if done.returncode:
        raise UvError(masked(_reason(done.stderr) or f"exit status {done.returncode}"))
    return done.stdout


@functools.cache
def find_python(version: str) -> str | None:
    """Return an installed Python that uv finds, such as one that it manages."""
    try:
        return run("python", "find", "--no-project", version, folder=Path.home()).strip()
    except UvError:
        return None


def masked(text: str) -> str:
    """Remove user names and passwords from URLs."""
    return _CREDENTIALS.sub("", text)


def environment(base: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """Return the environment of uv: pip's index, and no download of a Python."""
    variables = {**base, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    variables.pop("VIRTUAL_ENV", None)
    if not any(base.get(name) for name in _INDEX_VARIABLES):
        index = base.get("PIP_INDEX_URL") or _configured_index(base)
        if index:
            variables["UV_DEFAULT_INDEX"] = index
    return variables


def _configured_index(base: os._Environ[str] | dict[str, str]) -> str:
    """Read pip's configuration like the Makefile: the last file wins."""
    home = Path(base.get("HOME") or Path.home())
    files: Sequence[Path | str] = (
        "/etc/pip.conf",
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
        base.get("PIP_CONFIG_FILE") or "",
    )
    indexes = [
        index
        for path in map(Path, files)
        if path.is_file()
        for index in _INDEX.findall(path.read_text(encoding="utf-8", errors="replace"))
    ]
    return indexes[-1].strip() if indexes else ""


def _reason(stderr: str) -> str:
    """Return uv's error and its causes on one line, without warnings and hints."""
    parts: list[str] = []
    for line in stderr.splitlines():
        text = line.strip()
        if text.startswith("error: "):
            parts = [text.removeprefix("error: ")]
        elif text.startswith(("hint: ", "warning: ")) and parts:
            break
        elif text.startswith("cause: ") and parts:
            parts.append(text.removeprefix("cause: "))
        elif text and parts:
            parts[-1] += f" {text}"
    return "; ".join(parts).removesuffix(".")

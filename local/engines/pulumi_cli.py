"""Finds the Pulumi CLI: on the PATH, or the one that `make pulumi` built.

It deliberately downloads and installs nothing.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
# The minimum of Pulumi's SDK in pyproject.toml: engine and SDK are released together.
MINIMUM = (3, 236, 0)
_MODULE = re.compile(r"^require github\.com/pulumi/pulumi/pkg/v3 v(\S+)$", re.MULTILINE)
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_TIMEOUT_SECONDS = 30


class CliError(Exception):
    """The Pulumi CLI cannot be used; the text says why and what to do, in one line."""


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI that is new enough."""

    path: Path
    version: str
    """Such as `3.274.1`; empty for a development build."""

    @property
    def is_on_path(self) -> bool:
        """Whether `pulumi` in a shell runs it."""
        return shutil.which("pulumi") == str(self.path)

    @property
    def has_python(self) -> bool:
        """Whether it can run Python programs, as a full installation can."""
        name = "pulumi-language-python"
        return (self.path.parent / name).is_file() or shutil.which(name) is not None

    def __str__(self) -> str:
        """Return version and path."""
        return f"Pulumi {self.version or '(a development build)'} at {self.path}"


def find() -> Cli | None:
    """Return the CLI on the PATH, otherwise the built one, or None.

    Raises:
        CliError: it is too old, or does not run.

    """
    on_path = shutil.which("pulumi")
    path = Path(on_path) if on_path else built()
    if not path.is_file():
        return None
    version = _version(path)
    found = _VERSION.match(version)
    if version and not found:
        raise CliError(f"{path} reports the version {version!r}; reinstall Pulumi")
    minimum = max(MINIMUM, _required())
    if found and tuple(map(int, found.groups())) < minimum:
        needed = ".".join(map(str, minimum))
        raise CliError(
            f"{path} is Pulumi {version.removeprefix('v')}, but {needed} or later is required;"
            " upgrade it (https://www.pulumi.com/docs/install/), or run with ENGINE=built-in"
        )
    return Cli(path, version.removeprefix("v"))


def built() -> Path:
    """Return where `make pulumi` puts the CLI: in a cache outside the checkout."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, str(_project()["name"]), f"pulumi-{module_version()}", "pulumi")


def module_version() -> str:
    """Return the version that `make pulumi` builds."""
    text = (ROOT / "tools/pulumi/go.mod").read_text(encoding="utf-8")
    found = _MODULE.search(text)
    assert found  # noqa: S101 (a file of this project)
    return found[1]


def without_pulumi() -> dict[str, str]:
    """Return the environment without the user's variables for Pulumi."""
    given = {name: text for name, text in os.environ.items() if not name.startswith("PULUMI_")}
    return given | {"PULUMI_SKIP_UPDATE_CHECK": "true"}


def _version(path: Path) -> str:
    try:
        asked = subprocess.run(  # noqa: S603 (the Pulumi CLI)
            [path, "version"],
            env=without_pulumi() | {"PULUMI_HOME": os.devnull},  # even `version` writes a log file
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeError) as error:
        raise CliError(
            f"{path} does not run ({type(error).__name__}); reinstall Pulumi, or run with"
            " ENGINE=built-in"
        ) from error
    return asked.stdout.strip()


def _required() -> tuple[int, ...]:
    """Return the lower bound of `requiredPulumiVersion`; the CLI checks any other form."""
    found = re.match(r">=\s*(\d+)\.(\d+)\.(\d+)", str(_project().get("requiredPulumiVersion", "")))
    return tuple(map(int, found.groups())) if found else ()


def _project() -> dict[str, object]:
    read: dict[str, object] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    return read

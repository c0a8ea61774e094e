"""`make test-pythons`: the fast tier with every installed Python that the project supports.

Each has its own environment in `.pythons/`, installed from the same lock.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import jobs, tiers
from tools.jobs import ROOT, Job

MINORS = range(11, 15)
UV = ROOT / ".venv/uv/bin/uv"
LOCK = "requirements/test.txt"


def plan() -> Iterator[Job]:
    """Yield a job for each supported Python; print the ones that are not installed."""
    for minor in MINORS:
        version = f"3.{minor}"
        python = find(version)
        if python is None:
            print(f"– skipped: Python {version} is not installed")
            continue
        yield fast_tier(f"Python {version}", python, ROOT / ".pythons" / version)


def find(version: str) -> Path | None:
    """Return the interpreter of a minor version, on the PATH or from pyenv."""
    candidates = [shutil.which(f"python{version}")]
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates += [str(path) for path in reversed(installed)]
    for candidate in filter(None, candidates):
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 (an interpreter)
        if answer.stdout.strip() == version:
            return Path(candidate)
    return None


def fast_tier(name: str, python: Path | str, environment: Path, *lower: str) -> Job:
    """Return the job that creates an environment and runs the fast tier in it.

    It installs the lock, then the pins in `lower`.
    """
    python_there = str(environment / "bin/python")
    # This test compares the environment with the locks.
    but = ["--ignore=tests/unit/test_requirements.py"] if lower else []
    steps = [
        [str(UV), "venv", "--quiet", "--clear", "--python", str(python), str(environment)],
        [str(UV), "pip", "sync", "--quiet", "--require-hashes", "--no-build", LOCK],
        [str(UV), "pip", "install", "--quiet", "--no-build", *lower] if lower else ["true"],
        [python_there, "-m", "pytest", "-q", *tiers.workers(), *tiers.FAST, *but],
    ]
    script = " && ".join(map(shlex.join, steps))
    return Job(f"{name}: the fast tier", ("env", f"VIRTUAL_ENV={environment}", "sh", "-c", script))


if __name__ == "__main__":
    sys.exit(jobs.run("test-pythons", plan()))

"""The test files by tier: the fast ones start no server, the slower ones do."""

import os
from pathlib import Path

from tools.jobs import ROOT, Job

FAST = ("tests/unit", "tests/components", "tests/program")
EVERYTHING = "exhaustive or not exhaustive"


def slow_files() -> list[str]:
    """Return every test file outside the fast tier, as paths in the checkout."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = [str(path.relative_to(ROOT)) for path in files]
    return [name for name in names if not name.startswith(FAST)]


def pytest(name: str, *arguments: str, environment: Path = ROOT / ".venv") -> Job:
    """Return the job that runs tests with the Python of an environment."""
    workers = os.environ.get("WORKERS", "logical")
    command = (str(environment / "bin/python"), "-m", "pytest", "-q")
    return Job(name, (*command, "--numprocesses", workers, *arguments))


def fast(name: str, environment: Path) -> Job:
    """Return the job that runs the fast tier."""
    return pytest(name, *FAST, environment=environment)

"""The test files by tier: fast tests start no server, slower tests do."""

import os
import sys

from tools.jobs import ROOT, Job

FAST = ("tests/unit", "tests/components", "tests/program", "tests/provider/test_facts.py")
EVERYTHING = "exhaustive or not exhaustive"


def slow_files() -> list[str]:
    """Return every test file outside the fast tier, as paths in the checkout."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = [str(path.relative_to(ROOT)) for path in files]
    return [name for name in names if not name.startswith(FAST)]


def pytest(name: str, *arguments: str) -> Job:
    """Return the job that runs tests."""
    return Job(name, (sys.executable, "-m", "pytest", "-q", *workers(), *arguments))


def workers() -> list[str]:
    """Return pytest's options for the number of workers that make sets."""
    return ["--numprocesses", os.environ.get("WORKERS", "logical")]

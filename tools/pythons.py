"""`make test-pythons`: the fast tier with every installed Python that the project supports.

Each gets an environment of its own in `.pythons/`, installed from the same lock.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import jobs, tiers
from tools.jobs import ROOT, Job

MINORS = range(11, 15)
UV = ROOT / ".venv/uv/bin/uv"


def plan() -> Iterator[Job]:
    """Yield a job for each supported Python; one that is not installed is named and left out."""
    for minor in MINORS:
        version = f"3.{minor}"
        python = find(version)
        if python is None:
            print(f"– skipped: Python {version} is not installed")
            continue
        environment = ROOT / ".pythons" / version
        yield Job(f"Python {version}: install", install(python, environment))
        yield tiers.fast(f"Python {version}: the fast tier", environment)


def find(version: str) -> Path | None:
    """Return the interpreter of a minor version: on the PATH, or one of pyenv's."""
    candidates = [shutil.which(f"python{version}")]
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates += [str(path) for path in reversed(installed)]
    for candidate in filter(None, candidates):
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 (an interpreter)
        if answer.stdout.strip() == version:
            return Path(candidate)
    return None


def install(python: Path | str, environment: Path) -> tuple[str, ...]:
    """Return the command that makes an environment and installs what the tests need."""
    make = f'"{UV}" venv --quiet --clear --python "{python}" "{environment}"'
    sync = f'"{UV}" pip sync --quiet --require-hashes --no-build requirements/test.txt'
    return ("/bin/sh", "-c", f'{make} && VIRTUAL_ENV="{environment}" {sync}')


if __name__ == "__main__":
    sys.exit(jobs.run("test-pythons", plan()))

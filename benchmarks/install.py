"""`python -m benchmarks.install`: times a fresh clone up to its first result, into RESULTS.md.

Exits with 1 if a target is missed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import report
from benchmarks.report import Target
from local.proofs.checks import PROMISES

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/RESULTS.md"
TIMES = 5
FIRST_RESULT = f"✓ {PROMISES[0]}"

_READING = """\
Each row is a phase of `make up` in a new clone without any bytecode. Download: how much longer an
installation takes with empty caches than with full ones, measured once. Install: `make` until
`.venv` is complete, with full caches: it creates a virtual environment, pip installs uv, and uv
installs the lock. Bare `uv pip sync`: only the last of these, into an empty environment. First
result: from then to the first check of `make up`, including the compilation of every module."""


def main() -> int:
    """Measure the phases alternately; write and print the results."""
    taken: dict[str, list[float]] = {"download": [], "install": [], "bare": [], "result": []}
    with tempfile.TemporaryDirectory() as folder:
        caches = {"UV_CACHE_DIR": f"{folder}/uv", "PIP_CACHE_DIR": f"{folder}/pip"}
        environment = {**os.environ, **caches, "PYTHON": sys._base_executable}  # type: ignore[attr-defined]  # noqa: SLF001 (the Python that made .venv)
        cold = 0.0
        for _ in range(TIMES + 1):
            clone = Path(folder, "clone")
            shutil.rmtree(clone, ignore_errors=True)
            _run(["git", "clone", "--quiet", str(ROOT), str(clone)], ROOT, environment)
            seconds = _run(["make", ".venv/local"], clone, environment)
            if not cold:  # the caches are full from here on
                cold = seconds
                continue
            taken["install"].append(seconds)
            taken["bare"].append(_bare_sync(clone, environment))
            taken["result"].append(_first_result(clone, environment))
        taken["download"] = [cold - statistics.median(taken["install"])]
    medians = {phase: statistics.median(seconds) for phase, seconds in taken.items()}
    targets = [
        Target("first result after the install", "s", 8, medians["result"]),
        Target("install, relative to a bare sync", "×", 5, medians["install"] / medians["bare"]),
    ]
    rows = {
        title: [report.cell(taken[phase] * 2, statistics.median(taken[phase]), 1)]
        for title, phase in (
            ("download", "download"),
            ("install", "install"),
            ("bare `uv pip sync` of the same lock", "bare"),
            ("first result", "result"),
        )
    }
    written = [
        "## From a fresh clone to the first result\n",
        *report.verdicts(targets),
        "",
        *report.table(["phase", "s"], rows),
        "",
        _READING,
    ]
    text = "\n".join(written)
    report.write_section(RESULTS, "install", text)
    print(text)
    return 0 if all(target.reached <= target.limit for target in targets) else 1


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    start = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def _bare_sync(clone: Path, environment: dict[str, str]) -> float:
    uv, target = str(clone / ".venv/uv/bin/uv"), str(clone / "bare")
    _run([uv, "venv", "--quiet", "--python", environment["PYTHON"], target], clone, environment)
    lock = ["--require-hashes", "--no-build", "requirements/local.txt"]
    return _run(
        [uv, "pip", "sync", "--quiet", *lock], clone, {**environment, "VIRTUAL_ENV": target}
    )


def _first_result(clone: Path, environment: dict[str, str]) -> float:
    start = time.monotonic()
    seconds = 0.0
    with subprocess.Popen(
        ["make", "up"],  # noqa: S607 (make)
        cwd=clone,
        env={**environment, "ENGINE": "built-in", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None  # noqa: S101 (a pipe was asked for)
        for line in running.stdout:
            if line.startswith(FIRST_RESULT):
                seconds = time.monotonic() - start
    if running.returncode or not seconds:
        raise SystemExit("make up failed")
    return seconds


if __name__ == "__main__":
    sys.exit(main())

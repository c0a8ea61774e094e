"""Runs commands and records which have passed, so that a run can be resumed.

The record is `.jobs/<name>.json`, with a digest of the checkout's code. A change of the code
clears it.
"""

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TAIL_LINES = 60
# Files that no test reads.
_TEXT = re.compile(r"^(docs/.*|.*\.md|LICENSE)$")


@dataclass(frozen=True)
class Job:
    """One command."""

    name: str
    """Printed, and the key of the record."""
    command: tuple[str, ...]
    """Program and arguments; runs in the checkout."""


def run(name: str, jobs: Iterable[Job], at_once: int = 1) -> int:
    """Run all jobs that have not passed yet, `at_once` at a time; return 1 if any fails.

    Prints a line for each job with its time and pytest's last line, the last lines of a failing
    job, and at the end the reasons of skipped tests.
    """
    record = _Record(name)
    failed = []
    skips: set[str] = set()
    start = time.monotonic()
    waiting = []
    for job in jobs:
        if job.name in record.passed:
            print(f"  passed earlier  {job.name}", flush=True)
            skips |= set(record.passed[job.name])
        else:
            waiting.append(job)
    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(_result, job) for job in waiting]
        try:
            for each in as_completed(running):
                result = each.result()
                print(result.line, flush=True)
                if result.passed:
                    skips |= set(result.skipped)
                    record.add(result.job.name, result.skipped)
                else:
                    failed.append(result.job.name)
                    print("\n".join(result.lines[-_TAIL_LINES:]), flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for reason in sorted(skips):
        print(f"– skipped: {reason}")
    print(f"{len(record.passed)} jobs passed, {len(failed)} failed", end="")
    print(f", in {(time.monotonic() - start) / 60:.1f} min")
    return 1 if failed else 0


@dataclass(frozen=True)
class _Result:
    job: Job
    passed: bool
    seconds: float
    lines: list[str]
    """What the command printed."""

    @property
    def line(self) -> str:
        last = self.lines[-1].strip("= ") if self.lines else ""
        return f"{'✓' if self.passed else '✗'} {self.seconds:6.1f} s  {self.job.name}  {last}"

    @property
    def skipped(self) -> list[str]:
        return sorted({_reason(line) for line in self.lines if line.startswith("SKIPPED")})


def _result(job: Job) -> _Result:
    start = time.monotonic()
    ended = subprocess.run(  # noqa: S603 (this module's callers name their own programs)
        job.command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - start
    return _Result(job, ended.returncode == 0, seconds, ended.stdout.splitlines())


class _Record:
    """The record of jobs that have passed, with the reasons of their skipped tests."""

    def __init__(self, name: str) -> None:
        self._path = ROOT / ".jobs" / f"{name}.json"
        self._digest = _digest()
        kept = json.loads(self._path.read_text()) if self._path.exists() else {}
        is_same = kept.get("digest") == self._digest
        self.passed: dict[str, list[str]] = kept["passed"] if is_same else {}

    def add(self, name: str, skipped: list[str]) -> None:
        self.passed[name] = skipped
        self._path.parent.mkdir(exist_ok=True)
        text = json.dumps({"digest": self._digest, "passed": self.passed}, indent=1)
        self._path.write_text(text)


def _digest() -> str:
    """Return a digest of every tracked or untracked file, except text that no test reads."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 (git)
    digest = hashlib.sha256()
    for name in sorted(names.split("\0")):
        path = ROOT / name
        if name and path.is_file() and not _TEXT.match(name):
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _reason(line: str) -> str:
    """Return file and reason of pytest's `SKIPPED [2] tests/x.py:7: reason`."""
    found = re.match(r"SKIPPED \[\d+\] (\S+?)(?::\d+)?: (.*)", line)
    return f"{found[1]}: {found[2]}" if found else line

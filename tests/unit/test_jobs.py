"""`make test-all` and its relatives: jobs run at once, and only those that have not passed."""

import sys
from pathlib import Path

import pytest

from tools import jobs
from tools.jobs import Job


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jobs, "ROOT", tmp_path)
    monkeypatch.setattr(jobs, "_digest", lambda: "the same code")
    return tmp_path


def job(name: str, code: str) -> Job:
    # Without an environment, coverage does not measure it: in another folder, it would not know
    # what it leaves out.
    return Job(name, ("env", "-i", sys.executable, "-c", code))


MEETS = """
import pathlib, time
pathlib.Path({mine!r}).touch()
until = time.monotonic() + 20
while not pathlib.Path({other!r}).exists():
    assert time.monotonic() < until, "alone"
    time.sleep(0.01)
"""


def test_two_jobs_run_at_the_same_time(capsys: pytest.CaptureFixture[str]) -> None:
    left = job("left", MEETS.format(mine="l", other="r"))
    right = job("right", MEETS.format(mine="r", other="l"))
    assert jobs.run("x", [left, right], at_once=2) == 0
    assert "2 jobs passed, 0 failed" in capsys.readouterr().out


def test_one_at_a_time_is_the_default(checkout: Path) -> None:
    alone = "import pathlib, time; p = pathlib.Path('busy'); p.mkdir(); time.sleep(0.1); p.rmdir()"
    assert jobs.run("x", [job(str(number), alone) for number in range(3)]) == 0
    assert not (checkout / "busy").exists()


def test_a_second_run_repeats_only_what_failed(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = job("once", "import os; os.mkdir('ran')")
    fails = job("fails", "print('a reason'); raise SystemExit(1)")
    assert jobs.run("x", [once, fails], at_once=2) == 1
    assert "a reason" in capsys.readouterr().out
    assert jobs.run("x", [once, job("fails", "pass")], at_once=2) == 0
    assert "passed earlier  once" in capsys.readouterr().out
    assert (checkout / "ran").exists()


def test_a_change_of_the_code_runs_all_again(monkeypatch: pytest.MonkeyPatch) -> None:
    once = job("once", "import os; os.mkdir('ran')")
    assert jobs.run("x", [once]) == 0
    monkeypatch.setattr(jobs, "_digest", lambda: "other code")
    assert jobs.run("x", [once]) == 1  # it cannot make the folder again


def test_reasons_of_skipped_tests_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    skipping = job("x", "print('SKIPPED [2] tests/a.py:7: no such server')")
    assert jobs.run("x", [skipping]) == 0
    assert "– skipped: tests/a.py: no such server" in capsys.readouterr().out

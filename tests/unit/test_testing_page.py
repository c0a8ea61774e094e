"""What docs/testing.md shows is run as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recording import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^\$ (?:PYTHONPATH=(\S+) )?\.venv/bin/python (.*)$", PAGE, re.MULTILINE)
"""What is on PYTHONPATH, and the rest of the command."""


def run(folder: Path, place: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page with the project's settings, on its files in a folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    *module, target = command.split()
    return subprocess.run(  # noqa: S603 (pytest, with the page's files)
        [sys.executable, *module, "-c", str(ROOT / "pyproject.toml"), "-q", str(folder / target)],
        cwd=ROOT,
        env=os.environ | ({"PYTHONPATH": str(folder / place)} if place else {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_shows_a_handler_and_a_stack() -> None:
    assert set(FILES) == {
        "services/orders/main.py",
        "services/orders/test_main.py",
        "tests/test_stack.py",
    }
    assert len(COMMANDS) == 2


@pytest.mark.parametrize(("place", "command"), COMMANDS)
def test_its_tests_pass(place: str, command: str, tmp_path: Path) -> None:
    done = run(tmp_path, place, command)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (COMMANDS[0], ('"sk_test"', "sk_test")),
        (COMMANDS[1], ('["session"]}', '["database"]}')),
    ],
)
def test_they_fail_where_the_code_is_wrong(
    given: tuple[str, str],
    wrong: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in FILES.items():
        monkeypatch.setitem(FILES, name, text.replace(*wrong))
    assert "1 failed" in run(tmp_path, *given).stdout

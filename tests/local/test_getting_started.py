"""docs/getting-started.md, followed step by step in a copy of the checkout."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documented import fences, read
from tests.recording import PROJECT, ROOT

PAGE = read(ROOT / "docs/getting-started.md")
_COPIED = ("__main__.py", "Pulumi.yaml", "infra", "handler", "local", "requirements.txt")


def files() -> dict[str, str]:
    """Return the files that the page has one write: those with their name in the first line."""
    found = {
        match[1]: code
        for code in fences(PAGE, "python", "yaml")
        if (match := re.match(r"# (\S+)\n", code))
    }
    (event,) = fences(PAGE, "json")
    (name,) = re.findall(r"Save it as `(\S+)`", PAGE)
    return found | {name: event}


def follow(folder: Path) -> subprocess.CompletedProcess[str]:
    """Write the page's files into a copy of the checkout, and run `make up` with its stack."""
    for name in _COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "local", "up", "--stack", "sandbox", "--engine", "built-in"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_page_has_one_write_a_handler_an_event_and_a_stack() -> None:
    assert set(files()) == {
        "services/links/main.py",
        "services/links/event.json",
        "Pulumi.sandbox.yaml",
    }
    assert json.loads(files()["services/links/event.json"])["path"]
    assert "make up STACK=sandbox" in PAGE


@pytest.mark.exhaustive
def test_following_the_page_leads_to_a_green_run(tmp_path: Path) -> None:
    done = follow(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"✓ every function answers as expected and reveals no secret value +status 200",
        done.stdout,
    )
    assert f"{PROJECT}/sandbox/signing" in done.stdout

"""The project under another name, as whoever starts from it gives it one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.config import project
from tests.recording import PROJECT, ROOT

_LEFT = shutil.ignore_patterns(".*", "__pycache__")
_TESTS = ("tests/components", "tests/program", "tests/unit/test_settings.py")
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def renamed() -> str:
    """Return Pulumi.yaml with another name, in its one line."""
    text = (ROOT / "Pulumi.yaml").read_text(encoding="utf-8")
    line = f"name: {PROJECT}\n"
    assert text.count(PROJECT) == text.count(line) == 1
    return text.replace(line, "name: payments\n")


@pytest.mark.parametrize("stack", STACKS)
def test_one_line_renames_the_project_in_every_key_of_its_stacks(
    tmp_path: Path, stack: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(renamed(), encoding="utf-8")
    shutil.copy(ROOT / f"Pulumi.{stack}.yaml", tmp_path)
    before, after = project.load(ROOT, stack).config, project.load(tmp_path, stack).config
    prefix = f"{PROJECT}:"
    assert sum(key.startswith(prefix) for key in before) > 10
    assert after == {key.replace(prefix, "payments:"): text for key, text in before.items()}


@pytest.mark.exhaustive
def test_a_project_under_another_name_passes_its_tests(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=_LEFT)
    (copy / "Pulumi.yaml").write_text(renamed(), encoding="utf-8")
    run = subprocess.run(  # noqa: S603 (this interpreter)
        [sys.executable, "-m", "pytest", "-q", "-m", "not exhaustive", *_TESTS],
        cwd=copy,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]

"""The project under another name, as whoever starts from it gives it one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recording import PROJECT, ROOT

_LEFT = shutil.ignore_patterns(".*", "__pycache__", "benchmarks")
_TESTS = ("tests/components", "tests/program", "tests/unit/test_settings.py")


@pytest.mark.exhaustive
def test_a_project_under_another_name_passes_its_tests(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=_LEFT)
    replace(copy / "Pulumi.yaml", rf"^name: {PROJECT}$", "name: payments")
    for path in copy.glob("Pulumi.*.yaml"):
        replace(path, rf"^  {PROJECT}:", "  payments:")
    run = subprocess.run(  # noqa: S603 (this interpreter)
        [sys.executable, "-m", "pytest", "-q", "-m", "not exhaustive", *_TESTS],
        cwd=copy,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]


def replace(path: Path, pattern: str, text: str) -> None:
    renamed, count = re.subn(pattern, text, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count, f"{path.name} does not name the project"
    path.write_text(renamed, encoding="utf-8")

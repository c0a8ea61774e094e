"""The host that runs programs for Pulumi's engine, by programs of the tests' own."""

from pathlib import Path

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import Stack, refusal

pytestmark = needs_cli


@pytest.fixture
def program(stack: Stack, tmp_path: Path) -> Path:
    """Return the folder of the stack's program: it exports what its module says."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "__main__.py").write_text(
        "import mine, pulumi\nmine.act()\npulumi.export('said', mine.SAID)\n"
    )
    stack.use(folder)
    return folder


def test_what_is_edited_between_two_runs_counts_in_the_second(stack: Stack, program: Path) -> None:
    for said in ("one", "other"):  # of another size: Python compares seconds and sizes
        (program / "mine.py").write_text(f"SAID = {said!r}\ndef act(): pass\n")
        assert f'"{said}"\n' in stack.up()


def test_a_program_that_prints_a_lot_is_not_held_up(stack: Stack, program: Path) -> None:
    lines = "SAID = 'x'\ndef act():\n    for _ in range(4000): print('x' * 99)\n"
    (program / "mine.py").write_text(lines)
    assert 'said: "x"' in stack.up()


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("raise ValueError('of the tests')", "ValueError: of the tests"),
        ("os._exit(3)", "the program's process exited early"),
    ],
)
def test_a_program_that_fails_is_told_once(
    stack: Stack, program: Path, act: str, told: str
) -> None:
    (program / "mine.py").write_text(f"import os\nSAID = 'x'\ndef act(): {act}\n")
    text = refusal(stack.preview)
    *_, diagnostics = text.split("Diagnostics:")
    assert diagnostics.count(told) == 1

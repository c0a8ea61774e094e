"""Which modules patch ministack, and what becomes of what they patch."""

import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator import PATCHED_BY
from local.emulator.core import patching
from tests.recording import ROOT

DECORATORS = {"replaces", "adds", "changes"}


def with_patches(root: Path) -> set[str]:
    """Name the modules of the emulator in which a function is decorated as a patch."""
    folder = root / "local/emulator"
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if any(map(_is_patch, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    }


def _is_patch(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    called = {each.func for each in node.decorator_list if isinstance(each, ast.Call)}
    return any(ast.unparse(each).rpartition(".")[2] in DECORATORS for each in called)


def test_every_module_with_patches_is_applied_once() -> None:
    assert len(PATCHED_BY) == len(set(PATCHED_BY))
    assert set(PATCHED_BY) == with_patches(ROOT)


@pytest.mark.parametrize("decorator", ["replaces", "patching.adds", "patching.changes"])
def test_a_module_whose_patches_are_not_applied_is_found(tmp_path: Path, decorator: str) -> None:
    shutil.copytree(ROOT / "local/emulator", tmp_path / "local/emulator")
    new = tmp_path / "local/emulator/logs/new.py"
    new.write_text(f"@{decorator}(table, 'Name')\nasync def patch(original): ...\n")
    assert with_patches(tmp_path) - set(PATCHED_BY) == {"logs.new"}


def private_imports(root: Path) -> set[str]:
    """Name what the emulator's modules import of one another that begins with an underscore."""
    return {
        f"{path.relative_to(root)}: {alias.name}"
        for path in (root / "local/emulator").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.level or f"{node.module}.".startswith("local."))
        for alias in node.names
        if alias.name.startswith("_")
    }


def test_no_module_of_the_emulator_imports_a_private_name_of_another(tmp_path: Path) -> None:
    assert private_imports(ROOT) == set()
    (tmp_path / "local/emulator").mkdir(parents=True)
    new = tmp_path / "local/emulator/new.py"
    new.write_text("from .iam import _size, seed_admin\nfrom local.emulator.ssm import _denied\n")
    assert private_imports(tmp_path) == {
        "local/emulator/new.py: _size",
        "local/emulator/new.py: _denied",
    }


Put = Callable[[list[str]], list[str]]


def _patch() -> None: ...


class Owner:
    seconds = 0.5

    def greet(self, name: str) -> str:
        return f"Hello {name}"


@pytest.fixture
def applied() -> Iterator[None]:
    """Forget the patches of this module."""
    patching._patches.pop(__name__, None)  # noqa: SLF001 (what decorators leave behind)
    yield
    patching._patches.pop(__name__, None)  # noqa: SLF001 (the same)


@pytest.mark.usefixtures("applied")
def test_patches_act_once_they_are_applied_and_the_last_is_called_first() -> None:
    class Patched(Owner):
        pass

    table: dict[str, Put] = {"Put": lambda data: [*data, "original"]}

    @patching.replaces(table, "Put")
    def first(original: Put, data: list[str]) -> list[str]:
        return original([*data, "first"])

    @patching.replaces(table, "Put")
    def second(original: Put, data: list[str]) -> list[str]:
        return original([*data, "second"])

    @patching.replaces(Patched, "greet")
    def politely(original: Callable[..., str], owner: Owner, name: str) -> str:
        return original(owner, f"dear {name}")

    @patching.changes(Patched, "seconds")
    def sooner(seconds: float) -> float:
        return seconds / 10

    @patching.adds(table, "Get")
    def get(data: list[str]) -> list[str]:
        return data

    assert table["Put"]([]) == ["original"]
    patching.apply(__name__)
    assert table["Put"]([]) == ["second", "first", "original"]
    assert table["Get"](["as it is"]) == ["as it is"]
    assert (Patched().greet("reader"), Patched.seconds) == ("Hello dear reader", 0.05)


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize(
    ("decorator", "name", "message"),
    [
        (patching.replaces, "gone", "ministack lacks gone: see .*patch"),
        (patching.changes, "gone", "ministack lacks gone: see .*patch"),
        (patching.adds, "there", "ministack has there: see .*patch"),
    ],
)
def test_an_upgrade_of_ministack_names_the_patch_that_no_longer_fits(
    decorator: Callable[..., Any], name: str, message: str
) -> None:
    decorator({"there": None}, name)(_patch)
    with pytest.raises(AttributeError, match=message):
        patching.apply(__name__)


@pytest.mark.usefixtures("applied")
def test_a_module_without_patches_is_not_to_be_applied() -> None:
    with pytest.raises(LookupError, match="has no patches"):
        patching.apply(__name__)

"""Functions whose native code is for another processor, built again for this one."""

from pathlib import Path
from typing import Any

import pytest

from infra.packaging import package, runtimes
from infra.packaging.package import Source
from infra.packaging.requirements import lock_path
from local import native_code
from local.config.project import Stack
from tests.recording import stack
from tests.unit.packaging_support import ARM, X86, library, tree, wheel, zipped

THIS = runtimes.THIS
HERE = native_code.architecture()
OTHER = {"x86_64": "arm64", "arm64": "x86_64"}.get(HERE, "arm64")
MACHINES = {"arm64": ("aarch64", ARM), "x86_64": ("x86_64", X86)}
FOREIGN = library(MACHINES[OTHER][1])

pytestmark = pytest.mark.skipif(
    HERE not in MACHINES, reason="functions' native code runs on Linux only"
)


def add_wheel(index: Path, architecture: str, version: str = "1.0") -> None:
    tag, machine = MACHINES[architecture]
    python = f"{THIS.major}{THIS.minor}"
    name = f"native/core.cpython-{python}-{tag}-linux-gnu.so"
    platform = f"cp{python}-cp{python}-manylinux2014_{tag}"
    files: dict[str, str | bytes] = {"native/__init__.py": "", name: library(machine)}
    wheel(index, "native", files, version=version, tag=platform)


@pytest.fixture
def index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Make a folder of wheels, with one for the other processor, the only index."""
    folder = tree(tmp_path / "index", {})
    add_wheel(folder, OTHER)
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv"))
    return folder


@pytest.fixture
def orders(tmp_path: Path) -> dict[str, Any]:
    """Return a function with requirements, its lock as its preview writes it."""
    files = {"main.py": "import native\ndef handle(*_): ...\n", "requirements.txt": "native\n"}
    folder = tree(tmp_path / "orders", {**files, "event.json": "{}"})
    return {
        "code": str(folder),
        "handler": "main.handle",
        "runtime": THIS.runtime,
        "architecture": OTHER,
        "requirements": str(folder / "requirements.txt"),
        "event": str(folder / "event.json"),
        "expect": {"ok": True},
    }


def previewed(function: dict[str, Any], cache: Path) -> Stack:
    """Build the function's own package, as the preview does, and return a stack with it."""
    path = function.get("requirements")
    source = Source(
        Path(function["code"]),
        function["handler"],
        function["runtime"],
        function["architecture"],
        Path(path) if path else None,
    )
    assert package.build(source, cache).errors == []
    return stack("dev", function={}, functions={"orders": function})


def for_this_machine(made: Stack, cache: Path) -> tuple[dict[str, Any], list[str]]:
    changed, notes = native_code.for_this_machine(made, lambda _: str(THIS), cache)
    assert (changed is made) == (notes == [])
    return changed.section("functions")["orders"], notes


def test_native_wheels_are_those_of_this_machine_in_the_versions_of_the_functions_own_lock(
    index: Path, orders: dict[str, Any], tmp_path: Path
) -> None:
    made = previewed(orders, tmp_path / "cache")
    for version in ("1.0", "2.0"):
        add_wheel(index, HERE, version)
    before = sorted((tmp_path / "orders").iterdir())
    function, notes = for_this_machine(made, tmp_path / "cache")
    assert notes == [f"orders: rebuilt for this machine, {THIS.runtime} on {HERE}"]
    assert function["architecture"] == HERE
    kept = {"code", "handler", "event", "expect", "runtime"}
    assert {key: function[key] for key in kept} == {key: orders[key] for key in kept}
    assert sorted((tmp_path / "orders").iterdir()) == before
    lock = lock_path(Path(function["requirements"]), runtimes.Platform(THIS, HERE))
    assert "native==1.0" in lock.read_text()
    assert lock.is_relative_to(tmp_path / "cache")


@pytest.mark.usefixtures("index")
def test_a_wheel_that_this_machine_lacks_leaves_the_function_deployed_and_not_invoked(
    orders: dict[str, Any], tmp_path: Path
) -> None:
    function, notes = for_this_machine(previewed(orders, tmp_path / "cache"), tmp_path / "cache")
    assert function == {key: orders[key] for key in orders if key not in ("event", "expect")}
    (note,) = notes
    here = f"{THIS.runtime} on {HERE}"
    assert note.startswith(
        f"orders: deployed but not invoked: its native code is for {OTHER} and cannot be rebuilt"
        f" for this machine: requirements cannot be resolved for {here}"
    )


def test_native_code_of_a_built_zip_cannot_be_built_again(
    orders: dict[str, Any], tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {"main.py": "def handle(*_): ...\n", "lib.so": FOREIGN}
    built = zipped(tmp_path / "built.zip", files)
    zipped_orders = {**orders, "code": str(built)}
    del zipped_orders["requirements"]
    made = previewed(zipped_orders, tmp_path / "cache")
    function, notes = for_this_machine(made, tmp_path / "cache")
    assert "event" not in function
    assert ["deployed but not invoked" in note and "lib.so" in note for note in notes] == [True]


def test_a_function_without_native_code_stays_as_it_is(
    orders: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "orders/main.py").write_text("def handle(*_): ...\n")
    del orders["requirements"]
    made = previewed(orders, tmp_path / "cache")
    assert for_this_machine(made, tmp_path / "cache") == (orders, [])


def test_what_nothing_here_runs_stays_as_it_is(orders: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "orders/lib.so").write_bytes(FOREIGN)
    made = stack("dev", function={}, functions={"orders": orders})
    assert native_code.for_this_machine(made, lambda _: None, tmp_path) == (made, [])

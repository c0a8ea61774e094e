"""Bytecode: whose it is, and that it is the same on every machine."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging import bytecode, runtimes
from infra.packaging.runtimes import THIS, Version
from tests.recording import ROOT
from tests.unit.packaging_support import tree

TAG = sys.implementation.cache_tag
OTHERS = [
    each
    for each in (Version(3, minor) for minor in range(11, 15))
    if each != THIS and bytecode.interpreter(each)
]


def load(path: Path) -> dict[str, object]:
    """Import a module by its bytecode, as the interpreter does."""
    spec = importlib.util.spec_from_file_location("m", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def test_every_module_gets_bytecode_next_to_it(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"main.py": "", "shop/cart.py": "", "data.json": ""})
    files = {name: folder / name for name in ("main.py", "shop/cart.py", "data.json")}
    made = bytecode.compiled(files, THIS.runtime, tmp_path / "cache")
    assert set(made) == {f"__pycache__/main.{TAG}.pyc", f"shop/__pycache__/cart.{TAG}.pyc"}
    kept = files | {f"__pycache__/main.{TAG}.pyc": folder / "data.json"}
    assert set(bytecode.compiled(kept, THIS.runtime, tmp_path / "cache")) == {
        f"shop/__pycache__/cart.{TAG}.pyc"
    }
    assert bytecode.compiled(files, "nodejs22.x", tmp_path / "cache") == {}


def test_docstrings_and_asserts_stay_but_in_this_projects_own_modules(tmp_path: Path) -> None:
    tree(tmp_path, {"main.py": '"""Doc."""\n\ndef f(x):\n    """F."""\n    assert x\n'})
    made = bytecode.compiled({"main.py": tmp_path / "main.py"}, THIS.runtime, tmp_path / "cache")
    module = load(made[f"__pycache__/main.{TAG}.pyc"])
    assert module["__doc__"] == "Doc."
    with pytest.raises(AssertionError):
        module["f"](0)  # type: ignore[operator]
    own = {"secret_redaction.py": ROOT / "handler/secret_redaction.py"}
    (path,) = bytecode.compiled(own, THIS.runtime, tmp_path / "cache").values()
    assert load(path)["__doc__"] is None


def test_bytecode_is_made_once_for_the_same_source(tmp_path: Path) -> None:
    files = {"main.py": tree(tmp_path, {"main.py": "x = 1"}) / "main.py"}
    (first,) = bytecode.compiled(files, THIS.runtime, tmp_path / "cache").values()
    inode = first.stat().st_ino
    (again,) = bytecode.compiled(files, THIS.runtime, tmp_path / "cache").values()
    assert (again, again.stat().st_ino) == (first, inode)
    files["main.py"].write_text("x = 2")
    (changed,) = bytecode.compiled(files, THIS.runtime, tmp_path / "cache").values()
    assert load(changed)["x"] == 2


def test_a_module_that_cannot_be_compiled_has_none(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"old.py": "print 'two'", "main.py": "", "odd.py": "x = '\\d'"})
    files = {name: folder / name for name in ("old.py", "main.py", "odd.py")}
    for _ in range(2):
        made = bytecode.compiled(files, THIS.runtime, tmp_path / "cache")
        assert set(made) == {f"__pycache__/main.{TAG}.pyc", f"__pycache__/odd.{TAG}.pyc"}


def test_bytes_do_not_depend_on_what_else_is_compiled(tmp_path: Path) -> None:
    source = (
        'names = {"alpha", "beta", "gamma"}\ndef f(alpha, beta=("gamma", 1.5)): return alpha\n'
    )
    folder = tree(tmp_path, {"a.py": source, "b.py": source + "x = f('beta')", "z.py": source})
    files = {name: folder / name for name in ("a.py", "b.py", "z.py")}
    together = bytecode.compiled(files, THIS.runtime, tmp_path / "one")
    alone = bytecode.compiled({"z.py": folder / "z.py"}, THIS.runtime, tmp_path / "two")
    ((name, path),) = alone.items()
    assert together[name].read_bytes() == path.read_bytes()


@pytest.mark.exhaustive
def test_the_bytes_are_the_same_whichever_python_deploys(tmp_path: Path) -> None:
    """Proven where another Python is installed: it compiles for this one, and this one for it."""
    folder = tree(tmp_path, {"main.py": "def f(a, b=(1, 'two')): return {'x', 'y', a}\n"})
    script = (
        "import json, sys; from pathlib import Path; from infra.packaging import bytecode\n"
        "source, runtime, cache = sys.argv[1:]\n"
        "made = bytecode.compiled({'main.py': Path(source)}, runtime, Path(cache))\n"
        "print(json.dumps({name: path.read_bytes().hex() for name, path in made.items()}))"
    )
    pythons = [THIS, *OTHERS]
    for version in pythons:
        answers = set()
        for number, deployer in enumerate(pythons):
            python = bytecode.interpreter(deployer)
            assert python is not None
            cache = tmp_path / f"{version}-{number}"
            ask = [python, "-c", script, str(folder / "main.py"), version.runtime, str(cache)]
            done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (found above)
            answers.add(done.stdout)
        assert len(answers) == 1
        assert json.loads(answers.pop()), version


def test_without_the_runtimes_python_there_is_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "interpreter", lambda _: None)
    files = {"main.py": tree(tmp_path, {"main.py": "x = 1"}) / "main.py"}
    assert bytecode.compiled(files, THIS.runtime, tmp_path / "cache") == {}


def test_an_interpreter_is_what_it_says_and_not_a_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tree(tmp_path, {"bin/python3.8": "#!/bin/sh\nexit 127\n"}) / "bin/python3.8"
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    find = bytecode.interpreter.__wrapped__
    assert find(Version(3, 8)) is None
    shim.write_text("#!/bin/sh\necho cpython-38\n")
    assert find(Version(3, 8)) == str(shim)
    assert find(THIS) == sys.executable
    assert runtimes.python(f"python{THIS}") == THIS

"""A function's package as a whole."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import packaging
import pulumi
import pytest

from infra.components import packages
from infra.packaging import bytecode, client, sizes, store, uv
from infra.packaging.package import Source, build
from infra.packaging.runtimes import THIS, Version
from local.provider.archive import package
from tests.recording import ROOT
from tests.unit.packaging_support import ARM, X86, library, tree, wheel, zipped

CLIENT = client.files(ROOT / "handler")
HANDLER = "def handle(event, context):\n    return 1\n"


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Make a project with a function and an index of wheels, and work in it."""
    folder = tree(tmp_path / "project", {"orders/main.py": HANDLER})
    index = tree(tmp_path / "index", {})
    wheel(index, "leaf", {"leaf.py": "y = 2", "leaf_data/x.json": "{}"})
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def source(project: Path) -> Source:
    return Source(project / "orders", "main.handle", THIS.runtime, "arm64")


def sources(files: dict[str, Path]) -> set[str]:
    return {name for name in files if not name.endswith(".pyc")}


def test_a_package_has_the_users_files_the_client_the_wheels_and_bytecode(
    project: Path, source: Source
) -> None:
    tree(
        project,
        {
            "orders/main.py": "import leaf, money, secret_client\n" + HANDLER,
            "orders/requirements.txt": "leaf\n",
            "shared/money.py": "",
        },
    )
    built = build(
        replace(
            source,
            requirements=project / "orders/requirements.txt",
            include=(project / "shared",),
            client=CLIENT,
        ),
        project / "cache",
    )
    assert built.errors == []
    about = {f"leaf-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt")}
    own = {"main.py", "requirements.txt", "money.py"}
    assert sources(built.files) == own | {"leaf.py", "leaf_data/x.json"} | about | set(CLIENT)
    tag = sys.implementation.cache_tag
    modules = ("main.py", "money.py", "leaf.py", *CLIENT)
    compiled = {name for name in built.files if name.endswith(".pyc")}
    assert compiled == {
        str(path.parent / f"__pycache__/{path.stem}.{tag}.pyc") for path in map(Path, modules)
    }


def test_paths_may_be_relative_to_the_project(project: Path, source: Source) -> None:
    tree(project, {"orders/requirements.txt": "leaf\n"})
    here = replace(
        source, code=Path("orders"), requirements=Path("orders/requirements.txt"), client=CLIENT
    )
    built = build(here, Path("cache"))
    assert built.errors == []
    there = replace(
        here, code=project / here.code, requirements=project / "orders/requirements.txt"
    )
    whole = build(there, project / "cache")
    assert {name: path.absolute() for name, path in built.files.items()} == whole.files


def test_a_lock_is_left_out_of_the_package(project: Path, source: Source) -> None:
    tree(project, {"orders/requirements.txt": "leaf\n"})
    with_wheels = replace(source, requirements=project / "orders/requirements.txt")
    first = build(with_wheels, project / "cache")
    assert (project / f"orders/requirements.{THIS.runtime}-arm64.lock").is_file()
    assert build(with_wheels, project / "cache") == first
    assert not [name for name in first.files if name.endswith(".lock")]


def test_a_copy_of_the_client_stays_as_it_is(project: Path, source: Source) -> None:
    mine = {"main.py": HANDLER, "secret_client.py": "mine = 1"}
    built = zipped(project / "built.zip", mine)
    with_client = replace(source, code=built, client=CLIENT)
    files = build(with_client, project / "cache").files
    assert sources(files) == set(mine)
    assert files["secret_client.py"].read_text() == "mine = 1"
    assert set(CLIENT) <= set(build(replace(source, client=CLIENT), project / "cache").files)
    part = {
        "main.py": HANDLER.encode(),
        "secret_client/value.py": CLIENT["secret_client/value.py"].read_bytes(),
    }
    zipped(built, part)
    assert set(CLIENT) <= set(build(with_client, project / "cache").files), "of this version"
    tree(project, {"js/index.js": ""})
    node = Source(project / "js", "index.handler", "nodejs22.x", "arm64", client=CLIENT)
    assert set(build(node, project / "cache").files) == {"index.js"}


def test_everything_that_is_wrong_is_named_at_once(project: Path, source: Source) -> None:
    tree(
        project,
        {
            "orders/core.so": library(X86),
            "orders/requirements.txt": "-e .\n./x\n",
            "shared/main.py": "other = 1",
        },
    )
    wrong = replace(
        source,
        handler="main.handel",
        requirements=project / "orders/requirements.txt",
        include=(project / "shared", project / "none"),
    )
    assert [key for key, _ in build(wrong, project / "cache").errors] == [
        "include",
        "requirements",
        "requirements",
        "include",
        "code",
    ]
    known = replace(wrong, include=())
    assert [key for key, _ in build(known, project / "cache").errors] == [
        "requirements",
        "requirements",
        "code",
        "handler",
    ]


def test_missing_code_is_not_also_a_missing_handler(project: Path, source: Source) -> None:
    errors = build(replace(source, code=project / "none"), project / "cache").errors
    assert [key for key, _ in errors] == ["code"]


def test_requirements_of_another_language_are_refused(project: Path) -> None:
    tree(project, {"js/index.js": "", "r.txt": "leaf"})
    node = Source(project / "js", "index.handler", "nodejs22.x", "arm64", project / "r.txt")
    assert build(node, project / "cache").errors == [
        (
            "requirements",
            "is only for Python functions, and this one runs on nodejs22.x; remove it",
        )
    ]


def test_a_library_in_a_zip_is_judged_for_any_language(project: Path) -> None:
    files: dict[str, str | bytes] = {"index.js": "", "addon.node": library(X86)}
    node = Source(zipped(project / "x.zip", files), "index.handler", "nodejs22.x", "arm64")
    ((key, message),) = build(node, project / "cache").errors
    assert key == "code"
    assert message.startswith("contains addon.node, which is built for x86_64")
    assert build(replace(node, architecture="x86_64"), project / "cache").errors == []
    zipped(node.code, {"index.js": "", "addon.node": library(ARM)})
    assert build(node, project / "cache").errors == []


def test_an_import_that_the_package_cannot_satisfy_is_named(project: Path, source: Source) -> None:
    tree(project, {"orders/main.py": "import leaf\n" + HANDLER, "r.txt": "leaf"})
    ((key, message),) = build(source, project / "cache").errors
    assert key == "code"
    assert message.startswith("imports leaf in main.py:1, but neither the package nor")
    assert build(replace(source, layers=True), project / "cache").errors == []
    assert build(replace(source, requirements=project / "r.txt"), project / "cache").errors == []


def test_what_a_zip_has_installed_is_not_judged(project: Path, source: Source) -> None:
    vendored = {
        "main.py": "import big\n" + HANDLER,
        "big/__init__.py": "import optional_thing",
        "big-1.dist-info/METADATA": "",
        "big-1.dist-info/RECORD": "big/__init__.py,,\n",
    }
    code = zipped(project / "x.zip", vendored)
    assert build(replace(source, code=code), project / "cache").errors == []
    del vendored["big-1.dist-info/RECORD"]
    zipped(code, {**vendored, "big-1.dist-info/top_level.txt": "big\n"})
    assert build(replace(source, code=code), project / "cache").errors == []
    zipped(code, {name: vendored[name] for name in ("main.py", "big/__init__.py")})
    ((_, message),) = build(replace(source, code=code), project / "cache").errors
    assert "imports optional_thing in big/__init__.py:1" in message


def test_a_handler_may_be_in_a_layer(project: Path, source: Source) -> None:
    wrapped = replace(source, handler="wrapper.handle")
    assert [key for key, _ in build(wrapped, project / "cache").errors] == ["handler"]
    assert build(replace(wrapped, layers=True), project / "cache").errors == []


def test_a_package_that_lambda_would_not_accept_is_refused(
    project: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    megabyte = 1024**2
    noise = hashlib.shake_256(b"").digest(2 * megabyte)
    tree(project, {"orders/noise": noise, "orders/zeros": bytes(megabyte), "orders/text": "1"})
    assert build(source, project / "cache").errors == []
    monkeypatch.setattr(sizes, "ZIPPED_BYTES", 2.5 * megabyte)
    assert build(source, project / "cache").errors == [], "zeros deflate to nothing"
    monkeypatch.setattr(sizes, "ZIPPED_BYTES", megabyte)
    ((key, message),) = build(source, project / "cache").errors
    assert key == "code"
    assert message.startswith(
        "makes a package of 2 MB zipped, more than the 1 MB that Lambda accepts; the largest files"
        " are noise (2 MB), zeros (1 MB), "
    )
    monkeypatch.setattr(sizes, "UNZIPPED_BYTES", 2 * megabyte)
    ((_, message),) = build(source, project / "cache").errors
    assert message.startswith("makes a package of 3 MB unzipped, more than the 2 MB that Lambda")


def test_a_package_that_is_too_large_only_with_bytecode_has_none(
    project: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "DEFAULT", project / "cache")
    tree(project, {"orders/main.py": HANDLER + "x = 1\n" * 200})
    tag = sys.implementation.cache_tag
    built = build(source, project / "cache")
    assert set(built.files) == {"main.py", f"__pycache__/main.{tag}.pyc"}
    assert packages.cost_of_source("f", built.files, THIS.runtime) == ""
    monkeypatch.setattr(sizes, "UNZIPPED_BYTES", 1500)
    without = build(source, project / "cache")
    assert (set(without.files), without.errors) == ({"main.py"}, [])
    archive = packages.archive(without.files, THIS.runtime)
    assert isinstance(archive, pulumi.AssetArchive)
    assert set(archive.assets) == {"main.py"}
    cost = packages.cost_of_source("f", without.files, THIS.runtime)
    assert cost.endswith(
        "make the package smaller, because with bytecode it is larger than Lambda accepts"
    )


def test_the_zipped_size_is_that_of_the_zip(project: Path, source: Source) -> None:
    tree(project, {f"orders/{number}.py": HANDLER * number for number in range(30)})
    files = build(source, project / "cache").files
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, path in files.items():
            packed.write(path, name)
    estimate = sizes._zipped(files, project / "cache")  # noqa: SLF001 (what Pulumi writes)
    # Go writes a descriptor of 16 bytes after each entry, and Python does not.
    assert estimate - 16 * len(files) == len(whole.getvalue())
    assert sizes.shown(50 * 1024**2) == "50 MB"
    assert sizes.shown(1_500_000) == "1.4 MB"


def test_a_file_that_cannot_be_read_is_an_error(
    project: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, *_: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert build(source, project / "cache").errors == [
        ("code", "cannot be packed: 'orders/main.py': Permission denied")
    ]


def test_an_unchanged_package_runs_no_other_program(
    project: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(project, {"orders/requirements.txt": "leaf\n"})
    with_wheels = replace(source, requirements=project / "orders/requirements.txt", client=CLIENT)
    first = build(with_wheels, project / "cache")

    def started(*_: object, **__: object) -> None:
        pytest.fail("another program was started")

    monkeypatch.setattr(subprocess, "run", started)
    monkeypatch.setattr(uv, "find", started)
    assert build(with_wheels, project / "cache") == first


_BUILD = """
import hashlib, json, sys
from pathlib import Path
from infra.packaging import client
from infra.packaging.package import Source, build
folder, runtime, handler = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
client = {name: handler / name for name in json.loads(sys.argv[4])}
built = build(
    Source(folder / "orders", "main.handle", runtime, "arm64", folder / "orders/r.txt",
           (folder / "shared",), client), folder / "cache")
assert not built.errors, built.errors
print(json.dumps({name: hashlib.sha256(path.read_bytes()).hexdigest()
                  for name, path in sorted(built.files.items())}))
"""


def test_two_pythons_in_two_folders_build_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """Proven where another Python is installed."""
    tree(
        project,
        {
            "orders/main.py": "import leaf, secret_client\n" + HANDLER,
            "orders/r.txt": "leaf\n",
            "shared/money.py": "rates = {'a', 'b', 'c'}\n",
        },
    )
    others = [Version(3, minor) for minor in range(11, 15) if minor != THIS.minor]
    pythons = [sys.executable, *filter(None, map(bytecode.interpreter, others))]
    environment = {**os.environ, "PYTHONPATH": str(Path(packaging.__file__).parents[1])}
    built = []
    for number, python in enumerate(pythons):
        folder = tmp_path / f"checkout-{number}"
        shutil.copytree(project, folder)
        names = json.dumps([*CLIENT])
        ask = [python, "-c", _BUILD, str(folder), THIS.runtime, str(ROOT / "handler"), names]
        done = subprocess.run(  # noqa: S603 (found above)
            ask, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        built.append(done.stdout)
    assert set(built) == {built[0]}
    assert ".pyc" in built[0]


def test_the_local_run_packs_a_built_package(project: Path, source: Source) -> None:
    built = build(source, project / "cache")
    with zipfile.ZipFile(io.BytesIO(package(packages.archive(built.files, THIS.runtime)))) as zip_:
        assert set(zip_.namelist()) == set(built.files)

"""Whether a package has its handler."""

import sys
from pathlib import Path

import pytest

from infra.packaging import handlers
from tests.unit.packaging_support import library, tree

MINE = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def errors(
    folder: Path, handler: str, sources: dict[str, str | bytes], runtime: str = MINE
) -> list[str]:
    tree(folder, sources)
    return [*handlers.errors(handler, runtime, {name: folder / name for name in sources})]


@pytest.mark.parametrize(
    "source",
    [
        "def handle(event, context): ...",
        "async def handle(event, context): ...",
        "class handle: ...",
        "handle = lambda event, context: 1",
        "first = handle = print",
        "[handle, *rest] = print, 1",
        "handle: object = print",
        "import handle",
        "import other as handle",
        "from shop import handle",
        "from shop import serve as handle",
        "from shop import *",
        "try:\n    from shop import handle\nexcept ImportError:\n    pass",
        "if True:\n    def handle(event, context): ...",
        "with open('x') as handle: ...",
        "for handle in [print]: ...",
        "print(handle := print)",
        "match print:\n    case handle: ...",
        "def setup():\n    global handle\n    handle = print\nsetup()",
        "globals()['handle'] = print",
        "def __getattr__(name): return print",
        "# -*- coding: latin-1 -*-\nhandle = '\\d'",
    ],
)
def test_a_name_of_the_modules_top_level_is_a_handler(tmp_path: Path, source: str) -> None:
    assert errors(tmp_path, "main.handle", {"main.py": source}) == []


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ("def handel(event, context): ...\nimport os", "did you mean handel?"),
        ("import os\nclass Shop:\n    def handle(self): ...", "it defines Shop, os"),
        ("def outer():\n    def handle(): ...\n    handle = 1", "it defines outer"),
        ("'handle'", "it defines no names at all"),
    ],
)
def test_a_name_that_the_module_does_not_define_is_refused(
    tmp_path: Path, source: str, instead: str
) -> None:
    assert errors(tmp_path, "main.handle", {"main.py": source}) == [
        f"must be a function of main.py, got 'handle'; {instead}"
    ]


@pytest.mark.parametrize("handler", ["shop.api.handle", "shop/api.handle"])
@pytest.mark.parametrize("file", ["shop/api.py", "shop/api/__init__.py"])
def test_a_module_in_folders_is_found_by_dots_or_slashes(
    tmp_path: Path, handler: str, file: str
) -> None:
    assert errors(tmp_path, handler, {file: "def handle(): ..."}) == []


def test_a_compiled_module_is_found_and_not_read(tmp_path: Path) -> None:
    assert errors(tmp_path, "main.x", {"main.cpython-313-x86_64-linux-gnu.so": library(62)}) == []
    assert errors(tmp_path, "main.x", {"main.pyc": "bytecode"}) == []


def test_a_missing_module_is_named_with_one_that_is_similar(tmp_path: Path) -> None:
    start = "names a module that is not in the package, mian.py"
    sources: dict[str, str | bytes] = {"main.py": "", "sub/other.py": ""}
    assert errors(tmp_path, "mian.handle", sources) == [f"{start}; did you mean main.py?"]
    assert errors(tmp_path, "mian.handle", {"zzz.py": ""}) == [
        f"{start}; its root contains zzz.py"
    ]
    assert errors(tmp_path, "mian.handle", {"x.txt": ""}) == [
        f"{start}; it has no module at its root"
    ]


@pytest.mark.parametrize("handler", ["handle", "main.", ".handle", ""])
def test_a_handler_without_module_or_function_is_refused(tmp_path: Path, handler: str) -> None:
    assert errors(tmp_path, handler, {"main.py": ""}) == [
        f"must be module.function, got {handler!r}"
    ]


def test_a_syntax_error_is_named_by_line_and_column(tmp_path: Path) -> None:
    (message,) = errors(tmp_path, "main.handle", {"main.py": "x = 1\n\ndef handle(:\n"})
    assert message.startswith("cannot be imported: main.py:3:12 invalid syntax")
    (message,) = errors(tmp_path, "main.handle", {"main.py": b"x = '\0'"})
    assert "null bytes" in message


def test_syntax_of_a_newer_python_is_not_judged(tmp_path: Path) -> None:
    newer = f"python3.{sys.version_info[1] + 1}"
    assert errors(tmp_path, "main.handle", {"main.py": "brand new syntax"}, newer) == []


@pytest.mark.parametrize("file", ["src/index.js", "src/index.mjs", "src/index.cjs", "src/index"])
def test_a_file_of_node_is_found(tmp_path: Path, file: str) -> None:
    for handler in ("src/index.handler", "./src/index.handler", "src/index.deep.handler"):
        assert errors(tmp_path, handler, {file: ""}, "nodejs22.x") == []


def test_node_resolves_folders_packages_and_lately_typescript(tmp_path: Path) -> None:
    for file in (
        "index/package.json",
        "node_modules/index/main.js",
        "src/node_modules/index/a.js",
    ):
        handler = "src/index.handler" if file.startswith("src") else "index.handler"
        assert errors(tmp_path, handler, {file: ""}, "nodejs22.x") == []
    assert errors(tmp_path, "index.handler", {"index.mts": ""}, "nodejs24.x") == []
    assert len(errors(tmp_path, "index.handler", {"index.mts": ""}, "nodejs22.x")) == 1


def test_a_missing_file_of_node_is_refused(tmp_path: Path) -> None:
    (message,) = errors(tmp_path, "indx.handler", {"index.mjs": ""}, "nodejs22.x")
    assert message == (
        "names a file that is not in the package, indx.js, .mjs or .cjs; did you mean index.mjs?"
    )
    assert errors(tmp_path, "index", {"index.js": ""}, "nodejs22.x") == [
        "must be file.export, got 'index'"
    ]
    assert errors(tmp_path, "/opt/nodejs/wrapper.handler", {"index.js": ""}, "nodejs22.x") == []


def test_a_custom_runtime_needs_its_bootstrap(tmp_path: Path) -> None:
    assert errors(tmp_path, "x", {"bootstrap": ""}, "provided.al2023") == []
    (message,) = errors(tmp_path, "x", {"bin/bootstrap": ""}, "provided.al2023")
    assert message.startswith("needs the program `bootstrap` at the package's root")


def test_other_languages_are_not_judged(tmp_path: Path) -> None:
    assert errors(tmp_path, "shop.Orders::handle", {"lib/shop.jar": ""}, "java21") == []

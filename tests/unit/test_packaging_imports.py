"""Imports that a package cannot satisfy."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.packaging import bytecode, imports, runtimes
from infra.packaging.runtimes import Version
from tests.unit.packaging_support import tree

V313 = Version(3, 13)


def missing(
    folder: Path,
    sources: dict[str, str | bytes],
    wheels: tuple[str, ...] = (),
    version: Version = V313,
) -> list[str]:
    """Return place and module of each fault, as in `main.py:1 requests`."""
    tree(folder, sources)
    own = {name: folder / name for name in sources}
    found = imports.errors("main.py", own, {*sources, *wheels}, version)
    return [_place(message) for message in found]


def _place(message: str) -> str:
    failed = re.match(r"imports (\S+) in (\S+:\d+), but neither", message)
    if failed:
        return f"{failed[2]} {failed[1]}"
    relative = re.match(r"has a relative import beyond the package root in (\S+:\d+);", message)
    return relative[1] if relative else message


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import requests", "main.py:1 requests"),
        ("import requests.adapters as a", "main.py:1 requests"),
        ("from requests import get", "main.py:1 requests"),
        ("\n\ndef f():\n    import requests", "main.py:4 requests"),
        ("class A:\n    import requests", "main.py:2 requests"),
        ("try:\n    import requests\nexcept ValueError:\n    pass", "main.py:2 requests"),
        (
            "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import requests",
            "main.py:6 requests",
        ),
        ("with open('x'):\n    import requests", "main.py:2 requests"),
        ("def f(a):\n    if a:\n        import requests", "main.py:3 requests"),
        ("import sys\nprint(sys.path)\nimport requests", "main.py:3 requests"),
        ("from . import sibling", "main.py:1"),
        ("from .sibling import x", "main.py:1"),
    ],
)
def test_an_import_that_fails_is_named_by_file_and_line(
    tmp_path: Path, source: str, fault: str
) -> None:
    assert missing(tmp_path, {"main.py": source}) == [fault]


@pytest.mark.parametrize(
    "guarded",
    [
        "try:\n    import requests\nexcept ImportError:\n    requests = None",
        "try:\n    import json\nexcept ModuleNotFoundError:\n    import requests",
        "try:\n    import requests\nexcept (ValueError, ImportError):\n    pass",
        "try:\n    import requests\nexcept Exception:\n    pass",
        "try:\n    import requests\nexcept:\n    pass",
        "import builtins\ntry:\n    import requests\nexcept builtins.ImportError:\n    pass",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import requests",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests",
        "import typing\ndef f():\n    if typing.TYPE_CHECKING:\n        import requests",
        "import sys\nif sys.version_info < (3, 9):\n    import requests\nelse:\n    import json",
        "if __name__ == '__main__':\n    import requests",
        "import os\ndef f():\n    if os.environ.get('DEBUG'):\n        import requests",
        "import importlib\nimportlib.import_module('requests')",
        "import sys\nsys.path.insert(0, 'vendor')\nimport requests",
        "import sys\nsys.path += ['vendor']\nimport requests",
        "import sys\nsys.path[:0] = ['vendor']\nimport requests",
        "import site\nsite.addsitedir('vendor')\nimport requests",
    ],
)
def test_an_import_that_may_fail_is_not_judged(tmp_path: Path, guarded: str) -> None:
    assert missing(tmp_path, {"main.py": guarded}) == []


def test_the_package_the_standard_library_and_the_runtime_satisfy_imports(tmp_path: Path) -> None:
    source = (
        "import json, zoneinfo, boto3, botocore.config, dateutil.tz, urllib3, jmespath, six\n"
        "import s3transfer, awslambdaric, simplejson, snapshot_restore_py\n"
        "from __future__ import annotations\n"
        "import requests.adapters, native, pkg.core, google.cloud.storage\n"
        "from google.cloud import storage\n"
    )
    wheels = (
        *("requests/__init__.py", "requests/adapters.py", "pkg/core.abi3.so"),
        *("native.cpython-313-x86_64-linux-gnu.so", "google/cloud/storage/__init__.py"),
    )
    assert missing(tmp_path, {"main.py": source}, wheels) == []
    assert missing(tmp_path, {"main.py": "import boto4, requests"}) == [
        "main.py:1 boto4",
        "main.py:1 requests",
    ]


def test_the_users_modules_are_followed_and_others_are_not_read(tmp_path: Path) -> None:
    sources: dict[str, str | bytes] = {
        "main.py": "import shop.cart\nfrom shop import tax\ntry: import extra\nexcept: 1",
        "shop/__init__.py": "from . import rates",
        "shop/rates.py": "import missing_1",
        "shop/cart.py": "from ..shop import tax\nfrom .deep import down",
        "shop/tax.py": "import missing_2\nimport main",
        "shop/deep/down.py": "from ...shop import x\nfrom ..rates import y\nfrom .... import z",
        "extra.py": "import missing_3",
        "tests/test_main.py": "import pytest",
        "script.py": "import click",
    }
    assert sorted(missing(tmp_path, sources)) == [
        "shop/cart.py:1",
        "shop/deep/down.py:1",
        "shop/deep/down.py:3",
        "shop/rates.py:1 missing_1",
        "shop/tax.py:1 missing_2",
    ]


def test_functions_of_what_may_be_a_library_are_not_judged(tmp_path: Path) -> None:
    later = "def f():\n    import missing_2"
    sources: dict[str, str | bytes] = {
        "main.py": f"import shop\nimport frames\ndef g():\n    import missing_1\n{later}",
        "shop/__init__.py": later,
        "frames.py": f"import missing_3\n{later}",
    }
    assert len(missing(tmp_path, sources)) == 5
    own = {name: tmp_path / name for name in sources}
    found = [*imports.errors("main.py", own, sources, V313, libraries=True)]
    assert [_place(message).partition(" ")[0] for message in found] == [
        "main.py:4",
        "main.py:6",
        "frames.py:1",
    ]


def test_a_missing_module_of_the_users_own_package_is_named(tmp_path: Path) -> None:
    sources: dict[str, str | bytes] = {
        "main.py": "import shop.crat\nfrom shop.crat import x\nfrom shop import anything",
        "shop/__init__.py": "",
        "shop/cart.py": "",
    }
    assert missing(tmp_path, sources) == ["main.py:1 shop.crat", "main.py:2 shop.crat"]
    dynamic = {**sources, "shop/__init__.py": "import sys\nsys.modules['shop.crat'] = sys"}
    assert missing(tmp_path, dynamic) == []
    wheel = ("six/__init__.py",)
    assert missing(tmp_path, {"main.py": "import six.moves.urllib"}, wheel) == []
    assert missing(tmp_path, {"main.py": "import plain.x", "plain/y.py": ""}) == [
        "main.py:1 plain.x"
    ]


def test_the_standard_library_is_that_of_the_runtime(tmp_path: Path) -> None:
    sources: dict[str, str | bytes] = {"main.py": "import distutils, telnetlib, tomllib"}
    assert missing(tmp_path, sources, version=Version(3, 10)) == ["main.py:1 tomllib"]
    assert missing(tmp_path, sources, version=Version(3, 12)) == ["main.py:1 distutils"]
    assert missing(tmp_path, sources, version=V313) == [
        "main.py:1 distutils",
        "main.py:1 telnetlib",
    ]


def test_the_standard_library_of_every_installed_python_is_known() -> None:
    changed = set().union(*runtimes._REMOVED.values(), *runtimes._ADDED.values())  # noqa: SLF001
    versions = [Version(3, minor) for minor in range(10, 15)]
    installed = {each: python for each in versions if (python := bytecode.interpreter(each))}
    assert runtimes.THIS in installed
    for version, python in installed.items():
        ask = [python, "-c", "import sys; print(*sys.stdlib_module_names)"]
        answer = subprocess.run(ask, capture_output=True, text=True, check=True)  # noqa: S603 (found above)
        names = set(answer.stdout.split())
        known = runtimes.modules(version)
        assert {name for name in names if not name.startswith("_")} <= known
        assert known & changed <= names, version


def test_syntax_that_this_python_cannot_read_is_not_judged(tmp_path: Path) -> None:
    assert missing(tmp_path, {"main.py": "brand new syntax"}) == []

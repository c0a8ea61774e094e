"""How uv is found, and which index it asks."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from infra.packaging import uv
from tests.unit.packaging_support import tree


def test_uv_is_that_of_make_then_the_installed_one_then_that_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"make/uv": "", "path/uv": ""})
    (tmp_path / "path/uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    installed = ModuleType("uv")
    installed.find_uv_bin = lambda: "/installed/uv"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uv", installed)
    monkeypatch.setattr(uv, "_OURS", tmp_path / "make/uv")
    assert uv.find() == str(tmp_path / "make/uv")
    monkeypatch.setattr(uv, "_OURS", tmp_path / "none")
    assert uv.find() == "/installed/uv"
    monkeypatch.setitem(sys.modules, "uv", None)
    assert uv.find() == str(tmp_path / "path/uv")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert uv.find() is None


def test_the_index_is_the_one_that_pip_is_configured_to_use(tmp_path: Path) -> None:
    tree(tmp_path, {".config/pip/pip.conf": "[global]\nindex-url = https://a/\n"})
    tree(tmp_path, {"more.conf": "[global]\nindex-url: https://b/"})
    home = {"HOME": str(tmp_path)}
    assert uv.environment(home)["UV_DEFAULT_INDEX"] == "https://a/"
    given = home | {"PIP_CONFIG_FILE": str(tmp_path / "more.conf")}
    assert uv.environment(given)["UV_DEFAULT_INDEX"] == "https://b/"
    given |= {"PIP_INDEX_URL": "https://c/"}
    assert uv.environment(given)["UV_DEFAULT_INDEX"] == "https://c/"
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        chosen = uv.environment(given | {name: "https://d/"})
        assert chosen[name] == "https://d/"
        assert chosen.get("UV_DEFAULT_INDEX", "https://d/") == "https://d/"
    assert "UV_DEFAULT_INDEX" not in uv.environment({"HOME": str(tmp_path / "none")})


def test_no_python_is_downloaded_and_no_environment_of_the_deployer_is_used() -> None:
    chosen = uv.environment({"HOME": "/none", "VIRTUAL_ENV": "/venv"})
    assert chosen["UV_PYTHON_DOWNLOADS"] == "never"
    assert "VIRTUAL_ENV" not in chosen


def test_what_uv_refuses_is_one_line_without_credentials(tmp_path: Path) -> None:
    with pytest.raises(uv.UvError) as refused:
        uv.run("pip", "install", "--no-such-option", folder=tmp_path)
    assert str(refused.value).startswith("unexpected argument '--no-such-option' found")
    assert "\n" not in str(refused.value)
    assert (
        uv.masked("at https://me:secret@host/x, http://host/y")
        == "at https://host/x, http://host/y"
    )


def test_what_uv_says_is_shown_without_credentials_and_hints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "warning: old\nerror: No solution\n  cause: Because\n     a and b\n"
        "  cause: https://me:secret@host/x.\nhint: try this"
    )
    script = f"#!/bin/sh\ncat >&2 <<END\n{said}\nEND\nexit 2\n"
    program = tree(tmp_path, {"uv": script}) / "uv"
    program.chmod(0o755)
    monkeypatch.setattr(uv, "_OURS", program)
    with pytest.raises(uv.UvError) as refused:
        uv.run("pip", folder=tmp_path)
    assert str(refused.value) == "No solution; Because a and b; https://host/x"
    program.write_text("#!/bin/sh\nexit 2\n")
    with pytest.raises(uv.UvError, match="exit status 2"):
        uv.run("pip", folder=tmp_path)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(uv, "_SECONDS", 0.1)
    with pytest.raises(uv.UvError, match=r"uv did not end within 0\.1 s"):
        uv.run("pip", folder=tmp_path)


def test_a_python_that_is_not_installed_is_not_found() -> None:
    assert uv.find_python("3.99") is None

"""What a distribution takes along into a package."""

from pathlib import Path

import pytest

from infra.components import packages


def installed(folder: Path, name: str, *requirements: str, tag: str = "py3-none-any") -> None:
    """Install a distribution of one module."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    required = "".join(f"Requires-Dist: {each}\n" for each in requirements)
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{required}"
    )
    (about / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    (about / "RECORD").write_text(f"{name}.py,,\n")
    (folder / f"{name}.py").touch()


def test_what_a_marker_or_an_extra_leaves_out_is_not_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = ("second[more]>=1 ; python_version > '3.0'", "old ; python_version < '3.0'")
    installed(tmp_path, "first", *needs, "optional ; extra == 'more'")
    installed(tmp_path, "second", "First")  # and back
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(packages.distribution("first")) == {"first.py", "second.py"}


def test_a_distribution_for_the_deployers_platform_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "pure", "native")
    installed(tmp_path, "native", tag="cp311-cp311-manylinux2014_x86_64")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"native is built for .* name it in .*requirements"):
        packages.distribution("pure")


def test_a_package_with_an_executable_takes_no_texts(tmp_path: Path) -> None:
    """The zip would silently be without them."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    with pytest.raises(ValueError, match=r"an executable has no room for watched\.json"):
        packages.archive({"tool": tool}, "python3.13", {"watched.json": "{}"})

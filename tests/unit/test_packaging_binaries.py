"""Native libraries for another platform."""

from pathlib import Path

import pytest

from infra.packaging import binaries
from tests.unit.packaging_support import ARM, X86, library, tree

NEEDED = "python3.13 on arm64"


def errors(
    folder: Path,
    sources: dict[str, str | bytes],
    runtime: str = "python3.13",
    architecture: str = "arm64",
) -> list[tuple[str, str]]:
    tree(folder, sources)
    files = {name: folder / name for name in sources}
    return [*binaries.errors(files, runtime, architecture)]


@pytest.mark.parametrize(
    "name",
    [
        "x/core.so",
        "x/core.abi3.so",
        "x/core.cpython-313-aarch64-linux-gnu.so",
        "x/libssl.so.3",
        "bootstrap",
        "addon.node",
    ],
)
def test_a_library_is_for_the_architecture_of_the_function(tmp_path: Path, name: str) -> None:
    assert errors(tmp_path, {name: library(ARM)}) == []
    assert errors(tmp_path, {name: library(X86)}) == [
        (
            name,
            f"contains {name}, which is built for x86_64; the function needs {NEEDED}",
        )
    ]
    assert errors(tmp_path, {name: library(X86)}, architecture="x86_64") == []


def test_an_extension_module_is_for_the_python_of_the_function(tmp_path: Path) -> None:
    name = "core.cpython-311-aarch64-linux-gnu.so"
    assert errors(tmp_path, {name: library(ARM)}, "python3.11") == []
    assert errors(tmp_path, {name: library(ARM)}) == [
        (
            name,
            f"contains {name}, which is built for Python 3.11; the function needs {NEEDED}",
        )
    ]
    assert errors(tmp_path, {"core.abi3.so": library(ARM)}, "python3.11") == []


def test_a_library_of_macos_or_another_processor_is_named_so(tmp_path: Path) -> None:
    found = errors(
        tmp_path,
        {
            "a.cpython-313-darwin.so": b"\xcf\xfa\xed\xfe" + bytes(28),
            "b.so": library(40),
            "c.so": library(258),
        },
    )
    assert [message.partition("; ")[0] for _, message in found] == [
        "contains a.cpython-313-darwin.so, which is built for macOS",
        "contains b.so, which is built for 32-bit ARM",
        "contains c.so, which is built for another processor (ELF machine 258)",
    ]


def test_what_is_not_a_library_is_not_judged(tmp_path: Path) -> None:
    java = b"\xca\xfe\xba\xbe" + bytes(28)
    assert (
        errors(tmp_path, {"A.class": java, "a.txt": "text", "empty.so": "", "b.so": "\x7fEL"})
        == []
    )


def test_what_works_without_the_library_is_not_judged(tmp_path: Path) -> None:
    name = "md.cpython-313-x86_64-linux-gnu.so"
    assert len(errors(tmp_path, {name: library(X86)})) == 1
    assert errors(tmp_path, {name: library(X86), "md.py": ""}) == []
    assert errors(tmp_path, {"node_modules/x/prebuilds/linux-x64/x.node": library(X86)}) == []


def test_what_a_wheel_for_any_platform_brings_along_is_not_judged(tmp_path: Path) -> None:
    def files(tag: str) -> dict[str, str | bytes]:
        return {
            "tool/linux_amd64.so": library(X86),
            "tool-1.dist-info/METADATA": "",
            "tool-1.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: py3-none-{tag}\n",
            "tool-1.dist-info/RECORD": "tool/linux_amd64.so,sha256=x,64\n",
        }

    assert errors(tmp_path, files("any")) == []
    assert len(errors(tmp_path, files("manylinux2014_x86_64"))) == 1

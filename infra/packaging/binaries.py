"""Native libraries that the function cannot load: another architecture, another Python."""

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import distributions, runtimes

# e_machine. https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_ELF = b"\x7fELF"
_MACHINES = {62: "x86_64", 183: "arm64", 3: "32-bit x86", 40: "32-bit ARM", 243: "RISC-V"}
_BIG_ENDIAN = 2
_HEADER_BYTES = 20
# Thin and fat Mach-O, in either byte order; macOS also uses `.so` for extension modules.
_MACH_O = {
    *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
    b"\xca\xfe\xba\xbe",
}
# https://peps.python.org/pep-3149/
_TAGGED = re.compile(r"(?P<module>.*)\.cpython-(?P<major>\d)(?P<minor>\d+)[a-z]*(-[^./]*)?\.so")


def errors(
    files: Mapping[str, Path], runtime: str, architecture: str
) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that cannot be loaded, and why, to be read after the key.

    Skipped are libraries for several platforms in wheels for any platform and in Node's
    `prebuilds`, and extension modules next to a Python module with the same name, which replaces
    them.
    """
    version = runtimes.python(runtime)
    needed = f"{runtime} on {architecture}"
    wrong = {
        name: built_for
        for name, path in files.items()
        if (built_for := _other(name, path, version, architecture))
    }
    portable = distributions.for_any_platform(files) if wrong else set()
    for name, built_for in wrong.items():
        if not _is_spare(name, files, portable):
            yield (
                name,
                f"contains {name}, which is built for {built_for}; the function needs {needed}",
            )


def _other(name: str, path: Path, version: runtimes.Version | None, architecture: str) -> str:
    """Return what a file is built for if it is not the function's platform, or nothing."""
    machine = _machine(name, path)
    tagged = _TAGGED.fullmatch(name)
    if machine != architecture or tagged is None or version is None:
        return "" if machine == architecture else machine
    built = f"{tagged['major']}.{tagged['minor']}"
    return f"Python {built}" if built != str(version) else ""


def _is_spare(name: str, files: Mapping[str, Path], portable: set[str]) -> bool:
    """Whether the package works without this library."""
    if "prebuilds" in name.split("/") or name in portable:
        return True
    tagged = _TAGGED.fullmatch(name)
    return tagged is not None and f"{tagged['module']}.py" in files


def _machine(name: str, path: Path) -> str:
    """Return what a library or program is built for; nothing for any other file."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if header.startswith(_ELF) and len(header) == _HEADER_BYTES:
        order = ">" if header[5] == _BIG_ENDIAN else "<"
        (machine,) = struct.unpack(f"{order}H", header[18:20])
        return _MACHINES.get(machine, f"another processor (ELF machine {machine})")
    if name.endswith(".so") and header[:4] in _MACH_O:
        return "macOS"
    return ""

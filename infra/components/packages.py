"""What a package holds: files by name, bytecode beside them, installed distributions."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pulumi
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_COMPILE = """
import json, py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for source, compiled, name in json.load(sys.stdin):
    py_compile.compile(
        source, compiled, name, doraise=True, optimize=2, invalidation_mode=unchecked)
"""
# Magic number, then flags, then the hash of the source. https://peps.python.org/pep-0552/
_UNCHECKED = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
# Measured: see benchmarks/RESULTS.md, "source only".
_COMPILE_MILLIS_PER_LINE = 0.009
# What pip writes down about an installation; some of it differs from machine to machine.
_OF_THE_INSTALLATION = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


def archive(files: Mapping[str, Path], runtime: str) -> pulumi.AssetArchive:
    """Pack the named files, and beside each module its bytecode if this Python can compile it.

    Pulumi hashes such an archive by names and contents, so neither a file's date nor what lies
    beside it publishes a new version of the function. Lambda cannot keep bytecode: a module
    without it is compiled at every cold start.
    """
    packed = dict(files)
    if can_compile_for(runtime):
        packed |= _compiled({name: path for name, path in files.items() if path.suffix == ".py"})
    return pulumi.AssetArchive(
        {name: pulumi.FileAsset(str(path)) for name, path in sorted(packed.items())}
    )


def distribution(name: str) -> dict[str, Path]:
    """Files of an installed distribution and of all that it requires: path in the package -> file.

    Raises:
        PackageNotFoundError: it is not installed where this program runs.

    """
    files = {}
    for each in _with_requirements(name, set()):
        for file in each.files or ():
            outside = file.is_absolute() or ".." in file.parts  # a command, not a module
            if not outside and file.suffix != ".pyc" and file.name not in _OF_THE_INSTALLATION:
                files[file.as_posix()] = Path(str(file.locate()))
    return files


def can_compile_for(runtime: str) -> bool:
    """Whether bytecode of this Python is that of a runtime: the same minor version of CPython."""
    return runtime == f"python{sys.version_info[0]}.{sys.version_info[1]}"


def cost_of_source(owner: str, files: Mapping[str, Path], runtime: str) -> str:
    """Say what a package without bytecode costs its function at each cold start."""
    lines = sum(
        len(path.read_text(encoding="utf-8").splitlines())
        for path in files.values()
        if path.suffix == ".py"
    )
    return (
        f"{owner}: packed without bytecode, so {runtime} compiles up to {lines} lines at every"
        f" cold start, {lines * _COMPILE_MILLIS_PER_LINE:.0f} ms; deploy with a Python of that"
        " version, or set function.runtime to this one's"
    )


def _with_requirements(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    seen.add(canonicalize_name(name))
    distribution = metadata.distribution(name)
    yield distribution
    for requirement in map(Requirement, distribution.requires or ()):
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and canonicalize_name(requirement.name) not in seen:
            yield from _with_requirements(requirement.name, seen)


def _compiled(modules: Mapping[str, Path]) -> dict[str, Path]:
    """Compile modules to be taken unchecked: dates mean nothing in a zip.

    Without docstrings and without the columns of tracebacks, which are half of the bytecode. The
    files bear names under which this Python, which would not check either, never loads them; what
    was compiled from the same source before is used again.
    """
    packed, stale = {}, []
    for name, path in modules.items():
        folder, _, module = name.rpartition("/")
        inside = f"{folder}/__pycache__/" if folder else "__pycache__/"
        compiled = path.parent / "__pycache__" / f"{path.stem}.packed.pyc"
        packed[f"{inside}{module.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"] = (
            compiled
        )
        header = _UNCHECKED + importlib.util.source_hash(path.read_bytes())
        if not compiled.is_file() or compiled.read_bytes()[: len(header)] != header:
            stale.append((str(path), str(compiled), name))
    if stale:
        subprocess.run(  # noqa: S603 (this interpreter, the text above)
            [sys.executable, "-I", "-X", "no_debug_ranges", "-c", _COMPILE],
            input=json.dumps(stale),
            text=True,
            check=True,
        )
    return packed

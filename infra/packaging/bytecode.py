"""Modules compiled by the Python that runs them.

Lambda cannot keep bytecode: a module without it is compiled at every cold start.

The bytes depend on the source and on that Python, not on the Python that deploys.
"""

import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .. import own_files
from . import runtimes, sizes, uv

# If this Python cannot compile a source, it writes an empty file, so that it tries only once.
_COMPILE = """
import json, py_compile, sys, warnings
warnings.simplefilter("ignore")
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for source, target, name, optimize in json.load(sys.stdin):
    try:
        py_compile.compile(
            source, target, name, doraise=True, optimize=optimize, invalidation_mode=unchecked)
    except py_compile.PyCompileError:
        open(target, "wb").close()
"""
# This project's modules do not need docstrings and asserts; a user's or a library's may.
_STRIPPED, _WHOLE = 2, 0


def compiled(files: Mapping[str, Path], runtime: str, cache: Path) -> dict[str, Path]:
    """Compile modules without bytecode: name in the package -> file in the cache.

    The bytecode is unchecked, because dates in a zip are meaningless (PEP 552), and omits the
    columns for tracebacks, which are half of it. If the runtime's Python is not installed, the
    result is empty, unless the cache has all of it already.
    """
    version = runtimes.python(runtime)
    if version is None:
        return {}
    packed, stale = {}, []
    for name, path in files.items():
        bytecode = _name(name, version)
        if path.suffix == ".pyc" or not name.endswith(".py") or bytecode in files:
            continue
        optimize = _STRIPPED if path.absolute().is_relative_to(own_files.HANDLER) else _WHOLE
        key = hashlib.sha256(json.dumps([name, optimize]).encode())
        key.update(path.read_bytes())
        place = cache / "bytecode" / str(version) / f"{key.hexdigest()}.pyc"
        packed[bytecode] = place
        if not place.is_file():
            stale.append((str(path.absolute()), str(place.absolute()), name, optimize))
    if stale and not _compile(stale, version):
        return {}
    return {name: place for name, place in packed.items() if place.stat().st_size}


def added(files: Mapping[str, Path], runtime: str, cache: Path) -> dict[str, Path]:
    """Return files with their bytecode, or without if they would be too large for Lambda."""
    whole = {**files, **compiled(files, runtime, cache)}
    return dict(files) if any(sizes.errors(whole, cache)) else whole


@functools.cache
def interpreter(version: runtimes.Version) -> str | None:
    """Find an installed Python of a version: this one, on the PATH, uv's or pyenv's."""
    if version == runtimes.THIS:
        return sys.executable
    candidates = [shutil.which(f"python{version}"), uv.find_python(str(version))]
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates += [str(path) for path in reversed(installed)]
    return next((each for each in candidates if each and _is(each, version)), None)


def _name(name: str, version: runtimes.Version) -> str:
    folder, _, module = name.rpartition("/")
    inside = f"{folder}/__pycache__" if folder else "__pycache__"
    return f"{inside}/{module.removesuffix('.py')}.{_tag(version)}.pyc"


def _tag(version: runtimes.Version) -> str:
    return f"cpython-{version.major}{version.minor}"


def _is(python: str, version: runtimes.Version) -> bool:
    """Whether a command runs that Python; a pyenv shim may not."""
    ask = "import sys; print(sys.implementation.cache_tag)"
    answer = subprocess.run(  # noqa: S603 (an interpreter)
        [python, "-I", "-c", ask], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() == _tag(version)


def _compile(stale: list[tuple[str, str, str, int]], version: runtimes.Version) -> bool:
    """Compile into the cache; False if the Python is missing."""
    python = interpreter(version)
    if python is None:
        return False
    Path(stale[0][1]).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(  # noqa: S603 (an interpreter, the text above)
            [python, "-I", "-S", "-X", "no_debug_ranges", "-c", _COMPILE],
            input=json.dumps(stale),
            text=True,
            check=True,
            cwd=empty,
        )
    return True

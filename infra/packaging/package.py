"""A function's source -> the files of its package, and why they could not run."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import (
    binaries,
    bytecode,
    client,
    contents,
    distributions,
    handlers,
    imports,
    requirements,
    runtimes,
    sizes,
    store,
)
from .contents import Error, Part


@dataclass(frozen=True)
class Source:
    """The sources of a function's package."""

    code: Path
    """A folder, one file, or a built zip."""
    handler: str
    runtime: str
    architecture: str
    """arm64 or x86_64."""
    requirements: Path | None = None
    """requirements.txt of a Python function."""
    include: tuple[Path, ...] = ()
    """Files, and folders whose contents are added, at the package's root."""
    client: Mapping[str, Path] = field(default_factory=dict)
    """The client, for Python functions without one: name in the package -> file."""
    layers: bool = False
    """Whether the function has other layers, which may contain what the package lacks."""


@dataclass(frozen=True)
class Package:
    """The contents of a function's zip."""

    files: dict[str, Path]
    """Path in the package -> file; incomplete if there are errors."""
    errors: list[Error]
    """Key below the function's, and message to be read after the full key."""


def build(source: Source, cache: Path = store.DEFAULT) -> Package:
    """Build a package; it is fast and needs no network if nothing changed.

    It writes the lock file next to the requirements, and files into the cache.
    """
    try:
        return _build(source, cache.absolute())
    except OSError as error:
        place = contents.shown(Path(str(error.filename or source.code)))
        return Package({}, [("code", f"cannot be packed: {place!r}: {error.strerror or error}")])
    except subprocess.SubprocessError as error:  # the Python that compiles stopped
        return Package({}, [("code", f"cannot be compiled: {error}")])


def _build(source: Source, cache: Path) -> Package:
    parts, errors = _parts(source, cache)
    known = not errors  # otherwise missing files explain a missing handler
    wheels, refused = _wheels(source, cache)
    files, origins, conflicts = contents.merge([*parts, wheels])
    own = {name: path for name, path in files.items() if origins[name] != wheels.key}
    files |= _client(source, files)
    errors += refused + conflicts
    errors += [
        (origins[name], f"{message}; build it for that")
        for name, message in binaries.errors(own, source.runtime, source.architecture)
    ]
    if known:
        errors += _handler_errors(source, files, complete=not refused)
        errors += _import_errors(source, files, own) if not refused else []
    if not errors:
        errors += [("code", message) for message in sizes.errors(files, cache)]
        files = bytecode.added(files, source.runtime, cache)
    return Package(files, errors)


def _parts(source: Source, cache: Path) -> tuple[list[Part], list[Error]]:
    """Read `code` and `include`."""

    def left_out(path: Path) -> bool:
        return requirements.is_lock(path, source.requirements)

    part, errors = contents.of_code(source.code, cache, left_out)
    parts = [part]
    for path in source.include:
        part, part_errors = contents.of_include(path, left_out)
        parts.append(part)
        errors += part_errors
    return parts, errors


def _wheels(source: Source, cache: Path) -> tuple[Part, list[Error]]:
    """Install the requirements."""
    key = "requirements"
    part = Part(key, key, {})
    if source.requirements is None:
        return part, []
    version = runtimes.python(source.runtime)
    if version is None:
        return part, [
            (
                key,
                f"is only for Python functions, and this one runs on {source.runtime}; remove it",
            )
        ]
    platform = runtimes.Platform(version, source.architecture)
    try:
        part.files.update(requirements.wheels(source.requirements, platform, cache))
    except requirements.RequirementsError as error:
        return part, [(key, message) for message in error.args]
    return part, []


def _client(source: Source, files: Mapping[str, Path]) -> Mapping[str, Path]:
    """Return the client's files, unless the function is not Python or has another version.

    A copy of another version stays unchanged, without any file of this version: the user's code
    was written for that version, and its files depend on each other.
    """
    copies = files.keys() & source.client.keys()
    is_other = client.is_there(files.keys() - copies) or not all(
        contents.same(files[name], source.client[name]) for name in copies
    )
    return {} if is_other or runtimes.python(source.runtime) is None else source.client


def _handler_errors(source: Source, files: Mapping[str, Path], *, complete: bool) -> list[Error]:
    """Check the handler, unless its module may be in a layer or in missing wheels."""
    is_python = runtimes.python(source.runtime) is not None
    has_module = is_python and handlers.module_file(source.handler, files) is not None
    if not has_module and (source.layers or not complete):
        return []
    messages = handlers.errors(source.handler, source.runtime, files)
    return [("handler", message) for message in messages]


def _import_errors(
    source: Source, files: Mapping[str, Path], own: Mapping[str, Path]
) -> list[Error]:
    """Check the imports, unless layers may contain what the package lacks."""
    version = runtimes.python(source.runtime)
    start = handlers.module_file(source.handler, files)
    if version is None or start is None or source.layers:
        return []
    installed = distributions.installed(own)
    users = {name: own[name] for name in own if not distributions.covers(installed, name)}
    # With `requirements`, the user's files contain no libraries.
    libraries = source.requirements is None
    messages = imports.errors(start, users, files.keys(), version, libraries=libraries)
    return [("code", message) for message in messages]

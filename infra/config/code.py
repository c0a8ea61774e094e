"""Reads the files that functions name: the contents of their packages, and their errors."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import own_files
from ..packaging import client
from ..packaging.package import Source, build
from .errors import ConfigError
from .functions import AppFunction

Packages = Mapping[str, Mapping[str, Path]]
"""Logical name of a function -> path in its package -> file."""
# Keys on which every error of a package depends.
_OF_PACKAGE = ("code", "handler", "runtime", "architecture", "requirements", "include", "layers")


def read(functions: Mapping[str, AppFunction], root: Path) -> tuple[Packages, list[ConfigError]]:
    """Build the packages of the functions; `root` is the project folder.

    The code of an example is not the user's, so it is not checked.
    """
    packages = {}
    errors: list[ConfigError] = []
    for name, function in functions.items():
        if function.is_example:
            continue
        if folders := list(_folder_errors(function, root)):
            errors += folders
            continue
        package = build(source(function, root))
        packages[name] = package.files
        keys = tuple(f"{function.section}.{key}" for key in _OF_PACKAGE)
        errors += [
            ConfigError(f"{function.section}.{key}", text, keys) for key, text in package.errors
        ]
        errors += _event_errors(function, root)
    return packages, errors


def source(function: AppFunction, root: Path) -> Source:
    """Return the source of a function's package; `root` is the project folder."""
    own = function.settings
    return Source(
        code=root / own.code,
        handler=own.handler,
        runtime=own.runtime,
        architecture=own.architecture,
        requirements=root / own.requirements if own.requirements else None,
        include=tuple(root / each for each in own.include),
        client=client.files(own_files.HANDLER),
        layers=bool(own.layers),
    )


def _folder_errors(function: AppFunction, root: Path) -> Iterator[ConfigError]:
    """Reject the project folder, which contains stack files, state and virtual environments."""
    own = function.settings
    for key, path in [("code", own.code), *(("include", each) for each in own.include)]:
        if root.resolve().is_relative_to((root / path).resolve()):
            rule = f"must not contain the project's own folder, got {path!r}"
            yield ConfigError(f"{function.section}.{key}", f"{rule}; name a folder inside it")


def _event_errors(function: AppFunction, root: Path) -> Iterator[ConfigError]:
    own, path = function.settings, f"{function.section}.event"
    if own.event is None:
        if own.expect is not None:
            rule = "describes the answer to `event`, which is not set"
            remedy = "set `event`, or remove `expect`"
            yield ConfigError(f"{function.section}.expect", f"{rule}; {remedy}", (path,))
        return
    try:
        json.loads((root / own.event).read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        yield ConfigError(path, f"must be a JSON file, got {own.event!r}: {reason}")
    except ValueError as error:
        # The position, not the text, which may be sensitive.
        why = (
            f"see line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "not UTF-8"
        )
        yield ConfigError(path, f"must be a JSON file, but {own.event!r} is not JSON ({why})")

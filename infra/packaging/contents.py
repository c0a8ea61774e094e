"""The user's own files: `code` (a folder, a file or a built zip) and `include`.

Folders are added without names that start with a dot, `__pycache__`, `*.pyc`, virtual environments
and the lock files of requirements.
"""

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import zips

Error = tuple[str, str]
"""Key below the function's, such as `code`; message to be read after the full key."""

_ZIPS = (".zip", ".jar")


class Part(NamedTuple):
    """Files that one config key adds to a package."""

    key: str
    label: str
    """What to call it in an error."""
    files: dict[str, Path]


def of_code(code: Path, cache: Path, left_out: Callable[[Path], bool]) -> tuple[Part, list[Error]]:
    """Read `code`; `left_out` says whether to omit a file."""
    part, errors = Part("code", f"code ({shown(code)})", {}), []
    if code.is_file() and code.suffix in _ZIPS:
        try:
            part.files.update(zips.unpack(code, cache))
        except zips.ZipError as error:
            errors += [("code", f"{message}, got {shown(code)!r}") for message in error.args]
    else:
        errors += _add("code", code, part.files, left_out)
    if not errors and not part.files:
        errors.append(("code", f"has no files, got {shown(code)!r}"))
    return part, errors


def of_include(path: Path, left_out: Callable[[Path], bool]) -> tuple[Part, list[Error]]:
    """Read one entry of `include`."""
    part = Part("include", f"include ({shown(path)})", {})
    return part, [*_add("include", path, part.files, left_out)]


def merge(parts: list[Part]) -> tuple[dict[str, Path], dict[str, str], list[Error]]:
    """Merge parts: files, the key that each came from, and conflicts between parts."""
    files: dict[str, Path] = {}
    origins: dict[str, Part] = {}
    errors = []
    for part in parts:
        for name, path in part.files.items():
            if name not in files:
                files[name], origins[name] = path, part
            elif not same(files[name], path):
                first = origins[name].label
                message = (
                    f"adds {name} to the package from {part.label}, and {first} adds a different"
                    " file with that name; rename or remove one of them"
                )
                errors.append((part.key, message))
    return files, {name: part.key for name, part in origins.items()}, errors


def same(one: Path, other: Path) -> bool:
    """Whether two files have the same content."""
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def shown(path: Path) -> str:
    """Return a path as config has it: relative to the project if it is inside."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _add(
    key: str, path: Path, files: dict[str, Path], left_out: Callable[[Path], bool]
) -> Iterator[Error]:
    if path.is_file():
        files[path.name] = path
    elif path.is_dir():
        for name, path_or_error in _walk(path, path.resolve(), ""):
            if isinstance(path_or_error, str):
                yield key, f"{path_or_error}, got {shown(path)!r}"
            elif not left_out(path_or_error):
                files[name] = path_or_error
    else:
        kinds = "a folder, a file or a .zip" if key == "code" else "a folder or a file"
        yield key, f"must be {kinds}, got {shown(path)!r}, which does not exist{_similar(path)}"


def _walk(folder: Path, root: Path, prefix: str) -> Iterator[tuple[str, Path | str]]:
    """Yield name and file, or name and error, for everything in a folder."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        path, name = Path(entry.path), prefix + entry.name
        if entry.name.startswith(".") or entry.name == "__pycache__" or path.suffix == ".pyc":
            continue
        if message := _name_error(name) or (entry.is_symlink() and _link_error(path, root, name)):
            yield name, message
        elif path.is_dir():
            if not (path / "pyvenv.cfg").exists():
                yield from _walk(path, root, f"{name}/")
        elif path.is_file():
            yield name, path


def _name_error(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown_name = name.encode(errors="replace")
        return f"contains a file whose name is not UTF-8, {shown_name!r}; rename it"
    return ""


def _link_error(path: Path, root: Path, name: str) -> str:
    target = path.resolve()
    if not target.exists():
        return f"contains a broken symbolic link, {name}; remove it"
    if not target.is_relative_to(root):
        return f"contains a symbolic link to outside, {name}; add its target to `include`"
    if path.parent.resolve().is_relative_to(target):
        return f"contains a symbolic link to one of its parent folders, {name}; remove it"
    return ""


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    names = [each.name for each in path.parent.iterdir()]
    close = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {shown(path.parent / close[0])!r}?" if close else ""

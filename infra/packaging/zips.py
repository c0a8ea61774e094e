"""Unpacks built zips into the cache, and writes zips with file modes there.

Files are unpacked under numbers, so names in a zip cannot decide where a file is written.
"""

import hashlib
import json
import posixpath
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import sizes, store

# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.4.2
_UNIX = 3
_ENCRYPTED = 0x1
_DATE = (1980, 1, 1, 0, 0, 0)
_NAMES = "names.json"


class ZipError(Exception):
    """A zip that cannot be a package; read `args` after its name."""


def unpack(path: Path, cache: Path) -> dict[str, Path]:
    """Return the contents of a zip: name -> file in the cache, executable if it was.

    Bytecode next to its source is omitted, because it depends on dates that are lost.

    Raises:
        ZipError: it is not a zip, is damaged or encrypted, or has paths outside of it.

    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()

    def fill(folder: Path) -> None:
        try:
            _unpack(path, folder)
        except ZipError:
            raise
        except Exception as error:  # a damaged zip can fail anywhere in zipfile
            raise ZipError(f"cannot be read as a zip ({error or type(error).__name__})") from error

    folder = store.folder(cache / "unpacked" / digest, fill)
    names = json.loads((folder / _NAMES).read_text(encoding="utf-8"))
    return {name: folder / number for name, number in names.items()}


def is_executable(name: str, path: Path) -> bool:
    """Whether a file of a package must be executable: a program, or a script with `#!`.

    Shared libraries need not be, and text that is executable by accident stays plain.
    """
    if name == "bootstrap":  # what a custom runtime starts
        return True
    if re.search(r"\.so(\.[0-9]+)*$", name) or not path.stat().st_mode & stat.S_IXUSR:
        return False
    with path.open("rb") as file:
        return file.read(4).startswith((b"\x7fELF", b"#!"))


def write(files: Mapping[str, Path], cache: Path) -> Path:
    """Write a zip that keeps the executable bit of files, and return its path.

    It is uncompressed if Lambda accepts that, because compressed bytes depend on zlib's version.
    """
    unzipped = sum(path.stat().st_size for path in files.values())
    method = zipfile.ZIP_STORED if unzipped < sizes.ZIPPED_BYTES * 0.9 else zipfile.ZIP_DEFLATED
    names = sorted(files)
    digest = hashlib.sha256(str(method).encode())
    for name in names:
        content = hashlib.sha256(files[name].read_bytes()).hexdigest()
        digest.update(json.dumps([name, content, is_executable(name, files[name])]).encode())

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(folder / "package.zip", "w") as packed:
            for name in names:
                entry = zipfile.ZipInfo(name, _DATE)
                entry.create_system = _UNIX
                mode = 0o755 if is_executable(name, files[name]) else 0o644
                entry.external_attr = (stat.S_IFREG | mode) << 16
                entry.compress_type = method
                packed.writestr(entry, files[name].read_bytes())

    return store.folder(cache / "zips" / digest.hexdigest(), fill) / "package.zip"


def _unpack(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as packed:
        entries = packed.infolist()
        if messages := [*_entry_errors(entries)]:
            raise ZipError(*messages)
        by_name = {
            posixpath.normpath(each.filename): each for each in entries if not each.is_dir()
        }
        names: dict[str, str] = {}
        for name, entry in by_name.items():
            if "__pycache__" in name.split("/"):
                continue
            target = folder / str(len(names))
            with (
                packed.open(_linked(name, entry, packed, by_name)) as source,
                target.open("wb") as file,
            ):
                shutil.copyfileobj(source, file)
            mode = entry.external_attr >> 16 if entry.create_system == _UNIX else 0
            target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
            names[name] = target.name
    (folder / _NAMES).write_text(json.dumps(names), encoding="utf-8")


def _entry_errors(entries: Iterable[zipfile.ZipInfo]) -> Iterable[str]:
    total = 0
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        if name.startswith("/") or re.match("[A-Za-z]:", name):
            yield f"contains an absolute path, {name!r}; use relative paths"
        elif ".." in parts:
            yield f"contains a path that leaves it, {name!r}; use paths without `..`"
        elif "\\" in name:
            yield f"contains a path with backslashes, {name!r}; use `/`"
        if entry.flag_bits & _ENCRYPTED:
            yield f"contains an encrypted entry, {name!r}; create it without a password"
        total += entry.file_size
    if total > sizes.UNZIPPED_BYTES:
        yield (
            f"is {sizes.shown(total)} unzipped, more than the {sizes.shown(sizes.UNZIPPED_BYTES)}"
            " that Lambda accepts; remove what is not needed, or move it to a layer"
        )


def _linked(
    name: str,
    entry: zipfile.ZipInfo,
    packed: zipfile.ZipFile,
    by_name: Mapping[str, zipfile.ZipInfo],
) -> zipfile.ZipInfo:
    """Follow a symbolic link to a file of the same zip; Pulumi packs files only."""
    seen: set[str] = set()
    while entry.create_system == _UNIX and stat.S_ISLNK(entry.external_attr >> 16):
        target = packed.read(entry).decode()
        seen.add(name)
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if name not in by_name or name in seen:
            raise ZipError(
                f"contains a symbolic link whose target is not in the zip, {min(seen)!r} ->"
                f" {target!r}; zip the file itself (`zip` without `-y`)"
            )
        entry = by_name[name]
    return entry

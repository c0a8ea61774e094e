"""Metadata of installed distributions in a package, from their `*.dist-info`.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
from collections.abc import Mapping
from pathlib import Path

# Files about the installation itself; some differ from machine to machine.
OF_THE_INSTALLATION = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}


def installed(files: Mapping[str, Path]) -> set[str]:
    """Names of the files, or top folders and modules, that distributions installed."""
    return {name for info in _infos(files) for name in _names(info, files)}


def for_any_platform(files: Mapping[str, Path]) -> set[str]:
    """Names of the files of wheels that are tagged for any platform."""
    names: set[str] = set()
    for info in _infos(files):
        wheel = _lines(files.get(f"{info}/WHEEL"))
        tags = [line for line in wheel if line.startswith("Tag:")]
        if tags and all(tag.endswith("-any") for tag in tags):
            names |= _names(info, files)
    return names


def covers(names: set[str], name: str) -> bool:
    """Whether a file is one of these names, or in one of these top folders."""
    top = name.partition("/")[0]
    return name in names or top in names or top.removesuffix(".py") in names


def _infos(files: Mapping[str, Path]) -> set[str]:
    folders = {name.rpartition("/")[0] for name in files if name.endswith("/METADATA")}
    return {folder for folder in folders if folder.endswith(".dist-info")}


def _names(info: str, files: Mapping[str, Path]) -> set[str]:
    """Read them from RECORD, or if that was removed, from top_level.txt."""
    recorded = [row[0] for row in csv.reader(_lines(files.get(f"{info}/RECORD"))) if row]
    return set(recorded or _lines(files.get(f"{info}/top_level.txt")))


def _lines(path: Path | None) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace") if path else ""
    return [line.strip() for line in text.splitlines() if line.strip()]

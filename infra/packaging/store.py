"""The cache of packages: each entry is complete or does not exist, also with two runs at once."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from .. import own_files

DEFAULT = own_files.PROJECT / ".packages"
"""In the project, so that it lives as long as the checkout. Delete it whenever you like."""


def folder(place: Path, fill: Callable[[Path], None]) -> Path:
    """Return the folder `place`; if it is missing, `fill` gets an empty one to put content into.

    What `fill` raises is raised, and `place` then stays missing.
    """
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as temporary:
        filled = Path(temporary) / "filled"
        filled.mkdir()
        fill(filled)
        try:
            filled.rename(place)
        except OSError:
            if not place.is_dir():  # else another run was faster
                raise
    return place


def write(place: Path, content: bytes) -> None:
    """Write a file at once: readers see all of it or what was there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""The cache of packages. Entries are complete or missing, even with concurrent runs."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from .. import own_files

DEFAULT = own_files.PROJECT / ".packages"
"""In the project, so that it lasts as long as the checkout. It can be deleted at any time."""


def folder(place: Path, fill: Callable[[Path], None]) -> Path:
    """Return the folder `place`; if it is missing, `fill` writes its contents into an empty one.

    If `fill` raises, `place` stays missing.
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
            if not place.is_dir():  # otherwise another run was faster
                raise
    return place


def write(place: Path, content: bytes) -> None:
    """Write a file atomically: readers see the previous or the new content."""
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

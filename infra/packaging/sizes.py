"""Lambda's limits: at most 50 MB zipped in a request, and 250 MB unzipped."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import store

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ZIPPED_BYTES = 50 * 1024**2
UNZIPPED_BYTES = 250 * 1024**2
# Bytes of an entry without its name: local header, data descriptor, central directory; end record.
_ENTRY_BYTES = 30 + 16 + 46
_END_BYTES = 22
_LARGEST = 3
_CHUNK_BYTES = 1 << 20


def errors(files: Mapping[str, Path], cache: Path) -> Iterator[str]:
    """Yield an error if a package is too large, to be read after the key of the code."""
    each = {name: path.stat().st_size for name, path in files.items()}
    unzipped = sum(each.values())
    over = ""
    if unzipped > UNZIPPED_BYTES:
        over = f"{shown(unzipped)} unzipped, more than the {shown(UNZIPPED_BYTES)}"
    elif unzipped > ZIPPED_BYTES:
        zipped = _zipped(files, cache)
        if zipped > ZIPPED_BYTES:
            over = f"{shown(zipped)} zipped, more than the {shown(ZIPPED_BYTES)}"
    if over:
        largest = sorted(each, key=lambda name: (-each[name], name))[:_LARGEST]
        entries = ", ".join(f"{name} ({shown(each[name])})" for name in largest)
        yield (
            f"makes a package of {over} that Lambda accepts; the largest files are {entries};"
            " remove what it does not need; layers also count towards the limit"
        )


def shown(size: int) -> str:
    """Return a size in the units of Lambda's limits, where a MB is 1024 × 1024 bytes."""
    return f"{size / 1024**2:.1f}".removesuffix(".0") + " MB"


def _zipped(files: Mapping[str, Path], cache: Path) -> int:
    """Return the size of the zip as Pulumi writes it: each file deflated separately.

    This takes seconds, so the result is cached for the same files, by size and date.
    """
    stats = {name: path.stat() for name, path in sorted(files.items())}
    key = json.dumps([[name, each.st_size, each.st_mtime_ns] for name, each in stats.items()])
    place = cache / "sizes" / hashlib.sha256(key.encode()).hexdigest()
    if place.is_file():
        return int(place.read_text())
    size = _END_BYTES + sum(
        _ENTRY_BYTES + 2 * len(name.encode()) + _deflated(path) for name, path in files.items()
    )
    store.write(place, str(size).encode())
    return size


def _deflated(path: Path) -> int:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(deflate.compress(chunk))
    return size + len(deflate.flush())

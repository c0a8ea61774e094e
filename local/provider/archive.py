"""Creates the zips of function code."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi


def package(archive: pulumi.Archive | Mapping[str, Any]) -> bytes:
    """Zip the files of an archive; the bytes depend only on names and contents.

    As in Pulumi, an archive that is a zip is returned unchanged.

    Raises:
        ValueError: the archive is neither a zip nor a set of files and texts.

    """
    given = archive if isinstance(archive, Mapping) else vars(archive)
    assets, path = given.get("assets"), given.get("path")
    if isinstance(path, str) and path.endswith(".zip"):
        return Path(path).read_bytes()
    if not isinstance(assets, dict):
        raise ValueError("the local run supports only files or a zip as function code")  # noqa: TRY004 (a value)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, asset in sorted(assets.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, _content(name, asset))
    return data.getvalue()


def _content(name: str, asset: Any) -> bytes:
    read: Mapping[str, Any] = asset if isinstance(asset, Mapping) else vars(asset)
    if (path := read.get("path")) is not None:
        return Path(path).read_bytes()
    if (text := read.get("text")) is not None:
        return str(text).encode()
    raise ValueError(f"{name}: the local run supports only files and texts as function code")

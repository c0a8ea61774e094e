"""The layer by which a function asks for the extension."""

from __future__ import annotations

import io
import zipfile

from local.extension.layer import EXTENSION, layer_zip


def test_the_layer_is_the_same_bytes_every_time() -> None:
    assert layer_zip() == layer_zip()


def test_the_layer_holds_one_extension_of_a_fixed_time_and_no_code() -> None:
    with zipfile.ZipFile(io.BytesIO(layer_zip())) as archive:
        (entry,) = archive.infolist()
    assert entry.filename == EXTENSION
    assert EXTENSION.startswith("extensions/")  # where Lambda looks, below /opt
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)

"""The layer that carries the extension into a function."""

from __future__ import annotations

import io
import zipfile

from local.extension import PACKAGE, SITE_PACKAGES, layer_zip


def test_the_layer_is_the_same_bytes_every_time() -> None:
    assert layer_zip() == layer_zip()


def test_the_layer_holds_one_site_directory_with_sorted_names_and_fixed_times() -> None:
    with zipfile.ZipFile(io.BytesIO(layer_zip())) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    modules = ["__init__", "cache", "launcher", "loopback", "server", "settings"]
    assert names == [
        f"{SITE_PACKAGES}/{PACKAGE}.pth",
        *(f"{SITE_PACKAGES}/{PACKAGE}/{module}.py" for module in modules),
    ]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert names == sorted(names)


def test_one_line_of_the_layer_starts_the_extension() -> None:
    with zipfile.ZipFile(io.BytesIO(layer_zip())) as archive:
        pth = archive.read(f"{SITE_PACKAGES}/{PACKAGE}.pth").decode()
    assert pth.startswith("import ")
    assert pth.count("\n") == 1

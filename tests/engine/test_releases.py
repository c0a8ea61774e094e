"""The archives of released versions are whole, and a Pulumi CLI would load them."""

import tarfile
import tomllib
from pathlib import Path

import pytest

from local.config.project import load

ARCHIVES = sorted((Path(__file__).parent / "releases").glob("*.tar.gz"))


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_a_release_can_be_unpacked_and_loaded(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    assert f"{root.name}.tar.gz" == archive.name
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert root.name.endswith(f"-{version}")
    for stack in ("dev", "staging", "prod"):
        assert load(root, stack).name == stack


def test_there_is_an_archive_of_the_first_release() -> None:
    assert any(path.name.endswith("-0.1.0.tar.gz") for path in ARCHIVES)

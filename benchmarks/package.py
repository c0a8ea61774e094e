"""Builds the deployed package of reader and client, and compares its size with its peers."""

import io
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from infra.components import packages
from infra.packaging import client
from local.provider.archive import package

ROOT = Path(__file__).resolve().parent.parent
FILES = {"app.py": ROOT / "handler/app.py", **client.files(ROOT / "handler")}
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
INSTALLED = ROOT / f"benchmarks/.venv/lib/python{VERSION}/site-packages"
PEERS = ("requests", "aws-secretsmanager-caching", "boto3", "aws-lambda-powertools")


def make(directory: Path) -> dict[str, int]:
    """Write the package into `compiled`, and without bytecode into `source`.

    Returns:
        Zipped bytes of the package, and of each peer with its dependencies.

    """
    ours = package(packages.archive(FILES, f"python{VERSION}"))
    with zipfile.ZipFile(io.BytesIO(ours)) as packed:
        packed.extractall(directory / "compiled")
    (directory / "source").mkdir()
    for name, path in FILES.items():
        (directory / "source" / name).parent.mkdir(exist_ok=True)
        shutil.copy(path, directory / "source" / name)
    deflated = _zipped(path for path in (directory / "compiled").rglob("*") if path.is_file())
    return {"": deflated, **{name: _zipped(_files(name, set())) for name in PEERS}}


def _files(name: str, seen: set[str]) -> set[Path]:
    """Return the files of a distribution and its dependencies, without bytecode."""
    seen.add(name)
    distribution = next(iter(metadata.distributions(name=name, path=[str(INSTALLED)])))
    files = {Path(str(each.locate())) for each in distribution.files or ()}
    for requirement in distribution.requires or ():
        required = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        if "extra ==" not in requirement and required not in seen:
            files |= _files(required, seen)
    return {path for path in files if path.suffix != ".pyc"}


def _zipped(files: Iterable[Path]) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(files):
            packed.write(path)
    return len(archive.getvalue())

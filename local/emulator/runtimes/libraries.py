"""The packages that Lambda's Python runtimes bring, and no other that is installed here.

A folder of links to the installed ones: bytecode of another Python is written into the folder, not
next to what is installed.
"""

import functools
import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk-included
LIBRARIES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
BYTECODE = "__pycache__"


@functools.cache
def folder(version: str) -> Path:
    """Make the folder for a Python, such as `3.13`; it belongs on the module search path."""
    has_bytecode = version == f"{sys.version_info.major}.{sys.version_info.minor}"
    directory = Path(tempfile.mkdtemp(prefix=f"python{version}-"))
    for library in LIBRARIES:
        distribution = metadata.distribution(library)
        names = {file.parts[0] for file in distribution.files or ()} - {os.pardir, BYTECODE}
        for name in names:
            source = Path(str(distribution.locate_file(name)))
            _link(source, directory / name, with_bytecode=has_bytecode)
    return directory


def _link(source: Path, target: Path, *, with_bytecode: bool) -> None:
    """Link a module, or each module of a package."""
    if not source.is_dir() or not any(source.glob("*.py")):
        target.symlink_to(source)
        return
    target.mkdir()
    for entry in source.iterdir():
        if entry.name != BYTECODE:
            _link(entry, target / entry.name, with_bytecode=with_bytecode)
        elif with_bytecode:
            (target / BYTECODE).symlink_to(entry)

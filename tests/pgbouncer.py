"""A PgBouncer in front of the local PostgreSQL, where it is installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import trustme

from local.databases.postgres import PostgreSQL

_SETTINGS = """
[databases]
* = host={server.host} port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = {auth_type}
auth_file = {folder}/users.txt
auth_user = {user}
pool_mode = {pool_mode}
server_tls_sslmode = require
client_tls_sslmode = require
client_tls_key_file = {folder}/server.pem
client_tls_cert_file = {folder}/server.pem
"""


def program() -> str | None:
    """Return the program's path, also where Debian has it."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


class PgBouncer:
    """A pooler as a context manager that starts and stops it.

    It asks the server for the verifiers of users, as the superuser of the server.
    """

    def __init__(self, server: PostgreSQL, authority: trustme.CA, **settings: str) -> None:
        self._server, self._authority = server, authority
        self._settings = {"pool_mode": "session", "auth_type": "scram-sha-256"} | settings

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir="/tmp"))
        name, password = self._server.admin
        settings = {"server": self._server, "port": self.port, "user": name} | self._settings
        files = {
            "pgbouncer.ini": _SETTINGS.format(folder=self._folder, **settings),
            "users.txt": f'"{name}" "{password}"\n',
        }
        for file, text in files.items():
            (self._folder / file).write_text(text, encoding="utf-8")
        certificate = self._authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
        certificate.write_to_path(str(self._folder / "server.pem"))
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # it does not run as root
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        found = program()
        assert found
        self._process = subprocess.Popen(  # noqa: S603 (PgBouncer)
            [found, "-q", self._folder / "pgbouncer.ini"], stdin=subprocess.DEVNULL, **user
        )
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return self
        raise RuntimeError(f"{found} ended with {self._process.returncode}")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

"""A real PostgreSQL on loopback, for the time of a `with` block.

Starts an empty server that accepts only TLS and SCRAM-SHA-256 and logs every statement. The server
and its data are gone at the end, or when this process dies. The caller creates databases and
roles.
"""

import contextlib
import os
import secrets
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from local.aws import REPOSITORY, end

if TYPE_CHECKING:
    from pg8000.native import Connection


class PostgreSQLError(RuntimeError):
    """The server did not start; the text says why."""


def _temporary_folder() -> Path:
    """Return a folder for temporary files in which the server's user can run programs.

    PostgreSQL refuses to run as root. Started by root, it runs as another user, who cannot enter
    a private folder and needs copies of the programs.
    """
    folder = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() != 0:
        return folder
    choices = (folder, Path("/tmp"), Path("/var/tmp"))  # noqa: S108 (mkdtemp makes its own)
    return next((each for each in choices if _serves_other_users(each)), folder)


def _serves_other_users(folder: Path) -> bool:
    if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        return False
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


class PostgreSQL:
    """A server as a context manager that starts and stops it.

    Entering raises `PostgreSQLError` when it does not start.
    """

    host = "127.0.0.1"
    """Where it listens; its certificate is for this address and for `localhost`."""
    port: int
    """A free port."""
    ca_bundle: Path
    """The PEM file of the authority that signed the server's certificate."""
    admin: tuple[str, str]
    """Name and password of the superuser."""

    def __init__(self, programs: Path | None = None, *, tls: bool = True) -> None:
        """`programs` is the folder of `initdb` and `postgres`, by default the installed one.

        Programs built without OpenSSL need `tls=False`.
        """
        self._programs, self._tls = programs, tls

    def __enter__(self) -> Self:
        self.admin = ("postgres", secrets.token_urlsafe())
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=_temporary_folder()))
        self.ca_bundle = self._directory / "ca.pem"
        self._process = subprocess.Popen(  # noqa: S603 (our own module)
            [
                *(sys.executable, "-m", "local.databases.postgres_server", self._directory),
                *("on" if self._tls else "off", *filter(None, [self._programs])),
            ],
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.PIPE,  # closes when this process dies, which stops the child
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal reaches only this process
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @contextlib.contextmanager
    def connect(self) -> Iterator["Connection"]:
        """Log in as the superuser, for the time of a `with` block."""
        # Imported only with a server, because the import is slow and most stacks have no server.
        from pg8000.native import Connection  # noqa: PLC0415 (slow)

        user, password = self.admin
        with socket.create_connection((self.host, self.port)) as link:
            # Without this the login waits 40 ms for the acknowledgement of the TLS handshake.
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = ssl.create_default_context(cafile=self.ca_bundle)
            with Connection(
                user,
                password=password,
                host=self.host,
                database="postgres",
                ssl_context=tls,
                sock=link,
            ) as connection:
                yield connection

    def run(self, sql: str, **parameters: object) -> list[list[Any]]:
        """Run a statement as the superuser, on a new connection; return the rows.

        `:name` in the statement is replaced by the parameter of that name. Raises pg8000's
        `DatabaseError` with the server's message.
        """
        with self.connect() as connection:
            rows: list[list[Any]] | None = connection.run(sql, **parameters)
        return rows or []

    def log(self) -> str:
        """Return what the server has logged: connections, errors and every statement."""
        return (self._directory / "postgresql.log").read_text(errors="replace")

    def _wait_until_ready(self) -> None:
        assert self._process.stdin and self._process.stdout and self._process.stderr  # noqa: PT018, S101 (opened with pipes)
        with contextlib.suppress(BrokenPipeError):  # the reason is read below
            self._process.stdin.write(f"{self.admin[1]}\n".encode())
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise PostgreSQLError(self._process.stderr.read().decode(errors="replace").strip())
        self.port = int(answer)

    def _stop(self) -> None:
        end(self._process)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        shutil.rmtree(self._directory, ignore_errors=True)  # if the child was killed

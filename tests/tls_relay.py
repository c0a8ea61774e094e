"""A server in between: TLS on one side, a PostgreSQL without TLS on the other."""

import contextlib
import select
import socket
import ssl
import threading
from typing import Self

import trustme

_READY = b"Z\0\0\0\x05I"  # for the first query


class TlsRelay:
    """A context manager that passes on all that it hears, in any number of connections.

    So it could read and write in every session of a user who logs in through it.
    """

    def __init__(self, port: int, authority: trustme.CA) -> None:
        self.users: set[str] = set()
        """Who has logged in through it."""
        self._behind = ("127.0.0.1", port)
        self._links: set[socket.socket] = set()
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(self._tls)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._thread.join()
        self._listener.close()
        for link in tuple(self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # wakes `select`

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=[plain], daemon=True).start()

    def _relay(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with plain, contextlib.suppress(OSError):
            plain.recv(8)
            plain.sendall(b"S")
            with (
                self._tls.wrap_socket(plain, server_side=True) as link,
                socket.create_connection(self._behind, 10) as behind,
            ):
                self._links.add(behind)
                try:
                    self._pass_on(link, behind)
                finally:
                    self._links.discard(behind)

    def _pass_on(self, link: ssl.SSLSocket, behind: socket.socket) -> None:
        startup = link.recv(65_536)
        behind.sendall(startup)
        words = startup[8:].decode().split("\0")
        user = words[words.index("user") + 1]
        while True:
            ready = [link] if link.pending() else select.select([link, behind], [], [])[0]
            for source in ready:
                heard = source.recv(65_536)
                if not heard:
                    return
                (behind if source is link else link).sendall(heard)
                if source is behind and heard.endswith(_READY):
                    self.users.add(user)

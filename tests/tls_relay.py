"""A server in between: TLS on one side, a PostgreSQL without TLS on the other."""

import contextlib
import select
import socket
import ssl
import threading

import trustme

from tests.postgres_listener import Listener

_READY = b"Z\0\0\0\x05I"  # for the first query


class TlsRelay(Listener):
    """A context manager that passes on all that it hears, in any number of connections.

    So it could read and write in every session of a user who logs in through it.
    """

    def __init__(self, port: int, authority: trustme.CA) -> None:
        super().__init__(authority, "127.0.0.1", "localhost")
        self.users: set[str] = set()
        """Who has logged in through it."""
        self._behind = ("127.0.0.1", port)
        self._links: set[socket.socket] = set()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for link in tuple(self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # wakes `select`

    def _meet(self, plain: socket.socket) -> None:
        threading.Thread(target=self._relay, args=[plain], daemon=True).start()

    def _relay(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            self._encrypted(plain) as link,
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

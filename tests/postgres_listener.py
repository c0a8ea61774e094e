"""What takes connections as PostgreSQL does, with TLS from the client's first message on."""

import abc
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Self

import trustme


class Listener(abc.ABC):
    """A context manager that listens on loopback; a subclass says what it does with whom."""

    def __init__(self, authority: trustme.CA, *names: str) -> None:
        """Take who signs its certificate, and the names that this is for."""
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(*names).configure_cert(self._tls)

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

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._meet(plain)

    @abc.abstractmethod
    def _meet(self, plain: socket.socket) -> None:
        """Do what is done with one connection."""

    @contextlib.contextmanager
    def _encrypted(self, plain: socket.socket) -> Iterator[ssl.SSLSocket]:
        """Begin TLS; close the connection in the end."""
        plain.settimeout(10)
        with plain:
            plain.recv(8)
            plain.sendall(b"S")
            with self._tls.wrap_socket(plain, server_side=True) as link:
                yield link

"""A hostile PostgreSQL: it speaks the protocol over trusted TLS and answers as an attacker would.

https://www.postgresql.org/docs/current/protocol-flow.html
"""

import contextlib
import socket
import ssl
import threading
from typing import Self

import trustme
from scramp import ScramException, ScramMechanism


class HostileServer:
    """A server with a certificate that is trusted; it asks for passwords and keeps the answers.

    With `scram` it knows a guess of the password, and learns whether the guess is right.
    """

    def __init__(self, asks: str, authority: trustme.CA, guess: str = "") -> None:
        self.received: list[str] = []
        """Passwords that it was sent, in whatever form; with `scram` guesses that were right."""
        self.logins = 0
        self._asks, self._guess = asks, guess
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self._tls)

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
            plain.settimeout(10)
            with plain, contextlib.suppress(OSError, EOFError, ScramException):
                plain.recv(8)
                plain.sendall(b"S")
                with self._tls.wrap_socket(plain, server_side=True) as link:
                    _exactly(link, int.from_bytes(_exactly(link, 4)) - 4)
                    self.logins += 1
                    getattr(self, f"_{self._asks}")(link)

    def _cleartext(self, link: socket.socket) -> None:
        self._take(link, 3)

    def _md5(self, link: socket.socket) -> None:
        self._take(link, 5, b"salt")

    def _nothing(self, link: socket.socket) -> None:
        _say(link, b"R", (0).to_bytes(4))
        _say(link, b"Z", b"I")

    def _not_even_ok(self, link: socket.socket) -> None:
        _say(link, b"Z", b"I")

    def _take(self, link: socket.socket, code: int, more: bytes = b"") -> None:
        _say(link, b"R", code.to_bytes(4) + more)
        kind, answer = _hear(link)
        if kind == b"p":
            self.received.append(answer.rstrip(b"\0").decode())
        _say(link, b"E", b"SFATAL\0VFATAL\0C28P01\0Mrefused\0\0")

    def _scram(self, link: socket.socket) -> None:
        mechanism = ScramMechanism("SCRAM-SHA-256")
        exchange = mechanism.make_server(lambda _: mechanism.make_auth_info(self._guess))
        _say(link, b"R", (10).to_bytes(4) + b"SCRAM-SHA-256\0\0")
        _, first = _hear(link)
        exchange.set_client_first(first.partition(b"\0")[2][4:].decode())
        _say(link, b"R", (11).to_bytes(4) + exchange.get_server_first().encode())
        _, final = _hear(link)
        try:
            exchange.set_client_final(final.decode())
            self.received.append(self._guess)
        finally:
            _say(link, b"E", b"SFATAL\0VFATAL\0C28P01\0Mrefused\0\0")


def _exactly(link: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = link.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return received


def _hear(link: socket.socket) -> tuple[bytes, bytes]:
    kind = _exactly(link, 1)
    return kind, _exactly(link, int.from_bytes(_exactly(link, 4)) - 4)


def _say(link: socket.socket, kind: bytes, content: bytes) -> None:
    link.sendall(kind + (len(content) + 4).to_bytes(4) + content)

"""A hostile PostgreSQL: it speaks the protocol over trusted TLS and answers as an attacker would.

https://www.postgresql.org/docs/current/protocol-flow.html
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import trustme
from scramp import ScramException, ScramMechanism

from tests.postgres_listener import Listener

FLOOD_BYTES = 16 << 20
TRICKLE_SECONDS = 4.0


class HostileServer(Listener):
    """A server with a certificate that is trusted, and one way to attack who logs in.

    `cleartext`, `md5`: asks for the password in that form, and keeps the answer.
    `scram`: knows a guess of the password, and learns whether the guess is right.
    `nothing`, `not_even_ok`: lets everyone in.
    `error`, `pooler`: refuses everyone, without a code or with that of PgBouncer.
    `trickle`, `dribble`: never finishes the login; it sends notices, or the bytes of one.
    `endless_error`, `flood`, `until_the_end`: sends an error of 1 GiB, parameters, or a message of
        a length below 4.
    `answers`: answers each statement with nothing.

    With `_later` after one of these, the login succeeds with the guess as the password, and the
    rest is the answer to a statement.
    """

    def __init__(self, asks: str, authority: trustme.CA, guess: str = "") -> None:
        super().__init__(authority, "127.0.0.1")
        self.received: list[str] = []
        """Passwords that it was sent, in whatever form; with `scram` guesses that were right."""
        self.logins = 0
        self._asks, self._guess = asks, guess

    def _meet(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, EOFError, ScramException),
            self._encrypted(plain) as link,
        ):
            _exactly(link, int.from_bytes(_exactly(link, 4)) - 4)
            self.logins += 1
            behaviour = self._asks.removesuffix("_later")
            if behaviour != self._asks:
                self._log_in(link)
                _hear(link)  # the statement
            getattr(self, f"_{behaviour}")(link)

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

    def _trickle(self, link: socket.socket) -> None:
        end = time.monotonic() + TRICKLE_SECONDS
        while time.monotonic() < end:
            _say(link, b"N", b"SNOTICE\0Mwait\0\0")
            time.sleep(0.02)

    def _dribble(self, link: socket.socket) -> None:
        link.sendall(b"N" + (1 << 16).to_bytes(4))
        end = time.monotonic() + TRICKLE_SECONDS
        while time.monotonic() < end:
            link.sendall(b"S")
            time.sleep(0.02)

    def _error(self, link: socket.socket) -> None:
        _say(link, b"E", b"SFATAL\0Mno\0\0")

    def _pooler(self, link: socket.socket) -> None:
        _say(link, b"E", b"SFATAL\0C08P01\0Mno such user\n\x1bERROR\0\0")

    def _answers(self, link: socket.socket) -> None:
        while True:
            _say(link, b"I", b"")
            _say(link, b"Z", b"I")
            _hear(link)

    def _endless_error(self, link: socket.socket) -> None:
        link.sendall(b"E" + (1 << 30).to_bytes(4) + b"M")
        for part in _flood():
            link.sendall(part)

    def _flood(self, link: socket.socket) -> None:
        for number, part in enumerate(_flood()):
            _say(link, b"S", b"%d\0%b\0" % (number, part))

    def _until_the_end(self, link: socket.socket) -> None:
        link.sendall(b"E" + (3).to_bytes(4))
        for part in _flood():
            link.sendall(part)

    def _log_in(self, link: socket.socket) -> None:
        exchange = self._exchange(link)
        _say(link, b"R", (12).to_bytes(4) + exchange.get_server_final().encode())
        _say(link, b"R", (0).to_bytes(4))
        _say(link, b"Z", b"I")

    def _scram(self, link: socket.socket) -> None:
        try:
            self._exchange(link)
            self.received.append(self._guess)
        finally:
            _say(link, b"E", b"SFATAL\0VFATAL\0C28P01\0Mrefused\0\0")

    def _exchange(self, link: socket.socket) -> Any:
        mechanism = ScramMechanism("SCRAM-SHA-256")
        exchange = mechanism.make_server(lambda _: mechanism.make_auth_info(self._guess))
        _say(link, b"R", (10).to_bytes(4) + b"SCRAM-SHA-256\0\0")
        _, first = _hear(link)
        exchange.set_client_first(first.partition(b"\0")[2][4:].decode())
        _say(link, b"R", (11).to_bytes(4) + exchange.get_server_first().encode())
        _, final = _hear(link)
        exchange.set_client_final(final.decode())
        return exchange


def _flood() -> Iterator[bytes]:
    part = b"x" * 65_536
    for _ in range(FLOOD_BYTES // len(part)):
        yield part


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

"""The server that all clients call: the protocols of the extension and of Secrets Manager.

It deliberately has one secret, checks nothing and stores nothing: only clients are measured.
"""

import contextlib
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

NAME = "app/database"
THREADS = 128  # waiting in `accept`; each serves one connection
_VERSION = "01234567-89ab-cdef-0123-456789abcdef"
_SECRET = {
    "engine": "postgres",
    "host": "database.cluster-c0123456789a.eu-central-1.rds.amazonaws.com",
    "port": 5432,
    "dbname": "app",
    "username": "app",
    "password": "no-secret-but-as-long-as-one-is-",
}


def _answer(**fields: object) -> bytes:
    arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{NAME}-a1B2c3"
    body = json.dumps({"ARN": arn, "Name": NAME, **fields}).encode()
    head = f"200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


_FOUND = {
    "SecretString": json.dumps(_SECRET),
    "VersionId": _VERSION,
    "VersionStages": ["AWSCURRENT"],
}
_BY_EXTENSION = _answer(CreatedDate="2025-01-01T00:00:00.000Z", ResultMetadata={}, **_FOUND)
_BY_API = _answer(CreatedDate=1735689600.0, **_FOUND)
_DESCRIBED = _answer(VersionIdsToStages={_VERSION: ["AWSCURRENT"]}, RotationEnabled=False)


class Server:
    """The runner's handle of the server's process."""

    def __init__(self, port: int, control: Connection) -> None:
        self.port = port
        self._control = control

    def reset(self, delay_seconds: float) -> int:
        """Set the delay of responses; return the number of requests since the last reset."""
        self._control.send(delay_seconds)
        count: int = self._control.recv()
        return count


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Run the server on a free port in its own process, for the time of a `with` block."""
    ours, its = multiprocessing.Pipe()
    with socket.create_server(("127.0.0.1", 0), backlog=THREADS) as listener:
        process = multiprocessing.Process(target=_Process(listener).run, args=(its,), daemon=True)
        process.start()
        port: int = listener.getsockname()[1]
    try:
        yield Server(port, ours)
    finally:
        process.kill()
        process.join()


class _Process:
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._delay_seconds = 0.0
        self._requests: list[None] = []  # `append` is atomic

    def run(self, control: Connection) -> None:
        for _ in range(THREADS):
            threading.Thread(target=self._accept, daemon=True).start()
        while True:
            self._delay_seconds = control.recv()
            control.send(len(self._requests))
            self._requests.clear()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, contextlib.suppress(ConnectionError):
                while self._serve(connection):
                    pass

    def _serve(self, connection: socket.socket) -> bool:
        """Answer one request; return whether the connection stays open."""
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65_536)
            if not part:
                return False
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        lowered = head.lower()
        if b"content-length: " in lowered:
            length = int(lowered.partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65_536)
        self._requests.append(None)
        if self._delay_seconds:
            time.sleep(self._delay_seconds)
        if head.startswith(b"GET"):
            answer = _BY_EXTENSION
        else:
            answer = _DESCRIBED if b".DescribeSecret" in head else _BY_API
        kept = b"HTTP/1.1" in head and b"connection: close" not in lowered
        version = b"HTTP/1.1 " if b"HTTP/1.1" in head else b"HTTP/1.0 "
        connection.sendall(version + answer)
        return kept

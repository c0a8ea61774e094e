"""A scripted extension and a scripted AWS, on real sockets: they answer what a test tells them to.

Real boto3 speaks to the scripted AWS, with its `endpoint_url`.
"""

import base64
import itertools
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config

CANARY = "s3cr3t-canary"
TOKEN = "the+token/="
REGION = "eu-central-1"
NOT_READY = b"not ready to serve traffic, please wait"
GENERIC = b"an unexpected error occurred while executing request"
BAD_TOKEN = b"bad session token or header key"


class Request:
    """What a client asked."""

    def __init__(self, head: str, body: bytes) -> None:
        self.head = head
        self.body = body

    @property
    def target(self) -> str:
        return self.head.split(" ", 2)[1]

    @property
    def query(self) -> dict[str, str]:
        return dict(
            parse_qsl(urlsplit(self.target).query, keep_blank_values=True, strict_parsing=True)
        )

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def region(self) -> str:
        """The region whose endpoint an SDK believes to ask: its signature says it."""
        found = re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.head)
        return found[1] if found else ""

    def header(self, name: str) -> str | None:
        found = re.search(
            rf"^{re.escape(name)}: *(.*?)\r?$", self.head, re.IGNORECASE | re.MULTILINE
        )
        return found[1] if found else None


Answer = Callable[[Request, socket.socket], None]
_EPOCH = time.time() - time.monotonic()


class Server:
    """Answers the n-th request with the n-th answer, and every further one with the last."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[Request] = []
        self._answers = answers
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def script(self, *answers: Answer) -> None:
        """Answer so from now on; what is still being answered is broken off."""
        with self._lock:
            under_way, self._open = self._open, {}
            self._answers = answers
            self.requests = []
        for thread, connection in under_way.items():
            with suppress(OSError):  # its end has come already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def close(self) -> None:
        self._closed = True
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes `accept`
        self._thread.join()
        self._listener.close()
        self.script()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closed:
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:  # so that whoever finds it can join it
                self._open[thread] = connection
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                request = _read(connection)
                if request is None:
                    return
                with self._lock:
                    if threading.current_thread() not in self._open:
                        return  # it was asked before the script that is in force
                    answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
                    self.requests.append(request)
                answer(request, connection)
        except OSError:
            return  # the client has left
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)


class Aws(Server):
    """Secrets Manager and Parameter Store of every region."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(*answers)
        self._session: Any = boto3.session.Session(
            aws_access_key_id="key", aws_secret_access_key="key", region_name=REGION
        )
        self._clients: dict[tuple[str, str | None], Any] = {}

    def client(self, service: str, region: str | None) -> Any:
        """Make a client of real boto3, once for each region: that takes its time."""
        if (service, region) not in self._clients:
            self._clients[service, region] = self._session.client(
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                config=Config(
                    connect_timeout=5,
                    read_timeout=60,
                    retries={"total_max_attempts": 1},
                    proxies={},
                ),
            )
        return self._clients[service, region]

    def close(self) -> None:
        super().close()
        for client in self._clients.values():
            client.close()


def _read(connection: socket.socket) -> Request | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    request = Request(head.decode("latin-1"), body)
    while len(request.body) < int(request.header("Content-Length") or 0):
        request.body += connection.recv(65_536)
    return request


# --- answers -------------------------------------------------------------------------------------


def http(status: int, body: bytes) -> Answer:
    return lambda _, connection: connection.sendall(whole(status, body))


def whole(status: int, body: bytes) -> bytes:
    """Write an answer; every server here closes after one."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def secret_body(name: str, **fields: object) -> bytes:
    """Write the extension's answer of a secret."""
    answer: dict[str, object] = {
        "ARN": f"arn:aws:secretsmanager:{REGION}:111122223333:secret:{name}-AbCdEf",
        "CreatedDate": "2022-11-16T08:22:40.499Z",
        "Name": name,
        "SecretBinary": None,
        "SecretString": None,
        "VersionId": "version-1",
        "VersionStages": ["AWSCURRENT"],
        "ResultMetadata": {},
    }
    return json.dumps(answer | fields, separators=(",", ":")).encode()


def secret(text: str | None = CANARY, **fields: object) -> Answer:
    """Answer as the extension: with the secret that is asked for, under its name."""

    def answer(request: Request, connection: socket.socket) -> None:
        body = secret_body(request.query["secretId"], SecretString=text, **fields)
        connection.sendall(whole(200, body))

    return answer


def parameter(text: str = CANARY, version: int = 1) -> Answer:
    def answer(request: Request, connection: socket.socket) -> None:
        found = _parameter(request.query["name"], text, version)
        body = json.dumps({"Parameter": found, "ResultMetadata": {}}).encode()
        connection.sendall(whole(200, body))

    return answer


def _parameter(name: str, text: str, version: int) -> dict[str, object]:
    return {
        "ARN": f"arn:aws:ssm:{REGION}:111122223333:parameter/{name.lstrip('/')}",
        "DataType": "text",
        "Name": name,
        "Type": "SecureString",
        "Value": text,
        "Version": version,
    }


def aws_secret(text: str | None = CANARY, version: str = "version-1", **fields: object) -> Answer:
    """Answer as Secrets Manager's GetSecretValue."""

    def answer(request: Request, connection: socket.socket) -> None:
        assert request.header("X-Amz-Target") == "secretsmanager.GetSecretValue"
        name = request.json["SecretId"]
        arn = f"arn:aws:secretsmanager:{request.region}:111122223333:secret:{name}-AbCdEf"
        stages = [request.json.get("VersionStage", "AWSCURRENT")]
        found: dict[str, object] = {
            "ARN": arn, "Name": name, "VersionId": version, "VersionStages": stages
        }  # fmt: skip
        if text is not None:
            found["SecretString"] = text
        connection.sendall(whole(200, json.dumps(found | fields).encode()))

    return answer


def aws_parameter(text: str = CANARY, version: int = 1) -> Answer:
    """Answer as Parameter Store's GetParameter."""

    def answer(request: Request, connection: socket.socket) -> None:
        assert request.header("X-Amz-Target") == "AmazonSSM.GetParameter"
        found = _parameter(request.json["Name"].split(":")[0], text, version)
        connection.sendall(whole(200, json.dumps({"Parameter": found}).encode()))

    return answer


def aws_error(code: str, message: str = "AWS's words.", status: int = 400) -> Answer:
    return http(status, json.dumps({"__type": code, "message": message}).encode())


def by_region(**answers: Answer) -> Answer:
    """Answer by the region whose name, with underscores, is the argument's."""

    def answer(request: Request, connection: socket.socket) -> None:
        answers[request.region.replace("-", "_")](request, connection)

    return answer


def by_stage(**answers: Answer) -> Answer:
    def answer(request: Request, connection: socket.socket) -> None:
        answers[request.json.get("VersionStage", "AWSCURRENT")](request, connection)

    return answer


def gated(gate: threading.Event, then: Answer) -> Answer:
    """Answer when the gate is opened."""

    def answer(request: Request, connection: socket.socket) -> None:
        if gate.wait(30):
            then(request, connection)

    return answer


def hang(_: Request, connection: socket.socket) -> None:
    """Wait until the client leaves, or the script ends."""
    while connection.recv(65_536):
        pass


def reset(_: Request, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(body: bytes) -> Answer:
    """Answer byte by byte, so that nothing but a deadline of the whole ends it."""

    def answer(_: Request, connection: socket.socket) -> None:
        for byte in whole(200, body):
            connection.sendall(bytes([byte]))
            time.sleep(0.01)

    return answer


def cut(body: bytes) -> Answer:
    return lambda _, connection: connection.sendall(whole(200, body)[:-9])


def chunked(body: bytes, size: int = 50) -> Answer:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    text = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return lambda _, connection: connection.sendall(head + text)


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


# --- around them ---------------------------------------------------------------------------------


class Clock:
    """The clocks of running time and of the day, moved by a test instead of waited for."""

    def __init__(self, *, running: bool = False) -> None:
        self._now = time.monotonic if running else itertools.repeat(time.monotonic()).__next__
        self._moved = self._frozen = 0.0

    def __call__(self) -> float:
        """Return the running time."""
        return self._now() + self._moved

    def time(self) -> float:
        """Return the time of day."""
        return self() + _EPOCH + self._frozen

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._moved += seconds

    def freeze(self, seconds: float) -> None:
        """Let the time of day pass alone; less than nothing sets its clock back."""
        self._frozen += seconds


def bound_port() -> socket.socket:
    """A socket that keeps its port and does not listen: who connects is refused."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def told(error: BaseException | None) -> str:
    """Everything that an exception tells: texts, attributes, and those that it came from."""
    texts = []
    seen: list[BaseException] = []
    left = [error]
    while left:
        one = left.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        left += [one.__cause__, one.__context__]
        notes = getattr(one, "__notes__", ())
        texts.append(f"{one} {one!r} {one.args} {vars(one)} {notes}")
    return "\n".join(texts)

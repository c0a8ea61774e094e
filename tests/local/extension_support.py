"""A scripted AWS, and the process of the stand-in for AWS's extension that asks it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from local.extension import launcher

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

TOKEN = "function-session-token"
VALUE = "hunter2-<&>-é"
NOT_READY = (400, b"not ready to serve traffic, please wait")


class Call(NamedTuple):
    operation: str
    body: dict[str, Any]
    headers: dict[str, str]


class Upstream:
    """Secrets Manager and Parameter Store: answers by name, and remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[Call] = []
        self.scripts: dict[str, Callable[[], tuple[int, dict[str, object]]]] = {}
        self._lock = threading.Lock()

    def answer(self, call: Call) -> tuple[int, dict[str, object]]:
        with self._lock:
            self.calls.append(call)
        name = call.body.get("SecretId") or call.body["Name"]
        if name in self.scripts:
            return self.scripts[name]()
        return 200, secret(name) if call.operation == "GetSecretValue" else parameter(name)

    def calls_for(self, name: str) -> list[Call]:
        with self._lock:
            return [c for c in self.calls if name in (c.body.get("SecretId"), c.body.get("Name"))]


def secret(name: str, value: str = VALUE) -> dict[str, object]:
    return {
        "ARN": f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf",
        "CreatedDate": 1668586960.499,
        "Name": name,
        "SecretString": value,
        "VersionId": "11111111-2222-3333-4444-555555555555",
        "VersionStages": ["AWSCURRENT"],
    }


def parameter(name: str, **fields: object) -> dict[str, object]:
    path, _, selector = name.partition(":")
    known = {
        "ARN": f"arn:aws:ssm:us-east-1:123456789012:parameter{path}",
        "DataType": "text",
        "LastModifiedDate": 1668586960.499,
        "Name": path,
        "Type": "String",
        "Value": VALUE,
        "Version": 1,
    }
    return {"Parameter": known | ({"Selector": f":{selector}"} if selector else {}) | fields}


def refusal(code: str, status: int = 400) -> Callable[[], tuple[int, dict[str, object]]]:
    return lambda: (status, {"__type": code, "message": f"the reason of {status} {code}"})


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, answer = aws.answer(Call(operation, body, dict(self.headers.items())))
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """Say nothing of an extension that hung up on a slow answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        aws = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield aws
        server.shutdown()
        thread.join()


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class Extension(NamedTuple):
    port: int
    process: subprocess.Popen[bytes]
    log_file: Path
    invoke: Callable[[], None]

    def get(self, path: str, token: str | None = TOKEN, method: str = "GET") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {} if token is None else {"X-Aws-Parameters-Secrets-Token": token}
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read(), found)
        finally:
            connection.close()

    def secret(self, name: str, more: str = "") -> tuple[int, bytes]:
        return self.get(f"/secretsmanager/get?secretId={name}{more}")[:2]

    def parameter(self, name: str, more: str = "") -> tuple[int, bytes]:
        return self.get(f"/systemsmanager/parameters/get?name={name}{more}")[:2]

    def log(self) -> str:
        return self.log_file.read_text()


def environment(upstream: Upstream, **variables: str) -> dict[str, str]:
    """A function's environment; an empty variable is left out."""
    environ = {
        "AWS_ACCESS_KEY_ID": "ASIAFUNCTIONROLE",
        "AWS_SECRET_ACCESS_KEY": "secret-access-key",
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "eu-west-3",
        "AWS_ENDPOINT_URL": upstream.url,
        "AWS_MAX_ATTEMPTS": "1",
    } | variables
    return {name: value for name, value in environ.items() if value}


@contextmanager
def started(
    environ: Mapping[str, str], log_file: Path, *, invoked: bool = True
) -> Iterator[Extension]:
    """Run the extension's process alone, as the emulator runs it next to a function's."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        lifecycle, first_invoke = os.pipe()
        log = stack.enter_context(log_file.open("wb"))
        process = stack.enter_context(
            launcher.start(listener.fileno(), lifecycle, environ, log.fileno())
        )
        stack.callback(os.close, first_invoke)  # before the process is waited for: its signal
        os.close(lifecycle)
        port = listener.getsockname()[1]
        listener.close()
        extension = Extension(
            port, process, log_file, lambda: cast("None", os.write(first_invoke, b"\n"))
        )
        if invoked:
            extension.invoke()
        yield extension


@pytest.fixture
def start(upstream: Upstream, tmp_path: Path) -> Iterator[Callable[..., Extension]]:
    """Start an extension of the test's own, with these variables."""
    with ExitStack() as stack:

        def start(*, invoked: bool = True, **variables: str) -> Extension:
            environ = environment(upstream, **variables)
            log_file = tmp_path / "extension.log"
            return stack.enter_context(started(environ, log_file, invoked=invoked))

        yield start


@pytest.fixture(scope="module")
def extension(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extension]:
    """One extension with default settings, shared: every test asks for names of its own."""
    log_file = tmp_path_factory.mktemp("extension") / "log"
    with started(environment(upstream), log_file) as extension:
        yield extension

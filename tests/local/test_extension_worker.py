"""The stand-in for AWS's extension in an execution environment, next to a function."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest

from local.emulator.runtimes import interpreters
from local.emulator.runtimes.namespaces import MachineNetwork
from local.emulator.runtimes.sandbox import END_OF_EVENTS, Program, Sandbox
from tests.local import extension_support
from tests.local.extension_support import NOT_READY, VALUE, Extension, Upstream, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

upstream, start = extension_support.upstream, extension_support.start

HANDLER = '''
import json, os, socket, urllib.error, urllib.request

def port():
    return int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773"))

def with_urllib(path):
    """As in AWS's sample."""
    request = urllib.request.Request(f"http://localhost:{port()}{path}")
    request.add_header("X-Aws-Parameters-Secrets-Token", os.environ.get("AWS_SESSION_TOKEN", ""))
    try:
        with urllib.request.urlopen(request) as response:
            return [response.status, response.read().decode()]
    except urllib.error.HTTPError as error:
        with error:
            return [error.code, error.read().decode()]

def with_socket(path):
    """HTTP by hand, read until the other side closes."""
    with socket.create_connection(("127.0.0.1", port())) as client:
        client.sendall(
            f"GET {path} HTTP/1.0\\r\\n"
            f"X-Aws-Parameters-Secrets-Token: {os.environ['AWS_SESSION_TOKEN']}\\r\\n"
            "\\r\\n".encode()
        )
        with client.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\\r\\n\\r\\n")
    return [int(head.split()[1]), body.decode()]

AT_IMPORT = with_urllib("/secretsmanager/get?secretId=app%2Fdb")

def handler(event, context):
    if event == "at import":
        return AT_IMPORT
    if event == "port":
        return port()
    print("a line of the function's own")
    return globals()[event["client"]](event["path"])
'''

ECHO = "def handler(event, context):\n    return event\n"
CONTEXT = (
    *("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE"),
    *("LOG_GROUP_NAME", "LOG_STREAM_NAME"),
)


class Function:
    """A function in an execution environment, driven as the emulator drives it."""

    def __init__(self, directory: Path, code: str, environ: dict[str, str]) -> None:
        directory.mkdir()
        (directory / "app.py").write_text(code)
        own = {
            "_HANDLER": "app.handler",
            "LAMBDA_TASK_ROOT": str(directory),
            **{f"AWS_LAMBDA_{name}": "" for name in CONTEXT},
        }
        interpreter = interpreters.find(f"python{sys.version_info[0]}.{sys.version_info[1]}")
        program = Program(interpreter.command, environ | own, directory, has_extension=True)
        self.sandbox = Sandbox(program, MachineNetwork())
        self.process = self.sandbox.process
        message = {"opt": "", "libraries": "", "snapshot": False}
        self.initialisation = self.sandbox.initialise(message, 60)

    def invoke(self, event: object) -> Any:
        message = {
            "event": event,
            "request_id": "1",
            "function_arn": "",
            "trace_id": "Root=1-0",
            "deadline_seconds": time.time() + 60,
        }
        return self.sandbox.invoke(message, 60)["result"]

    def get(self, path: str, client: str = "with_urllib") -> Any:
        return self.invoke({"client": client, "path": path})

    def log(self) -> list[str]:
        """Every line: returns when the last process that writes them is gone."""
        events = iter(self.sandbox.log.get, None)
        lines = [event.message.removesuffix("\n") for event in events if event]
        return [line for line in lines if line != END_OF_EVENTS]


def free_port() -> str:
    """Choose a port that the system gives nobody who asks for any: it is still free later."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)  # Linux gives those above
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return str(port)


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.fixture
def deploy(upstream: Upstream, tmp_path: Path) -> Iterator[Callable[..., Function]]:
    """Start a function with the extension, in this machine's network."""
    with ExitStack() as stack:

        def deploy(port: str, code: str = HANDLER) -> Function:
            environ = environment(upstream, PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=port)
            directory = tmp_path / f"function-{time.monotonic_ns()}"
            function = Function(directory, code, environ)
            stack.callback(function.sandbox.end)
            return function

        yield deploy


def test_a_function_is_told_to_wait_at_import_and_answered_in_its_handler(
    deploy: Callable[..., Function],
) -> None:
    port = free_port()
    function = deploy(port)
    assert function.initialisation == {"ready": True}
    assert function.invoke("at import") == [NOT_READY[0], NOT_READY[1].decode()]
    for client in ("with_urllib", "with_socket", "with_urllib"):
        status, body = function.get("/secretsmanager/get?secretId=app%2Fdb", client)
        assert (status, json.loads(body)["SecretString"]) == (200, VALUE)
    assert function.invoke("port") == int(port)
    function.process.terminate()
    log = function.log()
    assert log.count("a line of the function's own") == 3
    assert any(line.endswith(f" INFO Serving on port {port}") for line in log)


def test_descriptors_of_any_number_are_fine(deploy: Callable[..., Function]) -> None:
    """An emulator with hundreds of execution environments has more than 1024 open files."""
    with ExitStack() as stack:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while (descriptor := os.dup(0)) < 1100:
            stack.callback(os.close, descriptor)
        stack.callback(os.close, descriptor)
        function = deploy(free_port())
        assert function.get("/secretsmanager/get?secretId=app%2Fdb")[0] == 200


def test_two_functions_have_an_extension_each_on_a_port_each(
    deploy: Callable[..., Function],
) -> None:
    port = free_port()
    first, second = deploy(port), deploy(port)
    assert first.invoke("port") == int(port)
    assert second.invoke("port") != int(port)
    for function in (first, second):
        assert function.get("/systemsmanager/parameters/get?name=%2Fapp%2Furl")[0] == 200
    first.process.kill()
    first.log()
    assert second.get("/systemsmanager/parameters/get?name=%2Fapp%2Fother")[0] == 200


def test_a_port_that_is_no_port_is_the_default_port(deploy: Callable[..., Function]) -> None:
    function = deploy("65536", ECHO)
    function.invoke("first")
    function.process.terminate()
    # Another process of this machine may hold 2773; then it is a free port, as for any port.
    log = "\n".join(function.log())
    warned = "EXTENSION_HTTP_PORT must be a whole number, 1 to 65535. Using 2773." in log
    assert warned == ("Serving on port 2773" in log)


@pytest.mark.parametrize("end", ["kill", "terminate", "hang up"])
def test_the_extension_ends_with_its_function(deploy: Callable[..., Function], end: str) -> None:
    function = deploy(free_port())
    port = function.invoke("port")
    assert not is_refused(port)
    if end == "hang up":
        function.sandbox.hang_up()
    else:
        getattr(function.process, end)()
    function.log()
    assert is_refused(port)


def test_the_extension_ends_with_a_function_that_cannot_be_imported(
    deploy: Callable[..., Function],
) -> None:
    port = free_port()
    function = deploy(port, "raise ImportError('broken')")
    assert function.initialisation["error"]["errorType"] == "Runtime.ImportModuleError"
    function.sandbox.end()
    assert is_refused(int(port))


def test_a_function_outlives_its_extension(deploy: Callable[..., Function]) -> None:
    function = deploy(free_port(), ECHO)
    extension = function.sandbox.extension
    assert extension is not None
    extension.kill()
    extension.wait()
    assert function.invoke("first") == "first"
    assert function.invoke("second") == "second"


def test_the_extension_is_deaf_to_an_interrupt_meant_for_the_worker(
    start: Callable[..., Extension],
) -> None:
    extension = start()
    assert extension.get("/").status == 404
    extension.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        extension.process.wait(0.2)
    assert "KeyboardInterrupt" not in extension.log()


def test_a_functions_python_path_is_not_the_extensions(
    start: Callable[..., Extension], tmp_path: Path
) -> None:
    (tmp_path / "hmac.py").write_text("raise SystemExit('the wrong hmac')")
    assert start(PYTHONPATH=str(tmp_path)).secret("isolated")[0] == 200


def test_the_extension_listens_on_ipv4_loopback_only(deploy: Callable[..., Function]) -> None:
    port = deploy(free_port()).invoke("port")
    for family, address in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.2")):
        with socket.socket(family) as client, pytest.raises(OSError, match=r"refused|assign"):
            client.connect((address, port))

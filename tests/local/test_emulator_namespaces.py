"""Each execution environment has a network of its own, where the machine has namespaces."""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from local.aws import EmbeddedAws
from tests.local.function_support import EXTENSION_LAYER, OWN_RUNTIME, REGION, Functions
from tests.recording import ROOT

# As in AWS's documentation of the extension: the port is written in the source.
SAMPLE = """
import json, os, urllib.request
def handler(event, context):
    request = urllib.request.Request("http://localhost:2773/secretsmanager/get?secretId=mine")
    request.add_header("X-Aws-Parameters-Secrets-Token", os.environ.get("AWS_SESSION_TOKEN"))
    return json.loads(urllib.request.urlopen(request).read())["SecretString"]
"""
NODE_SAMPLE = """
exports.handler = async () => {
  const headers = { "X-Aws-Parameters-Secrets-Token": process.env.AWS_SESSION_TOKEN };
  const path = "/secretsmanager/get?secretId=mine";
  const response = await fetch(`http://localhost:2773${path}`, { headers });
  return (await response.json()).SecretString;
};
"""
NODE = {"Runtime": "nodejs22.x", "Handler": "index.handler"}
WITH_EXTENSION = {"Layers": [EXTENSION_LAYER]}

SETPRIV = shutil.which("setpriv")

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(layers=[EXTENSION_LAYER]) as embedded:
        if not embedded.namespaces:
            assert not _can_unshare()
            pytest.skip("this machine has no network namespaces")
        _put(embedded, "first value")
        yield embedded


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


def _can_unshare() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    run = subprocess.run([unshare, "-rn", "true"], check=False)  # noqa: S603 (util-linux's own)
    return run.returncode == 0


def _put(aws: EmbeddedAws, value: str) -> None:
    aws.client("secretsmanager", REGION).create_secret(Name="mine", SecretString=value)


def test_port_2773_is_free_for_every_function_of_every_emulator(
    aws: EmbeddedAws, functions: Functions
) -> None:
    with EmbeddedAws(layers=[EXTENSION_LAYER]) as other:
        _put(other, "other value")
        for each, value in ((functions, "first value"), (Functions(other), "other value")):
            for _ in range(2):
                name = each.make(SAMPLE, **WITH_EXTENSION)
                assert each.invoke(name) == (value, False)
        assert not [notice for notice in aws.notices + other.notices if "2773" in notice]


@needs_node
def test_port_2773_is_free_for_node(functions: Functions) -> None:
    name = functions.make({"index.js": NODE_SAMPLE}, **WITH_EXTENSION, **NODE)
    assert functions.invoke(name) == ("first value", False)


MEETING = """
import pathlib, time
def meet(folder, event):
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < event["functions"]:
        time.sleep(0.01)
def handler(event, context):
    meet(pathlib.Path(event["folder"]), event)
    return sample(event, context)
"""


def test_every_environment_of_a_function_has_an_extension(
    functions: Functions, tmp_path: Path
) -> None:
    name = functions.make(SAMPLE.replace("handler", "sample") + MEETING, **WITH_EXTENSION)
    event = {"folder": str(tmp_path), "functions": 3}
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: functions.invoke(name, event), range(3)))
    assert answers == [("first value", False)] * 3
    assert len(list(tmp_path.iterdir())) == 3


# --- what leads off the machine ------------------------------------------------------------------

C_CONNECT = """
import ctypes, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def handler(event, context):
    descriptor = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack("=HHB3B8x", socket.AF_INET, socket.htons(80), 192, 0, 2, 1)
    failed = libc.connect(descriptor, address, len(address))
    return [failed, os.strerror(ctypes.get_errno())]
"""
C_LOOKUP = """
import ctypes
libc = ctypes.CDLL(None)
def handler(event, context):
    found = ctypes.c_void_p()
    number = libc.getaddrinfo(b"example.com", b"80", None, ctypes.byref(found))
    libc.gai_strerror.restype = ctypes.c_char_p
    return [number, libc.gai_strerror(number).decode()]
"""


def test_a_c_library_reaches_nothing_off_the_machine(functions: Functions) -> None:
    assert functions.answer(C_CONNECT).payload == [-1, "Network is unreachable"]


def test_a_c_library_looks_up_no_name_off_the_machine(functions: Functions) -> None:
    started = time.monotonic()
    number, text = functions.answer(C_LOOKUP).payload
    assert number != 0
    assert "resolution" in text or "not known" in text
    assert time.monotonic() - started < 10


@needs_node
@pytest.mark.parametrize(
    ("url", "code"),
    [("http://192.0.2.1/", "ENETUNREACH"), ("http://example.com/", ("EAI_AGAIN", "ENOTFOUND"))],
)
def test_node_reaches_nothing_off_the_machine(
    functions: Functions, url: str, code: str | tuple[str, ...]
) -> None:
    source = "exports.handler = async (url) => fetch(url).catch((e) => e.cause.code);"
    found, _ = functions.invoke(functions.make({"index.js": source}, **NODE), url)
    assert str(found).startswith(code)


# --- what of this machine is reached -------------------------------------------------------------

FETCH = """
import urllib.request
def handler(url, context):
    return urllib.request.urlopen(url, timeout=30).read().decode()
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"x" * 3_000_000  # more than the buffers of all sockets on the way
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """A server on this machine's loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_function_reaches_a_port_of_this_machine_once_it_is_named(
    aws: EmbeddedAws, functions: Functions, port: int
) -> None:
    name, url = functions.make(FETCH), f"http://localhost:{port}/"
    payload, is_error = functions.invoke(name, url)
    assert is_error
    assert "Connection refused" in payload["errorMessage"]

    aws.reach(port)

    assert len(functions.invoke(name, url).payload) == 3_000_000  # the running one
    assert len(functions.answer(FETCH, url).payload) == 3_000_000  # and a new one


def test_a_function_reaches_the_ports_that_the_user_lists(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDED_AWS_REACHABLE", f"1, {port}")
    with EmbeddedAws() as aws:
        answer = Functions(aws).answer(FETCH, f"http://localhost:{port}/")
        assert len(answer.payload) == 3_000_000


@pytest.mark.parametrize("listed", ["5432;6379", "0", "65536", "postgres"])
def test_a_list_that_is_not_of_ports_is_refused(
    monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.setenv("EMBEDDED_AWS_REACHABLE", listed)
    with pytest.raises(ValueError, match="EMBEDDED_AWS_REACHABLE must be ports") as error:
        EmbeddedAws().__enter__()
    assert listed in str(error.value)


def test_a_connection_that_nobody_takes_is_reset(aws: EmbeddedAws, functions: Functions) -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        aws.reach(bound.getsockname()[1])
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        payload, is_error = functions.answer(FETCH, url)
    assert is_error
    assert "Connection reset" in payload["errorMessage"] or "closed" in payload["errorMessage"]


def test_an_outage_that_resets_connections_resets_a_functions(
    aws: EmbeddedAws, functions: Functions
) -> None:
    source = """
import boto3
from botocore.config import Config
client = boto3.client("ssm", config=Config(retries={"total_max_attempts": 1}))
def handler(event, context):
    try:
        client.describe_parameters()
    except Exception as error:
        return type(error).__name__
"""
    name = functions.make(source)
    assert functions.invoke(name) == (None, False)
    aws.start_outage("ssm", REGION, how="reset")
    try:
        assert functions.invoke(name).payload == "ConnectionClosedError"
    finally:
        aws.end_outage("ssm", REGION)
    assert functions.invoke(name) == (None, False)


@pytest.mark.skipif(
    SETPRIV is None or os.geteuid() != 0,
    reason="without the right to make namespaces, every test here is this one",
)
def test_a_user_namespace_does_without_the_right_to_make_others() -> None:
    source = """
from local.aws import EmbeddedAws
from tests.local.function_support import Functions
handler = "import os\\ndef handler(event, context): return os.getuid()"
with EmbeddedAws() as aws:
    print(aws.namespaces, Functions(aws).answer(handler))
"""
    run = subprocess.run(  # noqa: S603 (this interpreter, the text above)
        [str(SETPRIV), "--bounding-set=-sys_admin", sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "True Answer(payload=0, is_error=False)\n", run.stderr


# --- without namespaces --------------------------------------------------------------------------


@pytest.mark.exhaustive
def test_without_namespaces_one_environment_has_the_port_and_the_next_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMBEDDED_AWS_NAMESPACES", "off")
    source = """
import json, os, urllib.request
PORT = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")
def handler(event, context):
    request = urllib.request.Request(f"http://localhost:{PORT}/secretsmanager/get?secretId=mine")
    request.add_header("X-Aws-Parameters-Secrets-Token", os.environ.get("AWS_SESSION_TOKEN"))
    return [json.loads(urllib.request.urlopen(request).read())["SecretString"], PORT]
"""
    layers = [EXTENSION_LAYER]
    with EmbeddedAws(layers=layers) as one, EmbeddedAws(layers=layers) as two:
        assert (one.namespaces, two.namespaces) == (False, False)
        ports = []
        for aws, value in ((one, "one"), (two, "two")):
            _put(aws, value)
            answer = Functions(aws).answer(source, **WITH_EXTENSION)
            assert answer.payload[0] == value
            ports.append(answer.payload[1])
        assert ports[1] != "2773"
        assert any("2773 cannot be used (Address already" in notice for notice in two.notices)
        assert any("share this machine's network" in notice for notice in one.notices)


def test_without_namespaces_a_function_that_names_a_port_of_another_is_not_invoked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMBEDDED_AWS_NAMESPACES", "off")
    with EmbeddedAws(layers=[EXTENSION_LAYER]) as aws, ExitStack() as running:
        _put(aws, "value")
        functions = Functions(aws)
        with suppress(OSError):  # another process of this machine has it
            running.enter_context(socket.create_server(("127.0.0.1", 2773)))
        answer = functions.answer(SAMPLE, **WITH_EXTENSION)
        assert answer.is_error
        assert answer.payload["errorType"] == "EmbeddedAws.NotInvoked"
        assert "names port 2773, which another function has" in answer.payload["errorMessage"]


# --- nothing is left behind ----------------------------------------------------------------------


def _members(pid: int) -> set[int]:
    """Processes of the emulator's session: what it started, and what those did."""
    found = set()
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(each.name)) == pid:
                found.add(int(each.name))
    return found


def _namespaces(*pids: int) -> set[str]:
    """Network namespaces in which processes are, or that descriptors of theirs keep."""
    found = set()
    for pid in pids:
        folder = Path(f"/proc/{pid}")
        for link in [folder / "ns/net", *folder.glob("fd/*")]:
            with suppress(OSError):
                found.add(str(link.readlink()))
    return {each for each in found if each.startswith("net:")}


def _sockets_in_namespaces(pid: int) -> set[str]:
    """Sockets of a process that are in no table of this machine's own network."""
    own = " ".join(
        Path(f"/proc/net/{table}").read_text(encoding="utf-8")
        for table in ("tcp", "tcp6", "udp", "unix")
    ).split()
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(str(link.readlink()))
    sockets = {each[len("socket:[") : -1] for each in found if each.startswith("socket:")}
    return sockets - set(own)


def _scratch_of(pid: int) -> Path:
    environment = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8").split("\0")
    (found,) = (each for each in environment if each.startswith("TMPDIR="))
    return Path(found.removeprefix("TMPDIR="))


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "not within 30 seconds"
        time.sleep(0.02)


def test_a_deleted_function_leaves_no_process_no_namespace_and_no_file() -> None:
    with EmbeddedAws(layers=[EXTENSION_LAYER]) as aws:
        functions = Functions(aws)
        _put(aws, "value")
        alone, machines = _members(aws.pid), _namespaces(os.getpid())
        names = [functions.make(SAMPLE, **WITH_EXTENSION) for _ in range(2)]
        for name in names:
            functions.invoke(name)
        running = _members(aws.pid)
        assert len(running) == len(alone) + 4
        assert len(_namespaces(*running) - machines) == 2
        assert len(_sockets_in_namespaces(aws.pid)) >= 2
        folder = _scratch_of(aws.pid)
        assert len(list(folder.glob("lambda-*"))) == 2

        for name in names:
            functions.client.delete_function(FunctionName=name)

        _wait_until(lambda: _members(aws.pid) == alone)
        _wait_until(lambda: not _namespaces(*alone) - machines)
        _wait_until(lambda: not _sockets_in_namespaces(aws.pid))
        assert not list(folder.glob("lambda-*"))


def test_a_function_deleted_while_it_starts_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "python3.12" if OWN_RUNTIME != "python3.12" else "python3.13"
    slow = tmp_path / other  # to find the interpreter takes long, and then there is none
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nsleep 1\nexit 1\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with EmbeddedAws(layers=[EXTENSION_LAYER]) as aws, ThreadPoolExecutor(1) as thread:
        functions, alone = Functions(aws), _members(aws.pid)
        name = functions.make("def handler(e, c): ...", Runtime=other, **WITH_EXTENSION)
        invocation = thread.submit(functions.invoke, name)
        _wait_until((tmp_path / "asked").exists)

        functions.client.delete_function(FunctionName=name)

        assert invocation.result() == (None, False)
        _wait_until(lambda: _members(aws.pid) == alone)


@pytest.mark.exhaustive
def test_several_emulators_leave_nothing_when_they_stop() -> None:
    with ExitStack() as running:
        started = [running.enter_context(EmbeddedAws(layers=[EXTENSION_LAYER])) for _ in range(3)]
        pids = set()
        for aws in started:
            _put(aws, "value")
            functions = Functions(aws)
            assert functions.answer(SAMPLE, **WITH_EXTENSION) == ("value", False)
            pids |= _members(aws.pid)
        assert len(pids) == 9  # an emulator, a function and an extension each
        namespaces = _namespaces(*pids) - _namespaces(os.getpid())
        assert len(namespaces) == 3

    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    # The kernel has done with a namespace some time after its last process has ended.
    _wait_until(lambda: not namespaces & _namespaces(*_processes()))


def _processes() -> set[int]:
    return {int(each.name) for each in Path("/proc").glob("[0-9]*")}

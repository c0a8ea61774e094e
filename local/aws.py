"""Runs the emulator as a child process on loopback.

It provides a private, empty AWS account for the time of a `with` block; `account` adds others. All
are gone at the end, or when this process dies. It deliberately deploys nothing.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from local.account import AwsAccount, Clients

ACCOUNT_ID = "123456789012"
ADMIN_ARN = f"arn:aws:iam::{ACCOUNT_ID}:user/admin"
HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 5
LOG_TAIL_LINES = 20
REPOSITORY = Path(__file__).resolve().parent.parent

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REACHABLE = "EMBEDDED_AWS_REACHABLE"
_MAX_PORT = 65_535
_NOT_RUNNING = "the embedded AWS is not running; use it in a `with` statement"


class EmulatorError(RuntimeError):
    """The emulator did not start; the text ends with the last lines of its log."""


class PortInUseError(OSError):
    """The requested port is in use; the text names it and says what to do."""


class EmbeddedAws(AwsAccount):
    """An AWS account on loopback, as a context manager that starts and stops it.

    `port` defaults to a free one. `layers` are the ARNs of the layer versions that exist; each
    holds the local version of the AWS extension. `reachable` are the ports of this machine's
    loopback that functions can reach, such as a database's, in addition to the comma-separated
    ports in the environment variable `EMBEDDED_AWS_REACHABLE`.

    Entering raises `PortInUseError` when the port is in use, `EmulatorError` when the emulator
    does not start, and `ValueError` when `EMBEDDED_AWS_REACHABLE` is not a list of ports.
    """

    account_id: str = ACCOUNT_ID
    """The account, in twelve digits."""

    def __init__(
        self,
        *,
        port: int | None = None,
        layers: Iterable[str] = (),
        reachable: Iterable[int] = (),
    ) -> None:
        super().__init__(ACCOUNT_ID, Clients(lambda: f"http://{HOST}:{self.port}"))
        self._accounts: dict[str, AwsAccount] = {ACCOUNT_ID: self}
        self._accounts_lock = threading.Lock()
        self._requested_port = port or 0
        self._layers = list(layers)
        self._reachable = list(reachable)
        self._port: int | None = None
        self._directory: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: BinaryIO | None = None
        self._orders_lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1. RuntimeError when the emulator is not running."""
        if self._port is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._port

    @property
    def pid(self) -> int:
        """The id of the emulator's process, which leads its own group. RuntimeError as `port`."""
        if self._process is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._process.pid

    @property
    def namespaces(self) -> bool:
        """Whether each execution environment of a function has its own network namespace.

        If so, port 2773 is free in each, and functions reach only this AWS and the ports of
        `reach`. If not, a function with a hard-coded port 2773 may reach another function's
        extension, and functions reach everything on this machine. The environment variable
        `EMBEDDED_AWS_NAMESPACES=off` turns namespaces off.
        """
        return bool(self._order("have_namespaces"))

    @property
    def notices(self) -> list[str]:
        """Messages for the user so far, such as which interpreters run functions."""
        return list(self._order("notices"))

    def missing_interpreter(self, runtime: str) -> str | None:
        """Return why functions of a runtime, such as `java21`, are not invoked; None if they are.

        Invoking one returns the same text, with the `errorType` `EmbeddedAws.NotInvoked`.
        """
        missing: str | None = self._order("missing_interpreter", runtime)
        return missing

    def interpreter_version(self, runtime: str) -> str | None:
        """Return the language version, such as `3.13`, that runs functions of a runtime.

        None if this machine cannot run them.
        """
        version: str | None = self._order("interpreter_version", runtime)
        return version

    def reach(self, port: int) -> None:
        """Let running and future functions reach a port of this machine's loopback."""
        self._order("reach", port)

    def account(self, account_id: str) -> AwsAccount:
        """Return an account, empty at first; equal ids return the same one.

        Raises:
            ValueError: the id is not twelve digits.

        """
        if not _ACCOUNT_ID.fullmatch(account_id):
            raise ValueError(f"an account id must be twelve digits, got {account_id!r}")
        with self._accounts_lock:
            if account_id not in self._accounts:
                opened = AwsAccount(account_id, self._clients)
                key = opened.access_key_id, opened.secret_access_key
                self._order("open_account", account_id, *key)
                self._accounts[account_id] = opened
            return self._accounts[account_id]

    def start_outage(
        self, service: str, region: str, *, how: Literal["hang", "reset"] = "hang"
    ) -> None:
        """Make a service unavailable in a region, for functions too, until `end_outage`.

        `service` is the name used to sign requests, such as `secretsmanager`. With `hang`,
        requests are accepted and never answered, so clients notice slowly; with `reset`, each
        connection is reset, so they notice at once. The service's own work, such as replication,
        continues.
        """
        self._order("start_outage", service, region, how)

    def end_outage(self, service: str, region: str) -> None:
        """End an outage; connections that still hang are reset."""
        self._order("end_outage", service, region)

    def leave_pending_after_failed_tests(self, secret_arn: str) -> None:
        """Let a failed test of a secret's rotation leave AWSPENDING on an empty version.

        AWS documents that this can happen. By default a failed test leaves nothing.
        """
        self._order("leave_pending_after_failed_tests", secret_arn)

    def _order(self, *command: str | int) -> Any:  # noqa: ANN401 (any JSON)
        """Run a command in the emulator and return its answer, once it is done."""
        if self._process is None or self._process.stdin is None or self._answers is None:
            raise RuntimeError(_NOT_RUNNING)
        with self._orders_lock:
            try:
                os.write(self._process.stdin.fileno(), json.dumps(command).encode() + b"\n")
                answer = self._answers.readline()
            except BrokenPipeError:
                answer = b""
        if not answer:
            raise EmulatorError("the emulator has stopped")
        return json.loads(answer)

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
        try:
            # Our copy of the listener is closed once the child has its own. If the child dies,
            # connections are refused instead of waiting.
            with _listen(self._requested_port) as listener:
                self._port = listener.getsockname()[1]
                self._process = self._start(listener.fileno(), self._directory)
            self._wait_until_healthy()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _start(self, listener: int, directory: Path) -> subprocess.Popen[bytes]:
        scratch = directory / "tmp"
        scratch.mkdir()
        ours, answers = os.pipe()
        self._answers = os.fdopen(ours, "rb")
        environment = {
            "PATH": os.environ.get(
                "PATH", os.defpath
            ),  # where interpreters for functions are searched
            "HOME": str(directory),
            "TMPDIR": str(scratch),
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "SFTP_ENABLED": "0",
            # Keeps the emulator from cleaning up containers of a Docker on this machine.
            "DOCKER_HOST": f"unix://{directory}/no-docker",
            "EMBEDDED_AWS_ACCESS_KEY_ID": self.access_key_id,
            "EMBEDDED_AWS_ANSWERS": str(answers),
            "EMBEDDED_AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "EMBEDDED_AWS_DIRECTORY": str(directory),
            "EMBEDDED_AWS_LAYERS": json.dumps(self._layers),
            "EMBEDDED_AWS_LISTENER": str(listener),
            "EMBEDDED_AWS_NAMESPACES": os.environ.get("EMBEDDED_AWS_NAMESPACES", "on"),
            "EMBEDDED_AWS_PORTS": json.dumps([self.port, *self._reachable, *_listed_ports()]),
        }
        # Closed for the same reason as the listener: if the child dies, reading its answers ends.
        with self._log_path.open("wb") as log, os.fdopen(answers, "wb"):
            return subprocess.Popen(
                [sys.executable, "-m", "local.emulator"],
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.PIPE,  # closes when this process dies, which stops the child
                stdout=log,
                stderr=log,
                pass_fds=[listener, answers],
                start_new_session=True,  # Ctrl-C at the terminal reaches only this process
            )

    def _wait_until_healthy(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_TIMEOUT_SECONDS)
        try:
            # The listener queues the connection until the child serves, so no retry is needed.
            connection.request("GET", "/_ministack/health")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise EmulatorError(
                f"the emulator did not start: {error}\n{self._log_tail()}"
            ) from error
        finally:
            connection.close()
        if status != http.HTTPStatus.OK:
            raise EmulatorError(f"the emulator is not healthy: {status}\n{self._log_tail()}")

    @property
    def _log_path(self) -> Path:
        assert self._directory is not None  # noqa: S101 (set in `__enter__`)
        return self._directory / "emulator.log"

    def _log_tail(self) -> str:
        lines = self._log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _stop(self) -> None:
        self._clients.close()
        self._accounts = {ACCOUNT_ID: self}
        if self._process is not None:
            end(self._process)
            self._process = None
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        self._port = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None


def _listed_ports() -> list[int]:
    """Return the ports that the user lists for functions to reach."""
    listed = os.environ.get(_REACHABLE, "")
    ports = [each.strip() for each in listed.split(",") if each.strip()]
    if not all(each.isdecimal() and 1 <= int(each) <= _MAX_PORT for each in ports):
        raise ValueError(
            f"{_REACHABLE} must be ports, 1 to {_MAX_PORT}, separated by commas, got {listed!r};"
            " set it to a list like 5432,6379, or unset it"
        )
    return list(map(int, ports))


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); "
            "stop the process that listens there, or choose another port"
        ) from error
    return listener


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop the child, then kill what is left of its process group."""
    assert process.stdin is not None  # noqa: S101 (opened with a pipe)
    process.stdin.close()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    # Reaped only after its group is killed: until then no other process can get the group's id.
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, ended) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # only the zombie is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

"""The emulator as a child process on loopback.

It makes a private AWS account that lives as long as its `with` block: empty at the start, gone at
the end, and gone too when this process dies. So do the other accounts that it is asked for. It
deliberately deploys nothing.
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
    """The emulator did not come up; the text ends with the tail of its log."""


class PortInUseError(OSError):
    """The port asked for is taken; the text names it and says what to do."""


class EmbeddedAws(AwsAccount):
    """An AWS account on loopback, as a context manager that starts and stops it.

    `port` is a free one unless given; `layers` are the ARNs of layer versions that are to exist,
    each holding the stand-in for the AWS extension; `reachable` are ports of this machine's
    loopback that functions reach, such as a database's, in addition to those that the environment
    variable `EMBEDDED_AWS_REACHABLE` lists, separated by commas. Entering raises `PortInUseError`
    when the port is taken, `EmulatorError` when the emulator does not come up, and `ValueError`
    for a list that does not consist of ports.

    `account` opens further accounts next to it.
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
        """The port on 127.0.0.1. RuntimeError when the emulator was not started."""
        if self._port is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._port

    @property
    def pid(self) -> int:
        """The emulator's process, the leader of its own group. RuntimeError as for `port`."""
        if self._process is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._process.pid

    @property
    def namespaces(self) -> bool:
        """Whether each execution environment of a function has a network of its own.

        Then port 2773 is free in each, and functions reach nothing but this AWS and what `reach`
        names. Without, a function that has port 2773 hard-coded may find another's extension
        there, and functions reach all of this machine. The environment variable
        `EMBEDDED_AWS_NAMESPACES=off` does without where there are namespaces.
        """
        return bool(self._order("have_namespaces"))

    @property
    def notices(self) -> list[str]:
        """What a reader of the output should know, so far: which interpreters run functions."""
        return list(self._order("notices"))

    def missing_interpreter(self, runtime: str) -> str | None:
        """Return why functions of a runtime, such as `java21`, are not invoked; None if they are.

        An invocation of one has the same text, and the `errorType` `EmbeddedAws.NotInvoked`.
        """
        missing: str | None = self._order("missing_interpreter", runtime)
        return missing

    def interpreter_version(self, runtime: str) -> str | None:
        """Return the version of the language that runs functions of a runtime, such as `3.13`.

        None if nothing here runs them.
        """
        version: str | None = self._order("interpreter_version", runtime)
        return version

    def reach(self, port: int) -> None:
        """Let functions, running or to come, reach a port of this machine's loopback."""
        self._order("reach", port)

    def account(self, account_id: str) -> AwsAccount:
        """Return an account: for an equal id the same one, empty when it is first asked for.

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
        """Let a service of a region answer nobody, functions included, until `end_outage`.

        `service` is the name by which requests are signed, such as `secretsmanager`. An outage
        is mostly silence: requests are taken and hang until the client gives up, which is slow; or
        each connection is reset, which is fast. The service's own work, such as replication, goes
        on.
        """
        self._order("start_outage", service, region, how)

    def end_outage(self, service: str, region: str) -> None:
        """End an outage; what still hangs is reset."""
        self._order("end_outage", service, region)

    def leave_pending_after_failed_tests(self, secret_arn: str) -> None:
        """Let a test of a secret's rotation leave AWSPENDING on an empty version when it fails.

        AWS documents that it may. Without this, a failed test leaves nothing.
        """
        self._order("leave_pending_after_failed_tests", secret_arn)

    def _order(self, *command: str | int) -> Any:  # noqa: ANN401 (any JSON)
        """Have the emulator do something; on return it is done. Return what it answers."""
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
            # Our copy of the listener is closed once the child has its own, so that a child that
            # dies is a connection refused and not a wait.
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
            "PATH": os.environ.get("PATH", os.defpath),  # what runs functions is looked for here
            "HOME": str(directory),
            "TMPDIR": str(scratch),
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "SFTP_ENABLED": "0",
            # A Docker on this machine is not the emulator's to tidy up.
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
        # Closed here as the listener is: a child that dies is an end of the answers.
        with self._log_path.open("wb") as log, os.fdopen(answers, "wb"):
            return subprocess.Popen(
                [sys.executable, "-m", "local.emulator"],
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.PIPE,  # its end tells the child of our death
                stdout=log,
                stderr=log,
                pass_fds=[listener, answers],
                start_new_session=True,  # a Ctrl-C at the terminal is for this process only
            )

    def _wait_until_healthy(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_TIMEOUT_SECONDS)
        try:
            # The listener queues the connection until the child serves: no need to ask twice.
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
        assert self._directory is not None  # noqa: S101 (set before anything asks)
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
            " correct it, such as 5432,6379, or unset it"
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
    """End the child and all that it started; it has had its chance to do so itself."""
    assert process.stdin is not None  # noqa: S101 (a pipe was asked for)
    process.stdin.close()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    # Not reaped before its group is killed: until then nobody else can get the group's number.
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, ended) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # nothing but the zombie is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

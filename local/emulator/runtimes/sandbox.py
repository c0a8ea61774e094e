"""The processes of one execution environment: the function's, and its extension's.

`python_host` and `node_host.cjs` are the other end of the conversation.
"""

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.emulator import notices
from local.emulator.lambda_.platform_log import Event, event
from local.emulator.runtimes.namespaces import Network
from local.extension import launcher
from local.extension.settings import PORT_VARIABLE, http_port

HOST = "127.0.0.1"
# What the hosts put around an event of several lines, and after those of an invocation.
EVENT, END_OF_EVENT = "\0event\0", "\0end of event\0"
END_OF_EVENTS = "\0end of invocation\0"
LAST_EVENTS_TIMEOUT_SECONDS = 1.0
GRACE_SECONDS = 2.0
_SOURCES = (".py", ".js", ".cjs", ".mjs")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)

Data = dict[str, Any]


class EndedError(Exception):
    """The function's process has ended; the text says how, as AWS does."""


class PortTakenError(Exception):
    """The function's code names the extension's port, which another has; the text says which."""


class Program(NamedTuple):
    """What an execution environment runs."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    """The current directory of the function's process."""
    has_extension: bool


class Sandbox:
    """Starts the processes of an execution environment; `end` ends them."""

    def __init__(self, program: Program, network: Network) -> None:
        self._first_invoke: int | None = None
        self.extension: subprocess.Popen[bytes] | None = None
        self._channel, channel = socket.socketpair()
        self._replies = self._channel.makefile("rb")
        log, log_end = os.pipe()
        self.log: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        """Every event, and None at the end of them; `events` takes them out."""
        threading.Thread(target=self._read_events, args=[log], daemon=True).start()
        environment = dict(program.environment)
        inherited = [channel.fileno()]
        try:
            if program.has_extension:
                # Only its listener is in the network: its calls to AWS need not be passed on.
                listener = network.run(lambda: _listen(environment, program.directory))
                self._first_invoke = self._start_extension(listener, environment, log_end)
                inherited.append(self._first_invoke)
            self.process = network.run(
                lambda: subprocess.Popen(  # noqa: S603 (an interpreter, with a host of ours)
                    [*program.command, *map(str, inherited)],
                    cwd=program.directory,
                    env=environment,
                    pass_fds=inherited,
                    stdin=subprocess.DEVNULL,
                    stdout=log_end,
                    stderr=log_end,
                )
            )
        except BaseException:
            self._close()
            raise
        finally:
            channel.close()
            os.close(log_end)

    def _start_extension(
        self, listener: socket.socket, environment: Mapping[str, str], log: int
    ) -> int:
        """Start the extension, and return the end of the pipe that shows the function's life."""
        lifecycle, first_invoke = os.pipe()
        try:
            with listener:
                self.extension = launcher.start(listener.fileno(), lifecycle, environment, log)
        except BaseException:
            os.close(first_invoke)
            raise
        finally:
            os.close(lifecycle)
        return first_invoke

    def initialise(self, message: Data, timeout_seconds: float) -> Data:
        """Have the function's module imported; the reply has `error` if it cannot be."""
        marks = {
            "event": EVENT,
            "end_of_event": f"{END_OF_EVENT}\n",
            "end_of_events": f"{END_OF_EVENTS}\n",
        }
        return self._exchange({**message, **marks}, timeout_seconds)

    def invoke(self, message: Data, timeout_seconds: float) -> Data:
        """Have the function invoked; the reply has `result`, or `error`.

        Raises:
            TimeoutError: there was no reply in time.
            EndedError: the process ended instead.

        """
        if self._first_invoke is not None:
            with contextlib.suppress(BrokenPipeError):  # the function outlives its extension
                os.write(self._first_invoke, b"\n")
            # From now on, only the function's process holds the pipe open.
            os.close(self._first_invoke)
            self._first_invoke = None
        return self._exchange(message, timeout_seconds)

    def _exchange(self, message: Data, timeout_seconds: float) -> Data:
        line = json.dumps(message).encode() + b"\n"
        try:
            self._channel.settimeout(timeout_seconds)
            self._channel.sendall(line)
            reply = self._replies.readline()
        except TimeoutError:
            raise
        except (OSError, ValueError):  # ValueError: the other thread has closed it
            reply = b""
        if not reply.endswith(b"\n"):
            raise EndedError(self._how_it_ended())
        answer: Data = json.loads(reply)
        return answer

    def _how_it_ended(self) -> str:
        try:
            status = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "Runtime exited without providing a reason"
        if status < 0:
            return f"Runtime exited with error: signal: {signal.strsignal(-status)}".lower()
        if status:
            return f"Runtime exited with error: exit status {status}"
        return "Runtime exited without providing a reason"

    def events(self) -> list[Event]:
        """Return the events of the log up to the end of the invocation, or of the processes."""
        events: list[Event] = []
        deadline = time.monotonic() + LAST_EVENTS_TIMEOUT_SECONDS
        with contextlib.suppress(queue.Empty):
            while (
                found := self.log.get(timeout=max(0.0, deadline - time.monotonic()))
            ) is not None:
                before, end, _ = found.message.partition(END_OF_EVENTS)
                if before:
                    events.append(found._replace(message=before))
                if end:
                    break
        return events

    def _read_events(self, log: int) -> None:
        """Read the log: an event for each line, or for what a host has framed."""
        with os.fdopen(log, encoding="utf-8", errors="replace", newline="\n") as stream:
            for line in stream:
                before, is_framed, text = line.partition(EVENT)
                if before:
                    self.log.put(event(before))
                if is_framed:
                    while END_OF_EVENT not in text and (more := stream.readline()):
                        text += more
                    self.log.put(event(text.partition(END_OF_EVENT)[0]))
        self.log.put(None)

    def peak_megabytes(self) -> int:
        """Return the most memory that the function's process has used; 0 if that is unknown."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:  # not Linux, or the process has ended
            return 0
        return sum(int(kib) // 1024 + 1 for kib in _PEAK.findall(status))

    def hang_up(self) -> None:
        """End the conversation: the function's process ends by itself."""
        self._channel.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """End both processes, and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self._first_invoke is not None:
            os.close(self._first_invoke)
            self._first_invoke = None
        if self.extension is not None:
            self.extension.kill()  # it ends by itself, unless a child of the function holds on
            self.extension.wait()
        self._replies.close()
        self._channel.close()


def _listen(environment: dict[str, str], code: Path) -> socket.socket:
    """Listen for the extension; on a free port, named in the environment, if another has it.

    Raises:
        PortTakenError: another has it, and the function's code goes by the number.

    """
    port = http_port(environment)
    try:
        return socket.create_server((HOST, port), backlog=socket.SOMAXCONN)
    except OSError as error:
        name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        if _names_port(code, port):
            raise PortTakenError(
                f"the code of {name} names port {port}, which another function has on this"
                f" machine; read {PORT_VARIABLE}, or use a machine with network namespaces"
            ) from error
        listener = socket.create_server((HOST, 0), backlog=socket.SOMAXCONN)
        environment[PORT_VARIABLE] = str(listener.getsockname()[1])
        notices.give(
            f"port {port} cannot be used ({os.strerror(error.errno or 0)}): the extension of"
            f" {name} listens on a free one, which its {PORT_VARIABLE} names"
        )
        return listener


def _names_port(code: Path, port: int) -> bool:
    """Whether a source file asks this machine at the port, and never looks at the variable."""
    number = re.compile(rb"(?<![\w.])%d(?![\w.])" % port)
    for path in code.rglob("*"):
        if path.suffix in _SOURCES and path.is_file():
            text = path.read_bytes()
            here = b"localhost" in text or HOST.encode() in text
            if here and number.search(text) and PORT_VARIABLE.encode() not in text:
                return True
    return False

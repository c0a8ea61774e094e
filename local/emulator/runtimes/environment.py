"""Execution environments: a package and its layers, unpacked, and the processes that run them.

They take the place of ministack's workers, and of its containers and answers that are made up.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import io
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.lambda_ import logs, platform_log
from local.emulator.lambda_.platform_log import Event, Failure, Figures
from local.emulator.runtimes import interpreters, libraries, networks
from local.emulator.runtimes.sandbox import EndedError, PortTakenError, Program, Sandbox
from local.emulator.runtimes.variables import Folders, has_snapshot, variables
from local.extension.layer import EXTENSION

if TYPE_CHECKING:
    import subprocess

    from local.emulator.runtimes.namespaces import Network

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_SECONDS = 10

_NOT_INVOKED = (interpreters.MissingInterpreterError, PortTakenError)

Data = dict[str, Any]

_closing = threading.Event()


def close_all() -> None:
    """End every execution environment, and start no other."""
    _closing.set()
    lambda_runtime.reset()


class InitError(Exception):
    """The function cannot be initialised; `payload` is what Lambda answers."""

    def __init__(self, payload: Data) -> None:
        super().__init__(payload["errorMessage"])
        self.payload = payload


class Result(NamedTuple):
    """What an invocation came to."""

    payload: Any
    is_error: bool
    events: list[Event]
    """Those of the log, from START to REPORT."""
    init_events: list[Event]
    """Those before, in a new environment."""
    stream: str
    """The log stream that they are for."""


class _Outcome(NamedTuple):
    payload: Any
    failure: Failure | None
    events: list[Event]


class ExecutionEnvironment(lambda_runtime.Worker):  # type: ignore[misc] # ministack is untyped
    """One execution environment of a function; ministack keeps, leases and kills it."""

    def __init__(self, name: str, config: Data, code_zip: bytes) -> None:
        super().__init__(name, config, code_zip)
        self._sandbox: Sandbox | None = None
        self._proc: subprocess.Popen[bytes] | None = None  # ministack ends it
        self._network: Network | None = None
        self._directory: Path | None = None
        self._parts_lock = threading.Lock()
        self._is_discarded = False
        self._stream = ""
        self._init_events: list[Event] = []
        self._init_seconds: float | None = None
        self._seconds = 0.0
        self._peak_megabytes = 0

    def invoke(self, event: Any, request_id: str, function_arn: str) -> Result:
        """Invoke the function; in a new environment, it is initialised first."""
        with self._lock:
            try:
                return self._try(event, request_id, function_arn)
            except BaseException:
                self._end()
                raise
            finally:
                if self._is_discarded:  # its function was deleted while it started
                    self._end()

    def _try(self, event: Any, request_id: str, function_arn: str) -> Result:
        self._seconds, is_initialised = 0.0, False
        try:
            sandbox = self._sandbox
            if sandbox is None or sandbox.process.poll() is not None:
                sandbox = self._start()
            is_initialised, start = True, platform_log.start(self.config, request_id)
            outcome = self._invoke(sandbox, event, request_id, function_arn)
        except (*_NOT_INVOKED, InitError, EndedError, TimeoutError) as error:
            outcome = self._failed(error, request_id)
        payload, failure, events = outcome
        if not is_initialised:
            self._init_events += events
            start, events = platform_log.start(self.config, request_id), []
        figures = Figures(self._seconds, self._init_seconds, self._peak_megabytes)
        report = platform_log.report(self.config, request_id, figures, failure)
        init_events, self._init_events, self._init_seconds = self._init_events, [], None
        events = [*start, *events, *report]
        return Result(payload, failure is not None, events, init_events, self._stream)

    def _invoke(
        self, sandbox: Sandbox, event: Any, request_id: str, function_arn: str
    ) -> _Outcome:
        timeout, started = self.config["Timeout"], time.perf_counter()
        message = {
            "event": event,
            "request_id": request_id,
            "function_arn": function_arn,
            "deadline_seconds": time.time() + timeout,
            "trace_id": _trace_id(self.config),
        }
        try:
            reply = sandbox.invoke(message, timeout)
        finally:
            self._seconds = time.perf_counter() - started
        events, self._peak_megabytes = sandbox.events(), sandbox.peak_megabytes()
        if "error" in reply:
            return _Outcome(reply["error"], Failure("error"), events)
        return _Outcome(reply.get("result"), None, events)

    def _failed(self, error: Exception, request_id: str) -> _Outcome:
        """Return what Lambda answers when the function did not, and end its environment."""
        events = self._end()
        match error:
            case InitError(payload=payload):
                return _Outcome(payload, Failure("error", payload["errorType"]), events)
            case TimeoutError():
                text = f"Task timed out after {self.config['Timeout']}.00 seconds"
                payload = _error("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}")
                events += platform_log.timed_out(self.config, request_id)
                return _Outcome(payload, Failure("timeout"), events)
            case EndedError():
                payload = _error("Runtime.ExitError", f"RequestId: {request_id} Error: {error}")
                events += platform_log.ended(self.config, request_id, str(error))
                return _Outcome(payload, Failure("error", "Runtime.ExitError"), events)
        return _Outcome(_error("EmbeddedAws.NotInvoked", str(error)), Failure("failure"), events)

    def _spawn(self) -> None:
        """Start the function before it is invoked; ministack does so for SnapStart."""
        try:
            self._start()
        except BaseException:
            self._end()
            raise

    def _start(self) -> Sandbox:
        """Unpack and start the function.

        Raises:
            MissingInterpreterError, PortTakenError: nothing here runs it.
            InitError, EndedError, TimeoutError: it cannot be initialised.

        """
        self._end()
        if _closing.is_set():
            raise EndedError("the embedded AWS ends")
        version = self.config.get("Version", "$LATEST")
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{new_uuid().replace('-', '')}"
        runtime = self.config.get("Runtime") or interpreters.CONTAINER_IMAGE
        interpreter = interpreters.find(runtime)
        directory = Path(tempfile.mkdtemp(prefix=f"lambda-{self.func_name}-"))
        self._directory = directory
        task_root, opt, scratch = (directory / name for name in ("task", "opt", "tmp"))
        for each in (task_root, opt, scratch):
            each.mkdir()
        _unpack(self.code_zip, task_root)
        for layer in self.config.get("Layers", ()):
            if content := lambda_svc._resolve_layer_zip(layer):
                _unpack(content, opt)
        environment = variables(self.config, Folders(task_root, opt, scratch))
        environment["AWS_LAMBDA_LOG_STREAM_NAME"] = self._stream
        program = Program(
            _command(interpreter, environment, task_root, opt),
            environment,
            task_root,
            has_extension=(opt / EXTENSION).exists(),
        )
        self._init_events = platform_log.init_start(self.config)
        started = time.perf_counter()
        self._network = network = networks.open_network()
        self._sandbox = sandbox = Sandbox(program, network)
        self._proc = sandbox.process
        is_python = runtime.startswith("python")
        message = {
            "opt": str(opt),
            "libraries": str(libraries.folder(interpreter.version)) if is_python else "",
            "snapshot": has_snapshot(self.config),
        }
        # An initialisation that takes longer is repeated, with the timeout of the function.
        reply = sandbox.initialise(message, INIT_SECONDS + self.config["Timeout"])
        self._init_seconds = time.perf_counter() - started
        self._peak_megabytes = sandbox.peak_megabytes()
        if "error" in reply:
            raise InitError(reply["error"])
        self._init_events += sandbox.events()
        return sandbox

    def _end(self) -> list[Event]:
        """End the processes, remove their files, and return the last events of the log.

        Each is ended once, though an invocation may end while the environment is ended.
        """
        with self._parts_lock:
            sandbox, network, directory = self._sandbox, self._network, self._directory
            self._sandbox = self._network = self._directory = self._proc = None
        events = []
        if sandbox is not None:
            sandbox.end()
            events = sandbox.events()
        if network is not None:
            networks.close_network(network)
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        return events

    def _discard_tmpdir(self) -> None:
        """Do what is left to do when ministack has killed the process."""
        self._is_discarded = True
        self._end()


@replaces(lambda_runtime, "_worker_class_for")
def run_every_function_in_an_execution_environment(
    _original: Callable[..., Any], _config: Data
) -> type[ExecutionEnvironment]:
    """Run functions of every runtime in the same kind of environment.

    ministack runs them in its own Python, with all that is installed there.
    """
    return ExecutionEnvironment


@replaces(lambda_svc, "_execute_function_dispatch")
def invoke_in_an_execution_environment(
    _original: Callable[..., Data],
    function: Data,
    config: Data,
    event: Any,
    request_id: str,
    _started: float,
) -> Data:
    """Invoke a function, answer errors as Lambda's runtimes do, and write its log.

    ministack answers every error as one type, ends the environment of a handler that raises, and
    makes up the answer of runtimes that it does not run. It writes each line of an error as an
    event, and each invocation to a stream of its own.
    """
    lambda_svc._ensure_reaper_thread()
    environment, _ = lambda_runtime.acquire_worker(
        config["FunctionName"],
        config,
        function.get("code_zip"),
        qualifier=config.get("Version", "$LATEST"),
    )
    try:
        result = environment.invoke(event, request_id, config["FunctionArn"])
    finally:
        lambda_runtime.release_worker(environment)
    logs.write(config, result.stream, [*result.init_events, *result.events])
    messages = [event.message for event in result.events]
    tail = "".join(each if each.endswith("\n") else f"{each}\n" for each in messages)
    return {"body": result.payload, "error": result.is_error, "log": tail}


def _error(kind: str, message: str) -> Data:
    return {"errorType": kind, "errorMessage": message}


def _unpack(content: bytes, directory: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lambda_svc._extract_zip_preserving_mode(archive, str(directory))


def _command(
    interpreter: interpreters.Interpreter, environment: Data, task_root: Path, opt: Path
) -> tuple[str, ...]:
    """Return what to start: the runtime, or the script that the function wraps it in.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    """
    wrapper = environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper:
        return interpreter.command
    for folder, here in (("/opt/", opt), ("/var/task/", task_root)):
        if wrapper.startswith(folder):
            wrapper = str(here / wrapper.removeprefix(folder))
    # As Lambda's runtimes, which end with 127 when there is no such script.
    return ("/bin/sh", "-c", 'exec "$0" "$@"', wrapper, *interpreter.command)


def _trace_id(config: Data) -> str:
    """Return the X-Ray header of an invocation, which every one has; few are sampled."""
    is_active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
    header: str = lambda_svc._xray_trace_id_for_invocation({"TracingConfig": {"Mode": "Active"}})
    return header if is_active else header.replace("Sampled=1", "Sampled=0")

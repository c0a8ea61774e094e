"""Execution environments: a package and its layers, unpacked, and the processes that run them.

They take the place of ministack's workers, and of its containers and answers that are made up.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import io
import os
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
from ministack.core.responses import get_region, new_uuid
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.runtimes import interpreters, libraries, networks
from local.emulator.runtimes.sandbox import EndedError, PortTakenError, Program, Sandbox
from local.extension.layer import EXTENSION

if TYPE_CHECKING:
    import subprocess

    from local.emulator.runtimes.namespaces import Network

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_SECONDS = 10

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
    log: str


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

    def invoke(self, event: Any, request_id: str) -> Result:
        """Invoke the function; in a new environment, it is initialised first."""
        with self._lock:
            try:
                return self._try(event, request_id)
            except BaseException:
                self._end()
                raise
            finally:
                if self._is_discarded:  # its function was deleted while it started
                    self._end()

    def _try(self, event: Any, request_id: str) -> Result:
        try:
            sandbox = self._sandbox
            if sandbox is None or sandbox.process.poll() is not None:
                sandbox = self._start()
            reply = self._invoke(sandbox, event, request_id)
        except (interpreters.MissingInterpreterError, PortTakenError) as error:
            return Result(_error("EmbeddedAws.NotInvoked", str(error)), is_error=True, log="")
        except InitError as error:
            return Result(error.payload, is_error=True, log=self._end())
        except EndedError as error:
            payload = _error("Runtime.ExitError", f"RequestId: {request_id} Error: {error}")
            return Result(payload, is_error=True, log=self._end())
        except TimeoutError:
            text = f"Task timed out after {self.config['Timeout']}.00 seconds"
            payload = _error("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}")
            return Result(payload, is_error=True, log=f"{self._end()}\n{text}".lstrip())
        log = "\n".join(sandbox.lines())
        return Result(reply.get("error", reply.get("result")), "error" in reply, log)

    def _invoke(self, sandbox: Sandbox, event: Any, request_id: str) -> Data:
        timeout = self.config["Timeout"]
        message = {
            "event": event,
            "request_id": request_id,
            "function_arn": self.config["FunctionArn"],
            "deadline_seconds": time.time() + timeout,
            "trace_id": lambda_svc._xray_trace_id_for_invocation(self.config),
        }
        return sandbox.invoke(message, timeout)

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
        environment = _environment(self.config, task_root, opt, scratch)
        program = Program(
            interpreter.command, environment, task_root, has_extension=(opt / EXTENSION).exists()
        )
        self._network = network = networks.open_network()
        self._sandbox = sandbox = Sandbox(program, network)
        self._proc = sandbox.process
        is_python = runtime.startswith("python")
        message = {
            "opt": str(opt),
            "libraries": str(libraries.folder(interpreter.version)) if is_python else "",
            "snapshot": _has_snapshot(self.config),
        }
        # An initialisation that takes longer is repeated, with the timeout of the function.
        reply = sandbox.initialise(message, INIT_SECONDS + self.config["Timeout"])
        if "error" in reply:
            raise InitError(reply["error"])
        return sandbox

    def _end(self) -> str:
        """End the processes, remove their files, and return the last lines of the log.

        Each is ended once, though an invocation may end while the environment is ended.
        """
        with self._parts_lock:
            sandbox, network, directory = self._sandbox, self._network, self._directory
            self._sandbox = self._network = self._directory = self._proc = None
        lines = []
        if sandbox is not None:
            sandbox.end()
            lines = sandbox.lines()
        if network is not None:
            networks.close_network(network)
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        return "\n".join(lines)

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


@replaces(lambda_svc, "_execute_function_warm")
@replaces(lambda_svc, "_execute_function_provided")
@replaces(lambda_svc, "_execute_function_provided_warm")
@replaces(lambda_svc, "_execute_function_docker")
def invoke_in_an_execution_environment(
    _original: Callable[..., Data], function: Data, event: Any, request_id: str
) -> Data:
    """Invoke a function, and answer errors as Lambda's runtimes do.

    ministack answers every error as one type, ends the environment of a handler that raises, and
    makes up the answer of runtimes that it does not run.
    """
    config = function.get("config") or function
    lambda_svc._ensure_reaper_thread()
    environment, _ = lambda_runtime.acquire_worker(
        config["FunctionName"],
        config,
        function.get("code_zip"),
        qualifier=config.get("Version", "$LATEST"),
    )
    try:
        result = environment.invoke(event, request_id)
    finally:
        lambda_runtime.release_worker(environment)
    return {"body": result.payload, "error": result.is_error, "log": result.log}


def _error(kind: str, message: str) -> Data:
    return {"errorType": kind, "errorMessage": message}


def _node_path(runtime: str, opt: Path) -> dict[str, str]:
    """Return where Node looks for the packages of layers.

    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
    """
    if not runtime.startswith("nodejs"):
        return {}
    major = runtime.removeprefix("nodejs").partition(".")[0]
    folders = opt / f"nodejs/node{major}/node_modules", opt / "nodejs/node_modules"
    return {"NODE_PATH": os.pathsep.join(map(str, folders))}


def _has_snapshot(config: Data) -> bool:
    """Return whether this is a published version with SnapStart."""
    return bool((config.get("SnapStart") or {}).get("OptimizationStatus") == "On")


def _unpack(content: bytes, directory: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lambda_svc._extract_zip_preserving_mode(archive, str(directory))


def _environment(config: Data, task_root: Path, opt: Path, scratch: Path) -> dict[str, str]:
    """Return the environment variables of a function.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    name, version = config["FunctionName"], config.get("Version", "$LATEST")
    log_group = (config.get("LoggingConfig") or {}).get("LogGroup")
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{new_uuid().replace('-', '')}"
    return {
        "LANG": "en_US.UTF-8",
        "PATH": os.pathsep.join([os.defpath, str(opt / "bin")]),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, (task_root, task_root / "lib", opt / "lib"))),
        **_node_path(config["Runtime"], opt),
        "TZ": ":UTC",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        lambda_runtime.HOST_PREFIX_ENV: "true",  # there is no <prefix>.127.0.0.1
        **lambda_svc._runtime_env_vars(config),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        **lambda_runtime.execution_credentials(config),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if _has_snapshot(config) else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": config["Handler"],
    }

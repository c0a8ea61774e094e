"""Runs a Python function in a process of its own, as Lambda's Python runtime does.

`interpreters` names the command. Messages are lines of JSON on a socket that is inherited, so that
standard output and error are the function's. The first message initialises the function, and each
one after it is an invocation. What AWS's runtime does is in
https://github.com/aws/aws-lambda-python-runtime-interface-client

It runs in the Python of the function: 3.10 and later, the standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import site
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from local import loopback
from local.emulator.runtimes.python_log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

OWN_PACKAGE = "local"


class RuntimeFailure(Exception):  # noqa: N818 (AWS's runtime names the cause)
    """An error of the runtime; `args` are its type, its message and its trace, if any."""


def main() -> None:
    """Initialise the function and answer its invocations, until the emulator hangs up."""
    channel, *others = map(int, sys.argv[1:])
    for descriptor in (channel, *others):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 (a positional-only parameter)
    del sys.argv[1:]
    with open(channel, "rb", closefd=False) as messages:
        initialisation = json.loads(messages.readline())
        _search_modules(initialisation["opt"], initialisation["libraries"])
        loopback.install()
        site.setquit()  # `exit`, and what else `-S` leaves out of the built-in names
        site.sethelper()
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text stream
        log = Log(initialisation["event"], initialisation["end_of_event"])
        log.set_up_logging()
        try:
            handler = _load_handler(os.environ["_HANDLER"])
            if initialisation["snapshot"]:
                _restore_snapshot()
        except Exception as error:  # noqa: BLE001 (whatever the function's module raises)
            _reply(channel, _failure(log, error))
            return
        reply = '{"ready": true}'
        while True:
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(2, initialisation["end_of_events"].encode())
            _reply(channel, reply)
            line = messages.readline()
            if not line:
                return
            reply = _invoke(log, handler, json.loads(line))


def _search_modules(opt: str, libraries: str) -> None:
    """Search the package, the layers, the standard library, and the runtime's own packages."""
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    python = f"{opt}/python"
    site_packages = f"{python}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    found = [task_root]
    if "PYTHONPATH" not in os.environ:
        found += filter(os.path.isdir, (site_packages, python))
    sys.path[:] = [*found, *sys.path[1:], libraries]
    os.environ["LAMBDA_RUNTIME_DIR"] = libraries
    os.environ.setdefault("LC_CTYPE", "C.UTF-8")
    os.environ.setdefault("PYTHONPATH", libraries)  # of the processes that it starts
    for directory in found:
        site.addsitedir(directory)  # for the `.pth` files in it
    for name in [each for each in sys.modules if each.partition(".")[0] == OWN_PACKAGE]:
        del sys.modules[name]  # a function may have a module of that name


def _load_handler(name: str) -> Callable[..., Any]:
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise RuntimeFailure(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)",
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        raise RuntimeFailure("Runtime.ImportModuleError", text) from error
    except SyntaxError as error:
        text = f"Syntax error in module '{module_name}': {error}"
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise RuntimeFailure("Runtime.UserCodeSyntaxError", text, trace) from error
    try:
        handler: Callable[..., Any] = getattr(module, function_name)
    except AttributeError as error:
        text = f"Handler '{function_name}' missing on module '{module_name}'"
        raise RuntimeFailure("Runtime.HandlerNotFound", text) from error
    return handler


def _restore_snapshot() -> None:
    """Call the hooks of a published version with SnapStart: before its snapshot, and after."""
    try:
        hooks = importlib.import_module("snapshot_restore_py")
    except ImportError:  # the function has no hooks
        return
    for function, arguments, options in reversed(hooks.get_before_snapshot()):
        function(*arguments, **options)
    for function, arguments, options in hooks.get_after_restore():
        function(*arguments, **options)


class Context:
    """What a handler is given next to its event.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    client_context = None
    identity = None

    def __init__(self, invocation: dict[str, Any]) -> None:
        self.aws_request_id = invocation["request_id"]
        self.invoked_function_arn = invocation["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_seconds = invocation["deadline_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left until the function's timeout."""
        return max(0, int((self._deadline_seconds - time.time()) * 1000))

    @staticmethod
    def log(message: object) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))


def _invoke(log: Log, handler: Callable[..., Any], invocation: dict[str, Any]) -> str:
    log.request_id = invocation["request_id"]
    os.environ["_X_AMZN_TRACE_ID"] = invocation["trace_id"]
    try:
        result = handler(invocation["event"], Context(invocation))
    except Exception as error:  # noqa: BLE001 (whatever the handler raises)
        return _failure(log, error)
    try:
        return f'{{"result": {json.dumps(result)}}}'
    except (TypeError, ValueError, RecursionError) as error:
        text = f"Unable to marshal response: {error}"
        return _failure(log, RuntimeFailure("Runtime.MarshalError", text))


def _failure(log: Log, error: Exception) -> str:
    """Write an error to the log, and return it as AWS answers it."""
    if isinstance(error, RuntimeFailure):
        kind, message, *traces = error.args
        frames = traces[0] if traces else []
    else:
        kind, message = type(error).__name__, str(error)
        # Not the frames of this file.
        own = sum(
            frame.filename == __file__ for frame in traceback.extract_tb(error.__traceback__)
        )
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[own:])
    failure = {
        "errorMessage": message,
        "errorType": kind,
        "requestId": log.request_id,
        "stackTrace": frames,
    }
    log.write_error(failure)
    return json.dumps({"error": failure})


def _reply(channel: int, reply: str) -> None:
    data = f"{reply}\n".encode()
    while data:
        data = data[os.write(channel, data) :]

# ruff: noqa: ANN401, ARG002, D102, N802 (the engine's gRPC interface)
"""Runs Python programs for Pulumi's engine, as the host of a full Pulumi installation does.

The engine is told its port by ``PULUMI_DEBUG_LANGUAGES=python:<port>``. Each run is a process of
its own that has the slow imports behind it: what is edited between two runs counts in the second.
"""

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from local import preload

_IMPORTED_AHEAD = ("pulumi.automation._server", "pulumi_aws", "pydantic")
_STOP_SECONDS = 5
_FORKED = multiprocessing.get_context("forkserver")


@contextlib.contextmanager
def served() -> Iterator[int]:
    """Serve on a port of its own, in processes that end with this one.

    They import ahead what a program that was previewed in this process has needed of the SDK.
    """
    with subprocess.Popen(  # noqa: S603 (this module)
        [sys.executable, "-m", __name__, *_IMPORTED_AHEAD, *preload.used()],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,  # its end tells the process of our death
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C at the terminal is for this process only
    ) as process:
        assert process.stdin  # noqa: S101 (a pipe was asked for)
        assert process.stdout  # noqa: S101 (a pipe was asked for)
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


class Host(LanguageServer):
    """The automation API's, for programs on disk; the names are those of the gRPC interface."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self._engine = ""

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        request.args[:] = [self._engine]  # where `LanguageServer` looks for it
        ours, its = _FORKED.Pipe(duplex=False)
        run = request.SerializeToString()
        process = _FORKED.Process(target=_run, args=(run, its), daemon=True)
        process.start()
        its.close()
        context.add_callback(process.kill)  # when the engine is gone
        try:
            return language_pb2.RunResponse.FromString(ours.recv_bytes())
        except EOFError:
            return language_pb2.RunResponse(error="the program's process ended early")
        finally:
            process.join()


def _run(request: bytes, answer: Connection) -> None:
    """Run a program to its end, in a process of its own."""
    run = language_pb2.RunRequest.FromString(request)
    root = run.info.program_directory or run.pwd
    os.chdir(root)
    sys.path.insert(0, root)

    def program() -> None:
        runpy.run_path(str(Path(root, "__main__.py")), run_name="__main__")

    done = LanguageServer(program).Run(run, None)  # type: ignore[no-untyped-call]
    answer.send_bytes(done.SerializeToString())


def main() -> None:
    """Serve until whoever started this closes the pipe, or is gone."""
    starter = os.dup(1)
    os.dup2(2, 1)  # what a program prints is for people
    os.environ[preload.VARIABLE] = " ".join(sys.argv[1:])
    _FORKED.set_forkserver_preload([preload.__name__])
    forkserver.ensure_running()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    os.write(starter, f"{port}\n".encode())
    sys.stdin.read()


if __name__ == "__main__":
    main()

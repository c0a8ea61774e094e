# ruff: noqa: ANN401, ARG002, D102, N802 (the engine's gRPC interface)
"""The process that `language_host` starts: it serves Pulumi's engine and runs programs.

Each program runs in its own process, forked from one that has already done the slow imports, so
that edits between two runs take effect. The arguments are the modules to import.
"""

import contextlib
import importlib
import os
import runpy
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc  # type: ignore[import-untyped]
from pulumi.automation._server import LanguageServer
from pulumi.runtime import settings
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

_CHUNK_BYTES = 65_536
_ENDED = b"."  # precedes the response, which is empty on success


class Host(LanguageServer):
    """The automation API's server, for programs on disk."""

    def __init__(self, nursery: socket.socket) -> None:
        super().__init__(lambda: None)
        self._nursery = nursery
        self._engine = ""

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        request.args[:] = [self._engine]  # where `LanguageServer` looks for it
        ours, its = socket.socketpair()
        with ours, its:
            socket.send_fds(self._nursery, [b"."], [its.fileno()])
            its.close()
            ours.sendall(request.SerializeToString())
            ours.shutdown(socket.SHUT_WR)
            answer = _read(ours)
        if not answer:
            return language_pb2.RunResponse(error="the program's process exited early")
        ended = language_pb2.RunResponse.FromString(answer[len(_ENDED) :])
        # An error was logged already; the engine would show it twice.
        return language_pb2.RunResponse(bail=True) if ended.error else ended


def _fork_programs(host: socket.socket) -> None:
    """Fork a process for each connection that the host sends, until the host exits."""
    for name in ("pulumi_aws", "pydantic", *sys.argv[1:]):
        getattr(importlib.import_module(name), "__all__", None)  # loads a lazy module
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # reaps the children
    while True:
        _, files, _, _ = socket.recv_fds(host, 1, 1)
        if not files:
            return
        with socket.socket(fileno=files[0]) as connection:
            if os.fork() == 0:
                host.close()
                _run(connection)


def _run(connection: socket.socket) -> NoReturn:
    """Run the requested program, send the response, and exit."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    run = language_pb2.RunRequest.FromString(_read(connection))
    root = run.info.program_directory or run.pwd
    os.chdir(root)
    sys.path.insert(0, root)

    def program() -> None:
        # `LanguageServer` omits it; the host of a full installation does not.
        settings.SETTINGS.root_directory = run.info.root_directory
        runpy.run_path(str(Path(root, "__main__.py")), run_name="__main__")

    try:
        done = LanguageServer(program).Run(run, None)  # type: ignore[no-untyped-call]
    except grpc.RpcError:  # the engine has exited and needs no response
        os._exit(1)
    connection.sendall(_ENDED + done.SerializeToString())
    connection.shutdown(socket.SHUT_RDWR)
    os._exit(0)


def _read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(_CHUNK_BYTES), b""))


def main() -> None:
    """Serve until the parent process closes the pipe or exits."""
    starter = os.dup(1)
    os.dup2(2, 1)  # a program's output goes to standard error
    ours, its = socket.socketpair()
    if os.fork() == 0:  # before gRPC starts threads
        ours.close()
        os.close(0)
        os.close(starter)
        _fork_programs(its)
        return
    its.close()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(ours), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with contextlib.suppress(BrokenPipeError):  # the parent has exited already
        os.write(starter, f"{port}\n".encode())
    sys.stdin.read()


if __name__ == "__main__":
    main()

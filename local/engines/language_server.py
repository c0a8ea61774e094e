# ruff: noqa: ANN401, ARG002, D102, N802 (the engine's gRPC interface)
"""The process that `language_host` starts: it answers Pulumi's engine, and runs programs.

Each run is a process of its own, forked from one that has the slow imports behind it: what is
edited between two runs counts in the second. The arguments are what it imports.
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
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

_CHUNK_BYTES = 65_536
_ENDED = b"."  # before the answer, which is empty when all went well


class Host(LanguageServer):
    """The automation API's, for programs on disk; the names are those of the gRPC interface."""

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
        # An error is logged already; the engine would show it again.
        return language_pb2.RunResponse(bail=True) if ended.error else ended


def _fork_programs(host: socket.socket) -> None:
    """Fork a process for each connection that the host sends, until the host is gone."""
    for name in ("pulumi_aws", "pydantic", *sys.argv[1:]):
        getattr(importlib.import_module(name), "__all__", None)  # which loads it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        _, files, _, _ = socket.recv_fds(host, 1, 1)
        if not files:
            return
        with socket.socket(fileno=files[0]) as connection:
            if os.fork() == 0:
                host.close()
                _run(connection)


def _run(connection: socket.socket) -> NoReturn:
    """Run the program that is asked for, answer, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    run = language_pb2.RunRequest.FromString(_read(connection))
    root = run.info.program_directory or run.pwd
    os.chdir(root)
    sys.path.insert(0, root)

    def program() -> None:
        runpy.run_path(str(Path(root, "__main__.py")), run_name="__main__")

    try:
        done = LanguageServer(program).Run(run, None)  # type: ignore[no-untyped-call]
    except grpc.RpcError:  # the engine is gone, and nobody waits for an answer
        os._exit(1)
    connection.sendall(_ENDED + done.SerializeToString())
    connection.shutdown(socket.SHUT_RDWR)
    os._exit(0)


def _read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(_CHUNK_BYTES), b""))


def main() -> None:
    """Serve until whoever started this closes the pipe, or is gone."""
    starter = os.dup(1)
    os.dup2(2, 1)  # what a program prints is for people
    ours, its = socket.socketpair()
    if os.fork() == 0:  # before gRPC has threads
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
    with contextlib.suppress(BrokenPipeError):  # the starter is gone already
        os.write(starter, f"{port}\n".encode())
    sys.stdin.read()


if __name__ == "__main__":
    main()

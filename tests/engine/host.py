# ruff: noqa: ARG002, N802 (the engine's gRPC interface)
"""Runs a project's program for Pulumi's engine, whenever it asks: ``python host.py DIRECTORY``.

A process of its own, since a program's runtime is all globals. Prints its port.
"""

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class Host(LanguageServer):
    """The automation API's, which the engine starts, and then tells its address by argument."""

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        request.args[:] = [self._engine]
        answer: Any = super().Run(request, context)  # type: ignore[no-untyped-call]
        if answer.error:  # which it has logged already, as a host of its own does
            answer = language_pb2.RunResponse(bail=True)
        return answer


def main(root: Path) -> None:
    sys.path.insert(0, str(root))
    program = Host(lambda: (runpy.run_path(str(root / "__main__.py")), None)[1])
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(program, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 (whoever started it reads this)
    sys.stdin.read()  # until whoever started it closes the pipe, or is gone


main(Path(sys.argv[1]))

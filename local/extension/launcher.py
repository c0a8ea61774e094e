"""Starts the extension's process beside a function's worker, during INIT.

Runs inside the worker before the handler is imported, where every import counts as cold start:
nothing here but what the worker has loaded, and `socket`, which it loads next anyway.

The worker listens and the new process accepts, so an early request waits in the backlog instead
of being refused. A pipe is the extension's view of the worker's life: empty during INIT, readable
from the first INVOKE on, closed by the kernel however the worker ends.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

PORT_VARIABLE = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"
DEFAULT_PORT = 2773
MAX_PORT = 65535

_RUN = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from parameters_secrets_extension.loopback import install; install();"
    " from parameters_secrets_extension.server import main; main()"
)


def start() -> None:
    """Start the extension and tell it of the first INVOKE.

    Raises OSError when no port or process is to be had; `site` prints what a `.pth` file
    raises and goes on, so the function starts even then, without its extension.
    """
    listener = _listen()
    lifecycle, first_invoke = os.pipe()
    for descriptor in (listener.fileno(), lifecycle):
        os.set_inheritable(descriptor, True)  # noqa: FBT003 (the name is said)
    arguments = command(listener.fileno(), lifecycle)
    # Standard input and output carry the worker's own protocol. Standard error is shared: it is
    # the function's log, where AWS puts the extension's lines too.
    os.posix_spawn(
        arguments[0],
        arguments,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        ],
    )
    os.close(lifecycle)
    listener.close()
    _announce_next_line(first_invoke)


def command(listener: int, lifecycle: int) -> list[str]:
    """Compose the command line of the extension's process, which inherits the two descriptors.

    Isolated (`-I`): a function's PYTHONPATH and current directory are not the extension's.
    """
    site_packages = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 (pathlib costs an import)
    return [sys.executable, "-I", "-c", _RUN, site_packages, str(listener), str(lifecycle)]


def _listen() -> socket.socket:
    """Listen on the port configured; when another worker has it, on a free one, and say so."""
    configured = os.environ.get(PORT_VARIABLE, "")
    port = int(configured) if configured.isascii() and configured.isdecimal() else 0
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port if 1 <= port <= MAX_PORT else DEFAULT_PORT))
    except OSError:
        listener.bind(("127.0.0.1", 0))
        os.environ[PORT_VARIABLE] = str(listener.getsockname()[1])
    listener.listen(socket.SOMAXCONN)
    return listener


def _announce_next_line(first_invoke: int) -> None:
    """Write to the pipe when the worker reads its next line, which is its first invocation.

    The line with which the worker was initialized has been read when layers are loaded. The
    pipe stays open for as long as the worker lives.
    """
    stream = sys.stdin

    def readline() -> str:
        del stream.readline  # this function shadows the method once
        line = stream.readline()
        with suppress(BrokenPipeError):  # a dead extension is no reason to die as well
            os.write(first_invoke, b"\n")
        return line

    stream.readline = readline  # type: ignore[method-assign] # called without arguments only

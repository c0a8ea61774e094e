"""Starts the extension's process in an execution environment, before the function's.

The emulator listens and the new process accepts, so an early request waits in the backlog instead
of being refused. A pipe shows the extension the function's lifecycle: it is empty during INIT,
readable from the first INVOKE on, and closed by the kernel when the function's process exits.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]

# Isolated (`-I`), so that a function's PYTHONPATH and current directory have no effect.
_COMMAND = (sys.executable, "-I", "-c")
RUN = (
    f"import sys; sys.path.append({str(ROOT)!r});"
    " from local.loopback import install; install();"
    " from local.extension.server import main; main()"
)


def start(
    listener: int, lifecycle: int, environ: Mapping[str, str], log: int
) -> subprocess.Popen[bytes]:
    """Start the extension on a listening socket, with the environment variables of its function.

    `lifecycle` is the read end of the pipe. `log` is the function's log, where AWS writes the
    extension's lines too. All three are descriptors.
    """
    return subprocess.Popen(  # noqa: S603 (this Python, this package)
        [*_COMMAND, RUN, str(listener), str(lifecycle)],
        env=environ,
        pass_fds=[listener, lifecycle],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
    )

"""Starts the host that runs Python programs for Pulumi's engine, as a full installation has one.

`PULUMI_DEBUG_LANGUAGES=python:<port>` connects the engine to it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

_STOP_SECONDS = 5


@contextlib.contextmanager
def served() -> Iterator[int]:
    """Serve on a free port, in processes that stop with this one.

    They preload the modules of the SDK that this process has loaded for a preview.
    """
    with subprocess.Popen(  # noqa: S603 (ours)
        [sys.executable, "-m", "local.engines.language_server", *_loaded()],
        cwd=Path(__file__).resolve().parents[2],
        env={
            "GRPC_VERBOSITY": "ERROR",
            **os.environ,
        },  # hides gRPC's messages when the engine disconnects
        stdin=subprocess.PIPE,  # closes when this process dies, which stops the child
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C at the terminal reaches only this process
    ) as process:
        assert process.stdin  # noqa: S101 (opened with a pipe)
        assert process.stdout  # noqa: S101 (opened with a pipe)
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _loaded() -> list[str]:
    """Return the names of the modules of the AWS SDK that this process has loaded.

    The SDK loads modules lazily; until then, a module is an object of another class.
    """
    return [
        name
        for name, module in list(sys.modules.items())
        if name.startswith("pulumi_aws.") and type(module) is types.ModuleType
    ]

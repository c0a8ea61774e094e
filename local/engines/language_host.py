"""The host of Python programs that Pulumi's engine is given, as a full installation brings one.

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
    """Serve on a port of its own, in processes that end with this one.

    They import ahead what a program that was previewed in this process has needed of the SDK.
    """
    with subprocess.Popen(  # noqa: S603 (ours)
        [sys.executable, "-m", "local.engines.language_server", *_loaded()],
        cwd=Path(__file__).resolve().parents[2],
        env={"GRPC_VERBOSITY": "ERROR", **os.environ},  # an engine that goes is no news
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


def _loaded() -> list[str]:
    """Name the modules of the AWS SDK that this process has loaded.

    The SDK loads a module when something of it is asked for; until then it is of another class.
    """
    return [
        name
        for name, module in list(sys.modules.items())
        if name.startswith("pulumi_aws.") and type(module) is types.ModuleType
    ]

"""The memory that a function's execution environments have used, as this machine counts it."""

import re
from pathlib import Path

_PROC = Path("/proc")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_KIB = 1024


def peak_megabytes(function: str) -> int | None:
    """Return the most that one process of a running function has used.

    It is found by the environment variable that Lambda gives to every process of a function. None
    where the machine does not list processes as Linux does, or where no process is left.
    """
    variable = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    peaks: list[int] = []
    for path in _PROC.glob("[0-9]*"):
        try:
            if variable in (path / "environ").read_bytes().split(b"\0"):
                peaks += map(int, _PEAK.findall((path / "status").read_text()))
        except OSError:
            continue  # it has ended, or is another user's
    return -(-max(peaks) // _KIB) if peaks else None

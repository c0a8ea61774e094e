"""What is still running of what a test started."""

from pathlib import Path


def with_variable(name: str, value: str) -> list[str]:
    """Return the command lines of all processes with a variable in their environment."""
    wanted = f"{name}={value}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            if wanted in variables:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found

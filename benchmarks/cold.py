"""One cold start: imports a client, constructs it and fetches once, next to Lambda's runtime."""

import awslambdaric.bootstrap  # isort: skip # noqa: F401 (as on Lambda: loaded before any handler)

import contextlib
import json
import sys
import time

from benchmarks import peers


def _resident() -> int:
    """Return the resident memory of this process in KiB."""
    with open("/proc/self/status", "rb") as status:  # noqa: PTH123 (pathlib is an import)
        return int(status.read().partition(b"VmRSS:")[2].split()[0])


def main() -> None:
    """Print the measurements."""
    make = getattr(peers, sys.argv[1])
    # Fills the import system's cache of directories, as the import of a handler does.
    with contextlib.suppress(ImportError):
        import no_such_module  # type: ignore[import-not-found] # noqa: F401, PLC0415 (the import itself counts)
    _resident()
    kept: list[list[int]] = [
        [] for _ in range(time.perf_counter_ns() % 700)
    ]  # a random distance to the next garbage collection
    before, modules = _resident(), len(sys.modules)
    cpu = time.process_time()
    start = time.perf_counter()
    ask = make()
    made = time.perf_counter()
    fields = ask("app/database")
    end = time.perf_counter()
    used = time.process_time() - cpu
    added = _resident() - before
    del kept
    if fields["username"] != "app":
        raise ValueError("not the secret")
    print(
        json.dumps(
            {
                "seconds": end - start,
                "cpu": used,
                "made": made - start,
                "kib": added,
                "modules": len(sys.modules) - modules,
            }
        )
    )


main()

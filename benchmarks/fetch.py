"""Fetches an uncached value repeatedly; every call goes to the server."""

import json
import statistics
import sys
import time

from benchmarks import peers

WARM, TIMED = 30, 100
# Lets the server finish the last call: it may close a connection after it has responded.
PAUSE_SECONDS = 0.0003


def main() -> None:
    """Print the median of a call."""
    make = getattr(peers, sys.argv[1])
    ask = make(cache_seconds=0.0) if make is peers.ours else make()
    times = []
    for _ in range(WARM + TIMED):
        start = time.perf_counter()
        ask("app/database")
        end = time.perf_counter()
        times.append(end - start)
        while time.perf_counter() < end + PAUSE_SECONDS:
            pass
    print(json.dumps({"seconds": statistics.median(times[WARM:])}))


main()

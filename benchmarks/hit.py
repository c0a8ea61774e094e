"""Reads a cached value: time per call with one thread and with several."""

import json
import sys
import threading
import time
from collections.abc import Callable
from itertools import repeat

from benchmarks import peers

SECONDS = 0.08


def _seconds(get: Callable[[str], object], calls: int, threads: int) -> float:
    """Return the wall time of `calls` calls by each of the threads."""
    ready = threading.Barrier(threads)
    times: list[tuple[float, float]] = []

    def run() -> None:
        name = "app/database"
        ready.wait()
        start = time.perf_counter()
        for _ in repeat(None, calls):
            get(name)
        times.append((start, time.perf_counter()))

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return max(end for _, end in times) - min(start for start, _ in times)


def main() -> None:
    """Print the wall time of all calls divided by their number, for 1 and 8 threads."""
    get = getattr(peers, sys.argv[1])()
    get("app/database")
    calls = int(SECONDS / (_seconds(get, 1000, 1) / 1000))
    print(json.dumps({str(n): _seconds(get, calls // n, n) / (calls // n * n) for n in (1, 8)}))


main()

"""Fifty threads ask at once for a value whose time has just passed."""

import json
import sys
import threading
import time

from benchmarks import peers

THREADS = 50
TTL_SECONDS = 2  # caching draws between half of it and all, in whole seconds: of 1 it makes 0


def main() -> None:
    """Read once, wait for the runner, let the crowd ask, print when its answers arrived."""
    make = getattr(peers, sys.argv[1])
    keeps = "ttl_seconds" in make.__annotations__
    ask = make(TTL_SECONDS) if keeps else make()
    ask("app/database")
    ready = threading.Barrier(THREADS + 1)
    starts, ends = [], []

    def run() -> None:
        ready.wait()
        starts.append(time.perf_counter())
        ask("app/database")
        ends.append(time.perf_counter())

    workers = [threading.Thread(target=run) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    time.sleep(TTL_SECONDS * 1.1 if keeps else 0)
    print(flush=True)
    input()
    ready.wait()
    for worker in workers:
        worker.join()
    start, (*_, last_but_one, last) = min(starts), sorted(ends)
    print(json.dumps({"most": last_but_one - start, "all": last - start}))


main()

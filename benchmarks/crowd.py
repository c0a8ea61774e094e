"""Fifty threads request a value at once that has just expired."""

import json
import sys
import threading
import time

from benchmarks import peers

THREADS = 50
TTL_SECONDS = 2  # caching uses between half of it and all, in whole seconds: 1 would become 0


def main() -> None:
    """Read once, wait for the runner, start the threads, print when the values arrived."""
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

"""`make test-flaky`: repeats the tests in random order while two busy loops run.

The fast tier runs 50 times and each file of the slower tiers 20 times; `--fast` and `--slow`
change that. The job's name has the seed; `pytest --randomly-seed=SEED` repeats its order.
"""

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tools import jobs, tiers
from tools.jobs import Job

BUSY_LOOPS = 2


def plan(fast: int, slow: int) -> Iterator[Job]:
    """Yield the runs, alternating between files, so that even a short run covers each."""
    files = tiers.slow_files()
    for seed in range(1, max(fast, slow) + 1):
        order = f"--randomly-seed={seed}"
        if seed <= fast:
            yield tiers.pytest(f"fast tier, seed {seed}", order, *tiers.FAST)
        if seed <= slow:
            for name in files:
                yield tiers.pytest(f"{name}, seed {seed}", order, "-m", tiers.EVERYTHING, name)


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep the machine busy, at the same priority as the tests."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in spinning:
            loop.kill()
            loop.wait()


def main() -> int:
    """Run the jobs that have not passed yet; return 1 if any fails."""
    parser = argparse.ArgumentParser(prog="make test-flaky", description=__doc__)
    parser.add_argument("--fast", type=int, default=50, help="runs of the fast tier")
    parser.add_argument("--slow", type=int, default=20, help="runs of each slower file")
    options = parser.parse_args()
    with busy(BUSY_LOOPS):
        return jobs.run("test-flaky", plan(options.fast, options.slow))


if __name__ == "__main__":
    sys.exit(main())

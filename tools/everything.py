"""`make test-all`: every test, a job for each file; coverage; the fast tier in other environments.

Coverage is that of the tests that `make test` runs. The other environments are each installed
Python, and the lowest versions that pyproject.toml allows.
"""

import argparse
import sys

from tools import jobs, lowest, pythons, tiers


def main() -> int:
    """Run the jobs that have not passed yet; return 1 if any fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.everything", description=__doc__)
    parser.add_argument("at_once", type=int, help="jobs that run at the same time")
    coverage = tiers.pytest("coverage", "--cov")
    targets = [*tiers.FAST, *tiers.slow_files()]
    every = [tiers.pytest(target, "-m", tiers.EVERYTHING, target) for target in targets]
    # Coverage takes long: at the end, it would run alone.
    plan = [coverage, *every, *pythons.plan(), *lowest.plan()]
    return jobs.run("test-all", plan, parser.parse_args().at_once)


if __name__ == "__main__":
    sys.exit(main())

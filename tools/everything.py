"""`make test-all`: every test, one file at a time; coverage; the fast tier in other environments.

Coverage is that of the tests that `make test` runs. The other environments are each installed
Python, and the lowest versions that pyproject.toml allows.
"""

import sys

from tools import jobs, lowest, pythons, tiers


def main() -> int:
    """Run the jobs that have not passed yet; return 1 if any fails."""
    targets = [*tiers.FAST, *tiers.slow_files()]
    every = [tiers.pytest(target, "-m", tiers.EVERYTHING, target) for target in targets]
    coverage = tiers.pytest("coverage", "--cov")
    return jobs.run("test-all", [*every, coverage, *pythons.plan(), *lowest.plan()])


if __name__ == "__main__":
    sys.exit(main())

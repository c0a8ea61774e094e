"""`make test-all`: every test, one file at a time; coverage; the fast tier in other environments.

Coverage is that of the tests that `make test` runs, and of the exhaustive tests of what these
leave out.

These have each installed Python, and the lowest versions that pyproject.toml allows.
"""

import sys

from tools import jobs, lowest, pythons, tiers

_ALSO_COVERED = (
    "tests/engine/test_lifecycle.py::test_a_change_that_loses_something_is_found",
    "tests/local/test_function_checks.py",
    "tests/local/test_gameday.py",
)


def main() -> int:
    """Run the jobs that have not passed yet; return 1 if any fails."""
    targets = [*tiers.FAST, *tiers.slow_files()]
    every = [tiers.pytest(target, "-m", tiers.EVERYTHING, target) for target in targets]
    coverage = [
        tiers.pytest("coverage of `make test`", "--cov", "--cov-fail-under=0"),
        tiers.pytest("coverage", "--cov", "--cov-append", "-m", tiers.EVERYTHING, *_ALSO_COVERED),
    ]
    return jobs.run("test-all", [*every, *coverage, *pythons.plan(), *lowest.plan()])


if __name__ == "__main__":
    sys.exit(main())

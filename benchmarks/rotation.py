"""`python -m benchmarks.rotation`: 200 rotations of each strategy under traffic, into RESULTS.md.

Exits with 1 if a request failed.
"""

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "handler"))  # on Lambda, the root of the package

from benchmarks import report  # noqa: E402 (needs the path)
from local import deployment, loopback  # noqa: E402 (needs the path)
from local.proofs.clients import logging_in, signing  # noqa: E402 (needs the path)
from local.proofs.soak import STRATEGIES, Soak, soak, stack  # noqa: E402 (needs the path)
from local.proofs.traffic import callers  # noqa: E402 (needs the path)

RESULTS = ROOT / "benchmarks/RESULTS.md"
ROTATIONS, CALLERS, OTHERS = 200, 6, 2
STALENESS_SECONDS = 10

_READING = f"""\
Every strategy was rotated {ROTATIONS} times on a real PostgreSQL (`random` uses none) while
{CALLERS} callers invoked the function without pause, in the embedded AWS. The first rotation began
when every caller had had its first answer; these cold starts are not counted. After each rotation
the server ended all sessions of the secret's users, so every execution environment had to log in
again with the previous password cached. {OTHERS} more callers use the client directly and keep no
connection: they log in for every request; for `random`, they sign and verify.

A rotation is the time from RotateSecret until the new version is AWSCURRENT: four invocations of
the rotation function. The window is the time from then to the last answer that used the previous
version; `maxStalenessSeconds` was {STALENESS_SECONDS}. A single user's old password is rejected,
so the window closes with the first login. With alternating users the previous user stays valid
until the next rotation, and is served until then or until the caches release it."""


def main() -> int:
    """Soak every strategy; write and print the results."""
    loopback.install()
    rows: dict[str, list[str]] = {}
    failed = 0
    for strategy in STRATEGIES:
        with deployment.running(
            stack(
                ROOT,
                strategy,
                function={"handler": "app" if strategy == "random" else "query"},
                maxStalenessSeconds=STALENESS_SECONDS,
            )
        ) as deployed:
            caller = (
                signing(deployed, "database", "password")
                if strategy == "random"
                else logging_in(deployed, "database")
            )
            done = soak(
                deployed, "database", ROTATIONS, *callers(deployed, CALLERS), *[caller] * OTHERS
            )
        failed += done.failures.total() + done.cold_failures.total()
        rows[f"`{strategy}`"] = _cells(done)
        print(strategy, *_cells(done), dict(done.failures), dict(done.cold_failures))
    heads = ["strategy", "rotations", "requests", "failed", "rotation, s", "window, s"]
    written = ["## Rotation under traffic\n", *report.table(heads, rows), "", _READING, ""]
    report.write_section(RESULTS, "rotation", "\n".join(written))
    return 1 if failed else 0


def _cells(done: Soak) -> list[str]:
    rotation, window = (
        report.cell(seconds, statistics.median(seconds), 1) if seconds else "–"
        for seconds in (done.rotation_seconds, done.window_seconds)
    )
    counted = (len(done.rotation_seconds), done.requests, done.failures.total())
    return [*map(str, counted), rotation, window]


if __name__ == "__main__":
    sys.exit(main())

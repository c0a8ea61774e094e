"""`python -m benchmarks.deployment`: times deployments with both engines, into RESULTS.md.

Exits with 1 if a target is missed.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.report import Target
from local import deployment, loopback
from local.config.project import Stack, load
from local.engines import pulumi_cli
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine, Step

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/RESULTS.md"
TIMES = 5
SECRETS = 300
# The last commit with only one engine.
BASELINE = "1ff8928"

_READING = f"""\
With Pulumi's engine: each row is one command of the CLI, including its start, as `make up` runs
it, each time in an empty account; the {SECRETS} secrets once, everything else TIMES times. With
the built-in engine: the whole of `make up`, including the checks, compared with that of commit
{BASELINE}, in alternating runs. The state of `make up` is discarded, so the CLI writes it once, at
the end of each command. Your own `pulumi up` writes all of it before and after each resource, so
it slows down as the number of resources grows."""


class Timed(PulumiEngine):
    """Records the seconds of each command."""

    def __init__(self, cli: Cli) -> None:
        super().__init__(cli)
        self.seconds: list[tuple[str, float]] = []

    def preview(self) -> list[Step]:
        """Plan."""
        with self._timed("preview"):
            return super().preview()

    def up(self, *, shown: bool = False, refresh: bool = False) -> list[Step]:
        """Deploy, without a display."""
        del shown
        again = any(name == "up" for name, _ in self.seconds)
        with self._timed("second up" if again else "up"):
            return super().up(refresh=refresh)

    def destroy(self) -> list[Step]:
        """Destroy."""
        with self._timed("destroy"):
            return super().destroy()

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds.append((name, time.monotonic() - start))


def main() -> int:
    """Measure both engines; write and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deployment", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="runs of each figure")
    times = parser.parse_args().times
    pairs = _pairs(times)
    loopback.install()
    cli = pulumi_cli.find()
    if cli is None:
        raise SystemExit("no Pulumi CLI was found; run `make pulumi`")
    prod = [_deployed(cli, load(ROOT, "prod")) for _ in range(times)]
    many = _deployed(cli, _many(load(ROOT, "dev")))
    taken = {name: [run[name] for run in prod] for name in prod[0]}
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    ratio = statistics.median(after / before for before, after in pairs)
    targets = [
        Target("`pulumi up` of prod", "s", 10, medians["up"]),
        Target("a second `pulumi up` of prod", "s", 4, medians["second up"]),
        Target("`pulumi destroy` of prod", "s", 6, medians["destroy"]),
        Target(f"`pulumi up` of {SECRETS} secrets", "s", 60, many["up"]),
        Target("`make up`, built-in engine, relative to the baseline", "×", 1.05, ratio),
    ]
    rows = {
        f"{name}, prod": [report.cell(seconds * 2, medians[name], 1)]
        for name, seconds in taken.items()
    }
    rows |= {f"{name}, {SECRETS} secrets": [f"{seconds:.3g}"] for name, seconds in many.items()}
    for title, seconds in zip(
        ("baseline", "now"), map(list, zip(*pairs, strict=True)), strict=True
    ):
        cell = report.cell(seconds * 2, statistics.median(seconds), 1)
        rows[f"`make up` of dev, built-in engine, {title}"] = [cell]
    written = [
        "## Deployments\n",
        *report.verdicts(targets),
        "",
        *report.table(["command", "s"], rows),
        "",
        _READING.replace("TIMES", str(times)),
    ]
    text = "\n".join(written)
    report.write_section(RESULTS, "deployment", text)
    print(text)
    return 0 if all(target.reached <= target.limit for target in targets) else 1


def _deployed(cli: Cli, stack: Stack) -> dict[str, float]:
    """Deploy, deploy again and destroy; return command -> seconds."""
    layers = deployment.layer_arns(deployment.preview(stack))
    with deployment.account(stack, layers) as account, Timed(cli) as engine:
        deployment.deploy(account.stack, account.aws, None, account.server, engine)
        engine.up()
        if stack.config.get(f"{stack.project}:protection") == "strict":
            engine.release()
        engine.destroy()
    first = dict(
        reversed(engine.seconds)
    )  # a strict stack is deployed again before it is destroyed
    print({name: round(seconds, 2) for name, seconds in first.items()}, file=sys.stderr)
    return {name: first[name] for name in ("preview", "up", "second up", "destroy")}


def _many(stack: Stack) -> Stack:
    secrets = stack.section("secrets")
    more: dict[str, Any] = {
        f"s{number:03}": {"generate": {"password": {}}} for number in range(SECRETS)
    }
    return stack.changed(secrets={**secrets, **dict(list(more.items())[len(secrets) :])})


def _pairs(times: int) -> list[tuple[float, float]]:
    """Time `make up` of the baseline and of this checkout alternately, after a warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        baseline = Path(folder, "baseline")
        worktree = ["git", "worktree", "add", "--quiet", "--detach", str(baseline), BASELINE]
        subprocess.run(worktree, cwd=ROOT, check=True)
        try:
            (baseline / ".venv").symlink_to(ROOT / ".venv")
            pairs = [(_up(baseline), _up(ROOT)) for _ in range(times + 1)]
        finally:
            remove = ["git", "worktree", "remove", "--force", str(baseline)]
            subprocess.run(remove, cwd=ROOT, check=True)
    return pairs[1:]


def _up(checkout: Path) -> float:
    start = time.monotonic()
    subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "local", "up", "--stack", "dev"],
        cwd=checkout,
        env={**os.environ, "ENGINE": "built-in"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main())

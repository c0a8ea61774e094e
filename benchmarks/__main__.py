"""`python -m benchmarks`: measures every client in random order and writes RESULTS.md."""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import embedded, package, report, server
from benchmarks.report import Column, Target

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
PYTHON = HERE / ".venv/bin/python"
UPSTREAM_SECONDS = 0.05
PEERS = (
    "aws-lambda-powertools",
    "aws-secretsmanager-caching",
    "awslambdaric",
    "boto3",
    "requests",
)

OURS = "**this client**"
SOURCE = "this client, source only"
FLOOR = "raw `_socket` and `json`"

Sample = dict[str, float]


@dataclass(frozen=True)
class Figure:
    """One script, run `times` times for each client; it prints the values of the columns."""

    script: str
    title: str
    times: int
    clients: dict[str, str]
    """Label -> function of `peers`; the first is this client."""
    columns: tuple[Column, ...]


COLD = Figure(
    "cold",
    "Cold start: import, construction and first fetch",
    25,
    {
        OURS: "ours",
        SOURCE: "ours",
        FLOOR: "floor",
        "raw `socket` and `json`": "plain_socket",
        "`http.client`": "http_client",
        "`urllib.request`": "urllib",
        "`requests`": "requests",
        "aws-secretsmanager-caching": "caching",
        "boto3": "boto3",
        "Powertools `parameters`": "powertools",
    },
    (
        Column("seconds", "ms", 1e3),
        Column("made", "of which import and construction, ms", 1e3),
        Column("kib", "MiB added", 1 / 1024),
        Column("modules", "modules added", 1),
    ),
)
DIRECT = Figure(
    "cold",
    "Where the extension does not answer: a cold start that asks Secrets Manager",
    11,
    {
        OURS: "ours_direct",
        "this client, with botocore": "ours_by_botocore",
        "this client, with boto3": "ours_by_boto3",
        "boto3": "boto3",
    },
    (
        Column("cpu", "CPU ms", 1e3),
        Column("seconds", "ms", 1e3),
        Column("kib", "MiB added", 1 / 1024),
    ),
)
HIT = Figure(
    "hit",
    "A hit in the process",
    11,
    {
        OURS: "ours_get",
        "Powertools `SecretsProvider.get`": "powertools_provider",
        "Powertools `get_secret`": "powertools_get",
        "aws-secretsmanager-caching": "caching_get",
    },
    (Column("1", "µs per call, 1 thread", 1e6), Column("8", "µs per call, 8 threads", 1e6)),
)
FETCH = Figure(
    "fetch",
    "A fetch",
    25,
    {
        OURS: "ours",
        FLOOR: "floor",
        "`http.client`": "http_client",
        "`urllib.request`": "urllib",
        "`requests`": "requests",
        "boto3": "boto3",
    },
    (Column("seconds", "µs", 1e6),),
)
CROWD = Figure(
    "crowd",
    "50 threads and one expired entry, with an upstream that answers in 50 ms",
    5,
    {
        OURS: "ours_get",
        FLOOR: "floor",
        "`requests`": "requests",
        "aws-secretsmanager-caching": "caching_get",
        "boto3": "boto3",
        "Powertools `SecretsProvider.get`": "powertools_provider",
    },
    (
        Column("calls", "upstream calls", 1),
        Column("most", "ms to 49 answers", 1e3),
        Column("all", "ms to all 50", 1e3),
    ),
)
FIGURES = (COLD, DIRECT, HIT, FETCH, CROWD)


@dataclass(frozen=True)
class Runner:
    """Starts the measured processes with the same Python, server and environment."""

    server: server.Server
    packages: Path
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def measure(self, figure: Figure) -> None:
        """Take all samples of a figure, in random order."""
        order = list(figure.clients.items()) * figure.times
        random.shuffle(order)
        for number, (client, peer) in enumerate(order, 1):
            _note(f"{figure.script} {number}/{len(order)}")
            form = "source" if client == SOURCE else "compiled"
            sample = self.sample(figure.script, peer, form)
            self.samples[figure.title, client].append(sample)

    def sample(self, script: str, argument: str, form: str) -> Sample:
        """Run a script and return the last line that it prints."""
        process = subprocess.Popen(
            [PYTHON, HERE / f"{script}.py", argument],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{self.packages / form}:{ROOT}",
                "PYTHONDONTWRITEBYTECODE": "1",  # the bytecode to measure exists already
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "no-key",
                "AWS_SESSION_TOKEN": "no-token" * 50,  # as long as a real one
                "AWS_LAMBDA_FUNCTION_NAME": "function",
                "AWS_REGION": "eu-central-1",
                "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server.port}",
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(self.server.port),
            },
        )
        with process:
            assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
            line = process.stdout.readline()
            if script == "crowd":  # it has read once, and its threads are waiting
                self.server.reset(UPSTREAM_SECONDS)
                line, _ = process.communicate("\n")
            if not line or process.wait():
                raise SystemExit(f"{script} {argument} failed")
        sample: Sample = json.loads(line)
        if script == "crowd":
            sample["calls"] = self.server.reset(0.0)
        return sample

    def median(self, figure: Figure, key: str, client: str = OURS) -> float:
        """Return the median of one column of one client."""
        return statistics.median(each[key] for each in self.samples[figure.title, client])

    def table(self, figure: Figure) -> list[str]:
        """Return the figure's table."""
        rows: dict[str, list[str]] = defaultdict(list)
        for client in figure.clients:
            for column in figure.columns:
                samples = [each[column.key] for each in self.samples[figure.title, client]]
                ours = self.median(figure, column.key)
                rows[client].append(report.cell(samples, ours, column.scale))
        return report.table(["client", *(column.title for column in figure.columns)], rows)


def targets(runner: Runner, sizes: Mapping[str, int]) -> list[Target]:
    """Return each target with the measured value."""
    cold, hit, fetch = (
        runner.median(each, key)
        for each, key in ((COLD, "seconds"), (HIT, "1"), (FETCH, "seconds"))
    )
    floor, raw = (runner.median(each, "seconds", FLOOR) for each in (COLD, FETCH))
    return [
        Target("cold start", "ms", 1.5, cold * 1e3),
        Target(f"cold start, relative to {FLOOR}", "×", 2, cold / floor),
        Target("memory added by a cold start", "MiB", 0.35, runner.median(COLD, "kib") / 1024),
        Target("hit in the process", "µs", 0.25, hit * 1e6),
        Target("hit by 8 threads, relative to 1", "×", 1.05, runner.median(HIT, "8") / hit),
        Target("fetch, relative to a raw socket", "×", 1.25, fetch / raw),
        Target("50 threads, expired", "upstream call", 1, runner.median(CROWD, "calls")),
        Target("50 threads, to 49 answers", "ms", 5, runner.median(CROWD, "most") * 1e3),
        Target("package of reader and client", "kB zipped", 150, sizes[""] / 1e3),
    ]


def main() -> None:
    """Measure everything; write and print the page."""
    with tempfile.TemporaryDirectory() as packages, server.running() as serving:
        sizes = package.make(Path(packages))
        runner = Runner(serving, Path(packages))
        for figure in FIGURES:
            runner.measure(figure)
    _note("the embedded AWS")
    invocations = embedded.measure()
    _note("")
    tables = {figure.title: runner.table(figure) for figure in FIGURES}
    tables["The package, zipped"] = report.table(
        ["package", "kB"],
        {
            name or f"{OURS} and the reader": [report.cell([size] * 2, sizes[""], 1e-3)]
            for name, size in sizes.items()
        },
    )
    tables["The function in the embedded AWS, stack `dev`"] = report.table(
        ["invocation", "ms"],
        {
            kind: [report.cell(times, statistics.median(times), 1)]
            for kind, times in invocations.items()
        },
    )
    written = report.page(targets(runner, sizes), _versions(), tables)
    report.write_section(HERE / "RESULTS.md", "client", written)
    print(written)


def _versions() -> list[str]:
    """Return name and version of the peers."""
    locked = (HERE / "requirements.txt").read_text(encoding="utf-8")
    return [
        " ".join(pin)
        for pin in re.findall(r"^([\w-]+)==([\w.]+)", locked, re.MULTILINE)
        if pin[0] in PEERS
    ]


def _note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<40}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

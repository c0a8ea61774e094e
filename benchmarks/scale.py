"""`python -m benchmarks.scale`: how a stack grows with its secrets, into RESULTS.md.

Exits with 1 if a target is missed.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import NamedTuple

import pulumi

from benchmarks import report
from benchmarks.deployment import Timed
from benchmarks.large import ROOT, watched
from benchmarks.report import Target
from local import deployment, loopback
from local.config.project import Stack
from local.engines import pulumi_cli
from local.engines.built_in import BuiltInEngine, Preview, Registration
from local.engines.pulumi_cli import Cli

RESULTS = ROOT / "benchmarks/RESULTS.md"
SIZES = (1, 10, 100, 500)
_KILOBYTE = 1024

_READING = """\
Three of five secrets rotate; a function reads ten of them; each secret has a replica, a resource
policy and alarms. `program` is the CPU time of the program alone, without an engine or a provider.
`bare` is a program that registers the same resources with the same inputs as constants: what
Pulumi's SDK itself takes. The other times are those of the CLI on the embedded AWS, which shares
its cores with the CLI. Memory is the most that the program's process had."""


class Program(NamedTuple):
    """What it takes to run a program once, in a process of its own."""

    resources: int
    seconds: float
    """CPU time."""
    megabytes: float


def main() -> int:
    """Measure each size; write and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of secrets")
    parser.add_argument("--program", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.program:
        print(json.dumps(_run(_stack(given.program), bare=given.bare)))
        return 0
    loopback.install()
    cli = pulumi_cli.find()
    if cli is None:
        raise SystemExit("no Pulumi CLI was found; run `make pulumi`")
    rows, programs = {}, {}
    for size in given.sizes:
        program, bare = (_measured(size, *options) for options in ((), ("--bare",)))
        programs[size] = (program, bare)
        seconds = _deployed(cli, _stack(size))
        rows[f"{size}"] = [
            f"{program.resources}",
            f"{program.seconds:.1f}",
            f"{bare.seconds:.1f}",
            *(f"{seconds[name]:.0f}" for name in ("preview", "up", "second up")),
            f"{program.megabytes:.0f}",
        ]
        print(size, rows[f"{size}"], file=sys.stderr, flush=True)
    targets = _targets(programs)
    text = "\n".join(_section(rows, targets))
    report.write_section(RESULTS, "scale", text)
    print(text)
    return 0 if all(each.reached <= each.limit for each in targets) else 1


def _stack(secrets: int) -> Stack:
    return watched(secrets, secrets * 3 // 5, max(1, secrets // 25))


def _targets(programs: dict[int, tuple[Program, Program]]) -> list[Target]:
    *_, middle, most = sorted(programs)
    program, bare = programs[most]
    each = {size: programs[size][0].seconds / programs[size][0].resources for size in programs}
    return [
        Target(
            f"program of {most} secrets, relative to bare Pulumi",
            "×",
            2,
            program.seconds / bare.seconds,
        ),
        Target(
            f"program's time for each resource, {most} secrets relative to {middle}",
            "×",
            1.2,
            each[most] / each[middle],
        ),
    ]


def _section(rows: dict[str, list[str]], targets: list[Target]) -> list[str]:
    columns = ["resources", "program (s)", "bare (s)", "preview (s)", "up (s)", "second up (s)"]
    return [
        "## Hundreds of secrets\n",
        *report.verdicts(targets),
        "",
        *report.table(["secrets", *columns, "memory (MB)"], rows),
        "",
        _READING,
    ]


def _measured(size: int, *options: str) -> Program:
    command = [sys.executable, "-m", "benchmarks.scale", "--program", str(size), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Program(*json.loads(done.stdout.splitlines()[-1]))


def _run(stack: Stack, *, bare: bool) -> Program:
    """Run the program in this process, or the bare one with the same resources."""
    first, engine = BuiltInEngine(Preview()), BuiltInEngine(Preview())
    first.run(stack)  # imports everything
    program = (lambda: _register(first.registrations)) if bare else None
    start = time.process_time()
    engine.run(stack, program)
    seconds = time.process_time() - start
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTE
    return Program(len(engine.registrations), seconds, used)


def _register(registered: list[Registration]) -> None:
    for each in registered:
        if each.custom:
            pulumi.CustomResource(each.type, each.name, each.inputs)
        else:
            pulumi.ComponentResource(each.type, each.name, each.inputs).register_outputs({})


def _deployed(cli: Cli, stack: Stack) -> dict[str, float]:
    """Deploy twice; return command -> seconds."""
    layers = deployment.layer_arns(deployment.preview(stack))
    with deployment.account(stack, layers) as account, Timed(cli) as engine:
        deployment.deploy(account.stack, account.aws, None, account.server, engine)
        steps = engine.up()
        if steps:
            raise SystemExit(f"a second up changes {len(steps)} resources")
    return dict(reversed(engine.seconds))


if __name__ == "__main__":
    sys.exit(main())

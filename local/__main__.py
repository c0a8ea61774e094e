"""`python -m local`: runs this project's program on the embedded AWS."""

import signal

if __name__ == "__main__":
    # During the slow imports Ctrl-C stops the process at once: there is nothing to clean up yet.
    _interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import io
import itertools
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from infra.aws.layers import extension_layer_arns
from infra.config.settings import SettingsError
from local import deployment, loopback, networks, outputs, reload
from local.aws import EmbeddedAws, EmulatorError, PortInUseError
from local.config import project
from local.databases import stack as databases
from local.databases.postgres import PostgreSQL, PostgreSQLError
from local.engines import pulumi_cli
from local.engines.pulumi_cli import Cli, CliError
from local.engines.pulumi_engine import PulumiEngine, PulumiError
from local.lifecycle import changes as lifecycle_changes
from local.lifecycle import command as lifecycle
from local.proofs import checks, engine_checks, gameday, leftovers, rotate
from local.provider.provider import DeploymentError
from local.reload import Reloader

ROOT = Path(__file__).resolve().parent.parent
# Variables of the caller for AWS, Pulumi or a proxy are meant for other accounts.
_FOREIGN = ("AWS_", "PULUMI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

_BUILT_IN = "built-in"
_ENGINES = ("pulumi", _BUILT_IN)
_GET_PULUMI = (
    "install it (https://www.pulumi.com/docs/install/), or run `make pulumi` if you have Go"
)
_FAILURES = (
    *(CliError, DeploymentError, EmulatorError, PortInUseError, PostgreSQLError, PulumiError),
)

# The terminal wraps long lines.
_terminal = Console(highlight=False, soft_wrap=True, emoji=False)
_errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, or 1 with the reason on standard error."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    for name in [name for name in os.environ if name.upper().startswith(_FOREIGN)]:
        del os.environ[name]
    os.umask(0o077)  # the caller's umask may deny even the owner access to new folders
    loopback.install()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ gets a ?
    try:
        return run(options)
    except KeyboardInterrupt:
        _errors.print("stopped")
        return 130
    except (SettingsError, project.ProjectError, *_FAILURES) as error:
        for line in _error_lines(error, options):
            _errors.print(f"[red]error:[/red] {escape(line)}")
        if isinstance(error, SettingsError) and error.remedy:
            _errors.print(f"\n{escape(error.remedy)}")
    return 1


def _error_lines(error: Exception, options: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each error; a config error names the file that was read."""
    if isinstance(error, SettingsError):
        expected, actual = f"in Pulumi.{options.stack}.yaml", f"in {options.config_file}"
        for line in error.errors:
            is_elsewhere = options.config_file and line.endswith(expected)
            yield line.removesuffix(expected) + actual if is_elsewhere else line
    elif isinstance(error, project.ProjectError):
        yield from error.args
    else:
        yield str(error)


class _Account(NamedTuple):
    """What a command starts with: an account, and the engine that deploys to it."""

    aws: EmbeddedAws
    stack: project.Stack
    server: PostgreSQL | None
    notes: list[str]
    engine: PulumiEngine | None
    """None for the built-in engine."""
    engine_text: str
    resources: int
    """How many resources the program creates."""


def _up(options: argparse.Namespace) -> int:
    with _account(options, _load(options)) as account:
        kept, _ = _prove(account, stays=False)
    return 0 if kept else 1


def _serve(options: argparse.Namespace) -> int:
    stack = _load(options)
    if options.empty:
        with _account(options, stack, empty=True) as account:
            if ids := networks.shown(account.stack):
                _note(f"the VPC in the config does not exist here; created a stand-in: {ids}")
            for note in account.notes:
                _note(note)
            if account.engine:
                account.engine.open(deployment.with_local_config(account.stack), account.aws)
            _stay(account, None)
        return 0
    with _account(options, stack) as account:
        kept, deployed = _prove(account, stays=True)
        _stay(account, deployed)
    return 0 if kept else 1


def _rotate(options: argparse.Namespace) -> int:
    stack = _load(options)
    if not databases.rotating(stack):
        raise project.ProjectError(
            f"no secret in the stack {stack.name} has a `rotation`; docs/config.md lists its keys"
        )
    with _account(options, stack) as account:
        return rotate.run(_deploy(account), _terminal, options.rotations, options.callers)


def _gameday(options: argparse.Namespace) -> int:
    with _account(options, gameday.with_short_caches(_load(options))) as account:
        return gameday.run(_deploy(account), _terminal, options.callers)


@contextlib.contextmanager
def _account(
    options: argparse.Namespace,
    stack: project.Stack,
    *,
    empty: bool = False,
    more_layers: Iterable[str] = (),
) -> Iterator[_Account]:
    """Check the config and start the account; an empty one has every layer and no database."""
    cli, text = _engine(options)
    planned = deployment.preview(stack)  # raises every config error before anything starts
    layers = deployment.layer_arns(planned)
    _refuse(stack, layers)
    layers.update(more_layers)
    if empty:  # the config may change while it serves
        layers.update(extension_layer_arns("aws"))
    with contextlib.ExitStack() as running:
        engine = running.enter_context(PulumiEngine(cli)) if cli else None
        aws, stack, server, notes = running.enter_context(
            deployment.account(stack, layers, options.port, with_databases=not empty)
        )
        yield _Account(aws, stack, server, notes, engine, text, len(planned.registrations))


def _prove(account: _Account, *, stays: bool) -> tuple[bool, deployment.Deployment]:
    """Deploy, run every check, print outputs and cost; return whether all checks passed."""
    before = leftovers.account(account.aws, account.stack) if account.engine else frozenset()
    deployed = _deploy(account)
    kept = _check(deployed, before, stays=stays)
    for notice in account.aws.notices:
        _terminal.print(f"[dim]{escape(notice)}[/dim]")
    _terminal.print("\n[bold]Outputs[/bold]")
    _terminal.print(escape(outputs.table(deployed.outputs)))
    _terminal.print("\n[bold]Cost[/bold]")
    _terminal.print(escape(outputs.monthly_cost(deployed.outputs)))
    return kept, deployed


def _refuse(stack: project.Stack, layers: Iterable[str]) -> None:
    """Raise an error for a region or a machine that the embedded AWS does not support."""
    if foreign := [arn for arn in layers if not arn.startswith("arn:aws:")]:
        raise project.ProjectError(
            f"aws:region {stack.region} is in the partition {foreign[0].split(':')[1]}, and the"
            " embedded AWS has only the partition aws; choose one of its regions"
        )
    try:
        with tempfile.TemporaryFile():
            pass
    except OSError as error:
        raise project.ProjectError(
            f"cannot write to {tempfile.gettempdir()} ({error.strerror}); set TMPDIR to a writable"
            " folder"
        ) from error


def _engine(options: argparse.Namespace) -> tuple[Cli | None, str]:
    """Return the CLI whose engine runs, or None for the built-in one; and the reason."""
    if options.engine not in (*_ENGINES, None):
        raise project.ProjectError(
            f"the engine must be {' or '.join(_ENGINES)}, got {options.engine!r}"
        )
    if options.engine == _BUILT_IN:
        return None, "built-in"
    if cli := pulumi_cli.find():
        return cli, str(cli)
    if options.engine:
        raise CliError(f"pulumi is not on the PATH; {_GET_PULUMI}")
    return None, f"built-in, because pulumi is not on the PATH; {_GET_PULUMI}"


def _load(options: argparse.Namespace) -> project.Stack:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", options.stack):
        raise project.ProjectError(
            f"a stack name must be 1 to 100 letters, digits, - and _, got {options.stack!r}"
        )
    return project.load(ROOT, options.stack, options.config_file)


def _lifecycle(options: argparse.Namespace) -> int:
    stack = lifecycle_changes.base(_load(options))
    with _account(options, stack, more_layers=lifecycle_changes.LAYERS) as account:
        if account.engine is None:
            raise project.ProjectError(f"lifecycle needs the Pulumi CLI: {_GET_PULUMI}")
        page = ROOT / "docs/operations.md" if options.write else None
        return lifecycle.run(_deploy(account), account.engine, _terminal, page, options.only)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Deploys this project's program to an embedded AWS on this machine.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    added = {}
    for name, run, common, text in (
        (
            *("up", _up, _common()),
            "deploy, run every check, print the outputs, and stop",
        ),
        (
            *("serve", _serve, _common()),
            "the same as up, then serve the AWS CLI, boto3 and pulumi until Ctrl-C",
        ),
        # The commands below do not show the deployment itself, and the built-in engine is faster.
        (
            *("rotate", _rotate, _common("staging", _BUILT_IN)),
            "deploy, then rotate every secret that has a rotation, under traffic",
        ),
        (
            *("gameday", _gameday, _common("prod", _BUILT_IN)),
            "deploy, then cut off Secrets Manager in the first region, under traffic",
        ),
        (
            *("lifecycle", _lifecycle, _common("prod", "pulumi")),
            "deploy, then make each change of the config alone and back, by Pulumi's engine",
        ),
    ):
        added[name] = commands.add_parser(name, help=text, description=text, parents=[common])
        added[name].set_defaults(run=run)
    added["serve"].add_argument(
        "--empty",
        action="store_true",
        help="deploy nothing: start an account with only layers and a VPC, for your `pulumi up`",
    )
    added["rotate"].add_argument(
        "--rotations", type=_count, default=3, help="rotations of each secret (default: 3)"
    )
    added["lifecycle"].add_argument(
        "--write", action="store_true", help="write what each change did into docs/operations.md"
    )
    added["lifecycle"].add_argument(
        "--only", default="", metavar="TEXT", help="make the changes whose title contains this"
    )
    for command in (added["rotate"], added["gameday"]):
        command.add_argument(
            "--callers",
            type=_count,
            default=4,
            help="threads that call the functions (default: 4)",
        )
    return parser


def _common(stack: str = "dev", engine: str | None = None) -> argparse.ArgumentParser:
    """Return the options of every command; `stack` and `engine` are defaults."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--stack",
        default=os.environ.get("STACK") or stack,
        help=f"name of the stack (default: $STACK, otherwise {stack})",
    )
    parser.add_argument(
        "--engine",
        default=os.environ.get("ENGINE") or engine,
        help=f"{' or '.join(_ENGINES)} (default: $ENGINE, otherwise"
        f" {engine or 'pulumi if its CLI is installed'})",
    )
    parser.add_argument(
        "--config-file", type=Path, help="file to use instead of Pulumi.<stack>.yaml"
    )
    parser.add_argument("--port", type=_port, help="port on 127.0.0.1 (default: a free one)")
    return parser


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= 1000:  # noqa: PLR2004 (more is a mistake)
        raise argparse.ArgumentTypeError(f"must be 1 to 1000, got {text!r}")
    return count


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65_535:  # noqa: PLR2004 (TCP's limit)
        raise argparse.ArgumentTypeError(f"must be 1 to 65535, got {text!r}")
    return port


def _deploy(account: _Account) -> deployment.Deployment:
    aws, stack, server, notes, engine, engine_text, resources = account
    title = f"{stack.project}, stack {stack.name}, {stack.region}"
    _terminal.print(f"[bold]{escape(title)}[/bold], on an embedded AWS at {aws.endpoint_url}")
    _terminal.print(f"engine: {escape(engine_text)}")
    start = time.perf_counter()
    with contextlib.nullcontext() if engine else _progress(resources) as created:
        deployed = deployment.deploy(stack, aws, created, server, engine)
    seconds = time.perf_counter() - start
    _terminal.print(f"[green]✓[/green] {resources} resources in {seconds:.1f} s")
    for message in deployed.record.messages:
        _note(message)
    for note in notes:
        _note(note)
    for path in stack.placeholders:
        _note(
            f"{path} is encrypted and cannot be read here; a generated placeholder is used instead"
        )
    for name in deployed.placeholders:
        _note(f"{name} is `from: external`; a generated placeholder was stored in it")
    if server:
        names, address = sorted(databases.login_secrets(stack)), f"{server.host}:{server.port}"
        _note(f"{', '.join(names)}: log in to PostgreSQL on this machine, {address}")
    return deployed


@contextlib.contextmanager
def _progress(total: int) -> Iterator[deployment.OnCreated]:
    """Show a progress bar on a terminal; elsewhere print a line for each resource."""
    if not _terminal.is_terminal:
        yield lambda made: _terminal.print(f"  {made.type} {made.name}")
        return
    columns = (
        TextColumn("  "),
        BarColumn(40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Progress(*columns, console=_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, name="")
        yield lambda made: bar.update(task, advance=1, name=f"{made.type} {made.name}")


def _check(
    deployed: deployment.Deployment, before: frozenset[leftovers.AccountResource], *, stays: bool
) -> bool:
    """Run every check and print its outcome; destroy the stack unless `stays`."""
    results = checks.run(deployed)
    if deployed.pulumi:
        values = deployed.canaries  # read before the checks rotate any
        engine = engine_checks.run(deployed, values, before, stays=stays)
        results = itertools.chain(results, engine)
    _terminal.print("\n[bold]Checks[/bold]")
    passed = []
    for result in results:
        passed.append(result.passed)
        for line in outputs.check(result):
            _terminal.print(line)
    return False not in passed


def _stay(account: _Account, deployed: deployment.Deployment | None) -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    _terminal.print("\n[bold]Serving until Ctrl-C.[/bold] In another terminal:\n")
    functions = deployed.functions.values() if deployed else []
    aliases = [function.outputs["alias_arn"] for function in functions]
    lines = outputs.of_the_aws_cli(account.aws, account.stack.region, aliases)
    if account.engine:
        lines += ["", *outputs.of_pulumi(account.engine, account.stack.name)]
    _terminal.print(escape("\n".join(lines)))
    reloader = Reloader(deployed) if deployed else None
    while not done.wait(reload.SECONDS):
        for line in reloader.poll() if reloader else ():
            _terminal.print(escape(line))
    _terminal.print("stopping")


def _note(text: str) -> None:
    _terminal.print(f"[yellow]![/yellow] {escape(text)}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _interrupt)
    sys.exit(main())

"""`python -m local gameday`: an outage of Secrets Manager in the first region, under traffic.

Functions fail over to the replica, the replica is promoted and written, and the region recovers.
`local.emulator.outage` simulates the outage; `_promote` and `_fail_back` do an operator's work.
"""

import contextlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra.packaging import client as client_package
from local.config.project import ProjectError, Stack
from local.deployment import Deployment
from local.functions import Function
from local.proofs.role_access import copied_configuration, deployed_function
from local.proofs.traffic import Caller, Request, Traffic
from local.proofs.traffic import callers as traffic_callers

SERVICE = "secretsmanager"
_READER = Path(__file__).with_name("reader.py")

Expectation = Callable[[Request], bool]

# Short-lived caches make a short game day.
_STALENESS_SECONDS = 6
# A client avoids a region for half a minute after a request to it failed.
_PATIENCE_SECONDS = 60
# A phase has settled when each caller has this many expected responses in a row.
_SETTLED_REQUESTS = 5
_POLL_SECONDS = 0.05


def with_short_caches(stack: Stack) -> Stack:
    """Return the stack with caches that expire within seconds.

    Raises:
        ProjectError: the stack has no replicas.

    """
    if not _replica_regions(stack):
        raise ProjectError(
            f"no secret in the stack {stack.name} has a replica; add a region to `replicaRegions`"
        )
    return stack.changed(maxStalenessSeconds=_STALENESS_SECONDS)


@dataclass
class Phase:
    """A phase of the game day, from its first to its last request."""

    name: str
    first: int
    """Index of its first request in the log."""
    start: float
    is_expected: Expectation = field(default=lambda _: False)
    """Whether a request was answered as expected in this phase."""
    end: int | None = None
    reached: bool = False

    def is_settled(self, log: list[Request], callers: int) -> bool:
        """Whether every caller, including those that had to wait, is answered as expected."""
        answered: list[list[bool]] = [[] for _ in range(callers)]
        for each in log[self.first :]:
            if each.start >= self.start:
                answered[each.caller].append(self.is_expected(each))
        return all(
            len(mine) >= _SETTLED_REQUESTS and all(mine[-_SETTLED_REQUESTS:]) for mine in answered
        )

    def row(self, log: list[Request]) -> tuple[str, ...]:
        """Return the phase's row of the table."""
        mine = log[self.first : self.end]
        failed = sum(bool(each.error) for each in mine)
        sources = Counter(_source(each) for each in mine if not each.error)
        slowest = max((each.end - each.start for each in mine), default=0.0)
        recovered = [each.end - self.start for each in mine if self.is_expected(each)]
        return (
            self.name,
            str(len(mine)),
            f"[red]{failed}[/red]" if failed else "0",
            ", ".join(f"{source} {count}" for source, count in sources.most_common()),
            f"{slowest:.2f} s",
            f"{recovered[0]:.1f} s" if recovered else "…",
            ("✓" if self.reached else "✗") if self.end is not None else "…",
        )


class GameDay:
    """The live display: the traffic, and a row for each phase."""

    def __init__(self, traffic: Traffic, callers: int) -> None:
        self.traffic = traffic
        self._callers = callers
        self._start = time.monotonic()
        self.phases: list[Phase] = []

    def phase(self, name: str, do: Callable[[], Expectation]) -> Phase:
        """Run `do`, then wait until every caller is answered as the returned test expects."""
        log = self.traffic.log
        phase = Phase(name, len(log), time.monotonic())
        self.phases.append(phase)
        phase.is_expected = do()
        while not phase.reached and time.monotonic() < phase.start + _PATIENCE_SECONDS:
            time.sleep(_POLL_SECONDS)
            phase.reached = phase.is_settled(log, self._callers)
        phase.end = len(log)
        return phase

    def table(self) -> Table:
        """Return the table of all phases."""
        seconds = time.monotonic() - self._start
        table = Table(title=f"{self.traffic.requests} requests in {seconds:.0f} s")
        for title in (
            "phase",
            "requests",
            "failed",
            "served by",
            "slowest",
            "first recovered",
            "all recovered",
        ):
            table.add_column(title)
        for phase in self.phases:
            table.add_row(*phase.row(self.traffic.log))
        return table


def run(deployment: Deployment, terminal: Console, callers: int) -> int:
    """Start and end an outage of the first region's Secrets Manager, and promote a replica.

    Returns the exit code: 1 if a request failed that started after the outage was noticed, or if a
    secret was not read from the expected region.
    """
    home, away = deployment.stack.region, _replica_regions(deployment.stack)[0]
    aws, function = deployment.aws, _reading(deployment)
    secret = function.environment["SECRET_NAME"]
    calling = traffic_callers(deployment, 0)

    def answered(place: Callable[[str], bool]) -> Expectation:
        """Test where a reader found its secret, and only whether any other function answered."""

        def is_expected(request: Request) -> bool:
            return place(_source(request)) if request.caller < callers else not request.error

        return is_expected

    from_replica = answered(lambda source: source == f"replica:{away}")
    from_home = answered(lambda source: source in ("extension", "sdk"))

    def of_version(version: str, place: Expectation) -> Expectation:
        return lambda request: (
            place(request) and request.body.get("secret_version", version) == version
        )

    def start_outage() -> Expectation:
        aws.start_outage(SERVICE, home)
        return from_replica

    with _reader(deployment, function) as read, Traffic(*[read] * callers, *calling) as traffic:
        game_day = GameDay(traffic, callers + len(calling))
        try:
            with Live(console=terminal, get_renderable=game_day.table, refresh_per_second=10):
                game_day.phase("all regions are up", lambda: from_home)
                outage = game_day.phase(f"{home} is down", start_outage)
                game_day.phase(
                    f"{away} is promoted and written",
                    lambda: of_version(_promote(deployment, secret, away), from_replica),
                )
                game_day.phase(
                    f"{home} is back and written",
                    lambda: of_version(_fail_back(deployment, secret, away), from_home),
                )
        finally:
            aws.end_outage(SERVICE, home)
    return verdict(game_day, outage, terminal)


def verdict(game_day: GameDay, outage: Phase, terminal: Console) -> int:
    """Print the result, and return the exit code."""
    log = game_day.traffic.log
    during = log[outage.first :]
    met = min(
        (each.end for each in during if each.error or outage.is_expected(each)), default=math.inf
    )
    before, since = Counter[str](), Counter[str]()
    for each in log:
        if each.error:
            (before if each.start < met else since)[each.error] += 1
    for failure, times in (before + since).most_common():
        terminal.print(f"[red]✗[/red] {times} × {failure}")
    kept = not since and all(phase.reached for phase in game_day.phases)
    mark = "[green]✓[/green]" if kept else "[red]✗[/red]"
    longest = max((each.end - each.start for each in during), default=0.0)
    noticed = (
        f"the outage was first noticed after {met - outage.start:.1f} s"
        if math.isfinite(met)
        else "no request noticed the outage"
    )
    terminal.print(
        f"{mark} {len(log)} requests; {noticed}; {before.total()} failed before that,"
        f" {since.total()} after; the slowest took {longest:.2f} s"
    )
    return 0 if kept else 1


def _promote(deployment: Deployment, secret: str, region: str) -> str:
    """Promote the replica to a standalone secret and write it; return the new version.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/standalone-secret.html
    """
    client = deployment.aws.client(SERVICE, region)
    client.stop_replication_to_replica(SecretId=secret)
    text = client.get_secret_value(SecretId=secret)["SecretString"]
    version: str = client.put_secret_value(SecretId=secret, SecretString=text)["VersionId"]
    return version


def _fail_back(deployment: Deployment, secret: str, region: str) -> str:
    """End the outage, copy the promoted secret's value back, and replicate it again.

    The value is written first, because functions return to the region as soon as it answers.
    """
    deployment.aws.end_outage(SERVICE, deployment.stack.region)
    home, away = deployment.client(SERVICE), deployment.aws.client(SERVICE, region)
    text = away.get_secret_value(SecretId=secret)["SecretString"]
    version: str = home.put_secret_value(SecretId=secret, SecretString=text)["VersionId"]
    key = away.describe_secret(SecretId=secret)["KmsKeyId"]
    away.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    replica = {"Region": region, "KmsKeyId": key}
    home.replicate_secret_to_regions(SecretId=secret, AddReplicaRegions=[replica])
    return version


def _reading(deployment: Deployment) -> Function:
    """Return a function that reads a secret of the stack.

    Raises:
        ProjectError: no function does.

    """
    own = deployment.outputs["secret_arns"]
    for function in deployment.functions.values():
        if function.config.settings.secrets[:1] and function.config.settings.secrets[0] in own:
            return function
    raise ProjectError(
        "no function reads a secret of this stack; list one in the `secrets` of a function"
    )


@contextlib.contextmanager
def _reader(deployment: Deployment, function: Function) -> Iterator[Caller]:
    """Deploy a function that reads with the function's role and our client; yield its caller."""
    handler = deployment.stack.program.parent / "handler"
    files = {"reader.py": _READER, **client_package.files(handler)}
    configuration = copied_configuration(function)
    configuration["Environment"] = {
        "Variables": {**function.environment, "SECRETS_TELEMETRY": "false"}
    }
    role = function.outputs["role_arn"]
    with deployed_function(
        deployment.client, files, "reader.lambda_handler", role, configuration
    ) as call:
        yield lambda: dict(call({}))


def _source(request: Request) -> str:
    """Return where the secret of a response came from."""
    return str(request.body.get("source", "")) or "functions"


def _replica_regions(stack: Stack) -> list[str]:
    regions: list[str] = json.loads(stack.config.get(f"{stack.project}:replicaRegions", "[]"))
    return regions

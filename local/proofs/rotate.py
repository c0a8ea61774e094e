"""`python -m local rotate`: shows rotations live, while the functions are called."""

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.config.project import ProjectError
from local.deployment import Deployment
from local.proofs.traffic import Traffic, rotate
from local.proofs.traffic import callers as traffic_callers

_SETTLED_REQUESTS = 10


class _Display:
    """The live display: the traffic, and a row for each rotation."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self._start = time.monotonic()
        self.rows: list[tuple[str, str, str, str, str]] = []

    def table(self) -> Table:
        traffic, seconds = self.traffic, time.monotonic() - self._start
        failed = traffic.failures.total()
        table = Table(
            title=f"{traffic.requests} requests in {seconds:.0f} s,"
            f" {traffic.requests / max(seconds, 0.1):.0f} per second, {failed} failed",
            title_style="green" if not failed else "red",
        )
        for title in ("secret", "current version", "rotated in", "sessions ended", "reconnected"):
            table.add_column(title)
        for row in self.rows:
            table.add_row(*row)
        return table


def run(deployment: Deployment, terminal: Console, rotations: int, callers: int) -> int:
    """Rotate every rotating secret `rotations` times and show it; return the exit code.

    After each rotation the server ends the previous sessions, so that functions must log in again
    with the old password cached.
    """
    names, calling = deployment.rotating, traffic_callers(deployment, callers)
    if not calling:
        raise ProjectError(
            f"no function in {deployment.stack.name} can be called here; give one an `event`"
        )
    with Traffic(*calling) as traffic:
        display = _Display(traffic)
        with Live(console=terminal, get_renderable=display.table, refresh_per_second=10):
            traffic.wait_for_every_caller()
            traffic.wait_for_requests(_SETTLED_REQUESTS)
            for _ in range(rotations):
                for name in names:
                    _rotate(deployment, display, name)
    for failure, times in traffic.failures.most_common():
        terminal.print(f"[red]✗[/red] {times} × {failure}")
    failed = traffic.failures.total()
    mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
    terminal.print(
        f"{mark} {rotations * len(names)} rotations, {traffic.requests} requests, {failed} failed;"
        f" the slowest took {traffic.slowest_milliseconds:.0f} ms"
    )
    return 1 if failed else 0


def _rotate(deployment: Deployment, display: _Display, name: str) -> None:
    display.rows.append((name, "", "…", "", ""))
    start = time.monotonic()
    version = rotate(deployment, deployment.outputs["secret_arns"][name])
    row = (name, version[:8], f"{time.monotonic() - start:.2f} s")
    ended = deployment.sessions(name, end=True)
    display.rows[-1] = (*row, str(ended or "–"), "…")
    display.traffic.wait_for_requests(_SETTLED_REQUESTS)
    made = deployment.sessions(name)
    display.rows[-1] = (*row, str(ended or "–"), str(made or "–"))

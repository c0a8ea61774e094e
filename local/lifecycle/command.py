"""Makes every change of a stack that applies to it, and shows what each did."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from infra.config import functions
from local.config import project
from local.config.project import Stack
from local.deployment import Deployment
from local.engines.pulumi_engine import PulumiEngine
from local.lifecycle import report
from local.lifecycle.changes import CHANGES, Change, shown_for
from local.lifecycle.run import Lifecycle, LifecycleError, Outcome

STACKS = ("prod", "staging", "dev")  # the largest first


def run(
    deployed: Deployment,
    engine: PulumiEngine,
    console: Console,
    page: Path | None = None,
    only: str = "",
) -> int:
    """Make each change and the way back; return 0, or 1 if one did what it must not.

    `only` is a part of the titles of the changes to make. `page` is the document whose table gets
    the rows of the changes that no larger stack shows.
    """
    with _no_new_locks(deployed):
        changes = [each for each in CHANGES if only in each.title and each.applies(deployed.stack)]
        outcomes, failed = _make_all(changes, Lifecycle(deployed, engine), console)
    console.print(
        f"{len(outcomes)} changes made and taken back: no value changed, every function answered,"
        f" every rotation worked, and another `pulumi up` changed nothing; {failed} failed"
    )
    if page:
        text, shown = page.read_text(encoding="utf-8"), _shown(deployed.stack)
        page.write_text(
            report.with_rows(text, [each for each in outcomes if each.change.title in shown]),
            encoding="utf-8",
        )
    return 1 if failed else 0


def _make_all(
    changes: Iterable[Change], lifecycle: Lifecycle, console: Console
) -> tuple[list[Outcome], int]:
    """Make the changes; return the outcomes, and how many failed."""
    outcomes, failed = list[Outcome](), 0
    console.print("\n[bold]Changes, each alone and back[/bold]")
    for change in changes:
        try:
            outcome = lifecycle.make(change)
        except LifecycleError as error:
            failed += 1
            console.print(f"[red]✗[/red] {escape(str(error))}")
            lifecycle.take_back(change)
            continue
        outcomes.append(outcome)
        line = f"{change.title:48}  {outcome.seconds:4.1f} s  {report.summary(outcome)}"
        console.print(f"[green]✓[/green] {escape(line)}")
    try:
        lifecycle.check("after all of them")
    except LifecycleError as error:
        failed += 1
        console.print(f"[red]✗[/red] {escape(str(error))}")
    return outcomes, failed


@contextlib.contextmanager
def _no_new_locks(deployed: Deployment) -> Iterator[None]:
    """Remove the locks of requirements that other runtimes and architectures needed."""
    root = deployed.stack.program.parent
    requirements = [
        root / function.settings.requirements
        for function in functions.functions(deployed.settings).values()
        if function.settings.requirements
    ]

    def locks() -> set[Path]:
        return {lock for path in requirements for lock in path.parent.glob(f"{path.stem}.*.lock")}

    before = locks()
    try:
        yield
    finally:
        for lock in locks() - before:
            lock.unlink()


def _shown(stack: Stack) -> set[str]:
    """Return the titles of the changes that the page shows for this stack."""
    larger = itertools.takewhile(lambda name: name != stack.name, STACKS)
    return {*shown_for(stack, [project.load(stack.program.parent, name) for name in larger])}

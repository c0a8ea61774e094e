"""What the changes did: a line for each on the terminal, and a row in docs/operations.md."""

from collections.abc import Iterable
from itertools import starmap

from local.lifecycle.changes import CHANGES
from local.lifecycle.run import Outcome, Steps

_START, _END = "<!-- lifecycle: written by `make lifecycle` -->\n", "<!-- end of lifecycle -->"
_HEAD = [
    "| change | updated | created | deleted | deleted and created again |",
    "|---|---|---|---|---|",
]
_OPERATIONS = {
    "updated": "update",
    "created": "create",
    "deleted": "delete",
    "again": "create-replacement",
}


def summary(outcome: Outcome) -> str:
    """Return what a change did, in one line."""
    done = {name: _types(outcome.steps, operation) for name, operation in _OPERATIONS.items()}
    return "; ".join(f"{name}: {types}" for name, types in done.items() if types) or "nothing"


def row(outcome: Outcome) -> str:
    """Return a change as a row of the page's table."""
    cells = [_types(outcome.steps, operation) or "–" for operation in _OPERATIONS.values()]
    return f"| {' | '.join([outcome.change.title, *cells])} |"


def rows(page: str) -> dict[str, str]:
    """Return the rows of the page's table: title of a change -> row."""
    table = page.partition(_START)[2].partition(_END)[0].splitlines()[len(_HEAD) :]
    return {line.split(" | ")[0].removeprefix("| "): line for line in table}


def with_rows(page: str, outcomes: Iterable[Outcome]) -> str:
    """Return the page with the rows of these outcomes."""
    table = rows(page) | {outcome.change.title: row(outcome) for outcome in outcomes}
    lines = [*_HEAD, *(table[each.title] for each in CHANGES if each.title in table), _END]
    before, after = page.partition(_START)[0], page.partition(_END)[2]
    return before + _START + "\n".join(lines) + after


def _types(steps: Steps, operation: str) -> str:
    return ", ".join(sorted(starmap(_counted, steps.get(operation, {}).items())))


def _counted(type_: str, count: int) -> str:
    """Name a type as a program does: `lambda.Function`."""
    package, _, name = type_.removeprefix("aws:").partition("/")
    return f"{package}.{name.rpartition(':')[2]}{f' ×{count}' if count > 1 else ''}"

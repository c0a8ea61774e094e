"""What the local commands print: checks, outputs, cost, and how to connect."""

import io
import json
import shlex
import textwrap
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra import cost
from local.aws import EmbeddedAws
from local.engines.pulumi_engine import PulumiEngine
from local.proofs.results import CheckResult

_MARKS = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[dim]–[/dim]"}
_PROMISE_WIDTH = 63
_COST_WIDTH = 120  # the maximum


def table(outputs: Mapping[str, Any]) -> str:
    """Format outputs as `pulumi stack output` does: sorted, with maps as JSON.

    The cost is left out, because it has its own table.
    """
    rows = {
        name: value
        if isinstance(value, str)
        else json.dumps(value, separators=(",", ":"), sort_keys=True)
        for name, value in sorted(outputs.items())
        if name != "monthly_cost"
    }
    width = max(map(len, [*rows, "OUTPUT"]))
    lines = [f"{'OUTPUT':<{width}}  VALUE"]
    lines += [f"{name:<{width}}  {value}" for name, value in rows.items()]
    return "\n".join(f"    {line}" for line in lines)


def monthly_cost(outputs: Mapping[str, Any]) -> str:
    """Format the monthly cost as a table, most expensive first, with the total."""
    lines = [
        cost.Line(each["what"], each["quantity"], cost.Price(each["unitPrice"], each["unit"]))
        for each in outputs["monthly_cost"]
    ]
    table = Table(box=None, show_header=False, show_footer=True, pad_edge=False)
    table.title = (
        f"USD per month at the list prices of {cost.REGION}, {cost.MONTH}, without the free tier"
    )
    table.title_justify = "left"
    table.add_column(footer="total")
    table.add_column(justify="right")
    table.add_column()
    table.add_column(justify="right", footer=f"{cost.total(lines):,.2f}")
    for line in sorted(lines, key=lambda line: -line.usd):
        quantity = f"{line.quantity:,.3f}".rstrip("0").rstrip(".")
        table.add_row(line.what, quantity, line.price.unit, f"{line.usd:,.2f}")
    console = Console(width=_COST_WIDTH, file=io.StringIO(), color_system=None)
    with console.capture() as written:
        console.print(table)
    return textwrap.indent(written.get().rstrip("\n"), "    ")


def check(result: CheckResult) -> Iterator[str]:
    """Yield the lines of a check's result, in Rich's markup: a summary, then the details."""
    figure, *details = result.figure.splitlines() or [""]
    if result.passed is None:
        figure = f"skipped: {figure}"
    yield f"{_MARKS[result.passed]} {result.promise:<{_PROMISE_WIDTH}} [dim]{escape(figure)}[/dim]"
    for line in details:
        yield f"    [dim]{escape(line)}[/dim]"


def of_the_aws_cli(aws: EmbeddedAws, region: str, functions: Collection[str]) -> list[str]:
    """Return the shell commands to use the AWS CLI and to call each function."""
    lines = ["unset AWS_SESSION_TOKEN AWS_PROFILE", *_shell(aws.exports(region))]
    if functions:
        lines.append("")
    lines += [f"aws lambda invoke --function-name {arn} /dev/stdout" for arn in functions]
    return lines


def of_pulumi(engine: PulumiEngine, stack: str) -> list[str]:
    """Return the additional shell commands to run `pulumi up` offline."""
    folder = shlex.quote(str(engine.cli.path.parent))
    return [
        *([] if engine.cli.is_on_path else [f'export PATH={folder}:"$PATH"']),
        *_shell(engine.exports),
        f"cd {shlex.quote(str(engine.project))}",
        "# To use the AWS provider that Pulumi downloads: unset PULUMI_DEBUG_PROVIDERS",
        f"pulumi up --stack {stack}",
    ]


def _shell(variables: Mapping[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]

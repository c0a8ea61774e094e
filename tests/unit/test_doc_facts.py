"""What the docs quote from the code and from the benchmarks is what these say today."""

import ast
import re

import pytest

from tests.documented import read
from tests.recording import ROOT

OPERATIONS = read(ROOT / "docs/operations.md")
COMPARISON = read(ROOT / "docs/comparison.md")
RESULTS = read(ROOT / "benchmarks/RESULTS.md")
# How the page names a client of RESULTS.md -> how each of its tables does.
CLIENTS = {
    "this client": ("**this client**",) * 3,
    "`requests` to the extension": ("`requests`", "", "`requests`"),
    "aws-secretsmanager-caching": ("aws-secretsmanager-caching",) * 3,
    "boto3": ("boto3", "", "boto3"),
    "Powertools `parameters`": (
        "Powertools `parameters`",
        *("Powertools `SecretsProvider.get`",) * 2,
    ),
}


def texts(path: str) -> str:
    """Return the texts of a module, with `…` for each value that is put in."""
    found = []
    for node in ast.walk(ast.parse(read(ROOT / path))):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "…" for each in node.values]
            found.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return "\n".join(found)


def rows(table: str) -> list[list[str]]:
    """Return the rows of a table in Markdown, without its head."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def section(page: str, heading: str) -> str:
    """Return what is under a heading."""
    (found,) = re.findall(
        rf"^#+ {re.escape(heading)}[^\n]*\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL
    )
    return str(found)


def test_operations_quotes_what_rotation_and_login_say() -> None:
    said = "\n".join(
        texts(f"handler/{name}.py")
        for name in (
            "postgres",
            "rotation",
            "rotation_engine",
            "rotation_postgres",
            "rotation_roles",
        )
    )
    quoted = [row[0] for row in rows(section(OPERATIONS, "A stuck AWSPENDING"))]
    assert len(quoted) >= 10
    assert [quote for quote in quoted if quote not in said] == []


@pytest.mark.parametrize("client", CLIENTS)
def test_the_comparison_has_the_figures_of_the_benchmark(client: str) -> None:
    (_, cold, memory, hit, crowd) = next(
        row for row in rows(section(COMPARISON, "Clients")) if row[0] == client
    )
    in_cold, in_hit, in_crowd = CLIENTS[client]
    measured = {row[0]: row for row in rows(section(RESULTS, "Cold start"))}[in_cold]
    assert cold == f"{measured[1].split(' (')[0]} ms"
    assert memory == f"{re.split(r'[ ,]', measured[3])[0]} MiB"
    hits = {row[0]: row for row in rows(section(RESULTS, "A hit in the process"))}
    assert hit == (f"{hits[in_hit][1].split(' (')[0]} µs" if in_hit else "not cached")
    calls = {row[0]: row for row in rows(section(RESULTS, "50 threads"))}[in_crowd][1]
    assert int(crowd.split()[0]) == int(calls.split(",")[0])


def test_the_comparison_has_the_rotations_of_the_benchmark() -> None:
    for strategy, _, requests, failed, *_ in rows(section(RESULTS, "Rotation under traffic")):
        assert failed == "0"
        figure = rf"{int(requests):,}\s+(requests\s+)?with\s+{strategy}"
        assert re.search(figure, COMPARISON), strategy


def test_the_readme_rounds_the_cold_start_of_the_benchmark() -> None:
    measured = rows(section(RESULTS, "Cold start"))[0][1].split(" (")[0]
    assert f"adds {float(measured):.1f} ms to a cold start" in read(ROOT / "README.md")

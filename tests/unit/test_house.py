"""Who imports whom, what is generated, and what must stand nowhere."""

import ast
import re
import sys
from pathlib import Path

import pytest

from docs.generate import WRITTEN
from infra import incidents
from local.checks import PROMISES
from tests.recording import ROOT

PURE = (
    "alarm_filters",
    "audit_policies",
    "cost",
    "dashboards",
    "faults",
    "guardrails",
    "incidents",
    "layers",
    "limits",
    "monitoring_policies",
    "monitoring_rules",
    "network_policies",
    "network_rules",
    "parameter_policies",
    "parameter_rules",
    "policies",
    "replica_rules",
    "resource_policies",
    "resource_policy_rules",
    "rotation_rules",
    "rules",
    "schedules",
    "schema",
    "sensitive",
)
HANDLERS = {path.stem for path in ROOT.glob("handler/*.py")}
OURS = {"infra", "local", "tests", "docs", "benchmarks"} | HANDLERS


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def roots(path: Path) -> set[str]:
    return {name.split(".", 1)[0] for name in imports(path)}


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_import_neither_pulumi_nor_boto3(name: str) -> None:
    found = roots(ROOT / "infra" / f"{name}.py")
    assert found.isdisjoint({"pulumi", "pulumi_aws", "boto3", "botocore"})


@pytest.mark.parametrize("path", sorted((ROOT / "handler").glob("*.py")), ids=lambda p: p.name)
def test_handlers_import_nothing_of_the_project_but_themselves(path: Path) -> None:
    assert roots(path) & OURS <= HANDLERS


def test_the_reader_and_its_client_import_the_standard_library_only_unless_it_fails() -> None:
    for name in ("app.py", "secret_client.py"):
        path = ROOT / "handler" / name
        at_import = ast.parse(path.read_text(encoding="utf-8")).body
        found = {
            (node.module or "").split(".", 1)[0]
            if isinstance(node, ast.ImportFrom)
            else alias.name
            for node in at_import
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert found - {"secret_client"} <= sys.stdlib_module_names
        late = {"secret_client", "secret_telemetry", "snapshot_restore_py", "boto3", "botocore"}
        assert roots(path) - late <= sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted((ROOT / "infra").glob("*.py")), ids=lambda p: p.name)
def test_infra_imports_infra_only(path: Path) -> None:
    assert roots(path) & OURS <= {"infra"}


def test_nothing_but_tests_and_itself_imports_local() -> None:
    for path in [ROOT / "__main__.py", *ROOT.glob("infra/*.py"), *ROOT.glob("docs/*.py")]:
        assert roots(path).isdisjoint({"local", "tests"})
    for path in ROOT.glob("local/**/*.py"):
        assert roots(path).isdisjoint({"tests", "docs"})


@pytest.mark.parametrize("name", WRITTEN)
def test_generated_text_is_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert WRITTEN[name](text) == text, "out of date: run `make docs`"


def test_a_table_that_was_edited_by_hand_is_written_anew() -> None:
    text = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert WRITTEN["docs/config.md"](text.replace("| 0 to 300 |", "| 0 to 301 |", 1)) == text


def test_the_readme_shows_every_check_and_every_output() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    program = (ROOT / "__main__.py").read_text(encoding="utf-8")
    for promise in PROMISES:
        assert f"✓ {promise} " in text
    for output in re.findall(r'pulumi\.export\("(\w+)"', program):
        assert f"`{output}`" in text


def test_operations_has_a_section_for_each_alarm() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for name in incidents.descriptions(incidents.Sight("", "", "", "")):
        assert f"\n## {name}\n" in text

"""Who imports whom, what is generated, and what must stand nowhere."""

import ast
import functools
import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from docs.generate import WRITTEN
from infra.alarms import incidents
from infra.config import shared
from local.proofs import engine_checks, leftovers
from local.proofs.checks import PROMISES
from tests.recording import ROOT

# Of infra/, these alone may import pulumi: what makes resources, reads config, or asks the engine.
WITH_PULUMI = {
    *(
        "infra.wiring",
        "infra.app_functions",
        "infra.observability",
        "infra.secret_rotations",
        "infra.physical_names",
        "infra.config.settings",
        "infra.config.secret_values",
    ),
    *("infra.changes.comparison", "infra.changes.lookups", "infra.changes.recorded_state"),
}
COMPONENTS = "infra.components"
SECRET = "infra/components/app_secret.py"
SDKS = {"pulumi", "pulumi_aws", "boto3", "botocore"}
PACKAGES = ("infra", "local", "ops", "tests", "docs", "benchmarks", "tools")

Graph = dict[str, set[str]]
"""Module -> the modules that it imports when it is imported or used, outer ones by their root."""
CODE = ("infra", "handler", "local", "ops", "tests")


def modules(root: Path) -> dict[str, Path]:
    """Name every module of the checkout by what it is imported as."""
    found = {"__main__": root / "__main__.py"}
    for base, folder in ((root / "handler", "."), *((root, package) for package in PACKAGES)):
        for path in (base / folder).rglob("*.py"):
            parts = path.relative_to(base).with_suffix("").parts
            if ".venv" in parts:  # of the benchmarks' peers
                continue
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def graph(root: Path) -> Graph:
    """Read who imports whom out of the sources."""
    own = modules(root)
    found: Graph = {}
    for name, path in own.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        imported = read(path.read_text(encoding="utf-8"), package)
        found[name] = {owner(each, own) for each in imported} | {
            parent
            for each in imported & set(own)
            for parent in own
            # Its package is imported first, unless it is on the way to the module itself.
            if each.startswith(f"{parent}.") and not f"{name}.".startswith(f"{parent}.")
        }
    return found


def owner(imported: str, own: Collection[str]) -> str:
    """Return the module that a name is imported from, or the root of one that is not our own."""
    name = imported
    while name not in own and "." in name:
        name = name.rpartition(".")[0]
    return name


@functools.cache
def read(text: str, package: str) -> frozenset[str]:
    return frozenset(imports(ast.parse(text), package))


def imports(node: ast.AST, package: str) -> set[str]:
    """Name what a piece of source imports, but for types only."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names}
        elif isinstance(child, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - child.level + 1]
            module = ".".join([*(base if child.level else []), *filter(None, [child.module])])
            found |= {f"{module}.{alias.name}" for alias in child.names}
            found |= {module} if child.module else set()  # else the package, which is there
        found |= imports(child, package)
    return found


def reached(from_: str, edges: Graph) -> set[str]:
    """Return all that a module imports, directly or by way of others."""
    found: set[str] = set()
    waiting = [from_]
    while waiting:
        new = edges.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def breaches(edges: Graph) -> set[tuple[str, str]]:
    """Return who imports what it must not, directly or not."""
    handlers = {name.split(".", 1)[0] for name in edges} - {"__main__", *PACKAGES}
    found = set()
    for name in edges:
        root = name.split(".", 1)[0]
        forbidden: set[str] = set()
        if root == "infra":
            forbidden = {"boto3", "botocore", *handlers, *PACKAGES} - {"infra"}
            if name.startswith(f"{COMPONENTS}."):
                forbidden.add("infra.config")
            elif name not in WITH_PULUMI:
                forbidden |= SDKS
        elif root in handlers:
            forbidden = {*PACKAGES, "pulumi", "pulumi_aws"}
        elif root == "__main__":
            forbidden = {*handlers, *PACKAGES, "boto3", "botocore"} - {"infra"}
        elif root == "local":
            forbidden = {"tests", "docs", "benchmarks", "tools", "ops"}
        elif root == "ops":
            forbidden = {*handlers, *PACKAGES, "pulumi", "pulumi_aws"} - {"ops", "infra"}
        found |= {
            (name, each) for each in reached(name, edges) if {each, each.split(".")[0]} & forbidden
        }
    return found


def test_nobody_imports_what_it_must_not() -> None:
    edges = graph(ROOT)
    assert len(edges) > 150
    for name in WITH_PULUMI:
        assert {"pulumi", "pulumi_aws"} & reached(name, edges)
    assert breaches(edges) == set()


def test_what_the_preview_shares_with_the_functions_is_one_module_that_imports_nothing() -> None:
    """It is loaded by its path: `handler/` is on no path of imports when a program is deployed."""
    edges = graph(ROOT)
    loaders = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "infra").rglob("*.py")
        if "spec_from_file_location" in path.read_text(encoding="utf-8")
    }
    assert loaders == {"infra/config/shared.py"}
    assert shared.__all__ == ["postgres_fields"]
    assert Path(str(shared.postgres_fields.__file__)) == ROOT / "handler/postgres_fields.py"
    assert edges["postgres_fields"] <= sys.stdlib_module_names


def test_no_module_imports_itself_by_way_of_others() -> None:
    edges = graph(ROOT)
    assert {name for name in edges if name in reached(name, edges)} == set()
    edges["infra.aws.limits"].add("infra.wiring")
    assert "infra.wiring" in reached("infra.wiring", edges)


@pytest.mark.parametrize(
    ("path", "line", "breach"),
    [
        ("infra/cost.py", "from infra.components import packages", ("infra.cost", "pulumi")),
        ("infra/cost.py", "from .components.packages import compiled", ("infra.cost", "pulumi")),
        ("infra/config/rules/new.py", "import boto3", ("infra.config.rules.new", "boto3")),
        ("infra/deep/rules.py", "def f():\n    import pulumi", ("infra.deep.rules", "pulumi")),
        (SECRET, "import boto3", ("infra.components.app_secret", "boto3")),
        (SECRET, "import secret_client", ("infra.components.app_secret", "secret_client")),
        (SECRET, "import infra.config", ("infra.components.app_secret", "infra.config")),
        (SECRET, "from local import aws", ("infra.wiring", "local.aws")),
        ("handler/app.py", "import infra.aws.limits", ("app", "infra.aws.limits")),
        ("handler/deep/more.py", "import local.aws", ("deep.more", "local.aws")),
        (
            "local/aws.py",
            "from tests import recording",
            ("local.proofs.checks", "tests.recording"),
        ),
        ("__main__.py", "import boto3", ("__main__", "boto3")),
        ("ops/stack.py", "from local import aws", ("ops.stack", "local.aws")),
    ],
)
def test_an_import_that_must_not_be_is_found(
    tmp_path: Path, path: str, line: str, breach: tuple[str, str]
) -> None:
    for name in CODE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "__main__.py", tmp_path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    with (tmp_path / path).open("a") as source:
        source.write(f"\n{line}\n")
    assert breach in breaches(graph(tmp_path))


def test_the_reader_and_its_client_import_the_standard_library_only_unless_it_fails() -> None:
    edges = graph(ROOT)
    late = {"boto3", "botocore", "snapshot_restore_py"}
    for name in (each for each in edges if each.split(".", 1)[0] in ("app", "secret_client")):
        path = modules(ROOT)[name]
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        top = ast.Module(
            [
                node
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.Import | ast.ImportFrom)
            ],
            [],
        )
        for found, allowed in ((imports(top, package), set()), (edges[name], late)):
            roots = {each.split(".", 1)[0] for each in found} - {"secret_client"}
            assert roots - allowed <= sys.stdlib_module_names, name


@pytest.mark.parametrize("name", WRITTEN)
def test_generated_text_is_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert WRITTEN[name](text) == text, "out of date: run `make docs`"


def test_a_table_that_was_edited_by_hand_is_written_anew() -> None:
    text = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert WRITTEN["docs/config.md"](text.replace("| 0 to 300 |", "| 0 to 301 |", 1)) == text


def test_no_code_holds_the_projects_name_which_is_ones_own_to_change() -> None:
    # Type tokens of components stay, as the states of stacks hold them; a release is a file.
    name = re.compile(r"lambda-secrets(?!:index:|-\d|\(\?)")
    token, tokens = "lambda-secrets:index:", 0
    for path in (
        ROOT / "__main__.py",
        *(each for folder in CODE for each in ROOT.glob(f"{folder}/**/*.py")),
    ):
        text = path.read_text(encoding="utf-8")
        tokens += text.count(token)
        assert not name.search(text), path
    assert tokens


def test_the_docs_show_every_check_and_every_output() -> None:
    local_aws = (ROOT / "docs/local-aws.md").read_text(encoding="utf-8")
    reference = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    program = (ROOT / "__main__.py").read_text(encoding="utf-8")
    for promise in (*PROMISES, *engine_checks.PROMISES):
        assert re.search(rf"^[✓–] {re.escape(promise)} ", local_aws, re.MULTILINE)
    for output in re.findall(r'pulumi\.export\("(\w+)"', program):
        assert f"`{output}`" in reference


@pytest.mark.parametrize("page", ["README.md", "docs/local-aws.md", "docs/production.md"])
def test_every_check_that_a_page_shows_is_one_of_today(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.findall(r"^[✓✗–] (.*?)  ", text, re.MULTILINE)
    assert shown
    assert set(shown) <= {*PROMISES, *engine_checks.PROMISES}


def test_operations_has_a_section_for_each_alarm() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for name in incidents.descriptions(incidents.LogLocations("", "", "", "")):
        assert f"\n## {name}\n" in text


def test_operations_says_what_destroy_leaves_in_the_words_of_the_check() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Destroy a stack\n(.*?)^# ", text, re.MULTILINE | re.DOTALL)
    kinds = {*leftovers.KEPT.values(), *leftovers.SCHEDULED.values(), leftovers.PARAMETER}
    assert kinds == set(leftovers.DOCUMENTED)
    for words in leftovers.DOCUMENTED.values():
        assert words in " ".join(section.split())

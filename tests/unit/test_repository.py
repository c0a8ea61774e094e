"""What contributors read and CI runs names files and commands that exist."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.recording import ROOT
from tools import pythons

PAGES = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")),
    ROOT / "examples/README.md",
    ROOT / ".github/pull_request_template.md",
]
WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), ROOT / "examples/pipeline/deploy.yml"]
TARGETS = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
# A name with one of these stands for several, or for one that is yet to be made.
PLACEHOLDER = re.compile(r"[A-Z]{4}|[*…]")


def errors(text: str) -> Iterator[str]:
    """Yield the paths and targets of make in a page that do not exist."""
    for code in re.findall(r"`([^`\n]+)`", text):
        path = code.partition(" ")[0]
        named = path.partition("/")[0] in FOLDERS and not PLACEHOLDER.search(path)
        if named and not (ROOT / path).exists():
            yield f"path {path}"
    yield from (f"target {target}" for target in targets(text) if target not in TARGETS)


def targets(text: str) -> list[str]:
    return re.findall(r"(?:^|[`$&] ?)make (?:--[\w-]+ )?([\w./-]+)", text, re.MULTILINE)


def jobs(workflow: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return found


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(workflow).values() for step in job["steps"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    assert list(errors(page.read_text(encoding="utf-8"))) == []


def test_what_does_not_exist_is_found() -> None:
    page = "`infra/none.py` `infra/cost.py` `infra/NAME.py` `make none`"
    assert list(errors(page)) == ["path infra/none.py", "target none"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_commands_of_a_workflow_exist(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    for command in commands:
        subprocess.run(["bash", "-n", "-c", command], check=True)  # noqa: S603, S607 (ours)
        assert set(targets(command)) <= TARGETS
        program = command.split()[0]
        assert program in {"make", "pulumi", "sudo"} or (ROOT / program).is_file()


def test_ci_runs_the_script_and_every_supported_python() -> None:
    workflow = ROOT / ".github/workflows/ci.yml"
    assert {".ci/run", "make test-pythons"} <= {step.get("run") for step in steps(workflow)}
    (setup,) = (step for step in jobs(workflow)["pythons"]["steps"] if "with" in step)
    versions = setup["with"]["python-version"].split()
    assert sorted(versions) == [f"3.{minor}" for minor in pythons.MINORS]


@pytest.mark.parametrize(
    "form", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/[bf]*.yml")), ids=lambda path: path.name
)
def test_an_issue_form_has_what_github_requires(form: Path) -> None:
    read = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert read.keys() >= {"name", "description", "body"}
    fields = [each for each in read["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in fields}) == len(fields) > 0
    assert all(each["attributes"]["label"] for each in fields)


def test_the_commit_hook_runs_what_ci_runs() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [targets(hook["entry"]) for hook in repo["hooks"]] == [["check"]]


def test_the_version_has_its_section_in_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert released[0] == project["version"]

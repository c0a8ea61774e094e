"""The YAML in README.md and docs/: it is YAML, and config in it is accepted."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from infra.config.environment import Environment
from infra.config.settings import SettingsError, load
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.documented import PAGES, fences
from tests.recording import ROOT, Recording

CODE = {"code": "handler/app.py", "handler": "app.lambda_handler", "runtime": "python3.13"}
_SECRET = {"description", "from", "fields", "generate", "rotation"}


def snippets(text: str) -> Iterator[str]:
    """Return the YAML of a page."""
    yield from fences(text, "yaml", "yml")


def read(snippet: str, folder: Path) -> Environment | None:
    """Load a snippet by the project's own loader and settings; None where it is no stack config.

    What it leaves out is the stack dev's: keys of config, and secrets.
    """
    (folder / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    is_file = re.search("^config:", snippet, re.MULTILINE)
    text = snippet if is_file else f"config:\n  secrets:\n{textwrap.indent(snippet, '    ')}"
    (folder / "Pulumi.snippet.yaml").write_text(text, encoding="utf-8")
    loaded, dev = project.load(folder, "snippet"), project.load(ROOT, "dev")
    found = yaml.safe_load(snippet)
    if "config" in found:
        given = {
            key.rpartition(":")[2]: value
            for key, value in found["config"].items()
            if not key.startswith("aws:")
        }
    elif all(isinstance(each, dict) and _SECRET & each.keys() for each in found.values()):
        given = {"secrets": found}
    else:
        return None
    kept = dict(dev.config)
    if {"function", "functions"} & given.keys():
        for section in ("function", "functions"):
            kept.pop(f"{dev.project}:{section}", None)
    for function in given.get("functions", {}).values():
        function.update(CODE)  # the page's own is not here
        for key in ("requirements", "event", "expect", "include"):
            function.pop(key, None)
    secrets = json.loads(dev.config[f"{dev.project}:secrets"]) | given.pop("secrets", {})
    values = {name: "v" for name, each in secrets.items() if each.get("from") == "config"}
    given |= {"secrets": secrets, **({"secretValues": values} if values else {})}
    config = {f"{dev.project}:{key}": json.dumps(value) for key, value in given.items()}
    region = {"aws:region": loaded.region or dev.region}
    completed = replace(
        loaded,
        program=dev.program,
        config={**kept, **config, **region},
        secret_keys=(f"{dev.project}:secretValues",) if values else (),
    )
    environments: list[Environment] = []
    BuiltInEngine(Recording()).run(completed, lambda: environments.append(load()))
    return environments[0]


SNIPPETS = [
    pytest.param(snippet, id=f"{page.name}-{number}")
    for page in PAGES
    for number, snippet in enumerate(snippets(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_yaml_that_a_page_shows_is_accepted(snippet: str, tmp_path: Path) -> None:
    read(snippet, tmp_path)


def test_config_that_a_page_shows_is_read(tmp_path: Path) -> None:
    schedules = set()
    for page in PAGES:
        for each in snippets(page.read_text(encoding="utf-8")):
            if environment := read(each, tmp_path):
                database = environment.settings.secrets["database"].rotation
                schedules.add(database and database.schedule)
    assert "cron(0 4 ? * SUN *)" in schedules


@pytest.mark.parametrize(
    ("snippet", "error"),
    [
        ("database:\n  rotation: {schedule: cron(0 4 ? * SUN *), windowHours: 3}\n", "not YAML"),
        ("database:\n  from: external\ndatabase:\n  from: external\n", "is already in line 3"),
        ("config:\n  any:secrets:\n    a: {from: vault}\n", "must be 'generate'"),
        ("config:\n  any:maxStaleness: 3\n", "maxStaleness is an unknown key"),
        ("a: {rotation: {strategy: random}}\n", "a has neither"),
    ],
)
def test_a_snippet_that_is_wrong_is_found(snippet: str, error: str, tmp_path: Path) -> None:
    page = f"text\n\n- in a list:\n\n  ```yaml\n{textwrap.indent(snippet, '  ')}  ```\n"
    [found] = snippets(page)
    assert found == snippet
    with pytest.raises((project.ProjectError, SettingsError), match=error):
        read(found, tmp_path)


def test_yaml_that_is_no_stack_config_is_only_parsed(tmp_path: Path) -> None:
    assert read("name: checks\njobs: {check: {steps: []}}\n", tmp_path) is None


def test_the_error_that_production_shows_is_the_one_of_its_config(tmp_path: Path) -> None:
    said = "extension.secretsTtlSeconds must be 0 to 300, got 301"
    assert f":{said}; " in (ROOT / "docs/production.md").read_text("utf-8")
    with pytest.raises(SettingsError, match=said):
        read("config:\n  extension: {secretsTtlSeconds: 301}\n", tmp_path)

"""The commands of pulumi in README.md and docs/ have only options that the CLI knows."""

import functools
import re
from pathlib import Path

import pytest

from local.engines import pulumi_cli
from tests.documented import PAGES, read
from tests.engine.cli import Cli, needs_cli
from tests.unit.test_doc_commands import commands, spans

pytestmark = needs_cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    folder = tmp_path / "cli"
    folder.mkdir()
    return Cli(folder)


def errors(cli: Cli, words: list[str]) -> list[str]:
    """Say which options of a call of pulumi the CLI does not know."""
    names: list[str] = []
    text = ""
    for word in words:
        further = _help(cli, (*names, word))
        # With an argument that is not a command, the help is that of the command before it.
        if word.startswith("-") or len(_usage(further)) != len(names) + 1:
            break
        names.append(word)
        text = further
    if not names:
        return [f"no command {' '.join(words)}"]
    known = set(re.findall(r"(?<=[ ,])-{1,2}[a-zA-Z][\w-]*", text))
    options = [word.partition("=")[0] for word in words if re.match("-{1,2}[a-z]", word)]
    return [f"{' '.join(names)} has no option {each}" for each in options if each not in known]


def _usage(text: str) -> list[str]:
    """Return the names in the usage of a command, which may be those of its aliases."""
    found = re.search(r"^Usage:\n  pulumi((?: [a-z-]+)*)", text, re.MULTILINE)
    return found[1].split() if found else []


@functools.cache
def _help(cli: Cli, names: tuple[str, ...]) -> str:
    return cli.run(*names, "--help").stdout


@pytest.mark.exhaustive
def test_commands_of_pulumi_have_only_options_of_the_cli(cli: Cli, tmp_path: Path) -> None:
    assert pulumi_cli.find()
    found = []
    for number, page in enumerate(PAGES):
        (folder := tmp_path / str(number)).mkdir()
        calls = [*commands(read(page), folder), *spans(read(page))]
        found += [
            (page.name, error)
            for tool, *words in calls
            if tool == "pulumi"
            for error in errors(cli, words)
        ]
    assert found == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ups -s dev", "no command ups -s dev"),
        ("up -s dev --skip-previews", "up has no option --skip-previews"),
        ("stack output functions -s dev -q", "stack output has no option -q"),
    ],
)
def test_an_option_that_the_cli_does_not_know_is_found(cli: Cli, words: str, error: str) -> None:
    assert errors(cli, words.split()) == [error]

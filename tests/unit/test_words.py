"""Users read plain English: the words that CONTRIBUTING.md replaces first are in no text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recording import ROOT

# Pattern -> what to write instead.
WORDS = {
    r"mend(s|ed|ing)?": "fix",
    r"anew": "again",
    r"besides": "also, in addition",
    r"at hand": "available, cached",
    r"of before": "previous",
    r"who(ever)? deploys": "the deployer",
    r"is no (key|secret|stack|JSON)": "unknown key, is not a secret",
    r"must be [\d,]+ at least": "must be at least",
}
TEXTS = {
    "infra": ("infra/**/*.py",),
    "handler": ("handler/**/*.py",),
    "local": ("local/**/*.py", "local/**/*.cjs"),
    "docs": ("*.md", "docs/*.md", "examples/**/*.md", "Pulumi*.yaml", "Makefile"),
}
CASES = [(pattern, folder) for folder in TEXTS for pattern in WORDS]
# CHANGELOG.md says what was; the guide quotes the words.
EXCEPT = {"CHANGELOG.md", "CONTRIBUTING.md"}


def found(pattern: str, *globs: str) -> Iterator[str]:
    """Yield where a word is in the files: path, line, and the line's text."""
    word = re.compile(rf"\b(?:{pattern})\b")
    for path in sorted({path for each in globs for path in ROOT.glob(each)}):
        if path.name not in EXCEPT:
            yield from occurrences(word, path)


def occurrences(word: re.Pattern[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if word.search(line):
            yield f"{path.name}:{number}: {line.strip()}"


@pytest.mark.parametrize(("pattern", "folder"), CASES)
def test_text_has_none_of_the_words(pattern: str, folder: str) -> None:
    lines = list(found(pattern, *TEXTS[folder]))
    assert not lines, f"write {WORDS[pattern]!r}:\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"mend(s|ed|ing)?", "; mend it in Pulumi.dev.yaml"),
        (r"who(ever)? deploys", "whoever deploys must be one"),
        (r"must be [\d,]+ at least", "must be 1,365 at least"),
    ],
)
def test_a_word_is_found_and_longer_ones_are_not(tmp_path: Path, pattern: str, text: str) -> None:
    assert pattern in WORDS
    page = tmp_path / "page.md"
    page.write_text(f"amended, recommends, mending_wall\n\n{text}\n")
    word = re.compile(rf"\b(?:{pattern})\b")
    assert list(occurrences(word, page)) == [f"page.md:3: {text}"]

"""What README.md and docs/ show: their pages, and the code, links and headings in them."""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.recording import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
_OTHERS = ("[A-Z]*.md", ".github/*.md", "examples/**/*.md")
GUIDES = [*PAGES, *sorted({path for each in _OTHERS for path in ROOT.glob(each)} - {*PAGES})]
"""These, and the pages in the root, for GitHub and next to the examples."""
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def fences(text: str, *languages: str) -> Iterator[str]:
    """Return the code of each fence in one of the languages, in lists too."""
    for found in _FENCE.finditer(text):
        if found["language"] in languages:
            yield textwrap.dedent(found["code"])


def without_fences(text: str) -> str:
    """Return a page's prose, inline code included."""
    return _FENCE.sub("", text)


def inline_code(text: str) -> list[str]:
    """Return the spans of inline code in a page's prose, each as one line."""
    return [" ".join(span.split()) for _, span in _INLINE.findall(without_fences(text))]


def anchors(text: str) -> set[str]:
    """Return what a link to the page can have after `#`, as GitHub makes it of its headings."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*?) *$", without_fences(text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    prose = _INLINE.sub("code", without_fences(text))
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def console(text: str) -> list[str]:
    """Return the commands of a page's terminal sessions: after `$`, with continuation lines."""
    return [
        command
        for session in fences(text, "console", "sh", "bash", "shell")
        for command in re.findall(r"^\$ (.*(?:\n    .*)*)", session, re.MULTILINE)
    ]


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def documents(heading: str, **values: str) -> list[dict[str, Any]]:
    """Return the JSON of a section of docs/operations.md, with values for its placeholders."""
    _, _, section = read(ROOT / "docs/operations.md").partition(f"\n## {heading}\n")
    found = list(fences(section.split("\n## ")[0], "json"))
    assert found
    for name, value in values.items():
        assert any(name in each for each in found)
        found = [each.replace(name, value) for each in found]
    return [json.loads(each) for each in found]

"""Every relative link of README.md and docs/ leads to a file, and every anchor to a heading."""

import re
from pathlib import Path

import pytest

from tests.documented import GUIDES, PAGES, anchors, links, read
from tests.recording import ROOT

QUOTED = re.compile(
    r'"([^"\n]+)" in docs/operations\.md'
    r'|docs/operations\.md\)?(?: says(?: so| why)?)?,(?: under)? "([^"\n]+)"'
    r"|docs/operations\.md\)?, ([A-Z][\w ]+)\)"
)
"""How code and the changelog name a heading of docs/operations.md."""


def broken(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    found = []
    for link in links(read(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (
            anchor and (target.suffix != ".md" or anchor not in anchors(read(target)))
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Put a value\n\n## `a.b`: AWS's \n\n## Put a value\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n\n[a](other.md) [b](other.md#put-a-value) [c](#here) [d](https://example.com/#x)"
        "\n[e](other.md#ab-awss) ![f](none.svg) [g](other.md#put-values) [h](#there)"
        "\n[i](other.md#put-a-value-1) [j](other.md#put-a-value-2)\n\n```\n[k](none.md)\n```\n"
    )
    assert broken(page) == ["none.svg", "other.md#put-values", "#there", "other.md#put-a-value-2"]


def test_readme_links_every_page_and_stays_short() -> None:
    readme = read(ROOT / "README.md")
    linked = {link.partition("#")[0] for link in links(readme)}
    assert {page.relative_to(ROOT).as_posix() for page in PAGES[1:]} <= linked
    assert len(readme.splitlines()) < 120


def test_headings_of_operations_that_code_and_changelog_name_exist() -> None:
    page = anchors(read(ROOT / "docs/operations.md"))
    named: dict[str, str] = {}
    code = [
        path for folder in ("infra", "handler", "local") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    for path in [ROOT / "CHANGELOG.md", *code]:
        # The text of a message may go on in the next literal.
        text = re.sub(r"['\"]\n\s+f?['\"]", "", read(path))
        for groups in QUOTED.findall(" ".join(text.split())):
            heading = "".join(groups)
            named[heading] = path.name
    assert {"A stuck AWSPENDING", "Rename an environment", "Remove or rename"} <= named.keys()
    missing = {
        heading: where for heading, where in named.items() if not anchors(f"# {heading}") <= page
    }
    assert missing == {}

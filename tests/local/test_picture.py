"""The README's picture: its lines are those that a run prints today, and none is private."""

import re
from xml.etree import ElementTree as ET

import pytest

from local.proofs import engine_checks
from local.proofs.checks import PROMISES
from tests.recording import ROOT
from tools import picture

_TEXT = "{http://www.w3.org/2000/svg}text"
_COLUMN = 12.2
"""Width of a character in the picture's units."""
_LONGEST_WORD = 24
"""Characters. A generated value has 32 or more; a function's name in the embedded AWS has 23."""


def lines(svg: str) -> list[str]:
    """Return the lines of a picture, without the window's title."""
    rows: dict[float, str] = {}
    for text in ET.fromstring(svg).iter(_TEXT):  # noqa: S314 (our own file)
        if "title" not in text.attrib["class"]:
            y, column = float(text.attrib["y"]), round(float(text.attrib["x"]) / _COLUMN)
            row = rows.get(y, "").ljust(column)
            rows[y] = row + (text.text or "").replace("\xa0", " ")
    return [rows[y].rstrip() for y in sorted(rows) if rows[y].strip()]


def checks(drawn: list[str]) -> list[str]:
    """Return the names of the checks in a picture."""
    _, _, after = "\n".join(drawn).partition("\nChecks\n")
    return [re.split(r"  +", line[2:])[0] for line in after.splitlines()]


def private(drawn: list[str]) -> list[str]:
    """Return what no picture may show: paths of a machine, and words as long as a value."""
    words = " ".join(drawn).split()
    paths = [word for word in words if re.match(r"(/|~|[A-Z]:\\)", word)]
    urls = ("http://127.0.0.1:",)
    return paths + [
        word for word in words if len(word) > _LONGEST_WORD and not word.startswith(urls)
    ]


def shape(drawn: list[str]) -> list[str]:
    """Return lines without what differs from run to run."""
    return [re.sub(r"^\S+(?=, stack)|function-\w+|[\d.]+", "…", line) for line in drawn]


def test_the_picture_shows_every_check_of_today_and_nothing_private() -> None:
    drawn = lines(picture.PICTURE.read_text(encoding="utf-8"))
    assert drawn[0] == "$ make up"
    assert checks(drawn) == [*PROMISES, *engine_checks.PROMISES]
    assert not any(line.startswith("✗") for line in drawn)
    assert private(drawn) == []


def test_a_picture_of_a_private_line_is_found() -> None:
    shown = [f"✓ {PROMISES[4]}     17 lines", "python in /usr/bin", "k" * 32]
    drawn = lines(picture.drawn(["Checks", *shown]))
    assert checks(drawn)[0] == PROMISES[4]
    assert private(drawn) == ["/usr/bin", "k" * 32]


def test_only_what_every_machine_prints_is_shown() -> None:
    printed = (
        "shop, stack dev, us-east-1, on an embedded AWS at http://127.0.0.1:45001\n"
        "engine: Pulumi 3.274.1 at /usr/local/bin/pulumi\n  aws:kms/key:Key environment-key\n"
        "✓ 25 resources in 4.8 s\n! database: the database is a PostgreSQL here\n\nChecks\n"
        "✓ a second up changes nothing     0.9 s\npython3.13 functions run in /usr/bin/python3\n"
        "\nOutputs\n– not this\n"
    )
    assert picture.shown(printed) == [
        "shop, stack dev, us-east-1, on an embedded AWS at http://127.0.0.1:45967",
        "✓ 25 resources in 4.8 s",
        "",
        "Checks",
        "✓ a second up changes nothing     0.9 s",
    ]


@pytest.mark.exhaustive
def test_a_run_prints_the_lines_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "built-in")
    drawn = lines(picture.drawn(picture.shown(picture.run())))
    committed = lines(picture.PICTURE.read_text(encoding="utf-8"))
    kept = committed[: -len(engine_checks.PROMISES)]
    size = re.compile(r"… KiB")  # of the state, which each engine writes in its own way
    assert [size.sub("", line) for line in shape(drawn)] == [
        size.sub("", line) for line in shape(kept)
    ]


def test_make_picture_writes_what_the_readme_shows() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = r"^picture: .*\n\t@\$\(BIN\)/python -m tools.picture$"
    assert re.search(command, makefile, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"]({picture.PICTURE.relative_to(ROOT).as_posix()})" in readme

"""Puts the lines that a refused preview prints into a stack's file, as its user would."""

import itertools
from pathlib import Path

import yaml

from tests.recording import PROJECT


def paste(path: Path, printed: str) -> None:
    """Complete the exemptions that an error prints, and put them into the file."""
    lines = printed.splitlines()
    (first,) = (number for number, line in enumerate(lines) if line.strip() == "exemptions:")
    indent = lines[first].partition("exemptions")[0]
    block = [
        lines[first],
        *itertools.takewhile(lambda line: line.startswith(f"{indent}  "), lines[first + 1 :]),
    ]
    text = (
        "\n".join(block)
        .replace('owner: ""', "owner: platform")
        .replace("WHY", "It is a test's stack.")
    )
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    written["config"][f"{PROJECT}:exemptions"] = yaml.safe_load(text)["exemptions"]
    path.write_text(yaml.safe_dump(written), encoding="utf-8")

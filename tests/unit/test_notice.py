"""NOTICE names what is shipped that others wrote."""

import re
from importlib import metadata

from infra.components import packages
from tests.recording import ROOT

NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")


def packed() -> dict[str, set[str]]:
    """Return the distributions that a rotation function has: name -> file names of licenses."""
    found: dict[str, set[str]] = {}
    for name in packages.distribution("pg8000"):
        if info := re.fullmatch(r"([\w.]+)-[^/]+\.dist-info/(.+)", name):
            distribution = metadata.metadata(info[1])["Name"]
            found.setdefault(distribution, set()).add(info[2])
    return found


def test_notice_names_every_distribution_that_a_deployment_packs() -> None:
    section = NOTICE.partition("\nPython distributions\n")[2].partition("\n\n\n")[0]
    named = re.findall(r"^([\w-]+)  +\S.*Copyright", section, re.MULTILINE)
    assert named == sorted(packed())


def test_a_packed_distribution_brings_its_license() -> None:
    for name, files in packed().items():
        assert {file for file in files if file.endswith("LICENSE")}, name


def test_the_copyright_line_is_one() -> None:
    (line,) = re.findall(r"^ +(Copyright \d+ .*)$", (ROOT / "LICENSE").read_text(), re.MULTILINE)
    assert line in NOTICE

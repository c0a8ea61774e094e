"""What the checks look for when they look for a value, and how a package is made."""

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.checks import leaked
from local.provider import package

CANARY = 'pa"ss\\wörd/+='


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        json.dumps({"password": CANARY}),
        f"https://host/?p={quote(CANARY, safe='')}",
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_a_value_is_found_however_it_is_written(text: str) -> None:
    assert leaked(f"before {text} after", {"other", CANARY})


def test_a_text_without_the_value_has_no_leak() -> None:
    assert not leaked("nothing here", {CANARY})


@given(st.text(min_size=1), st.text(), st.text())
def test_any_value_is_found_in_any_json_around_it(value: str, before: str, after: str) -> None:
    assert leaked(json.dumps({"k": before + value + after}), {value})


def test_package_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    for path in (first, second):
        path.write_text("a = 1\n")
    os.utime(second, (0, 0))
    second.chmod(0o755)

    def packed(path: Path) -> bytes:
        return package(pulumi.AssetArchive({"app.py": pulumi.FileAsset(str(path))}))

    assert packed(first) == packed(second)
    second.write_text("a = 2\n")
    assert packed(first) != packed(second)

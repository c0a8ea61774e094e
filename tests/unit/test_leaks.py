"""What the checks look for when they look for a value, and how a package is made."""

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote

import pulumi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.proofs.leaks import leaked, leaked_file
from local.proofs.results import CheckFailed
from local.proofs.search import contains_any
from local.provider.archive import package

CANARY = 'pa"s<s\\w&ö>rd/+='


def go(text: str) -> str:
    """Write JSON as the extension does."""
    return json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


WRITTEN = {
    "as it is": CANARY,
    "as JSON": json.dumps({"password": CANARY}),
    "as JSON of UTF-8": json.dumps({"password": CANARY}, ensure_ascii=False),
    "as JSON in JSON": json.dumps({"SecretString": json.dumps({"password": CANARY})}),
    "as the extension writes it": go(json.dumps({"password": CANARY})),
    "in a URL": f"https://host/?p={quote(CANARY, safe='')}",
    "in base64": base64.b64encode(CANARY.encode()).decode(),
    "in base64 of more": base64.b64encode(f'{{"password": "{CANARY}"}}'.encode()).decode(),
    "in base64 of one more": base64.b64encode(f"x{CANARY}y".encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(f"xy{CANARY}".encode()).decode(),
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_value_is_found_however_it_is_written(text: str) -> None:
    assert leaked(f"before {text} after", {"another-value", CANARY})


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_value_is_found_in_a_file_of_text(text: str) -> None:
    assert leaked_file(f"before {text} after".encode(), {"another-value", CANARY})


@pytest.mark.parametrize("how", ["as it is", "in base64 of more"])
def test_a_value_is_found_in_a_file_that_is_no_text(how: str) -> None:
    assert leaked_file(b"\0\xff" + WRITTEN[how].encode() + b"\0", {"another-value", CANARY})
    assert not leaked_file(b"\0nothing here", {CANARY})


@pytest.mark.parametrize("content", [b"text", b"\0"])
def test_without_a_value_to_look_for_nothing_is_proven_of_a_file(content: bytes) -> None:
    with pytest.raises(CheckFailed, match="no secret values to search for"):
        leaked_file(content, ())


def test_without_a_value_to_look_for_nothing_is_proven() -> None:
    with pytest.raises(CheckFailed, match="no secret values to search for"):
        leaked("text", ())


def test_a_text_without_the_value_has_no_leak() -> None:
    assert not leaked("nothing here", {CANARY})


@example("\x1f\\", "", "")
@example("a%41\\", "", "")
@given(st.text(min_size=1), st.text(), st.text())
def test_any_value_is_found_in_any_json_around_it(value: str, before: str, after: str) -> None:
    assert leaked(json.dumps({"k": before + value + after}), {value})


@example(["0123456789abcdef"], "", "")
@given(st.lists(st.text("01", min_size=1, max_size=40), min_size=1), st.text("01"), st.text("01"))
def test_values_are_found_together_exactly_where_one_of_them_is(
    values: list[str], before: str, after: str
) -> None:
    for text in (before + values[0] + after, before, before + after):
        assert contains_any(text, values) == any(value in text for value in values)
        raw = [value.encode() for value in values]
        assert contains_any(text.encode(), raw) == any(value in text for value in values)


@pytest.mark.parametrize("begin", range(20))
def test_a_long_value_is_found_wherever_it_begins(begin: int) -> None:
    text = "x" * begin + "0123456789abcdef" + "x" * 20

    assert contains_any(text, ["another value of 24 char", "0123456789abcdef"])
    assert not contains_any(text, ["another value of 24 char", "0123456789abcdeg"])


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

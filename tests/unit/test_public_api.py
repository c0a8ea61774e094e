"""The public API is what docs/api.md says: nothing disappears or changes by accident."""

import difflib

import pytest

from tools import public_api

RECORD = "run `.venv/bin/python -m tools.public_api` to record it in docs/api.md"


def verdict(recorded: str) -> str:
    """Say what differs from the recorded API, and what to do; nothing differs: nothing."""
    current = public_api.page(recorded)
    lines = list(difflib.unified_diff(recorded.split("\n"), current.split("\n"), n=0))[2:]
    if not lines:
        return ""
    removed = any(line.startswith("-") for line in lines)
    remedy = (
        "Users depend on it. Keep it, deprecated, as CONTRIBUTING.md says under Deprecations. If"
        " this release may drop it, list it in CHANGELOG.md under `What you must do`, and"
        if removed
        else "The public API has additions:"
    )
    return "\n".join(["The public API differs from docs/api.md.", *lines, f"{remedy} {RECORD}."])


def test_the_public_api_is_as_recorded() -> None:
    differs = verdict(public_api.PAGE.read_text(encoding="utf-8"))
    assert not differs, differs


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("    key_arn: pulumi.Input[str]\n", "    lost_arg: str\n"),
        ("class Throttled(SecretError):\n", "class LostError(SecretError):\n    ...\n\n"),
        ("function_arn\n", "lost_output\n"),
        ("maxStalenessSeconds: 0 to 3600; `300`\n", "lostKey: text; none\n"),
        ("HANDLER\n", "LOST_NAME\n"),
    ],
)
def test_a_name_that_disappears_is_reported_with_what_to_do(line: str, gone: str) -> None:
    recorded = public_api.PAGE.read_text(encoding="utf-8")
    message = verdict(recorded.replace(line, gone + line, 1))
    assert f"\n-{gone.splitlines()[0]}\n" in message
    assert "Keep it, deprecated" in message


def test_a_changed_signature_is_one_that_disappeared() -> None:
    recorded = public_api.PAGE.read_text(encoding="utf-8")
    changed = recorded.replace("timeout_seconds: float=5.0", "timeout_seconds: float=4.0")
    assert "Keep it, deprecated" in verdict(changed)


def test_an_addition_is_to_be_recorded() -> None:
    recorded = public_api.PAGE.read_text(encoding="utf-8")
    message = verdict(recorded.replace("    protect: NotRequired[bool]\n", "", 1))
    assert "+    protect: NotRequired[bool]" in message
    assert "additions" in message
    assert "Keep it" not in message


def test_a_page_without_a_section_is_an_error() -> None:
    recorded = public_api.PAGE.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no block below the heading 'The client'"):
        public_api.page(recorded.replace("## The client", "## Client"))

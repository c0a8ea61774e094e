"""What the commands of the local run print about a check."""

from rich.text import Text

from local import outputs
from local.proofs import checks, engine_checks
from local.proofs.results import CheckResult


def shown(*, passed: bool | None, figure: str) -> list[str]:
    outcome = CheckResult("no request fails", passed, figure)
    return [" ".join(Text.from_markup(line).plain.split()) for line in outputs.check(outcome)]


def test_a_check_that_does_not_apply_is_shown_as_skipped_and_not_as_passed() -> None:
    assert shown(passed=True, figure="0 failed") == ["✓ no request fails 0 failed"]
    assert shown(passed=False, figure="2 failed") == ["✗ no request fails 2 failed"]
    assert shown(passed=None, figure="no secret rotates") == [
        "– no request fails skipped: no secret rotates"
    ]


def test_each_detail_is_a_line_of_its_own_whatever_markup_it_has() -> None:
    assert shown(passed=False, figure="1 of 2 functions failed\n✗ [red]: raised") == [
        "✗ no request fails 1 of 2 functions failed",
        "✗ [red]: raised",
    ]


def test_the_figures_of_all_checks_are_in_one_column() -> None:
    columns = {
        Text.from_markup(line).plain.index("FIGURE")
        for promise in (*checks.PROMISES, *engine_checks.PROMISES)
        for line in outputs.check(CheckResult(promise, passed=True, figure="FIGURE"))
    }
    assert len(columns) == 1

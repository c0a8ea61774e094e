"""How the schedule expressions of rotation are read."""

import pytest

from infra.aws.schedule_expressions import Cron, Rate, parse

ALL_DAYS, ALL_MONTHS = frozenset(range(1, 32)), frozenset(range(1, 13))
NONE: frozenset[int] = frozenset()


@pytest.mark.parametrize(
    ("expression", "rate"),
    [
        ("rate(1 day)", Rate(1, "day")),
        ("rate(10 days)", Rate(10, "day")),
        ("rate(12 hours)", Rate(12, "hour")),
        ("rate(0 days)", Rate(0, "day")),
    ],
)
def test_a_rate_is_a_number_and_a_unit(expression: str, rate: Rate) -> None:
    assert parse(expression) == rate


@pytest.mark.parametrize(
    ("fields", "cron"),
    [
        ("4 ? * SUN", Cron(frozenset({4}), NONE, ALL_MONTHS, frozenset({1}))),
        ("0/6 * JAN,jul ?", Cron(frozenset({0, 6, 12, 18}), ALL_DAYS, frozenset({1, 7}), NONE)),
        (
            "8-10 1,15 */6 ?",
            Cron(frozenset({8, 9, 10}), frozenset({1, 15}), frozenset({1, 7}), NONE),
        ),
        ("4 L * ?", Cron(frozenset({4}), ALL_DAYS, ALL_MONTHS, NONE)),
        ("4 ? * MON-FRI", Cron(frozenset({4}), NONE, ALL_MONTHS, frozenset(range(2, 7)))),
        ("4 ? * 3#2", Cron(frozenset({4}), NONE, ALL_MONTHS, frozenset(range(1, 8)))),
    ],
)
def test_a_field_of_a_cron_expression_is_read_as_its_values(fields: str, cron: Cron) -> None:
    assert parse(f"cron(0 {fields} *)") == cron


@pytest.mark.parametrize("hours", ["24", "5-4", "4/0", "?", "x", "1,", "-1"])
def test_a_field_out_of_its_range_has_no_values(hours: str) -> None:
    assert parse(f"cron(0 {hours} ? * SUN *)") == Cron(None, NONE, ALL_MONTHS, frozenset({1}))


@pytest.mark.parametrize(
    "expression",
    ["", "rate(1)", "rate(01 days)", "rate(1 week)", "cron(5 4 ? * SUN *)", "cron(0 4 ? * SUN)"],
)
def test_other_text_is_no_schedule(expression: str) -> None:
    assert parse(expression) is None

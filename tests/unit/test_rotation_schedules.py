"""Days of a rotation's schedule, as ministack finds them too."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from ministack.services import eventbridge

from infra.aws import schedule_expressions as schedules

DAYS = ["L", "LW", *(f"{number}W" for number in (1, 2, 3, 15, 28)), "31", "1,L"]
WEEKDAYS = ["1L", "friL", "MON#1", "2#4", "SAT#5", "MON-FRI", "1,MON#2"]


def gaps(fields: str) -> list[int]:
    """Return the days between the runs of ministack's schedule, in 28 years and one more."""
    *_, days, months, weekdays, _, day_text, _ = eventbridge._parse_cron_fields(fields)  # noqa: SLF001
    every = [date(2024, 1, 1) + timedelta(number) for number in range(29 * 366)]
    runs = [
        day
        for day in every
        if day.month in months
        and (
            eventbridge._dow_matches(weekdays, day)  # noqa: SLF001
            if day_text == "?"
            else eventbridge._dom_matches(days, day)  # noqa: SLF001
        )
    ]
    return [(later - sooner).days for sooner, later in pairwise(runs)]


@pytest.mark.parametrize("months", ["*", "2,5,11", "FEB,MAR"])
@pytest.mark.parametrize(
    "days", [*(f"{each} MONTHS ?" for each in DAYS), *(f"? MONTHS {each}" for each in WEEKDAYS)]
)
def test_the_longest_gap_is_that_of_the_calendar(days: str, months: str) -> None:
    expression = f"cron(0 4 {days.replace('MONTHS', months)} *)"
    found = gaps(expression)
    assert schedules.longest_gap_days(expression) == max(found, default=None)

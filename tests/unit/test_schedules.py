"""Schedule expressions, as EventBridge took and refused them.

localstack events/test_events_schedule.py
"""

import pytest

from local.emulator.schedules import is_valid


@pytest.mark.parametrize(
    "expression",
    [
        *("rate(1 minute)", "rate(2 minutes)", "rate(12 hours)", "rate(1 day)", "rate(30 days)"),
        *("cron(0 2 ? * SAT *)", "cron(0 12 * * ? *)", "cron(5,35 14 * * ? *)"),
        *("cron(15 10 ? * 6L 2002-2005)", "cron(0 2 ? * SAT#3 *)", "cron(* * ? * SAT#3 *)"),
        *("cron(0/5 5 ? JAN 1-5 2022)", "cron(0 18 ? * MON-FRI *)", "cron(0 8 1 * ? *)"),
        *("cron(0/15 * * * ? *)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(0 20 * * ? 2500)"),
    ],
)
def test_a_rule_has_a_schedule_that_aws_takes(expression: str) -> None:
    assert is_valid(expression)


@pytest.mark.parametrize(
    "expression",
    [
        *("rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)"),
        *("rate(1 days)", "rate(10 minute)", "rate(10 hour)", "rate(10 day)", "rate()"),
        *("rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)"),
        *("rate(-10 minutes)", "rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)"),
        *("cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)"),
        *("cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)"),
    ],
)
def test_a_rule_has_no_schedule_that_aws_refuses(expression: str) -> None:
    assert not is_valid(expression)

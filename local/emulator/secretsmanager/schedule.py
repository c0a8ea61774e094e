"""Schedules of rotation: what RotationRules may say, and when the next window ends."""
# ruff: noqa: SLF001 - ministack is untyped, and its gaps sit behind private names

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import eventbridge

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
AFTER_DAYS = range(1, 1_001)
DURATION = re.compile(r"([1-9]|1[0-9]|2[0-4])h")
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
RATE = re.compile(r"rate\(([1-9][0-9]*) (hour|day)s?\)")
RATE_HOURS = range(4, 999 * 24 + 1)
CRON = re.compile(r"cron\(0 \S+ \S+ \S+ \S+ \*\)")

Rules = dict[str, Any]


def fault(rules: Rules) -> str | None:
    """Say what is wrong with RotationRules, or None."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression is not None:
        return "You can't specify both AutomaticallyAfterDays and ScheduleExpression."
    if days is not None and days not in AFTER_DAYS:
        return "AutomaticallyAfterDays must be between 1 and 1000."
    if expression is not None and not _is_valid(expression):
        return "ScheduleExpression must be a rate() of 4 hours to 999 days, or a cron()."
    if not DURATION.fullmatch(rules.get("Duration", "1h")):
        return "Duration must be between 1h and 24h."
    return None


def _is_valid(expression: str) -> bool:
    if rate := RATE.fullmatch(expression):
        return int(rate[1]) * (24 if rate[2] == "day" else 1) in RATE_HOURS
    return bool(CRON.fullmatch(expression) and eventbridge._parse_cron_fields(expression))


def next_rotation(rules: Rules, last: float) -> datetime | None:
    """Return the end of the first window after `last`, in seconds since 1970; None without one."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    since = datetime.fromtimestamp(last, UTC)
    opens: datetime | None = None
    if cron := eventbridge._parse_cron_fields(expression or ""):
        opens = eventbridge._cron_next_fire(cron, since)
        hourly = len(cron[1]) > 1
    elif rate := RATE.fullmatch(expression or f"rate({days} days)"):
        hourly = rate[2] == "hour"
        opens = since.replace(minute=0, second=0) + timedelta(**{f"{rate[2]}s": int(rate[1])})
        opens = opens if hourly else opens.replace(hour=0)
    if opens is None:
        return None
    if hourly or "Duration" in rules:
        return opens + timedelta(hours=int(rules.get("Duration", "1h")[:-1]))
    return opens.replace(hour=23, minute=59, second=59)

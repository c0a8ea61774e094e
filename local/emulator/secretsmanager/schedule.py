"""Schedules of rotation: what RotationRules may say, and when the next window ends."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import eventbridge

from infra.aws import schedule_expressions as schedules
from infra.aws.schedule_expressions import Cron, Rate

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
AFTER_DAYS = range(1, 1_001)
DURATION = re.compile(r"([1-9]|1[0-9]|2[0-4])h")
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
RATE_HOURS = range(4, 999 * 24 + 1)

Rules = dict[str, Any]


def violation(rules: Rules) -> str | None:
    """Return the error of RotationRules, or None."""
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
    parsed = schedules.parse(expression)
    if isinstance(parsed, Rate):
        return parsed.number * (24 if parsed.unit == "day" else 1) in RATE_HOURS
    return bool(parsed and None not in parsed and _fields(expression))


def _fields(expression: str) -> tuple[Any, ...] | None:
    """Parse a `cron(...)` for ministack, which does not know the form `/8`; None if it cannot."""
    with_start = re.sub(r"(?<=[ ,])/", "*/", expression)
    fields: tuple[Any, ...] | None = eventbridge._parse_cron_fields(with_start)
    return fields


def next_rotation(rules: Rules, last: float) -> datetime | None:
    """Return the end of the first window after `last`, in seconds since 1970; None without one."""
    days = rules.get("AutomaticallyAfterDays")
    expression = rules.get("ScheduleExpression") or f"rate({days} days)"
    since = datetime.fromtimestamp(int(last), UTC)
    opens: datetime | None = None
    match schedules.parse(expression):
        case Cron(hours):
            opens = eventbridge._cron_next_fire(_fields(expression), since)
            hourly = len(hours or ()) > 1
        case Rate(number, unit):
            hourly = unit == "hour"
            opens = since.replace(minute=0, second=0) + timedelta(**{f"{unit}s": number})
            opens = opens if hourly else opens.replace(hour=0)
    if opens is None:
        return None
    if hourly or "Duration" in rules:
        return opens + timedelta(hours=int(rules.get("Duration", "1h")[:-1]))
    return opens.replace(hour=23, minute=59, second=59)

"""CloudWatch: the alarms that it refuses, beyond the limits of its service model.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import re
from collections.abc import Mapping
from typing import Any

from local.emulator.cloudwatch import alarms

# Alarms with these periods have a high resolution.
HIGH_RESOLUTION = (10, 20, 30)
SINGLE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
REQUIRED = ("MetricName", "Namespace", "Period", "Threshold")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
HOUR_SECONDS, DAY_SECONDS, WEEK_SECONDS = 3600, 86_400, 604_800

_ARN = re.compile(r"arn:[\w-]+:[\w-]+:([\w-]*):[^:]*:.+")

Data = Mapping[str, Any]


def violation(alarm: Data, region: str) -> str | None:
    """Return why CloudWatch refuses a metric alarm; None if it does not."""
    return _wrong_metric(alarm) or _wrong_periods(alarm) or wrong_action(alarm, region)


def wrong_action(alarm: Data, region: str) -> str | None:
    """Return what is wrong with an action: it is not an ARN, or in another region."""
    for action in (action for name in ACTIONS for action in alarm.get(name, ())):
        parsed = _ARN.fullmatch(action)
        if parsed is None:
            return f"Invalid arn syntax: {action}"
        if parsed[1] not in ("", region):
            return f"Invalid region {parsed[1]} specified. Only {region} is supported."
    return None


def _wrong_metric(alarm: Data) -> str | None:
    single = [name for name in SINGLE_METRIC if name in alarm]
    if "Metrics" in alarm:
        return f"Metrics may not be given together with {', '.join(single)}" if single else None
    if missing := [name for name in REQUIRED if name not in alarm]:
        return f"An alarm on a single metric needs {', '.join(missing)}"
    if ("Statistic" in alarm) == ("ExtendedStatistic" in alarm):
        return "An alarm on a single metric needs either Statistic or ExtendedStatistic"
    if alarm.get("ComparisonOperator") not in alarms.BREACHES:
        return "The comparison operator is for alarms on metric math with a band only"
    if alarm["Period"] not in HIGH_RESOLUTION and alarm["Period"] % 60:
        return "Period must be 10, 20, 30 or a multiple of 60"
    return None


def _wrong_periods(alarm: Data) -> str | None:
    count = alarm["EvaluationPeriods"]
    if alarm.get("DatapointsToAlarm", 1) > count:
        return "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
    period = alarm.get("Period") or max(
        (query.get("MetricStat", query).get("Period", 0) for query in alarm.get("Metrics", ())),
        default=0,
    )
    span, limit, kind = (
        ("day", DAY_SECONDS, "< 3600")
        if period < HOUR_SECONDS
        else ("week", WEEK_SECONDS, ">= 3600")
    )
    if period * count > limit:
        return (
            f"Metrics cannot be checked across more than a {span} (EvaluationPeriods * Period "
            f"must be <= {limit}) for alarms using period {kind}"
        )
    return None

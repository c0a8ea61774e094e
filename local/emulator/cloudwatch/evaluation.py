"""CloudWatch: alarms look at their own data, and return to OK.

Metric math and anomaly detection are kept and described, and not computed: an alarm on them stays
in INSUFFICIENT_DATA.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local.emulator.cloudwatch import alarms
from local.emulator.core import loop
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

# Data points that come together are evaluated together; without any, time is what changes.
COALESCING_SECONDS = 0.05
EVALUATION_SECONDS = 1.0
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
HIGH_RESOLUTION = (10, 20, 30)
METRIC_MATH = ("Metrics", "ThresholdMetricId")
SINGLE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
OPTIONAL = (*SINGLE_METRIC, "Threshold", "EvaluateLowSampleCountPercentile")

Data = dict[str, Any]


class _Timer:
    due = False
    """An evaluation is scheduled, for data that has come."""
    ticking = False
    """There has been an alarm, so time counts."""


@replaces(cloudwatch, "_describe_alarms")
def leave_out_what_an_alarm_lacks(original: Callable[..., Response], *request: Any) -> Response:
    """Leave out of the XML what an alarm on metric math or a band does not have.

    ministack answers an empty threshold, which SDKs of the query protocol cannot read.
    """
    status, headers, body = original(*request)
    if body.lstrip().startswith(b"<"):
        body = re.sub(rb"<(MetricName|Namespace|Threshold)></\1>", b"", body)
    return status, headers, body


@replaces(cloudwatch, "record_metric")
def evaluate_alarms_on_service_metric(original: Callable[..., None], *metric: Any) -> None:
    """Evaluate alarms on what services publish, too, from whatever thread.

    ministack does not evaluate them.
    """
    loop.soon(original, *metric)
    loop.soon(_evaluate_soon)


@replaces(cloudwatch, "_evaluate_all_alarms")
def evaluate_alarms_soon(_original: Callable[[], None]) -> None:
    """Evaluate all of them shortly, once for what comes together.

    ministack evaluates them for every point.
    """
    _evaluate_soon()


def _evaluate_soon() -> None:
    if not _Timer.due:
        _Timer.due = True
        loop.later(COALESCING_SECONDS, _evaluate_everything)


def _tick() -> None:
    loop.later(EVALUATION_SECONDS, _tick)
    _evaluate_everything()


def _evaluate_everything() -> None:
    _Timer.due = False
    for (account, region, _), alarm in cloudwatch._alarms.all_items():
        with request_scope(account, region):
            cloudwatch._evaluate_alarm(alarm)


@replaces(cloudwatch, "_evaluate_alarm")
def evaluate_alarm(_original: Callable[[Data], None], alarm: Data) -> None:
    """Evaluate the metric with exactly these dimensions, period by period, back from now.

    ministack looks at the metric's data of any dimensions, and never returns to OK.

    AWS looks farther back than the evaluation periods where data is missing, so that an alarm
    stays some periods longer than here.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    if not alarm.get("MetricName"):
        return
    points = _points(alarm, time.time())
    required = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    old = alarm["StateValue"]
    new = alarms.next_state(
        points,
        evaluation_periods=alarm["EvaluationPeriods"],
        datapoints_to_alarm=required,
        missing=alarm["TreatMissingData"],
        current=old,
    )
    if new == old:
        return
    count = sum(point is not None for point in points)
    reason = (
        f"Threshold Crossed: {sum(map(bool, points))} out of the last {count} datapoints were "
        f"{alarm['ComparisonOperator']} ({alarm['Threshold']}) (minimum {required} datapoints "
        f"for OK -> ALARM transition)."
        if count
        else f"no datapoints were received for {len(points)} periods and missing datapoints "
        f"were treated as [{alarm['TreatMissingData']}]"
    )
    now = int(time.time())
    alarm |= {
        "StateValue": new,
        "StateReason": reason,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _points(alarm: Data, now: float) -> list[bool | None]:
    """Return for each period, the oldest first, whether it breaches; None without data."""
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    periods: list[list[Data]] = [[] for _ in range(alarm["EvaluationPeriods"])]
    for point in cloudwatch._metrics.get(key) or []:
        period = int((now - point["Timestamp"]) // alarm["Period"])
        if 0 <= period < len(periods) and alarm.get("Unit") in (None, point["Unit"]):
            periods[period].append(point)
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    breaches = alarms.BREACHES[alarm["ComparisonOperator"]]
    values = [
        cloudwatch._stat_value(cloudwatch._calc_stats(found), statistic, found) if found else None
        for found in reversed(periods)
    ]
    return [None if value is None else breaches(value, alarm["Threshold"]) for value in values]


@replaces(cloudwatch, "_put_metric_alarm")
def put_alarm_with_metrics(
    original: Callable[..., Response], parameters: Data, data: Data, *protocol: bool
) -> Response:
    """Keep the queries of metric math and anomaly detection, and describe only what was given.

    ministack loses the queries.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    if fault := _fault(data):
        refusal: Response = cloudwatch._error(
            "ValidationError", fault, 400, use_cbor=protocol[0], use_json=protocol[-1]
        )
        return refusal
    if not _Timer.ticking:
        _Timer.ticking = True
        _tick()
    old = cloudwatch._alarms.get(data.get("AlarmName"))
    response = original(parameters, data, *protocol)
    alarm = cloudwatch._alarms.get(data.get("AlarmName"))
    if alarm is not None and alarm is not old and response[0] == HTTPStatus.OK:
        for name in OPTIONAL:
            if name not in data:
                alarm.pop(name, None)
        alarm |= {name: data[name] for name in (*METRIC_MATH, *OPTIONAL) if name in data}
    return response


def _fault(data: Data) -> str | None:
    """Return what CloudWatch refuses an alarm for."""
    single = [name for name in SINGLE_METRIC if name in data]
    if "Metrics" in data:
        return f"Metrics may not be given together with {', '.join(single)}" if single else None
    if data.get("ComparisonOperator") not in alarms.BREACHES:
        return "The comparison operator is for alarms on metric math with a band only"
    if data.get("Period") not in HIGH_RESOLUTION and data.get("Period", 0) % 60:
        return "Period must be 10, 20, 30 or a multiple of 60"
    return None

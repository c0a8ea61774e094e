"""CloudWatch: alarms look at their own data, and return to OK.

Metric math and anomaly detection are kept and described, and not computed: an alarm on them stays
in INSUFFICIENT_DATA.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region, request_scope
from ministack.services import cloudwatch

from local.emulator.cloudwatch import alarm_definitions, alarm_reasons, alarms, requests
from local.emulator.cloudwatch.alarm_reasons import Datapoint
from local.emulator.core import loop
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, succeeded

# Data points that come together are evaluated together; without any, time is what changes.
COALESCING_SECONDS = 0.05
EVALUATION_SECONDS = 1.0
# The rest after an evaluation, in times its own duration: hundreds of alarms on busy functions
# would otherwise keep the emulator from serving anything else.
REST = 10
METRIC_MATH = ("Metrics", "ThresholdMetricId")
OPTIONAL = (
    *alarm_definitions.SINGLE_METRIC,
    "AlarmDescription",
    "EvaluateLowSampleCountPercentile",
    "Threshold",
    "TreatMissingData",
)
STATE = ("StateReasonData", "StateTransitionedTimestamp")

Data = dict[str, Any]


class _Timer:
    due = False
    """An evaluation is scheduled, for data that has come."""
    ticking = False
    """There has been an alarm, so time counts."""
    rest_seconds = 0.0
    """How long to rest after the last evaluation."""


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
    loop.soon(_record, original, *metric)
    loop.soon(_evaluate_soon)


def _record(original: Callable[..., None], *metric: Any) -> None:
    """Count a value that equals the last one of the same second, instead of keeping it again."""
    original(*metric)
    namespace, name, _, _, dimensions = metric
    points = cloudwatch._metrics[namespace, name, cloudwatch._dims_key(dimensions)]
    if len(points) > 1 and _same(*points[-2:]):
        points.pop()
        points[-1]["Count"] = points[-1].get("Count", 1) + 1


def _same(earlier: Data, later: Data) -> bool:
    seconds = {int(point["Timestamp"]) for point in (earlier, later)}
    values = {(point["Value"], point["Unit"]) for point in (earlier, later)}
    return "_stat" not in earlier and len(seconds) == len(values) == 1


@replaces(cloudwatch, "_evaluate_all_alarms")
def evaluate_alarms_soon(_original: Callable[[], None]) -> None:
    """Evaluate all of them shortly, once for what comes together.

    ministack evaluates them for every point.
    """
    _evaluate_soon()


def _evaluate_soon() -> None:
    if not _Timer.due:
        _Timer.due = True
        loop.later(max(COALESCING_SECONDS, _Timer.rest_seconds), _evaluate_everything)


def _tick() -> None:
    _evaluate_everything()
    loop.later(max(EVALUATION_SECONDS, _Timer.rest_seconds), _tick)


def _evaluate_everything() -> None:
    _Timer.due = False
    start = time.monotonic()
    for (account, region, _), alarm in cloudwatch._alarms.all_items():
        with request_scope(account, region):
            cloudwatch._evaluate_alarm(alarm)
    _Timer.rest_seconds = REST * (time.monotonic() - start)


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
    now = time.time()
    datapoints = _datapoints(alarm, now)
    breaches = alarms.BREACHES[alarm["ComparisonOperator"]]
    old = alarm["StateValue"]
    new = alarms.next_state(
        [
            None if point.value is None else breaches(point.value, alarm["Threshold"])
            for point in datapoints
        ],
        evaluation_periods=alarm["EvaluationPeriods"],
        datapoints_to_alarm=alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        missing=alarm.get("TreatMissingData", "missing"),
        current=old,
    )
    if new == old:
        return
    reason = alarm_reasons.sentence(alarm, datapoints, new)
    alarm |= {
        "StateValue": new,
        "StateReason": reason,
        "StateReasonData": alarm_reasons.data(alarm, datapoints, now),
        "StateUpdatedTimestamp": int(now),
        "StateTransitionedTimestamp": int(now),
    }
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _datapoints(alarm: Data, now: float) -> list[Datapoint]:
    """Return the alarm's periods, the oldest first."""
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    periods: list[list[Data]] = [[] for _ in range(alarm["EvaluationPeriods"])]
    for point in cloudwatch._metrics.get(key) or []:
        period = int((now - point["Timestamp"]) // alarm["Period"])
        if 0 <= period < len(periods) and alarm.get("Unit") in (None, point["Unit"]):
            periods[period].append(point)
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    return [
        _datapoint(now - (number + 1) * alarm["Period"], statistic, periods[number])
        for number in reversed(range(len(periods)))
    ]


def _datapoint(start: float, statistic: str, points: list[Data]) -> Datapoint:
    if not points:
        return Datapoint(start)
    statistics = cloudwatch._calc_stats(points)
    value = cloudwatch._stat_value(statistics, statistic, points)
    return Datapoint(start, value, statistics.get("SampleCount", 0))


@replaces(cloudwatch, "_set_alarm_state")
def forget_reason_data(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Describe a state that was set by hand without the data of the previous state.

    ministack keeps them.
    """
    name = requests.parameters("SetAlarmState", form, data).get("AlarmName")
    cloudwatch._alarms.get(name, {}).pop("StateReasonData", None)
    return original(form, data, *protocol)


@replaces(cloudwatch, "_put_metric_alarm")
def put_alarm_with_metrics(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Keep the queries of metric math and anomaly detection, and describe only what was given.

    ministack loses the queries.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    request = requests.parameters("PutMetricAlarm", form, data)
    if violation := alarm_definitions.violation(request, get_region()):
        return requests.error("ValidationError", violation, *protocol)
    if not _Timer.ticking:
        _Timer.ticking = True
        _tick()
    name = request["AlarmName"]
    old = cloudwatch._alarms.get(name, {})
    response = original(form, data, *protocol)
    alarm = cloudwatch._alarms.get(name)
    if alarm is not None and alarm is not old and succeeded(response):
        for option in OPTIONAL:
            if option not in request:
                alarm.pop(option, None)
        kept = (*METRIC_MATH, *OPTIONAL, "InsufficientDataActions")
        alarm |= {option: request[option] for option in kept if option in request}
        state = {"StateTransitionedTimestamp": alarm["StateUpdatedTimestamp"]} | old
        for option in STATE:
            if option in state:
                alarm.setdefault(option, state[option])
    return response


@replaces(cloudwatch, "_put_composite_alarm")
def refuse_wrong_actions(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Refuse actions that are not ARNs, or in another region.

    ministack takes any text.
    """
    request = requests.parameters("PutCompositeAlarm", form, data)
    if violation := alarm_definitions.wrong_action(request, get_region()):
        return requests.error("ValidationError", violation, *protocol)
    return original(form, data, *protocol)

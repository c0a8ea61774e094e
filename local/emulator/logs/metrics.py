"""CloudWatch Logs: filter patterns, metric filters and embedded metrics make metrics of lines."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from local.emulator.core import loop
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response
from local.emulator.logs import groups, patterns

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
DIMENSIONS_PER_METRIC = 3
# How often the default value of a filter that matches nothing is published.
DEFAULT_VALUE_SECONDS = 60

Data = dict[str, Any]
Handler = Callable[[Data], Response]


@replaces(cloudwatch_logs, "_put_metric_filter")
@replaces(cloudwatch_logs, "_put_subscription_filter")
@replaces(cloudwatch_logs, "_filter_log_events")
def validate_pattern(original: Handler, data: Data) -> Response:
    """Refuse what is no filter pattern.

    ministack takes any text.
    """
    try:
        patterns.compiled(data.get("filterPattern") or "")
    except ValueError as error:
        return _invalid(str(error))
    return original(data)


@replaces(cloudwatch_logs, "_put_metric_filter")
def limit_dimensions(original: Handler, data: Data) -> Response:
    """Refuse more than three dimensions, and a default value beside any.

    ministack has no such limits.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """
    for transformation in data.get("metricTransformations", []):
        dimensions = transformation.get("dimensions") or {}
        if len(dimensions) > DIMENSIONS_PER_METRIC:
            return _invalid(f"A metric filter has at most {DIMENSIONS_PER_METRIC} dimensions")
        if dimensions and transformation.get("defaultValue") is not None:
            return _invalid("Invalid metric transformation: dimensions and default value")
    return original(data)


@replaces(cloudwatch_logs, "_put_metric_filter")
def keep_transformed_logs_flag(original: Handler, data: Data) -> Response:
    """Keep whether the filter applies to transformed lines.

    ministack forgets it.
    """
    response = original(data)
    if found := cloudwatch_logs._metric_filters.get((data["logGroupName"], data["filterName"])):
        found["applyOnTransformedLogs"] = data.get("applyOnTransformedLogs", False)
    return response


@replaces(cloudwatch_logs, "handle_request")
async def change_key_of_log_group(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Answer AssociateKmsKey and DisassociateKmsKey: change the key of a log group.

    ministack keeps the key.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    """
    _method, _path, headers, body, _query = request
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation not in ("AssociateKmsKey", "DisassociateKmsKey"):
        return await original(*request)
    data = json.loads(body)
    group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
    if group is None:
        return error_response(
            "ResourceNotFoundException", "The specified log group does not exist."
        )
    if refusal := groups.wrong_key(data):
        return refusal
    group["kmsKeyId"] = data.get("kmsKeyId")
    return json_response({})


@replaces(cloudwatch_logs, "_compile_filter_pattern")
def compile_pattern(_original: Callable[..., Any], pattern: str | None) -> Callable[[str], bool]:
    """Match as the pattern says.

    ministack lets a pattern for JSON match everything.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    return patterns.compiled(pattern or "")


@replaces(cloudwatch_logs, "_subscription_pattern_matches")
def match_subscription_pattern(
    _original: Callable[..., bool], pattern: str | None, message: str | None
) -> bool:
    """Match as the pattern says.

    ministack looks for words only.
    """
    return patterns.compiled(pattern or "")(message or "")


# Called for every batch of lines, of whatever origin.
@replaces(cloudwatch_logs, "_fanout_to_subscription_filters")
def publish_metrics_of_lines(
    original: Callable[..., None], group: str, stream: str, events: list[Data]
) -> None:
    """Publish the metrics of the group's metric filters, and those that lines embed.

    ministack makes no metrics of lines.
    """
    original(group, stream, events)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    count = ("AWS/Logs", "IncomingLogEvents", len(events), "None", {"LogGroupName": group})
    cloudwatch.record_metric(*count)
    loop.soon(_publish, group, events)


def _publish(group: str, events: list[Data]) -> None:
    lines = [
        (event.get("timestamp", time.time() * 1000) / 1000, event.get("message", ""))
        for event in events
    ]
    for metric_filter in cloudwatch_logs._metric_filters.values():
        if metric_filter["logGroupName"] == group:
            _apply(metric_filter, lines)
    for _, message in lines:
        if '"_aws"' in message:
            _publish_embedded(patterns.json_object(message) or {})
    cloudwatch._evaluate_all_alarms()


def _apply(metric_filter: Data, lines: Iterable[tuple[float, str]]) -> None:
    """Publish a value for each line that matches, else the default value.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """
    matches = patterns.compiled(metric_filter["filterPattern"] or "")
    matching = [(timestamp, message) for timestamp, message in lines if matches(message)]
    for transformation in metric_filter["metricTransformations"]:
        namespace, name = transformation["metricNamespace"], transformation["metricName"]
        metric = (namespace, name, transformation.get("unit", "None"))
        for timestamp, message in matching:
            document = patterns.json_object(message) or {}
            value = _value(transformation["metricValue"], document)
            dimensions = {
                key: str(found[0])
                for key, selector in (transformation.get("dimensions") or {}).items()
                if (found := patterns.selected(document, selector))
            }
            complete = len(dimensions) == len(transformation.get("dimensions") or {})
            if value is not None and complete:
                _store(metric, dimensions, timestamp, value)
        default = transformation.get("defaultValue")
        if default is not None and not matching and not _is_recent(namespace, name):
            _store(metric, {}, time.time(), default)


def _value(metric_value: str, document: Data) -> float | None:
    found = (
        patterns.selected(document, metric_value)
        if metric_value.startswith("$")
        else [metric_value]
    )
    try:
        return float(found[0])
    except (IndexError, TypeError, ValueError):  # nothing is published of what is no number
        return None


def _is_recent(namespace: str, name: str) -> bool:
    points = cloudwatch._metrics.get((namespace, name, "")) or []
    return any(point["Timestamp"] > time.time() - DEFAULT_VALUE_SECONDS for point in points[-1:])


def _publish_embedded(document: Data) -> None:
    """Publish the metrics of a line in the Embedded Metric Format.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    metadata = document.get("_aws")
    if not isinstance(metadata, dict):
        return
    timestamp = metadata.get("Timestamp", time.time() * 1000) / 1000
    for directive in metadata.get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            if len(dimensions) < len(names):
                continue
            for metric in directive.get("Metrics", []):
                values = document.get(metric["Name"], [])
                named = (directive["Namespace"], metric["Name"], metric.get("Unit", "None"))
                for value in values if isinstance(values, list) else [values]:
                    if isinstance(value, int | float):
                        _store(named, dimensions, timestamp, value)


def _store(
    metric: tuple[str, str, str], dimensions: Mapping[str, str], timestamp: float, value: float
) -> None:
    """Add a value to the metric of this namespace and name, in this unit."""
    namespace, name, unit = metric
    cloudwatch._store_datum(
        namespace, name, dict(dimensions), timestamp, unit, value, None, None, None
    )


def _invalid(message: str) -> Response:
    return error_response("InvalidParameterException", message)

"""CloudWatch: a metric is found by exactly its dimensions, and labelled by what tells it apart."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from local.emulator.cloudwatch import requests
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
LARGEST = 2.0**360

Data = dict[str, Any]


class _Dimensions(dict[str, str]):
    """Dimensions that count even if there are none."""

    def __bool__(self) -> bool:
        return True


@replaces(cloudwatch, "_dims_from_list")
def match_exact_dimensions(
    original: Callable[[Sequence[Data]], dict[str, str]], dimensions: Sequence[Data]
) -> dict[str, str]:
    """Find a metric without dimensions only by no dimensions.

    ministack takes no dimensions for any, so that a metric with dimensions is found without them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension
    """
    return _Dimensions(original(dimensions))


@replaces(cloudwatch, "_get_metric_data")
def label_by_metric(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Label the data of a query with what tells it apart from the others.

    ministack labels it with the id of the query.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
    """
    queries = data.get("MetricDataQueries", [])
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    labelled = [
        {"Label": _label(query["MetricStat"], stats), **query} if "MetricStat" in query else query
        for query in queries
    ]
    return original(form, {**data, "MetricDataQueries": labelled} if data else data, *protocol)


@replaces(cloudwatch, "_put_metric_data")
def refuse_contradictory_data(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Refuse a value with values, values without as many counts, and numbers out of range.

    ministack takes them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    request = requests.parameters("PutMetricData", form, data)
    for number, datum in enumerate(request.get("MetricData", ()), start=1):
        name = f"MetricData.member.{number}"
        if "Value" in datum and "Values" in datum:
            text = (
                f"The parameters {name}.Value and {name}.Values are mutually exclusive and you "
                "have specified both."
            )
            return requests.error("InvalidParameterCombination", text, *protocol)
        if "Counts" in datum and len(datum["Counts"]) != len(datum.get("Values", ())):
            text = f"The parameters {name}.Values and {name}.Counts must be of the same size."
            return requests.error("InvalidParameterValue", text, *protocol)
        for member, value in _numbers(datum):
            if not abs(value) <= LARGEST:
                text = f"The value {value} for parameter {name}.{member} is invalid."
                return requests.error("InvalidParameterValue", text, *protocol)
    return original(form, data, *protocol)


@replaces(cloudwatch, "_get_metric_data")
@replaces(cloudwatch, "_get_metric_statistics")
def refuse_reversed_range(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Refuse a range of time that does not end after its start.

    ministack finds nothing in it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    given = data or {name: (form.get(name) or [None])[0] for name in ("StartTime", "EndTime")}
    start, end = (cloudwatch._parse_ts(given.get(name)) for name in ("StartTime", "EndTime"))
    if start is not None and end is not None and start >= end:
        text = "The parameter StartTime must be less than the parameter EndTime."
        return requests.error("InvalidParameterValue", text, *protocol)
    return original(form, data, *protocol)


def _numbers(datum: Data) -> Iterator[tuple[str, float]]:
    if "Value" in datum:
        yield "Value", float(datum["Value"])
    for number, value in enumerate(datum.get("Values", ()), start=1):
        yield f"Values.member.{number}", float(value)
    for name, value in datum.get("StatisticValues", {}).items():
        yield f"StatisticValues.{name}", float(value)


def _label(stat: Mapping[str, Any], stats: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the metric, and its statistic and period where these differ."""
    parts = [stat["Metric"]["MetricName"]]
    parts += [str(stat[name]) for name in ("Stat", "Period") if len({s[name] for s in stats}) > 1]
    return " ".join(parts)

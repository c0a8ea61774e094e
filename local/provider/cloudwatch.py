"""CloudWatch: metric alarms, composite alarms and dashboards.

PromQL alarms (`evaluationCriteria`) are left out: the embedded CloudWatch does not have them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from local.provider import forms
from local.provider.resource import (
    EMPTY,
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    Resource,
    Session,
    camel,
    given,
    tag_list,
    tag_map,
)

_MINUTE = 60
_HIGH_RESOLUTION = (10, 20, 30)
_SUB_MINUTE = (1, 5, *_HIGH_RESOLUTION)
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_EXTENDED = (
    r"(p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM"
    r"|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
)
_SIZES = tuple(
    f"{prefix}{unit}"
    for unit in ("bytes", "bits")
    for prefix in ("", "kilo", "mega", "giga", "tera")
)
_COUNTED = (*(size.capitalize() for size in _SIZES), "Count")
_UNITS = (
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "None"),
    *(f"{counted}{per}" for counted in _COUNTED for per in ("", "/Second")),
)
_ARN_OR_EC2_ACTION = (
    r"arn:[\w-]+:(automate:[\w-]+:ec2:(reboot|recover|stop|terminate)"
    r"|[\w.-]+:[\w-]*:(\d{12}|aws)?:.+)"
)

_DIMENSIONS = Input()
_METRIC_NAME = Input(length=(1, 255))
_NAMESPACE = Input(length=(1, 255), pattern=r"[^:].*")
_UNIT = Input(choices=_UNITS)


def _actions(**about: Any) -> Input:
    return Input(length=(0, 5), form=forms.unordered, **about)


class _Alarm(Resource):
    """What both kinds of alarms share. An existing alarm with the name is overwritten."""

    kind: ClassVar[str]
    """Alarm type in `DescribeAlarms`; the response has the alarms under its plural."""
    names: ClassVar[Mapping[str, str]]
    """Inputs and outputs that have another name in AWS."""
    own: ClassVar[frozenset[str]] = frozenset({"region", "tags"})
    """Inputs that are not passed to AWS unchanged."""
    gone = frozenset({"ResourceNotFound"})

    def create(self, session: Session, inputs: Properties) -> str:
        return self._put(session, inputs, tag_list(inputs["tags"]))

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        cloudwatch = session.client("cloudwatch")
        answer = cloudwatch.describe_alarms(AlarmNames=[id_], AlarmTypes=[self.kind])
        for alarm in answer[f"{self.kind}s"]:
            tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            return {
                **{key: alarm.get(name) for key, name in self._passed()},
                "arn": alarm["AlarmArn"],
                "tags": tag_map(tags),
                **self._from_aws(alarm),
            }
        return None

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self._put(session, inputs)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("cloudwatch").tag_resource(ResourceARN=state["arn"], Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("cloudwatch").untag_resource(ResourceARN=state["arn"], TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("cloudwatch").delete_alarms(AlarmNames=[id_])

    def _to_aws(self, inputs: Properties) -> dict[str, Any]:
        """Convert the inputs that are not passed unchanged to AWS's arguments."""
        del inputs
        return {}

    def _from_aws(self, alarm: Mapping[str, Any]) -> Properties:
        """Convert them from AWS's response."""
        del alarm
        return {}

    def _put(
        self, session: Session, inputs: Properties, tags: list[dict[str, str]] | None = None
    ) -> str:
        cloudwatch = session.client("cloudwatch")
        put: dict[str, Callable[..., object]] = {
            "MetricAlarm": cloudwatch.put_metric_alarm,
            "CompositeAlarm": cloudwatch.put_composite_alarm,
        }
        passed = {
            name: inputs[key] for key, name in self._passed() if inputs.get(key) not in EMPTY
        }
        passed |= {"Tags": tags} if tags else {}
        put[self.kind](**passed, **self._to_aws(inputs))
        return str(passed["AlarmName"])

    def _passed(self) -> Iterator[tuple[str, str]]:
        for key in self.inputs.keys() - self.own:
            yield key, self.names.get(key, key[0].upper() + key[1:])


class MetricAlarm(_Alarm):
    """An alarm on a metric, on metric math, or on an anomaly."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    inputs = {
        "actionsEnabled": Input(default=True),
        "alarmActions": _actions(pattern=_ARN_OR_EC2_ACTION),
        "alarmDescription": Input(length=(0, 1024)),
        "comparisonOperator": Input(
            choices=(
                "GreaterThanOrEqualToThreshold",
                "GreaterThanThreshold",
                "LessThanThreshold",
                "LessThanOrEqualToThreshold",
                "LessThanLowerOrGreaterThanUpperThreshold",
                "LessThanLowerThreshold",
                "GreaterThanUpperThreshold",
            )
        ),
        "datapointsToAlarm": Input(bounds=(1, float("inf"))),
        "dimensions": _DIMENSIONS,
        "evaluateLowSampleCountPercentiles": Input(computed=True, choices=("evaluate", "ignore")),
        "evaluationPeriods": Input(bounds=(1, float("inf"))),
        "extendedStatistic": Input(pattern=_EXTENDED),
        "insufficientDataActions": _actions(pattern=_ARN_OR_EC2_ACTION),
        "metricName": _METRIC_NAME,
        "metricQueries": Input(
            form=forms.unordered,
            fields={
                "accountId": Input(length=(1, 255)),
                "expression": Input(length=(1, 2048)),
                "id": Input(required=True, length=(1, 255)),
                "label": Input(),
                "metric": Input(
                    fields={
                        "dimensions": _DIMENSIONS,
                        "metricName": Input(required=True, length=(1, 255)),
                        "namespace": _NAMESPACE,
                        "period": Input(required=True),
                        "stat": Input(
                            required=True, pattern=f"{'|'.join(_STATISTICS)}|{_EXTENDED}"
                        ),
                        "unit": _UNIT,
                    }
                ),
                "period": Input(),
                "returnData": Input(),
            },
        ),
        "name": Input(replaces=True, auto_name=AutoName(255), length=(1, 255)),
        "namespace": _NAMESPACE,
        "okActions": _actions(pattern=_ARN_OR_EC2_ACTION),
        "period": Input(),
        "region": REGION,
        "statistic": Input(choices=_STATISTICS),
        "tags": TAGS,
        # An unset threshold is sent as 0.
        "threshold": Input(form=lambda value: value or 0),
        "thresholdMetricId": Input(length=(1, 255)),
        "treatMissingData": Input(
            default="missing", choices=("breaching", "notBreaching", "ignore", "missing")
        ),
        "unit": _UNIT,
    }
    outputs = ("arn",)
    one_of = (("metricName", "metricQueries"),)
    conflicts = (
        ("dimensions", "metricQueries"),
        ("extendedStatistic", "metricQueries"),
        ("extendedStatistic", "statistic"),
        ("namespace", "metricQueries"),
        ("period", "metricQueries"),
        ("statistic", "metricQueries"),
        ("threshold", "thresholdMetricId"),
    )
    kind = "MetricAlarm"
    names = {
        "name": "AlarmName",
        "okActions": "OKActions",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    }
    own = frozenset({"dimensions", "metricQueries", "region", "tags", "threshold"})

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        for key in ("comparisonOperator", "evaluationPeriods"):
            if key not in inputs:
                yield key, "is required for an alarm on metrics"
        if "metricName" in inputs and not inputs.keys() & {"statistic", "extendedStatistic"}:
            yield "statistic", "one of statistic, extendedStatistic must be set with metricName"
        yield from _period("period", inputs.get("period"), _HIGH_RESOLUTION)
        for number, query in enumerate(inputs.get("metricQueries", ())):
            path, metric = f"metricQueries[{number}]", query.get("metric")
            if query.get("expression") and metric:
                yield path, "cannot have both an expression and a metric"
            yield from _period(f"{path}.period", query.get("period"), _SUB_MINUTE)
            yield from _period(f"{path}.metric.period", (metric or {}).get("period"), _SUB_MINUTE)

    def _to_aws(self, inputs: Properties) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if not inputs.get("thresholdMetricId"):
            arguments["Threshold"] = inputs.get("threshold", 0)
        if dimensions := inputs.get("dimensions"):
            arguments["Dimensions"] = _dimension_list(dimensions)
        if queries := inputs.get("metricQueries"):
            arguments["Metrics"] = [_query(query) for query in queries]
        return arguments

    def _from_aws(self, alarm: Mapping[str, Any]) -> Properties:
        return {
            "dimensions": _dimension_map(alarm.get("Dimensions", [])),
            "metricQueries": [_query_from_aws(query) for query in alarm.get("Metrics", [])],
            "threshold": alarm.get("Threshold"),
        }


class CompositeAlarm(_Alarm):
    """An alarm on the states of other alarms."""

    type = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    inputs = {
        "actionsEnabled": Input(default=True, replaces=True),
        "alarmActions": _actions(arn=True),
        "alarmDescription": Input(length=(0, 1024)),
        "alarmName": Input(required=True, replaces=True, length=(0, 255)),
        "alarmRule": Input(required=True, length=(1, 10240)),
        "insufficientDataActions": _actions(arn=True),
        "okActions": _actions(arn=True),
        "region": REGION,
        "tags": TAGS,
    }
    outputs = ("arn",)
    kind = "CompositeAlarm"
    names = {"okActions": "OKActions"}


class Dashboard(Resource):
    """A dashboard. An existing one is overwritten; deleting a missing one is an error."""

    type = "aws:cloudwatch/dashboard:Dashboard"
    inputs = {
        "dashboardBody": Input(required=True, json=True, form=forms.document),
        "dashboardName": Input(
            required=True, replaces=True, length=(1, 255), pattern=r"[0-9A-Za-z_-]+"
        ),
        "region": REGION,
    }
    outputs = ("dashboardArn",)
    gone = frozenset({"DashboardNotFoundError", "ResourceNotFound"})
    deleted = frozenset()

    def create(self, session: Session, inputs: Properties) -> str:
        session.client("cloudwatch").put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
        )
        return str(inputs["dashboardName"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        found = session.client("cloudwatch").get_dashboard(DashboardName=id_)
        return {
            "dashboardArn": found["DashboardArn"],
            "dashboardBody": found["DashboardBody"],
            "dashboardName": found["DashboardName"],
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self.create(session, inputs)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("cloudwatch").delete_dashboards(DashboardNames=[id_])


def _period(path: str, seconds: Any, shorter: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(seconds, int) and seconds not in shorter and seconds % _MINUTE:
        allowed = ", ".join(map(str, shorter))
        yield path, f"must be {allowed} or a multiple of {_MINUTE}, got {seconds}"


def _query(query: Properties) -> dict[str, Any]:
    arguments = given(query, "accountId", "expression", "id", "label", "period")
    arguments["ReturnData"] = bool(query.get("returnData"))
    if metric := query.get("metric"):
        named = given(metric, "metricName", "namespace")
        named["Dimensions"] = _dimension_list(metric.get("dimensions") or {})
        arguments["MetricStat"] = {**given(metric, "period", "stat", "unit"), "Metric": named}
    return arguments


def _query_from_aws(query: Mapping[str, Any]) -> Properties:
    converted: Properties = camel({key: query[key] for key in query.keys() - {"MetricStat"}})
    if stat := query.get("MetricStat"):
        named = stat["Metric"]
        converted["metric"] = {
            **camel({key: stat[key] for key in stat.keys() - {"Metric"}}),
            **camel({key: named[key] for key in named.keys() - {"Dimensions"}}),
            "dimensions": _dimension_map(named.get("Dimensions", [])),
        }
    return converted


def _dimension_list(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _dimension_map(dimensions: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in dimensions}

"""The dashboard of an environment: each widget's title is the question it answers. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..aws import limits
from .filters import split

Widget = dict[str, Any]

# The grid.
_COLUMNS = 24
_HEIGHT = 6


class DashboardFunction(NamedTuple):
    """One function that reads secrets."""

    label: str
    """Prefix of its widgets' titles; empty for the function `reader`."""
    name: str
    timeout_seconds: int
    telemetry: bool
    """Whether its client publishes metrics."""


class Dashboard(NamedTuple):
    """What the dashboard shows."""

    region: str
    namespace: str
    """Namespace of the metrics from the trail's log group."""
    functions: Sequence[DashboardFunction]
    audit_log_group: str
    secret_prefix: str
    existing_arns: Sequence[str]
    """ARNs of the existing secrets."""
    rotating: Sequence[str]
    """Full names of the secrets that rotate."""
    alarm_arns: Sequence[str]
    period_seconds: int


def body(dashboard: Dashboard) -> dict[str, Any]:
    """Return the body: alarms and reads, then each function, rotation, and readers."""
    rows = [
        [*_alarms(dashboard), _reads(dashboard)],
        *(_function(dashboard, each) for each in dashboard.functions),
        _rotating(dashboard),
        _readers(dashboard),
    ]
    widgets: list[Widget] = []
    for y, row in enumerate(filter(None, rows)):
        width = _COLUMNS // len(row)
        for x, widget in enumerate(row):
            place = {"x": x * width, "y": y * _HEIGHT, "width": width, "height": _HEIGHT}
            widgets.append(widget | place)
    return {"widgets": widgets}


def _alarms(dashboard: Dashboard) -> list[Widget]:
    return [
        {"type": "alarm", "properties": {"title": "Is anything wrong?", "alarms": [*part]}}
        for part in split(dashboard.alarm_arns, limits.ALARMS_IN_WIDGET)
    ]


def _reads(dashboard: Dashboard) -> Widget:
    return _graph(
        dashboard,
        "How often are secrets read, and how often denied?",
        [_of_trail(dashboard, each) for each in ("Reads", "DeniedReads", "UnknownReaders")],
    )


def _function(dashboard: Dashboard, function: DashboardFunction) -> list[Widget]:
    label = function.label and f"{function.label}: "
    timeout = {"label": "timeout", "value": function.timeout_seconds * 1000}
    widgets = [
        _graph(
            dashboard,
            f"{label}Is it healthy?",
            [_of_function(function, "AWS/Lambda", each, "Sum") for each in _INVOCATIONS],
        ),
        _graph(
            dashboard,
            f"{label}How close is it to its timeout?",
            [
                _of_function(function, "AWS/Lambda", "Duration", stat)
                for stat in ("p50", "Maximum")
            ],
            annotations={"horizontal": [timeout]},
        ),
    ]
    if function.telemetry:
        widgets += [
            _graph(
                dashboard,
                f"{label}Does it get its secrets?",
                [_of_function(function, "LambdaSecrets", each, "Sum") for each in _RETRIEVALS],
            ),
            _graph(
                dashboard,
                f"{label}How long does a secret take?",
                [
                    _of_function(function, "LambdaSecrets", "Duration", stat)
                    for stat in ("p50", "p99", "Maximum")
                ],
            ),
        ]
    return widgets


def _rotating(dashboard: Dashboard) -> list[Widget]:
    if not dashboard.rotating:
        return []
    ages = [
        ["LambdaSecrets", "SecretAge", "SecretName", name, {"stat": "Maximum", "label": name}]
        for name in dashboard.rotating
    ]
    return [
        _graph(
            dashboard,
            "Is it rotating?",
            [_of_trail(dashboard, each) for each in ("RotationsSucceeded", "RotationsFailed")],
        ),
        *(
            _graph(dashboard, "How many days old is each value?", [*part])
            for part in split(ages, limits.METRICS_IN_WIDGET)
        ),
    ]


def _readers(dashboard: Dashboard) -> list[Widget]:
    read = f"requestParameters.secretId like '{dashboard.secret_prefix}'"
    if dashboard.existing_arns:
        read = f"({read} or requestParameters.secretId like {_existing(dashboard.existing_arns)})"
    ours = (
        f"SOURCE '{dashboard.audit_log_group}' | filter eventName = 'GetSecretValue'"
        f" and {read}"
        " | stats count(*) as reads, max(eventTime) as last by userIdentity.arn as reader,"
        " requestParameters.secretId as secret | sort reads desc"
    )
    refused = (
        f"SOURCE '{dashboard.audit_log_group}' | filter eventName like /GetSecretValue$/"
        " and errorCode like 'AccessDenied' | stats count(*) as denials, max(eventTime) as last"
        " by userIdentity.arn as caller, sourceIPAddress | sort denials desc"
    )
    return [_table(dashboard, "Who reads?", ours), _table(dashboard, "Who is denied?", refused)]


def _existing(arns: Sequence[str]) -> str:
    """Return a regular expression for names and ARNs, with or without the random suffix."""
    names = (arn.split(":secret:", 1)[1][: -len("-AbCdEf")] for arn in arns)
    escaped = "|".join(re.escape(name).replace("/", r"\/") for name in sorted(names))
    return rf"/(^|:secret:)({escaped})(-[A-Za-z0-9]{{6}})?$/"


_INVOCATIONS = ("Invocations", "Errors", "Throttles")
_RETRIEVALS = ("Hits", "Misses", "Stale", "Failovers", "Errors")


def _graph(
    dashboard: Dashboard, title: str, metrics: list[list[Any]], **properties: object
) -> Widget:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "view": "timeSeries",
            "region": dashboard.region,
            "period": max(dashboard.period_seconds, 60),
            "metrics": metrics,
            "yAxis": {"left": {"min": 0}},
            **properties,
        },
    }


def _table(dashboard: Dashboard, title: str, query: str) -> Widget:
    return {
        "type": "log",
        "properties": {
            "title": title,
            "view": "table",
            "region": dashboard.region,
            "query": query,
        },
    }


def _of_function(function: DashboardFunction, namespace: str, metric: str, stat: str) -> list[Any]:
    return [namespace, metric, "FunctionName", function.name, {"stat": stat}]


def _of_trail(dashboard: Dashboard, metric: str) -> list[Any]:
    return [dashboard.namespace, metric, {"stat": "Sum"}]

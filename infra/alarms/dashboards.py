"""The dashboard of an environment: each widget's title is the question it answers. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

Widget = dict[str, Any]

# The grid.
_COLUMNS = 24
_HEIGHT = 6


class FunctionView(NamedTuple):
    """One function that reads secrets."""

    label: str
    """Prefix of its widgets' titles; empty for the function `reader`."""
    name: str
    timeout_seconds: int
    telemetry: bool
    """Whether its client publishes metrics."""


class View(NamedTuple):
    """What the dashboard shows."""

    region: str
    namespace: str
    """Namespace of the metrics from the trail's log group."""
    functions: Sequence[FunctionView]
    audit_log_group: str
    secret_prefix: str
    existing_arns: Sequence[str]
    """ARNs of the existing secrets."""
    rotating: Sequence[str]
    """Full names of the secrets that rotate."""
    alarm_arns: Sequence[str]
    period_seconds: int


def body(view: View) -> dict[str, Any]:
    """Return the body: alarms and reads, then each function, rotation, and readers."""
    rows = [
        [_alarms(view), _reads(view)],
        *(_function(view, each) for each in view.functions),
        _rotating(view),
        _readers(view),
    ]
    widgets: list[Widget] = []
    for y, row in enumerate(filter(None, rows)):
        width = _COLUMNS // len(row)
        for x, widget in enumerate(row):
            place = {"x": x * width, "y": y * _HEIGHT, "width": width, "height": _HEIGHT}
            widgets.append(widget | place)
    return {"widgets": widgets}


def _alarms(view: View) -> Widget:
    return {
        "type": "alarm",
        "properties": {"title": "Is anything wrong?", "alarms": list(view.alarm_arns)},
    }


def _reads(view: View) -> Widget:
    return _graph(
        view,
        "How often are secrets read, and how often denied?",
        [_of_trail(view, each) for each in ("Reads", "DeniedReads", "UnknownReaders")],
    )


def _function(view: View, function: FunctionView) -> list[Widget]:
    label = function.label and f"{function.label}: "
    timeout = {"label": "timeout", "value": function.timeout_seconds * 1000}
    widgets = [
        _graph(
            view,
            f"{label}Is it healthy?",
            [_of_function(function, "AWS/Lambda", each, "Sum") for each in _INVOCATIONS],
        ),
        _graph(
            view,
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
                view,
                f"{label}Does it get its secrets?",
                [_of_function(function, "LambdaSecrets", each, "Sum") for each in _RETRIEVALS],
            ),
            _graph(
                view,
                f"{label}How long does a secret take?",
                [
                    _of_function(function, "LambdaSecrets", "Duration", stat)
                    for stat in ("p50", "p99", "Maximum")
                ],
            ),
        ]
    return widgets


def _rotating(view: View) -> list[Widget]:
    if not view.rotating:
        return []
    ages = [
        ["LambdaSecrets", "SecretAge", "SecretName", name, {"stat": "Maximum", "label": name}]
        for name in view.rotating
    ]
    return [
        _graph(
            view,
            "Is it rotating?",
            [_of_trail(view, each) for each in ("RotationsSucceeded", "RotationsFailed")],
        ),
        _graph(view, "How many days old is each value?", ages),
    ]


def _readers(view: View) -> list[Widget]:
    read = f"requestParameters.secretId like '{view.secret_prefix}'"
    if view.existing_arns:
        read = f"({read} or requestParameters.secretId like {_existing(view.existing_arns)})"
    ours = (
        f"SOURCE '{view.audit_log_group}' | filter eventName = 'GetSecretValue'"
        f" and {read}"
        " | stats count(*) as reads, max(eventTime) as last by userIdentity.arn as reader,"
        " requestParameters.secretId as secret | sort reads desc"
    )
    refused = (
        f"SOURCE '{view.audit_log_group}' | filter eventName like /GetSecretValue$/"
        " and errorCode like 'AccessDenied' | stats count(*) as denials, max(eventTime) as last"
        " by userIdentity.arn as caller, sourceIPAddress | sort denials desc"
    )
    return [_table(view, "Who reads?", ours), _table(view, "Who is denied?", refused)]


def _existing(arns: Sequence[str]) -> str:
    """Return a regular expression for names and ARNs, with or without the random suffix."""
    names = (arn.split(":secret:", 1)[1][: -len("-AbCdEf")] for arn in arns)
    escaped = "|".join(re.escape(name).replace("/", r"\/") for name in sorted(names))
    return rf"/(^|:secret:)({escaped})(-[A-Za-z0-9]{{6}})?$/"


_INVOCATIONS = ("Invocations", "Errors", "Throttles")
_RETRIEVALS = ("Hits", "Misses", "Stale", "Failovers", "Errors")


def _graph(view: View, title: str, metrics: list[list[Any]], **properties: object) -> Widget:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "view": "timeSeries",
            "region": view.region,
            "period": max(view.period_seconds, 60),
            "metrics": metrics,
            "yAxis": {"left": {"min": 0}},
            **properties,
        },
    }


def _table(view: View, title: str, query: str) -> Widget:
    return {
        "type": "log",
        "properties": {"title": title, "view": "table", "region": view.region, "query": query},
    }


def _of_function(function: FunctionView, namespace: str, metric: str, stat: str) -> list[Any]:
    return [namespace, metric, "FunctionName", function.name, {"stat": stat}]


def _of_trail(view: View, metric: str) -> list[Any]:
    return [view.namespace, metric, {"stat": "Sum"}]

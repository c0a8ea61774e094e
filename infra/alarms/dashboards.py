"""The dashboard of an environment: each widget's title is the question it answers. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

Widget = dict[str, Any]

# The grid has 24 columns.
_THIRD, _HALF, _WHOLE = 8, 12, 24
_HEIGHT = 6


class View(NamedTuple):
    """What the dashboard is about."""

    region: str
    namespace: str
    """Of the metrics made from the trail's log group."""
    function_name: str
    timeout_seconds: int
    """Of the function."""
    audit_log_group: str
    secret_prefix: str
    rotating: Sequence[str]
    """Full names of the secrets that rotate."""
    alarm_arns: Sequence[str]
    period_seconds: int


def body(view: View) -> dict[str, Any]:
    """Write the body: is it healthy, is it rotating, who reads."""
    rows = [_healthy(view), _reading(view), _rotating(view), _readers(view)]
    widgets, y = [], 0
    for row in rows:
        x = 0
        for widget in row:
            widgets.append(widget | {"x": x, "y": y, "height": _HEIGHT})
            x += widget["width"]
        y += _HEIGHT
    return {"widgets": widgets}


def _healthy(view: View) -> list[Widget]:
    return [
        {
            "type": "alarm",
            "width": _THIRD,
            "properties": {"title": "Is anything wrong?", "alarms": list(view.alarm_arns)},
        },
        _graph(
            view,
            "Is it healthy?",
            [_of_function(view, "AWS/Lambda", each, "Sum") for each in _INVOCATIONS],
        ),
        _graph(
            view,
            "How near is it to its timeout?",
            [_of_function(view, "AWS/Lambda", "Duration", stat) for stat in ("p50", "Maximum")],
            annotations={
                "horizontal": [{"label": "timeout", "value": view.timeout_seconds * 1000}]
            },
        ),
    ]


def _reading(view: View) -> list[Widget]:
    return [
        _graph(
            view,
            "Does it get its secrets?",
            [_of_function(view, "LambdaSecrets", each, "Sum") for each in _RETRIEVALS],
        ),
        _graph(
            view,
            "How long does a secret take?",
            [
                _of_function(view, "LambdaSecrets", "Duration", stat)
                for stat in ("p50", "p99", "Maximum")
            ],
        ),
        _graph(
            view,
            "How often is a secret read, and who is refused?",
            [_of_trail(view, each) for each in ("Reads", "DeniedReads", "UnknownReaders")],
        ),
    ]


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
            width=_HALF,
        ),
        _graph(view, "How many days old is each value?", ages, width=_HALF),
    ]


def _readers(view: View) -> list[Widget]:
    ours = (
        f"SOURCE '{view.audit_log_group}' | filter eventName = 'GetSecretValue'"
        f" and requestParameters.secretId like '{view.secret_prefix}'"
        " | stats count(*) as reads, max(eventTime) as last by userIdentity.arn as reader,"
        " requestParameters.secretId as secret | sort reads desc"
    )
    refused = (
        f"SOURCE '{view.audit_log_group}' | filter eventName like /GetSecretValue$/"
        " and errorCode like 'AccessDenied' | stats count(*) as refusals, max(eventTime) as last"
        " by userIdentity.arn as caller, sourceIPAddress | sort refusals desc"
    )
    return [_table(view, "Who reads?", ours), _table(view, "Who is refused?", refused)]


_INVOCATIONS = ("Invocations", "Errors", "Throttles")
_RETRIEVALS = ("Hits", "Misses", "Stale", "Failovers", "Errors")


def _graph(
    view: View, title: str, metrics: list[list[Any]], width: int = _THIRD, **properties: object
) -> Widget:
    return {
        "type": "metric",
        "width": width,
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
        "width": _HALF,
        "properties": {"title": title, "view": "table", "region": view.region, "query": query},
    }


def _of_function(view: View, namespace: str, metric: str, stat: str) -> list[Any]:
    return [namespace, metric, "FunctionName", view.function_name, {"stat": stat}]


def _of_trail(view: View, metric: str) -> list[Any]:
    return [view.namespace, metric, {"stat": "Sum"}]

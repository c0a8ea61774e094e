"""CloudWatch: what an alarm sends to topics, functions and EventBridge.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import functools
import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from local.emulator.cloudwatch.alarm_reasons import iso
from local.emulator.core import endpoints

SUBJECT_CHARACTERS = 100

Alarm = Mapping[str, Any]
Message = dict[str, Any]


class AlarmState(NamedTuple):
    """A state that an alarm is or was in."""

    value: str
    reason: str
    since: float
    """Seconds since the epoch."""
    data: str = ""
    """The reason as JSON; empty if CloudWatch has none."""

    def as_json(self) -> Message:
        """Return the state as an event has it."""
        reason_data = {"reasonData": self.data} if self.data else {}
        return {
            "value": self.value,
            "reason": self.reason,
            **reason_data,
            "timestamp": iso(self.since),
        }


def subject(alarm: Alarm, state: AlarmState, region: str) -> str:
    """Return the subject of a notification."""
    text = f'{state.value}: "{alarm["AlarmName"]}" in {region_in_words(region)}'
    return text[:SUBJECT_CHARACTERS]


def notification(
    alarm: Alarm, old: AlarmState, new: AlarmState, *, account: str, region: str
) -> Message:
    """Return the message to a topic."""
    is_composite = "AlarmRule" in alarm
    updated = {
        "AlarmConfigurationUpdatedTimestamp": iso(
            alarm.get("AlarmConfigurationUpdatedTimestamp", new.since)
        )
    }
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        **({} if is_composite else updated),
        "NewStateValue": new.value,
        "NewStateReason": new.reason,
        "StateChangeTime": iso(new.since),
        "Region": region_in_words(region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old.value,
        **{
            name: alarm.get(name) or []
            for name in ("OKActions", "AlarmActions", "InsufficientDataActions")
        },
        **(_composition(alarm, new) if is_composite else {"Trigger": _trigger(alarm)}),
    }


def event_detail(alarm: Alarm, old: AlarmState, new: AlarmState) -> Message:
    """Return the detail of an event, which is also the `alarmData` for a function."""
    description = alarm.get("AlarmDescription")
    return {
        "alarmName": alarm["AlarmName"],
        "configuration": {
            **({"description": description} if description else {}),
            **(
                {"alarmRule": alarm["AlarmRule"]}
                if "AlarmRule" in alarm
                else {"metrics": [_query(query) for query in _queries(alarm)]}
            ),
        },
        "previousState": old.as_json(),
        "state": new.as_json(),
    }


def invocation(alarm: Alarm, detail: Message, *, account: str, region: str) -> Message:
    """Return the event of a function that an alarm invokes."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": account,
        "time": detail["state"]["timestamp"],
        "region": region,
        "alarmData": detail,
    }


def region_in_words(region: str) -> str:
    """Return the name of a region: `US East (N. Virginia)`, `EU (Ireland)`."""
    return _regions().get(region, region)


@functools.cache
def _regions() -> dict[str, str]:
    return {
        name: region["description"].replace("Europe (", "EU (")  # as alarms still write it
        for partition in endpoints.partitions()
        for name, region in partition["regions"].items()
    }


def _composition(alarm: Alarm, state: AlarmState) -> Message:
    children = json.loads(state.data or "{}").get("triggeringAlarms", [])
    return {
        "AlarmRule": alarm["AlarmRule"],
        "TriggeringChildren": [
            {
                "Arn": child["arn"],
                "State": {
                    "Value": child["state"]["value"],
                    "Timestamp": child["state"]["timestamp"],
                },
            }
            for child in children
        ],
    }


def _trigger(alarm: Alarm) -> Message:
    datapoints = alarm.get("DatapointsToAlarm")
    evaluation = {
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        **({"DatapointsToAlarm": datapoints} if datapoints else {}),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": float(alarm.get("Threshold") or 0),
        "TreatMissingData": alarm.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    if "Metrics" in alarm:
        return {**evaluation, "Metrics": [_math_query(query) for query in alarm["Metrics"]]}
    extended = alarm.get("ExtendedStatistic")
    statistic = (
        {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        if extended
        else {"StatisticType": "Statistic", "Statistic": _SHOUTED[alarm["Statistic"]]}
    )
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        **statistic,
        "Unit": alarm.get("Unit"),
        "Dimensions": _dimensions(alarm),
        "Period": alarm["Period"],
        **evaluation,
    }


_SHOUTED = {
    "SampleCount": "SAMPLE_COUNT",
    "Average": "AVERAGE",
    "Sum": "SUM",
    "Minimum": "MINIMUM",
    "Maximum": "MAXIMUM",
}


def _dimensions(metric: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"value": dimension["Value"], "name": dimension["Name"]}
        for dimension in metric.get("Dimensions") or []
    ]


def _math_query(query: Mapping[str, Any]) -> Message:
    if "MetricStat" not in query:
        return dict(query)
    stat = query["MetricStat"]
    metric = {**stat["Metric"], "Dimensions": _dimensions(stat["Metric"])}
    return {**query, "MetricStat": {**stat, "Metric": metric}}


def _queries(alarm: Alarm) -> list[Message]:
    """Return what the alarm watches as queries, also if it is a single metric."""
    if "Metrics" in alarm:
        return list(alarm["Metrics"])
    metric = {
        "Namespace": alarm["Namespace"],
        "MetricName": alarm["MetricName"],
        "Dimensions": alarm.get("Dimensions") or [],
    }
    stat = {
        "Metric": metric,
        "Period": alarm["Period"],
        "Stat": alarm.get("ExtendedStatistic") or alarm["Statistic"],
        **({"Unit": alarm["Unit"]} if alarm.get("Unit") else {}),
    }
    return [{"Id": str(uuid.uuid4()), "MetricStat": stat, "ReturnData": True}]


def _query(query: Mapping[str, Any]) -> Message:
    """Return a query as an event has it, with names in lower camel case."""
    found = {
        name[0].lower() + name[1:]: query[name]
        for name in ("Id", "Expression", "Label")
        if name in query
    }
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        found["metricStat"] = {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {
                    dimension["Name"]: dimension["Value"]
                    for dimension in metric.get("Dimensions") or []
                },
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if stat.get("Unit") else {}),
        }
    return {**found, "returnData": query.get("ReturnData", True)}

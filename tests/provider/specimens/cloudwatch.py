import json
from typing import Any

from tests.provider.specimen import Specimen, World

ACTION = "arn:aws:sns:us-east-1:123456789012:topic"
OTHER_ACTION = "arn:aws:sns:us-east-1:123456789012:another-topic"
REBOOT = "arn:aws:automate:us-east-1:ec2:reboot"

SINGLE: dict[str, Any] = {
    "namespace": "Specimen",
    "metricName": "Errors",
    "dimensions": {"functionName": "reader"},
    "statistic": "Sum",
    "period": 300,
    "threshold": 1,
}
METRIC = {"namespace": "Specimen", "metricName": "Reads", "stat": "p99", "period": 300}
BAND = {"id": "usual", "expression": "ANOMALY_DETECTION_BAND(reads, 2)", "label": "as usual"}


def alarm(world: World, name: str) -> str:
    settings = SINGLE | {"comparisonOperator": "LessThanThreshold", "evaluationPeriods": 1}
    made = world.make("aws:cloudwatch/metricAlarm:MetricAlarm", name, **settings)
    return f'ALARM("{made["id"]}")'


def body(title: str) -> str:
    return json.dumps({"widgets": [{"type": "text", "properties": {"markdown": title}}]})


SPECIMENS = [
    Specimen(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda _: (
            SINGLE
            | {
                "name": "specimen",
                "alarmDescription": "of the tests",
                "comparisonOperator": "GreaterThanOrEqualToThreshold",
                "evaluationPeriods": 2,
                "datapointsToAlarm": 2,
                "treatMissingData": "notBreaching",
                "alarmActions": [ACTION, OTHER_ACTION],
                "okActions": [ACTION],
                "insufficientDataActions": [ACTION],
                "tags": {"A": "1", "B": "2"},
            }
        ),
        lambda _: [
            {"name": "another"},
            {"alarmDescription": "another"},
            {"alarmDescription": None},
            {"comparisonOperator": "LessThanThreshold"},
            {"evaluationPeriods": 3},
            {"datapointsToAlarm": 1},
            {"datapointsToAlarm": None},
            {"treatMissingData": "breaching"},
            {"actionsEnabled": False},
            {"alarmActions": [OTHER_ACTION, REBOOT]},
            {"okActions": None},
            {"insufficientDataActions": [OTHER_ACTION]},
            {"namespace": "Another", "metricName": "Another", "dimensions": {"b": "2"}},
            {"dimensions": None},
            {"period": 10},
            {"threshold": 80.5},
            {"threshold": None},
            {"unit": "Count"},
            {"statistic": None, "extendedStatistic": "p99.9"},
            {
                "statistic": None,
                "extendedStatistic": "p90",
                "evaluateLowSampleCountPercentiles": "ignore",
            },
            {
                **dict.fromkeys(SINGLE),
                "comparisonOperator": "GreaterThanUpperThreshold",
                "thresholdMetricId": "usual",
                "metricQueries": [
                    {"id": "reads", "returnData": True, "metric": METRIC},
                    BAND | {"returnData": True},
                ],
            },
            {
                **dict.fromkeys(SINGLE),
                "threshold": 5,
                "metricQueries": [
                    {"id": "twice", "expression": "reads * 2", "returnData": True, "period": 60},
                    {"id": "reads", "metric": METRIC | {"dimensions": {"a": "1"}, "unit": "None"}},
                ],
            },
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
    ),
    Specimen(
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        lambda world: {
            "alarmName": "specimen-any",
            "alarmDescription": "of the tests",
            "alarmRule": alarm(world, "a-child"),
            "alarmActions": [ACTION, OTHER_ACTION],
            "okActions": [ACTION],
            "insufficientDataActions": [ACTION],
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"alarmName": "another-any"},
            {"alarmDescription": "another"},
            {"alarmDescription": None},
            {"alarmRule": f"{alarm(world, 'a-child')} OR {alarm(world, 'another-child')}"},
            # Of the same name it would overwrite the old one, which is deleted after it.
            {"alarmName": "silent", "actionsEnabled": False},
            {"alarmActions": [OTHER_ACTION]},
            {"okActions": None},
            {"insufficientDataActions": [OTHER_ACTION]},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
    ),
    Specimen(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda _: {"dashboardName": "specimen", "dashboardBody": body("a")},
        lambda _: [{"dashboardName": "another"}, {"dashboardBody": body("b")}],
        deletes_twice=False,
    ),
]

"""Why an alarm is in its state, as AWS says it."""

import json
from typing import Any

import pytest

from local.emulator.cloudwatch.alarm_reasons import Datapoint, data, sentence
from local.emulator.cloudwatch.alarms import State

START = 1698338520.0  # 26/10/23 16:42:00
ALARM = {
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 2,
    "Statistic": "Average",
    "Period": 30,
    "Unit": "Seconds",
}


# The first and the last two were recorded by localstack's tests test_put_metric_alarm and
# test_breaching_alarm_actions, the others are in messages that people have published.
@pytest.mark.parametrize(
    ("options", "values", "state", "text"),
    [
        (
            {},
            [21.5],
            "ALARM",
            (
                "Threshold Crossed: 1 datapoint [21.5 (26/10/23 16:42:00)] was greater than the "
                "threshold (2.0)."
            ),
        ),
        (
            {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "DatapointsToAlarm": 2},
            [1, 2],
            "ALARM",
            (
                "Threshold Crossed: 2 out of the last 2 datapoints [2.0 (26/10/23 16:42:30), "
                "1.0 (26/10/23 16:42:00)] were greater than or equal to the threshold (2.0) "
                "(minimum 2 datapoints for OK -> ALARM transition)."
            ),
        ),
        (
            {"DatapointsToAlarm": 1},
            [0.5],
            "OK",
            (
                "Threshold Crossed: 1 out of the last 1 datapoints [0.5 (26/10/23 16:42:00)] was "
                "not greater than the threshold (2.0) (minimum 1 datapoint for "
                "ALARM -> OK transition)."
            ),
        ),
        ({}, [None], "INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown."),
        (
            {"TreatMissingData": "breaching"},
            [None, None],
            "ALARM",
            (
                "Threshold Crossed: no datapoints were received for 2 periods and 2 missing "
                "datapoints were treated as [Breaching]."
            ),
        ),
        (
            {"TreatMissingData": "notBreaching"},
            [None],
            "OK",
            (
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing "
                "datapoint was treated as [NonBreaching]."
            ),
        ),
    ],
)
def test_the_reason_is_the_sentence_of_aws(
    options: dict[str, Any], values: list[float | None], state: State, text: str
) -> None:
    datapoints = [Datapoint(START + 30 * number, value) for number, value in enumerate(values)]

    assert sentence(ALARM | options, datapoints, state) == text


def test_the_reason_as_data_has_the_evaluated_datapoints() -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_put_metric_alarm
    datapoints = [Datapoint(START), Datapoint(START + 30, 21.5, 2.0)]

    assert json.loads(data(ALARM, datapoints, START + 60.5)) == {
        "version": "1.0",
        "queryDate": "2023-10-26T16:43:00.500+0000",
        "startDate": "2023-10-26T16:42:30.000+0000",
        "unit": "Seconds",
        "statistic": "Average",
        "period": 30,
        "recentDatapoints": [21.5],
        "threshold": 2.0,
        "evaluatedDatapoints": [
            {"timestamp": "2023-10-26T16:42:30.000+0000", "sampleCount": 2.0, "value": 21.5},
            {"timestamp": "2023-10-26T16:42:00.000+0000"},
        ],
    }

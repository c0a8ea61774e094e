"""What the provider refuses of alarms beyond what each input says by itself."""

import re
from typing import Any

import boto3
import pytest

from local.provider.cloudwatch import MetricAlarm
from local.provider.provider import check
from local.provider.wire import UNKNOWN
from tests.provider.specimens.cloudwatch import BAND, METRIC, SINGLE

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
VALID = SINGLE | {"comparisonOperator": "LessThanThreshold", "evaluationPeriods": 1}
MATH = {
    **dict.fromkeys(SINGLE),
    "comparisonOperator": "GreaterThanUpperThreshold",
    "evaluationPeriods": 1,
}


def refused(given: dict[str, Any]) -> list[tuple[str, str]]:
    return check(ALARM, "alarm", given)[1]


@pytest.mark.parametrize(
    "given",
    [
        VALID,
        VALID | {"period": 120},
        VALID | {"period": UNKNOWN},
        VALID | {"statistic": None, "extendedStatistic": "TM(10%:90%)"},
        MATH | {"thresholdMetricId": "usual", "metricQueries": [BAND]},
        MATH | {"metricQueries": [{"id": "a", "metric": METRIC | {"period": 1}}]},
        MATH | {"metricQueries": UNKNOWN},
    ],
)
def test_an_alarm_that_the_provider_takes_is_not_refused(given: dict[str, Any]) -> None:
    assert refused(given) == []


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        (VALID | {"comparisonOperator": None}, "comparisonOperator", "is required for"),
        (VALID | {"evaluationPeriods": None}, "evaluationPeriods", "is required for"),
        (VALID | {"statistic": None}, "statistic", "one of statistic, extendedStatistic"),
        (VALID | {"extendedStatistic": "p99"}, "extendedStatistic", "together with statistic"),
        (
            VALID | {"statistic": None, "extendedStatistic": "mean"},
            "extendedStatistic",
            "must match",
        ),
        (VALID | {"metricName": None}, "metricName", "exactly one of metricName, metricQueries"),
        (VALID | {"period": 5}, "period", "10, 20, 30 or a multiple of 60, got 5"),
        (VALID | {"period": 90}, "period", "10, 20, 30 or a multiple of 60, got 90"),
        (VALID | {"thresholdMetricId": "usual"}, "threshold", "together with thresholdMetricId"),
        (VALID | {"alarmActions": ["topic"]}, "alarmActions", "must match .*, got 'topic'"),
        (VALID | {"okActions": ["arn:aws:sns:::a"] * 6}, "okActions", "0 to 5 items, has 6"),
        (
            MATH | {"metricQueries": [BAND, BAND | {"metric": METRIC}]},
            "metricQueries[1]",
            "both an expression and a metric",
        ),
        (
            MATH | {"metricQueries": [BAND | {"period": 7}]},
            "metricQueries[0].period",
            "1, 5, 10, 20, 30 or a multiple of 60, got 7",
        ),
        (
            MATH | {"metricQueries": [{"id": "a", "metric": METRIC | {"period": 7}}]},
            "metricQueries[0].metric.period",
            "1, 5, 10, 20, 30 or a multiple of 60, got 7",
        ),
        (MATH | {"metricQueries": [BAND], "period": 60}, "period", "together with metricQueries"),
    ],
)
def test_an_alarm_that_the_provider_refuses_is_refused(
    given: dict[str, Any], path: str, reason: str
) -> None:
    [(found, why)] = refused(given)
    assert found == path
    assert re.search(reason, why)


def test_units_statistics_and_operators_are_those_of_aws() -> None:
    client = boto3.Session("a", "b").client("cloudwatch", region_name="us-east-1")
    shapes = {
        "unit": "StandardUnit",
        "statistic": "Statistic",
        "comparisonOperator": "ComparisonOperator",
    }
    for key, shape in shapes.items():
        allowed = client.meta.service_model.shape_for(shape).enum
        assert set(MetricAlarm.inputs[key].choices) == set(allowed)

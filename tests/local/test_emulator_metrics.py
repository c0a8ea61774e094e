"""Metrics, as CloudWatch keeps, finds and labels them.

What is compared was recorded from AWS: each row names its source.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused, send

PUT = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"
DATUM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html"
# localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::, and the test of each row
LABELS = {
    "test_get_metric_data_stats": ([("Sum", 60)], ["metric"]),
    "test_get_metric_data_with_zero_and_labels": (
        [("Average", 60), ("Sum", 60)],
        ["metric Average", "metric Sum"],
    ),
    "test_label_generation[input_pairs0]": (
        [("Sum", 60), ("Minimum", 30)],
        ["metric Sum 60", "metric Minimum 30"],
    ),
    "test_label_generation[input_pairs2]": (
        [("Sum", 60), ("Sum", 30)],
        ["metric 60", "metric 30"],
    ),
}


@pytest.fixture
def cloudwatch(aws: EmbeddedAws) -> Any:
    return aws.client("cloudwatch", "us-east-1")


def data(cloudwatch: Any, *queries: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of the last hour."""
    now = datetime.now(UTC)
    found: list[dict[str, Any]] = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(hours=1), EndTime=now
    )["MetricDataResults"]
    return found


def query(
    namespace: str, id_: str = "m", stat: str = "Sum", period: int = 60, **dimensions: str
) -> dict[str, Any]:
    metric = {
        "Namespace": namespace,
        "MetricName": "metric",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


@pytest.mark.parametrize(("asked", "labels"), LABELS.values(), ids=LABELS.keys())
def test_a_label_says_what_tells_the_metrics_apart(
    cloudwatch: Any, unique: str, asked: list[tuple[str, int]], labels: list[str]
) -> None:
    queries = [query(unique, f"m{number}", *each) for number, each in enumerate(asked)]

    assert [result["Label"] for result in data(cloudwatch, *queries)] == labels
    assert data(cloudwatch, query(unique) | {"Label": "mine"})[0]["Label"] == "mine"


def test_a_metric_is_found_by_exactly_its_dimensions(cloudwatch: Any, unique: str) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::
    # test_get_metric_with_null_dimensions
    datum = {
        "MetricName": "metric",
        "Value": 5,
        "Timestamp": datetime.now(UTC) - timedelta(minutes=5),
        "Dimensions": [{"Name": "Function", "Value": "orders"}],
    }
    cloudwatch.put_metric_data(Namespace=unique, MetricData=[datum])

    found = data(cloudwatch, query(unique, "without"), query(unique, "with", Function="orders"))
    assert [result["Values"] for result in found] == [[], [5.0]]


def put(**datum: object) -> dict[str, Any]:
    return {"Namespace": "refused", "MetricData": [{"MetricName": "metric", **datum}]}


REFUSALS = {
    "a value too large": Refusal(
        "PutMetricData", put(Value=2.0**361), "InvalidParameterValue", None, DATUM
    ),
    "a value that is not a number": Refusal(
        "PutMetricData", put(Value=float("nan")), "InvalidParameterValue", None, DATUM
    ),
    "a sum too small": Refusal(
        "PutMetricData",
        put(
            StatisticValues={
                "SampleCount": 1.0,
                "Sum": -(2.0**361),
                "Minimum": 0.0,
                "Maximum": 1.0,
            }
        ),
        "InvalidParameterValue",
        None,
        DATUM,
    ),
    "statistics that end before they start": Refusal(
        "GetMetricStatistics",
        {
            "Namespace": "refused",
            "MetricName": "metric",
            "StartTime": datetime(2026, 1, 2, tzinfo=UTC),
            "EndTime": datetime(2026, 1, 1, tzinfo=UTC),
            "Period": 60,
            "Statistics": ["Sum"],
        },
        "InvalidParameterValue",
        "The parameter StartTime must be less than the parameter EndTime.",
        "moto test_cloudwatch/test_cloudwatch_boto3.py::"
        "test_get_metric_statistics_endtime_sooner_than_starttime",
    ),
    "a value and values": Refusal(
        "PutMetricData",
        put(Value=1.0, Values=[1.0]),
        "InvalidParameterCombination",
        None,
        PUT,
    ),
    "more counts than values": Refusal(
        "PutMetricData",
        put(Values=[1.0], Counts=[1.0, 2.0]),
        "InvalidParameterValue",
        None,
        PUT,
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_cloudwatch_answers_as_documented(aws: EmbeddedAws, refusal: Refusal) -> None:
    assert_refused(aws, "cloudwatch", refusal)


def test_an_alarm_that_is_gone_has_no_tags(aws: EmbeddedAws, cloudwatch: Any, unique: str) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_store_tags
    arn = f"arn:aws:cloudwatch:us-east-1:{aws.account_id}:alarm:{unique}"
    form = {"Action": "ListTagsForResource", "Version": "2010-08-01", "ResourceARN": arn}
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    answer = send(aws, "monitoring", urlencode(form), headers)
    assert (answer.status, b"<Tags/>" in answer.body) == (200, True)

"""Metric filters and embedded metrics, as CloudWatch Logs documents them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.emulator.logs import patterns
from tests.inbox import allow

REGION = "us-east-1"

Make = Callable[..., Any]

DENIED = json.dumps(
    {
        "eventName": "GetSecretValue",
        "errorCode": "AccessDenied",
        "requestParameters": None,
        "latency": 50,
        "recent": True,
        "userIdentity": {"type": "AssumedRole", "principalId": "A-1"},
        "resources": [{"type": "key"}, {"type": "secret"}],
    }
)
SUBSCRIBER = """
import base64, gzip, json

def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    for line in data["logEvents"]:
        print("got", line["message"])
"""
LINE = "[ERROR] Task timed out after 3.00 seconds"


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        '{ $.errorCode = "AccessDenied" }',
        '{ ($.errorCode = "AccessDenied*") && ($.eventName = "GetSecretValue") }',
        '{ $.errorCode = "*UnauthorizedOperation" || $.errorCode = "AccessDenied*" }',
        '{ $.eventName = "no" && $.eventName = "no" || $.latency = 50 }',
        "{ $.eventName = Get* }",
        '{ $.eventName != "Put*" }',
        '{ $.notThere != "anything" }',
        "{ $.invokedBy NOT EXISTS }",
        "{ $.requestParameters IS NULL }",
        "{ $.recent IS TRUE }",
        "{ $.latency > 49.5 && $.latency <= 50 && $.latency != 51 }",
        '{ $.userIdentity.type = "AssumedRole" }',
        '{ $.resources[1].type = "secret" }',
        '{ $.resources[*].type = "secret" }',
        "{ $.errorCode = %^Access% }",
        "AccessDenied GetSecretValue",
        '"AccessDenied"',
        "?nothing ?AccessDenied",
        "AccessDenied -PutSecretValue",
        "%Get[A-Z]%",
    ],
)
def test_a_pattern_matches_an_event_that_has_it_all(pattern: str) -> None:
    assert patterns.compiled(pattern)(DENIED)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.errorCode = "Access" }',
        '{ ($.errorCode = "AccessDenied") && ($.eventName = "PutSecretValue") }',
        '{ ($.eventName = "no" || $.latency = 50) && $.eventName = "no" }',
        '{ $.eventName = "getsecretvalue" }',
        "{ $.errorCode NOT EXISTS }",
        "{ $.errorCode IS NULL }",
        "{ $.notThere IS NULL }",
        "{ $.recent IS FALSE }",
        "{ $.latency > 50 }",
        "{ $.eventName > 3 }",
        '{ $.resources[0].type = "secret" }',
        "accessdenied",
        "AccessDenied PutSecretValue",
        "AccessDenied -GetSecretValue",
        "?nothing ?neither",
    ],
)
def test_a_pattern_does_not_match_an_event_that_lacks_a_part(pattern: str) -> None:
    assert not patterns.compiled(pattern)(DENIED)


def test_a_pattern_for_json_matches_no_other_line() -> None:
    assert not patterns.compiled('{ $.errorCode != "x" }')(LINE)
    assert patterns.compiled('"timed out"')(LINE)


@pytest.fixture
def group(aws: EmbeddedAws, unique: str) -> str:
    logs = aws.client("logs", REGION)
    logs.create_log_group(logGroupName=unique)
    logs.create_log_stream(logGroupName=unique, logStreamName="stream")
    return unique


@pytest.fixture
def put(aws: EmbeddedAws, group: str) -> Make:
    def lines(*messages: str) -> None:
        now = int(time.time() * 1000)
        aws.client("logs", REGION).put_log_events(
            logGroupName=group,
            logStreamName="stream",
            logEvents=[{"timestamp": now, "message": message} for message in messages],
        )

    return lines


@pytest.fixture
def filter_metric(aws: EmbeddedAws, group: str) -> Make:
    def make(pattern: str, **transformation: object) -> None:
        metric = {"metricName": "metric", "metricNamespace": group, "metricValue": "1"}
        aws.client("logs", REGION).put_metric_filter(
            logGroupName=group,
            filterName="filter",
            filterPattern=pattern,
            metricTransformations=[metric | transformation],
        )

    return make


@pytest.fixture
def total(aws: EmbeddedAws, group: str) -> Make:
    """Return the function that sums a metric of the group's namespace up; None without data."""

    def of(name: str = "metric", **dimensions: str) -> float | None:
        now = datetime.now(UTC)
        points = aws.client("cloudwatch", REGION).get_metric_statistics(
            Namespace=group,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points) if points else None

    return of


def test_a_metric_filter_counts_the_lines_that_match(
    put: Make, filter_metric: Make, total: Make
) -> None:
    filter_metric('{ ($.errorCode = "AccessDenied*") && ($.eventName = "GetSecretValue") }')
    put(DENIED, '{"eventName": "GetSecretValue"}', LINE, DENIED)

    assert total() == 2


def test_the_lines_of_a_group_are_counted(aws: EmbeddedAws, put: Make, group: str) -> None:
    put(DENIED, LINE)
    put(LINE)
    now = datetime.now(UTC)
    (point,) = aws.client("cloudwatch", REGION).get_metric_statistics(
        Namespace="AWS/Logs",
        MetricName="IncomingLogEvents",
        Dimensions=[{"Name": "LogGroupName", "Value": group}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    assert point["Sum"] == 3


def test_a_metric_filter_publishes_a_value_and_dimensions_of_the_line(
    put: Make, filter_metric: Make, total: Make
) -> None:
    filter_metric("{ $.latency = * }", metricValue="$.latency", dimensions={"Name": "$.eventName"})
    put(DENIED, '{"latency": 7, "eventName": "Other"}', '{"latency": "no number"}')

    assert total(Name="GetSecretValue") == 50
    assert total(Name="Other") == 7


def test_the_default_value_is_published_when_nothing_matches(
    put: Make, filter_metric: Make, total: Make
) -> None:
    filter_metric("ERROR", defaultValue=0.0)
    assert total() is None
    put("fine")

    assert total() == 0


def test_a_deleted_metric_filter_counts_no_more(
    aws: EmbeddedAws, put: Make, filter_metric: Make, total: Make, group: str
) -> None:
    filter_metric("ERROR")
    aws.client("logs", REGION).delete_metric_filter(logGroupName=group, filterName="filter")
    put(LINE)

    assert total() is None


@pytest.mark.parametrize(
    "pattern", ["{ $.a = }", "{ ($.a = 1 }", "{ $.a > b }", "{ $.a = 1", "a:b"]
)
def test_what_is_no_pattern_is_refused(filter_metric: Make, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        filter_metric(pattern)


def test_dimensions_are_three_at_most_and_have_no_default_value(filter_metric: Make) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        filter_metric("{ $.a = 1 }", dimensions=dict.fromkeys("abcd", "$.a"))
    with pytest.raises(ClientError, match="InvalidParameterException"):
        filter_metric("{ $.a = 1 }", dimensions={"a": "$.a"}, defaultValue=0.0)


def test_events_are_searched_by_the_same_patterns(aws: EmbeddedAws, put: Make, group: str) -> None:
    put(DENIED, '{"eventName": "PutSecretValue"}')
    found = aws.client("logs", REGION).filter_log_events(
        logGroupName=group, filterPattern='{ $.errorCode = "Access*" }'
    )["events"]

    assert [event["message"] for event in found] == [DENIED]


def test_a_line_in_the_embedded_metric_format_is_metrics(
    put: Make, total: Make, group: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    directive = {
        "Namespace": group,
        "Dimensions": [["Function"], ["Function", "Version"], ["Missing"]],
        "Metrics": [{"Name": "Misses", "Unit": "Count"}, {"Name": "Many"}, {"Name": "Absent"}],
    }
    put(
        json.dumps(
            {
                "_aws": {
                    "Timestamp": int(time.time() * 1000),
                    "CloudWatchMetrics": [directive],
                },
                "Function": "reader",
                "Version": "7",
                "Misses": 3,
                "Many": [1, 2, 4],
            }
        )
    )

    assert total("Misses", Function="reader") == 3
    assert total("Misses", Function="reader", Version="7") == 3
    assert total("Many", Function="reader") == 7
    assert total("Absent") is None


def test_a_function_prints_metrics(
    make_function: Make, invoke: Make, total: Make, group: str
) -> None:
    source = f"""
import json, time

def handler(event, context):
    directive = {{"Namespace": {group!r}, "Dimensions": [["Function"]],
                 "Metrics": [{{"Name": "Stale"}}]}}
    metadata = {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    print(json.dumps({{"_aws": metadata, "Function": "f", "Stale": 1}}))
"""
    function = make_function(
        source,
        {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]},
    )
    invoke(function)
    invoke(function)

    assert total("Stale", Function="f") == 2


def test_a_subscription_gets_the_lines_that_match(
    make_function: Make, aws: EmbeddedAws, put: Make, group: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    function = make_function(SUBSCRIBER, {"Action": "logs:*"})
    arn = f"arn:aws:lambda:{REGION}:{aws.account_id}:function:{function}"
    logs = aws.client("logs", REGION)
    logs.create_log_group(logGroupName=f"/aws/lambda/{function}")
    logs.put_subscription_filter(
        logGroupName=group,
        filterName="filter",
        filterPattern="{ $.latency > 10 }",
        destinationArn=arn,
    )
    put('{"latency": 5}', '{"latency": 50}', LINE)

    deadline = time.monotonic() + 60
    got: list[str] = []
    while not got and time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        got = [event["message"] for event in events if event["message"].startswith("got")]
    assert got == ['got {"latency": 50}\n']


def test_the_key_of_a_log_group_is_changed_and_taken_away(aws: EmbeddedAws, group: str) -> None:
    logs = aws.client("logs", REGION)
    policy = allow(f"logs.{REGION}.amazonaws.com", "kms:*")
    created = aws.client("kms", REGION).create_key(
        Policy=policy, BypassPolicyLockoutSafetyCheck=True
    )
    arn = created["KeyMetadata"]["Arn"]

    def key() -> str | None:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        answer: str | None = found.get("kmsKeyId")
        return answer

    logs.associate_kms_key(logGroupName=group, kmsKeyId=arn)
    assert key() == arn
    logs.disassociate_kms_key(logGroupName=group)
    assert key() is None
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.associate_kms_key(logGroupName=f"{group}-another", kmsKeyId=arn)


@pytest.mark.parametrize("applies", [True, False])
def test_a_metric_filter_tells_what_lines_it_applies_to(
    aws: EmbeddedAws, group: str, *, applies: bool
) -> None:
    logs = aws.client("logs", REGION)
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=group,
        filterName="f",
        filterPattern="",
        metricTransformations=[metric],
        applyOnTransformedLogs=applies,
    )

    (found,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert found["applyOnTransformedLogs"] is applies

"""Log groups, metric filters and events that CloudWatch Logs refuses, and pages of events.

What is compared was recorded from AWS or is in its documentation: each row names its source.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.inbox import allow
from tests.local.reference import Refusal, assert_refused

REGION = "us-east-1"
EVENTS = "localstack logs/test_logs_events.py::TestLogsEvents::"
CREATE = (
    "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
)
KEY = f"arn:aws:kms:{REGION}:123456789012:key/4b4c4e4a-0000-0000-0000-000000000000"
METRIC = {"metricName": "lines", "metricNamespace": "test", "metricValue": "1"}

REFUSALS = {
    "a name of AWS": Refusal(
        "CreateLogGroup", {"logGroupName": "aws/x"}, "InvalidParameterException", None, CREATE
    ),
    "a name with other characters": Refusal(
        "CreateLogGroup", {"logGroupName": "a b!"}, "InvalidParameterException", None, CREATE
    ),
    "a group that is there": Refusal(
        "CreateLogGroup",
        {"logGroupName": "<group>"},
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
        "localstack logs/test_logs_groups.py::TestLogsGroups::"
        "test_create_log_group_duplicate_error",
    ),
    "the id of a key": Refusal(
        "CreateLogGroup",
        {"logGroupName": "refused", "kmsKeyId": "nope"},
        "InvalidParameterException",
        "The specified KMS Key Id could not be found.",
        "https://github.com/hashicorp/terraform/issues/24194",
    ),
    "a missing key": Refusal(
        "CreateLogGroup",
        {"logGroupName": "refused", "kmsKeyId": KEY},
        "AccessDeniedException",
        "The specified KMS key does not exist or is not allowed to be used with Arn "
        f"'arn:aws:logs:{REGION}:<owner>:log-group:refused'",
        "https://github.com/hashicorp/terraform-provider-aws/issues/29282",
    ),
    "a missing group": Refusal(
        "DescribeLogStreams",
        {"logGroupName": "missing"},
        "ResourceNotFoundException",
        "The specified log group does not exist.",
        "localstack logs/test_logs_events.py::TestLogsEventsErrors::test_resource_does_not_exist",
    ),
    "a missing stream": Refusal(
        "PutLogEvents",
        {
            "logGroupName": "<group>",
            "logStreamName": "missing",
            "logEvents": [{"timestamp": 1, "message": "a"}],
        },
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
        f"{EVENTS}test_put_log_events_to_invalid_stream",
    ),
    "events out of order": Refusal(
        "PutLogEvents",
        {
            "logGroupName": "<group>",
            "logStreamName": "stream",
            "logEvents": [
                {"timestamp": 1700000001000, "message": "a"},
                {"timestamp": 1700000000000, "message": "b"},
            ],
        },
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
        f"{EVENTS}test_put_log_events_wrong_order",
    ),
    "a value that is not a number": Refusal(
        "PutMetricFilter",
        {
            "logGroupName": "<group>",
            "filterName": "refused",
            "filterPattern": "",
            "metricTransformations": [METRIC | {"metricValue": "abc"}],
        },
        "InvalidParameterException",
        None,
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"
        "API_MetricTransformation.html",
    ),
}


@pytest.fixture
def logs(aws: EmbeddedAws) -> Any:
    return aws.client("logs", REGION)


@pytest.fixture
def group(logs: Any, unique: str) -> Iterator[str]:
    logs.create_log_group(logGroupName=unique)
    logs.create_log_stream(logGroupName=unique, logStreamName="stream")
    yield unique
    logs.delete_log_group(logGroupName=unique)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_logs_answers_as_recorded(aws: EmbeddedAws, group: str, refusal: Refusal) -> None:
    assert_refused(aws, "logs", refusal, group=group, owner=aws.account_id)


def test_a_group_has_a_hundred_metric_filters(logs: Any, group: str) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    def put(name: object) -> None:
        logs.put_metric_filter(
            logGroupName=group,
            filterName=str(name),
            filterPattern="",
            metricTransformations=[METRIC],
        )

    for number in range(100):
        put(number)
    put(99)
    with pytest.raises(ClientError, match="LimitExceededException"):
        put(100)
    logs.create_log_group(logGroupName=f"{group}-other")
    logs.put_metric_filter(
        logGroupName=f"{group}-other",
        filterName="first",
        filterPattern="",
        metricTransformations=[METRIC],
    )
    logs.delete_log_group(logGroupName=f"{group}-other")


def test_a_group_has_a_key_that_lets_logs_use_it_for_the_group(
    aws: EmbeddedAws, logs: Any, unique: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    document = json.loads(allow(f"logs.{REGION}.amazonaws.com", "kms:*"))
    arn = f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:{unique}"
    document["Statement"][0]["Condition"] = {
        "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}
    }
    kms = aws.client("kms", REGION)
    key = kms.create_key(Policy=json.dumps(document), BypassPolicyLockoutSafetyCheck=True)
    key_arn = key["KeyMetadata"]["Arn"]

    logs.create_log_group(logGroupName=unique, kmsKeyId=key_arn)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        logs.create_log_group(logGroupName=f"{unique}-other", kmsKeyId=key_arn)

    (found,) = logs.describe_log_groups(logGroupNamePrefix=unique)["logGroups"]
    assert (found["kmsKeyId"], found["deletionProtectionEnabled"]) == (key_arn, False)
    logs.delete_log_group(logGroupName=unique)


def test_events_are_found_page_by_page(logs: Any, group: str) -> None:
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": f"line {number}"} for number in range(25)]
    logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=events)

    pages = list(
        logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 20}
        )
    )
    assert [len(page["events"]) for page in pages] == [20, 5]
    found = [event["message"] for page in pages for event in page["events"]]
    assert found == [event["message"] for event in events]


def test_streams_are_found_by_the_arn_of_their_group(logs: Any, group: str) -> None:
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]

    (found,) = logs.describe_log_streams(logGroupIdentifier=arn)["logStreams"]
    assert found["logStreamName"] == "stream"


def test_the_records_of_a_deleted_group_are_forgotten_and_no_others(
    aws: EmbeddedAws, unique: str
) -> None:
    logs = aws.client("logs", REGION)
    groups, now = [f"{unique}-{letter}" for letter in "ab"], int(time.time())
    for group in groups:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="stream")
        event = {"timestamp": now * 1000, "message": group}
        logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=[event])

    def records(group: str) -> list[Any]:
        query = logs.start_query(
            logGroupName=group, startTime=now - 60, endTime=now + 60, queryString="fields @message"
        )
        while (found := logs.get_query_results(queryId=query["queryId"]))["status"] == "Running":
            time.sleep(0.02)
        rows = [{field["field"]: field["value"] for field in row} for row in found["results"]]
        return [row["@ptr"] for row in rows]

    (deleted,), (kept,) = map(records, groups)
    logs.delete_log_group(logGroupName=groups[0])
    with pytest.raises(ClientError):
        logs.get_log_record(logRecordPointer=deleted)
    assert logs.get_log_record(logRecordPointer=kept)["logRecord"]["@message"] == groups[1]

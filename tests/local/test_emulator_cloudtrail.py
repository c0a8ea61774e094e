import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.inbox import Inbox

REGION = "us-east-1"

Make = Callable[..., Any]

READ_TWICE = """
import boto3

def handler(event, context):
    client = boto3.client("secretsmanager")
    for _ in range(2):
        client.get_secret_value(SecretId=event)
"""


def test_the_trail_counts_the_reads_of_one_function(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    secrets = aws.client("secretsmanager", REGION)
    secrets.create_secret(Name=unique, SecretString="value")
    function = make_function(READ_TWICE, {"Action": "secretsmanager:GetSecretValue"})

    invoke(function, unique)
    secrets.get_secret_value(SecretId=unique)

    attributes = [{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    found = aws.client("cloudtrail", REGION).lookup_events(LookupAttributes=attributes)["Events"]
    events = [json.loads(event["CloudTrailEvent"]) for event in found if unique in str(event)]
    role = aws.client("lambda", REGION).get_function(FunctionName=function)["Configuration"][
        "Role"
    ]
    issuers = [
        event["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        for event in events
    ]
    assert issuers.count(role) == 2
    assert [event["userIdentity"].get("userName") for event in events].count("admin") == 1
    assert [event["Username"] for event in found].count(function) == 2


def _events(aws: EmbeddedAws, name: str, wanted: str) -> list[Any]:
    """Return the events of this name that mention what is wanted, the newest first."""
    pages = (
        aws.client("cloudtrail", REGION)
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])
    )
    found = [event["CloudTrailEvent"] for page in pages for event in page["Events"]]
    return [json.loads(event) for event in found if wanted in event]


def test_a_denied_call_is_recorded_with_its_error(
    aws: EmbeddedAws, make_role: Make, client_of: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    aws.client("secretsmanager", REGION).create_secret(Name=unique, SecretString="value")
    role = make_role()
    with pytest.raises(ClientError, match="AccessDenied"):
        client_of("secretsmanager", role).get_secret_value(SecretId=unique)

    (event,) = _events(aws, "GetSecretValue", role)
    assert event["errorCode"] == "AccessDenied"
    assert "not authorized to perform: secretsmanager:GetSecretValue" in event["errorMessage"]
    assert event["requestParameters"] is None
    assert event["readOnly"] is True
    assert event["userIdentity"]["type"] == "AssumedRole"


def test_a_refused_call_is_recorded_with_what_it_asked_for(aws: EmbeddedAws, unique: str) -> None:
    with pytest.raises(ClientError):
        aws.client("secretsmanager", REGION).get_secret_value(SecretId=unique)

    (event,) = _events(aws, "GetSecretValue", unique)
    assert event["errorCode"] == "ResourceNotFoundException"
    assert event["requestParameters"] == {"secretId": unique}


def test_a_call_of_a_stranger_is_not_recorded(aws: EmbeddedAws, unique: str) -> None:
    stranger = {"AccessKeyId": "AKIA" + 16 * "2", "SecretAccessKey": 40 * "x"}
    with pytest.raises(ClientError):
        aws.client_as("secretsmanager", REGION, stranger).describe_secret(SecretId=unique)

    assert not _events(aws, "DescribeSecret", unique)


@pytest.mark.parametrize(
    ("service", "operation", "request_parameters"),
    [
        ("secretsmanager", "create_secret", {"SecretString": "hush-hush"}),
        ("secretsmanager", "create_secret", {"SecretBinary": b"hush-hush"}),
        ("ssm", "put_parameter", {"Value": "hush-hush", "Type": "SecureString"}),
        ("iam", "create_login_profile", {"Password": "hush-hush"}),
    ],
)
def test_a_value_is_in_no_event(
    aws: EmbeddedAws, unique: str, service: str, operation: str, request_parameters: Any
) -> None:
    name = {"UserName": unique} if service == "iam" else {"Name": unique}
    if service == "iam":
        aws.client("iam", REGION).create_user(**name)
    getattr(aws.client(service, REGION), operation)(**name, **request_parameters)

    api = "".join(part.capitalize() for part in operation.split("_"))
    (event,) = _events(aws, api, unique)
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" in event["requestParameters"].values()
    assert "hush-hush" not in json.dumps(event)
    assert base64.b64encode(b"hush-hush").decode() not in json.dumps(event)


def test_a_call_of_every_protocol_has_its_name(
    aws: EmbeddedAws, make_function: Make, unique: str
) -> None:
    function = make_function(READ_TWICE)
    aws.client("kms", REGION).create_key(Description=unique)
    aws.client("iam", REGION).create_user(UserName=unique)
    aws.client("ec2", REGION).create_security_group(GroupName=unique, Description="x")
    aws.client("cloudwatch", REGION).put_composite_alarm(AlarmName=unique, AlarmRule="FALSE")
    aws.client("lambda", REGION).add_permission(
        FunctionName=function, StatementId="x", Action="lambda:InvokeFunction", Principal="*"
    )

    assert _events(aws, "CreateKey", unique)
    assert _events(aws, "CreateUser", unique)
    assert _events(aws, "CreateSecurityGroup", unique)
    assert _events(aws, "PutCompositeAlarm", unique)
    assert _events(aws, "AddPermission", function)


def test_data_events_are_not_in_the_history(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    function = make_function("def handler(event, context): pass")
    invoke(function)
    queues = aws.client("sqs", REGION)
    url = queues.create_queue(QueueName=unique)["QueueUrl"]
    queues.receive_message(QueueUrl=url)

    for name in ("Invoke", "InvokeFunction", "ReceiveMessage"):
        assert not _events(aws, name, "")
    assert _events(aws, "CreateQueue", unique)


def test_more_events_than_a_page_are_looked_up_by_token(aws: EmbeddedAws, unique: str) -> None:
    kms = aws.client("kms", REGION)
    for number in range(60):
        with pytest.raises(ClientError):
            kms.describe_key(KeyId=f"{unique}-{number}")

    events = _events(aws, "DescribeKey", unique)
    found = [event["requestParameters"]["keyId"] for event in events]
    assert found == [f"{unique}-{number}" for number in reversed(range(60))]


@pytest.fixture
def make_trail(aws: EmbeddedAws, make_role: Make, unique: str) -> Iterator[Make]:
    """Return the function that makes a trail with a log group, which starts to log."""
    logs, cloudtrail = aws.client("logs", REGION), aws.client("cloudtrail", REGION)
    logs.create_log_group(logGroupName=unique)
    group = f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:{unique}"
    aws.client("s3", REGION).create_bucket(Bucket=unique)

    def make(*statements: object, service: str = "cloudtrail.amazonaws.com") -> str:
        writing = {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{group}:log-stream:{aws.account_id}_CloudTrail_{REGION}*",
        }
        cloudtrail.create_trail(
            Name=unique,
            S3BucketName=unique,
            CloudWatchLogsLogGroupArn=f"{group}:*",
            CloudWatchLogsRoleArn=make_role(
                *(statements or [writing]), principal={"Service": service}
            ),
        )
        cloudtrail.start_logging(Name=unique)
        return unique

    yield make
    with contextlib.suppress(ClientError):
        cloudtrail.delete_trail(Name=unique)


def _logged(aws: EmbeddedAws, group: str) -> list[Any]:
    lines = aws.client("logs", REGION).filter_log_events(logGroupName=group)["events"]
    return [json.loads(line["message"]) for line in lines]


def test_a_trail_writes_what_it_logs_into_its_log_group(
    aws: EmbeddedAws, make_trail: Make, make_role: Make, client_of: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
    denied = client_of("secretsmanager", make_role())
    trail, cloudtrail = make_trail(), aws.client("cloudtrail", REGION)
    described = cloudtrail.get_trail(Name=trail)["Trail"]
    assert described["CloudWatchLogsLogGroupArn"].endswith(f":{unique}:*")

    aws.client("secretsmanager", REGION).create_secret(Name=unique, SecretString="value")
    with pytest.raises(ClientError):
        denied.get_secret_value(SecretId=unique)
    cloudtrail.stop_logging(Name=trail)
    aws.client("secretsmanager", REGION).delete_secret(SecretId=unique)

    logged = [
        (event["eventName"], event.get("errorCode"))
        for event in _logged(aws, unique)
        if event["eventSource"] == "secretsmanager.amazonaws.com"
    ]
    assert logged == [("CreateSecret", None), ("GetSecretValue", "AccessDenied")]
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    status = cloudtrail.get_trail_status(Name=trail)
    assert status["LatestCloudWatchLogsDeliveryTime"] >= status["StartLoggingTime"]


@pytest.mark.parametrize(
    "selectors",
    [
        {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]},
        {
            "AdvancedEventSelectors": [
                {
                    "FieldSelectors": [
                        {"Field": "eventCategory", "Equals": ["Management"]},
                        {"Field": "readOnly", "Equals": ["false"]},
                    ]
                }
            ]
        },
    ],
)
def test_a_trail_logs_only_what_its_selectors_select(
    aws: EmbeddedAws, make_trail: Make, unique: str, selectors: Any
) -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    trail = make_trail()
    aws.client("cloudtrail", REGION).put_event_selectors(TrailName=trail, **selectors)
    secrets = aws.client("secretsmanager", REGION)
    secrets.create_secret(Name=unique, SecretString="value")
    secrets.get_secret_value(SecretId=unique)

    names = [event["eventName"] for event in _logged(aws, unique)]
    assert "CreateSecret" in names
    assert "GetSecretValue" not in names


@pytest.mark.parametrize(
    "fault", [{"service": "lambda.amazonaws.com"}, {"statements": [{"Action": "s3:*"}]}]
)
def test_a_trail_whose_role_cannot_write_is_refused(make_trail: Make, fault: Any) -> None:
    statements = fault.pop("statements", [])
    with pytest.raises(ClientError, match="InvalidCloudWatchLogsRoleArnException"):
        make_trail(*statements, **fault)


def test_a_log_group_without_its_streams_is_refused(
    aws: EmbeddedAws, make_trail: Make, unique: str
) -> None:
    trail = make_trail()
    arn = f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:{unique}"
    with pytest.raises(ClientError, match="InvalidCloudWatchLogsLogGroupArnException"):
        aws.client("cloudtrail", REGION).update_trail(Name=trail, CloudWatchLogsLogGroupArn=arn)


def test_without_a_trail_that_logs_eventbridge_gets_no_event(
    aws: EmbeddedAws, make_trail: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    inbox, events = Inbox(aws, REGION), aws.client("events", REGION)
    inbox.allow_to_send("events.amazonaws.com")
    pattern = {"source": ["aws.kms"], "detail": {"requestParameters": {"description": [unique]}}}
    events.put_rule(Name=unique, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=unique, Targets=[{"Id": "queue", "Arn": inbox.queue_arn}])
    aws.client("kms", REGION).create_key(Description=unique)
    assert inbox.is_empty()

    make_trail()
    aws.client("kms", REGION).create_key(Description=unique)

    event, _ = inbox.wait_for(lambda _: True)
    assert event["detail-type"] == "AWS API Call via CloudTrail"


def test_a_trail_keeps_the_tags_it_is_made_with(aws: EmbeddedAws, unique: str) -> None:
    cloudtrail = aws.client("cloudtrail", REGION)
    for tags in ([{"Key": "a", "Value": "b"}], []):
        made = cloudtrail.create_trail(Name=unique, S3BucketName=unique, TagsList=tags)
        told = cloudtrail.list_tags(ResourceIdList=[made["TrailARN"]])["ResourceTagList"]
        assert told == [{"ResourceId": made["TrailARN"], "TagsList": tags}]
        cloudtrail.delete_trail(Name=unique)


def test_a_trail_tells_what_insights_it_looks_for(aws: EmbeddedAws, unique: str) -> None:
    cloudtrail = aws.client("cloudtrail", REGION)
    cloudtrail.create_trail(Name=unique, S3BucketName=unique)
    insights = [{"InsightType": "ApiErrorRateInsight"}]
    with pytest.raises(ClientError, match="InsightNotEnabledException"):
        cloudtrail.get_insight_selectors(TrailName=unique)
    cloudtrail.put_insight_selectors(TrailName=unique, InsightSelectors=insights)
    assert cloudtrail.get_insight_selectors(TrailName=unique)["InsightSelectors"] == insights
    assert cloudtrail.get_trail(Name=unique)["Trail"]["HasInsightSelectors"]
    cloudtrail.put_insight_selectors(TrailName=unique, InsightSelectors=[])
    assert not cloudtrail.get_trail(Name=unique)["Trail"]["HasInsightSelectors"]
    cloudtrail.delete_trail(Name=unique)

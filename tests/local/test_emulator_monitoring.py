"""The whole way of what an operator is to hear of, from the cause to a subscriber and back to OK.

Each cause is an API call or an invocation; everything after it is what AWS does by itself: a
CloudTrail event, the trail's log group, a metric filter or a rule, an alarm, a topic with a key
of its own, a queue.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.inbox import Inbox, allow

REGION = "us-east-1"
PERIOD_SECONDS = 10
# Beyond that, on a busy machine; what is looked at once a minute takes longer.
ALARM_SECONDS = 30
EVENTS, CLOUDWATCH = "events.amazonaws.com", "cloudwatch.amazonaws.com"
DENIED = '{ ($.errorCode = "AccessDenied*") && ($.eventName = "GetSecretValue") }'

Make = Callable[..., Any]

FAILING = """
def handler(event, context):
    raise ValueError("no")
"""


@dataclass
class Monitoring:
    inbox: Inbox
    name: str
    """Of the trail, its log group, the namespace, and the start of every other name."""


@pytest.fixture
def monitoring(aws: EmbeddedAws, make_role: Make, unique: str) -> Iterator[Monitoring]:
    """Make a trail with a log group, and a topic with a key, which alarms and rules may use."""
    services = [CLOUDWATCH, EVENTS]
    key_policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{aws.account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": services},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
            },
        ],
    }
    kms, logs = aws.client("kms", REGION), aws.client("logs", REGION)
    cloudtrail = aws.client("cloudtrail", REGION)
    key = kms.create_key(Policy=json.dumps(key_policy))["KeyMetadata"]["KeyId"]
    topic_policy = json.loads(allow(EVENTS, "sns:Publish"))
    topic_policy["Statement"][0]["Principal"]["Service"] = services
    inbox = Inbox(aws, REGION, KmsMasterKeyId=key, Policy=json.dumps(topic_policy))

    logs.create_log_group(logGroupName=unique)
    aws.client("s3", REGION).create_bucket(Bucket=unique)
    cloudtrail.create_trail(
        Name=unique,
        S3BucketName=unique,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:{unique}:*",
        CloudWatchLogsRoleArn=make_role(
            {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]},
            principal={"Service": "cloudtrail.amazonaws.com"},
        ),
    )
    cloudtrail.start_logging(Name=unique)
    yield Monitoring(inbox, unique)
    cloudtrail.delete_trail(Name=unique)


@pytest.fixture
def make_alarm(aws: EmbeddedAws, monitoring: Monitoring) -> Make:
    def make(suffix: str, **metric: object) -> str:
        name = f"{monitoring.name}-{suffix}"
        cloudwatch = aws.client("cloudwatch", REGION)
        alarm = {
            "AlarmName": name,
            "Statistic": "Sum",
            "Period": PERIOD_SECONDS,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [monitoring.inbox.topic_arn],
            "OKActions": [monitoring.inbox.topic_arn],
        }
        cloudwatch.put_metric_alarm(**alarm, **metric)
        return name

    return make


@pytest.fixture
def filter_alarm(aws: EmbeddedAws, monitoring: Monitoring, make_alarm: Make) -> Make:
    """Return the function that makes an alarm on events of the trail."""

    def make(suffix: str, pattern: str) -> str:
        metric = {"metricName": suffix, "metricNamespace": monitoring.name, "metricValue": "1"}
        aws.client("logs", REGION).put_metric_filter(
            logGroupName=monitoring.name,
            filterName=suffix,
            filterPattern=pattern,
            metricTransformations=[metric],
        )
        alarm: str = make_alarm(suffix, Namespace=monitoring.name, MetricName=suffix)
        return alarm

    return make


@pytest.mark.exhaustive
def test_each_cause_reaches_the_subscriber_and_every_alarm_returns_to_ok(  # noqa: PLR0913, PLR0917 (fixtures)
    aws: EmbeddedAws,
    monitoring: Monitoring,
    make_alarm: Make,
    filter_alarm: Make,
    make_function: Make,
    make_role: Make,
    client_of: Make,
) -> None:
    secrets, inbox = aws.client("secretsmanager", REGION), monitoring.inbox
    secret = secrets.create_secret(Name=monitoring.name, SecretString="value")["ARN"]
    doomed = secrets.create_secret(Name=f"{monitoring.name}-doomed", SecretString="value")["ARN"]
    function = make_function(FAILING)
    aws.client("lambda", REGION).add_permission(
        FunctionName=function,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    dimensions = [{"Name": "FunctionName", "Value": make_function(FAILING)}]
    stranger = client_of("secretsmanager", make_role())
    denied = filter_alarm("denied", DENIED)
    rotation = filter_alarm("rotation", '{ $.eventName = "RotationFailed" }')
    errors = make_alarm(
        "errors", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dimensions
    )
    _tell_of_deleted_secrets(aws, monitoring)

    def goes(name: str, *states: str) -> Callable[[Any], bool]:
        said = ("AlarmName", "OldStateValue", "NewStateValue")
        return lambda message: [message.get(each) for each in said] == [name, *states]

    for alarm in (denied, rotation, errors):
        inbox.wait_for(goes(alarm, "INSUFFICIENT_DATA", "OK"))

    with contextlib.suppress(ClientError):
        stranger.get_secret_value(SecretId=secret)
    _, took = inbox.wait_for(goes(denied, "OK", "ALARM"))
    assert took < ALARM_SECONDS

    secrets.delete_secret(SecretId=doomed)
    message, took = inbox.wait_for(lambda message: "deleted" in message)
    assert message == {"deleted": doomed}
    assert took < ALARM_SECONDS

    secrets.rotate_secret(
        SecretId=secret,
        RotationLambdaARN=f"arn:aws:lambda:{REGION}:{aws.account_id}:function:{function}",
        RotationRules={"AutomaticallyAfterDays": 30},
    )
    _, took = inbox.wait_for(goes(rotation, "OK", "ALARM"))
    assert took < ALARM_SECONDS

    aws.client("lambda", REGION).invoke(FunctionName=dimensions[0]["Value"])
    _, took = inbox.wait_for(goes(errors, "OK", "ALARM"))
    assert took < ALARM_SECONDS

    ended = time.monotonic()
    for alarm in (denied, rotation, errors):
        inbox.wait_for(goes(alarm, "ALARM", "OK"))
    assert time.monotonic() - ended < PERIOD_SECONDS + ALARM_SECONDS


def _tell_of_deleted_secrets(aws: EmbeddedAws, monitoring: Monitoring) -> None:
    events = aws.client("events", REGION)
    pattern = {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": ["DeleteSecret"], "errorCode": [{"exists": False}]},
    }
    transformer = {
        "InputPathsMap": {"secret": "$.detail.requestParameters.secretId"},
        "InputTemplate": '{"deleted": <secret>}',
    }
    target = {"Id": "topic", "Arn": monitoring.inbox.topic_arn, "InputTransformer": transformer}
    events.put_rule(Name=monitoring.name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=monitoring.name, Targets=[target])

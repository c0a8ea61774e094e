"""Rules and their targets, as EventBridge documents them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.inbox import Inbox, allow

REGION = "us-east-1"
EVENTS = "events.amazonaws.com"
ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def trail(aws: EmbeddedAws) -> Iterator[str]:
    """Make a trail that logs; without one EventBridge gets no event of CloudTrail's."""
    name, cloudtrail = "events-trail", aws.client("cloudtrail", REGION)
    aws.client("s3", REGION).create_bucket(Bucket=name)
    cloudtrail.create_trail(Name=name, S3BucketName=name)
    cloudtrail.start_logging(Name=name)
    yield name
    cloudtrail.delete_trail(Name=name)


@pytest.fixture
def inbox(aws: EmbeddedAws) -> Inbox:
    inbox = Inbox(aws, REGION)
    inbox.allow_to_send(EVENTS)
    return inbox


@pytest.fixture
def make_rule(aws: EmbeddedAws, unique: str) -> Make:
    def make(pattern: object, arn: str, *, state: str = "ENABLED", **target: object) -> str:
        events = aws.client("events", REGION)
        events.put_rule(Name=unique, EventPattern=json.dumps(pattern), State=state)
        events.put_targets(Rule=unique, Targets=[{"Id": "target", "Arn": arn} | target])
        return unique

    return make


@pytest.fixture
def put(aws: EmbeddedAws, unique: str) -> Make:
    def event(**detail: object) -> None:
        entry = {"Source": unique, "DetailType": "test", "Detail": json.dumps(detail)}
        answer = aws.client("events", REGION).put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    return event


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-content-based-filtering.html
@pytest.mark.parametrize(
    ("detail", "wanted", "unwanted"),
    [
        ({"name": [{"prefix": "Put"}]}, {"name": "PutKeyPolicy"}, {"name": "GetKeyPolicy"}),
        ({"name": [{"anything-but": ["a", "b"]}]}, {"name": "c"}, {"name": "a"}),
        ({"name": [{"wildcard": "*KeyPol*"}]}, {"name": "PutKeyPolicy"}, {"name": "Key"}),
        ({"error": [{"exists": False}]}, {"name": "x"}, {"error": "AccessDenied"}),
        (
            {"$or": [{"arn": [{"prefix": "arn"}]}, {"aRN": [{"prefix": "arn"}]}]},
            {"aRN": "arn:1"},
            {"ArN": "arn:1"},
        ),
        ({"error": [{"prefix": "Access"}], "name": ["a"]}, {"error": "Access", "name": "a"}, {}),
    ],
)
def test_a_rule_matches_by_content(  # noqa: PLR0913, PLR0917 (fixtures beside a table)
    make_rule: Make,
    put: Make,
    inbox: Inbox,
    unique: str,
    detail: Any,
    wanted: Any,
    unwanted: Any,
) -> None:
    make_rule({"source": [unique], "detail": detail}, inbox.queue_arn)
    put(**unwanted)
    put(**wanted)

    event, _ = inbox.wait_for(lambda _: True)
    assert event["detail"] == wanted


def test_a_management_event_reaches_a_rule_and_a_read_only_one_does_not(
    aws: EmbeddedAws, make_rule: Make, inbox: Inbox, trail: str, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
    assert trail
    secrets = aws.client("secretsmanager", REGION)
    make_rule({"source": ["aws.secretsmanager"]}, inbox.queue_arn)
    secrets.create_secret(Name=unique, SecretString="value")
    secrets.get_secret_value(SecretId=unique)
    secrets.list_secrets()
    secrets.batch_get_secret_value(SecretIdList=[unique])  # its name does not tell
    secrets.delete_secret(SecretId=unique)

    names = []
    while "DeleteSecret" not in names:
        event, _ = inbox.wait_for(lambda event: "via CloudTrail" in event["detail-type"])
        names.append(event["detail"]["eventName"])
    assert names == ["CreateSecret", "BatchGetSecretValue", "DeleteSecret"]


def test_a_rule_for_all_management_events_gets_the_read_only_ones(
    aws: EmbeddedAws, make_rule: Make, inbox: Inbox, trail: str, unique: str
) -> None:
    assert trail
    secrets, events = aws.client("secretsmanager", REGION), aws.client("events", REGION)
    pattern = {"source": ["aws.secretsmanager"], "detail": {"eventName": ["GetSecretValue"]}}
    rule = make_rule(pattern, inbox.queue_arn, state=ALL_MANAGEMENT_EVENTS)
    secrets.create_secret(Name=unique, SecretString="value")
    secrets.get_secret_value(SecretId=unique)

    event, _ = inbox.wait_for(lambda _: True)
    assert event["detail"]["requestParameters"] == {"secretId": unique}
    assert events.describe_rule(Name=rule)["State"] == ALL_MANAGEMENT_EVENTS

    events.disable_rule(Name=rule)
    assert events.describe_rule(Name=rule)["State"] == "DISABLED"
    events.enable_rule(Name=rule)
    assert events.describe_rule(Name=rule)["State"] == "ENABLED"


def test_a_changed_rule_keeps_nothing_that_is_not_given_but_its_tags(
    aws: EmbeddedAws, unique: str
) -> None:
    events = aws.client("events", REGION)
    rule = {"Name": unique, "ScheduleExpression": "rate(1 day)"}
    tags = [{"Key": "a", "Value": "1"}]
    arn = events.put_rule(**rule, Description="text", State="DISABLED", Tags=tags)["RuleArn"]
    found = events.describe_rule(Name=unique)
    assert (found["Description"], found["State"]) == ("text", "DISABLED")

    events.put_rule(**rule, Tags=[{"Key": "b", "Value": "2"}])
    found = events.describe_rule(Name=unique)
    assert "Description" not in found
    assert found["State"] == "ENABLED"
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags


def test_a_rule_is_not_deleted_before_its_targets(aws: EmbeddedAws, unique: str) -> None:
    events = aws.client("events", REGION)
    events.put_rule(Name=unique, ScheduleExpression="rate(1 day)")
    arn = f"arn:aws:sqs:{REGION}:{aws.account_id}:{unique}"
    events.put_targets(Rule=unique, Targets=[{"Id": "target", "Arn": arn}])
    with pytest.raises(ClientError, match="since it has targets"):
        events.delete_rule(Name=unique)
    assert events.describe_rule(Name=unique)["Name"] == unique

    events.remove_targets(Rule=unique, Ids=["target"])
    events.delete_rule(Name=unique)
    with pytest.raises(ClientError, match="does not exist"):
        events.describe_rule(Name=unique)


def test_a_topic_gets_what_the_input_transformer_makes(
    aws: EmbeddedAws, make_rule: Make, put: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    inbox = Inbox(aws, REGION, Policy=allow(EVENTS, "sns:Publish"))
    transformer = {
        "InputPathsMap": {"name": "$.detail.name"},
        "InputTemplate": '{"what": "<name> by <aws.events.rule-name>"}',
    }
    make_rule({"source": [unique]}, inbox.topic_arn, InputTransformer=transformer)
    put(name="DeleteSecret")

    message, _ = inbox.wait_for(lambda _: True)
    assert message == {"what": f"DeleteSecret by {unique}"}


def test_a_topic_whose_policy_leaves_eventbridge_out_gets_nothing(
    aws: EmbeddedAws, make_rule: Make, put: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    inbox, cloudwatch = Inbox(aws, REGION), aws.client("cloudwatch", REGION)
    rule = make_rule({"source": [unique]}, inbox.topic_arn)
    put(name="lost")

    metrics = cloudwatch.list_metrics(Namespace="AWS/Events", MetricName="FailedInvocations")
    failed = [
        dimension["Value"] for each in metrics["Metrics"] for dimension in each["Dimensions"]
    ]
    assert rule in failed
    assert inbox.is_empty()


def test_a_topic_with_a_key_needs_the_key_to_let_eventbridge(
    aws: EmbeddedAws, make_rule: Make, put: Make, unique: str
) -> None:
    key = aws.client("kms", REGION).create_key()["KeyMetadata"]["KeyId"]
    policy = allow(EVENTS, "sns:Publish")
    inbox = Inbox(aws, REGION, Policy=policy, KmsMasterKeyId=key)
    make_rule({"source": [unique]}, inbox.topic_arn)
    put(name="lost")
    assert inbox.is_empty()

    aws.client("kms", REGION).put_key_policy(
        KeyId=key,
        Policy=allow(EVENTS, "kms:*"),
        PolicyName="default",
        BypassPolicyLockoutSafetyCheck=True,
    )
    put(name="found")

    message, _ = inbox.wait_for(lambda _: True)
    assert message["detail"] == {"name": "found"}


def test_a_queue_gets_events_only_from_the_rule_that_its_policy_names(
    aws: EmbeddedAws, make_rule: Make, put: Make, unique: str
) -> None:
    inbox = Inbox(aws, REGION)
    make_rule({"source": [unique]}, inbox.queue_arn)
    put(name="lost")
    assert inbox.is_empty()

    inbox.allow_to_send(EVENTS)
    put(name="found")

    event, _ = inbox.wait_for(lambda _: True)
    assert event["detail"] == {"name": "found"}


def test_a_log_group_keeps_the_event_if_its_policy_lets_eventbridge(
    aws: EmbeddedAws, make_rule: Make, put: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    logs, group = aws.client("logs", REGION), f"/aws/events/{unique}"
    logs.create_log_group(logGroupName=group)
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    make_rule({"source": [unique]}, arn.removesuffix(":*"))
    put(name="lost")
    policy = allow(EVENTS, "logs:*", f"{arn.removesuffix(':*')}:*")
    logs.put_resource_policy(policyName=unique, policyDocument=policy)
    put(name="found")

    lines = logs.filter_log_events(logGroupName=group)["events"]
    logs.delete_resource_policy(policyName=unique)
    assert [json.loads(line["message"])["detail"] for line in lines] == [{"name": "found"}]


HANDLER = "def handler(event, context):\n    print(event['detail']['name'])\n"


def test_a_function_is_invoked_if_its_policy_lets_eventbridge(
    aws: EmbeddedAws, make_rule: Make, put: Make, make_function: Make, unique: str
) -> None:
    functions = aws.client("lambda", REGION)
    name = make_function(HANDLER)
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    make_rule({"source": [unique]}, arn)
    put(name="lost")
    functions.add_permission(
        FunctionName=name,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal=EVENTS,
        SourceArn=f"arn:aws:events:{REGION}:{aws.account_id}:rule/{unique}",
    )
    put(name="found")

    metrics = aws.client("cloudwatch", REGION).list_metrics(Namespace="AWS/Events")["Metrics"]
    outcome = [
        each["MetricName"]
        for each in metrics
        if each["Dimensions"] == [{"Name": "RuleName", "Value": unique}]
    ]
    assert sorted(outcome) == ["FailedInvocations", "Invocations"]


def test_an_invalid_pattern_is_refused(make_rule: Make, inbox: Inbox) -> None:
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        make_rule({"source": "aws.secretsmanager"}, inbox.queue_arn)

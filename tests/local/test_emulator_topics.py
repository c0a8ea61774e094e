"""Topics, subscriptions and messages that SNS refuses, and what a topic has by default.

What is compared was recorded from AWS or is in its documentation: each row names its source.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.inbox import allow
from tests.local.reference import Refusal, assert_refused

REGION = "us-east-1"
TEST = "localstack sns/test_sns.py::"
FILTERS = "localstack sns/test_sns_filter_policy.py::TestSNSFilterPolicyCrud::"
SUBSCRIBE = "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"
POLICY = "https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html"
MISSING = f"arn:aws:sns:{REGION}:123456789012:missing"
QUEUE = f"arn:aws:sqs:{REGION}:123456789012:queue"
TAG = {"Key": "k1", "Value": "v1"}


def refused(
    operation: str, parameters: dict[str, Any], message: str | None, source: str
) -> Refusal:
    text = None if message is None else f"Invalid parameter: {message}"
    return Refusal(operation, parameters, "InvalidParameter", text, source)


def subscribe(message: str | None, source: str, **options: Any) -> Refusal:
    subscription = {"TopicArn": "<topic>", "Protocol": "sqs", "Endpoint": QUEUE, **options}
    return refused("Subscribe", subscription, message, source)


def attribute(name: str, value: str, message: str | None, source: str) -> Refusal:
    parameters = {"TopicArn": "<topic>", "AttributeName": name, "AttributeValue": value}
    return refused("SetTopicAttributes", parameters, message, source)


def of_subscription(
    name: str,
    value: str,
    message: str | None,
    source: str = f"{TEST}TestSNSSubscriptionCrud::test_validate_set_sub_attributes",
) -> Refusal:
    parameters = {"SubscriptionArn": "<subscription>", "AttributeName": name}
    return refused(
        "SetSubscriptionAttributes", parameters | {"AttributeValue": value}, message, source
    )


def publish(message: str, source: str, **options: str) -> Refusal:
    parameters = {"TopicArn": "<topic>", "Message": "text", **options}
    return refused("Publish", parameters, message, f"{TEST}TestSNSPublishCrud::{source}")


def policy(**options: object) -> str:
    """Return a policy; an option that is None is missing in its statement."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    given = {name: value for name, value in (statement | options).items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [given]})


NO_DEFAULT = "Message Structure - No default entry in JSON message body"
ROLE = "arn:aws:iam::123456789012:role/missing"

REFUSALS = {
    "a name with a blank": refused(
        "CreateTopic",
        {"Name": "a b!"},
        "Topic Name",
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    "a long name": refused(
        "CreateTopic",
        {"Name": "a" * 257},
        "Topic Name",
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    "an unknown attribute of a new topic": refused(
        "CreateTopic",
        {"Name": "refused", "Attributes": {"Nope": "1"}},
        None,
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    "a tag twice": refused(
        "CreateTopic",
        {"Name": "refused", "Tags": [TAG, TAG]},
        "Duplicated keys are not allowed.",
        f"{TEST}TestSNSTopicCrud::test_tags",
    ),
    "other tags of a topic": refused(
        "CreateTopic",
        {"Name": "<name>", "Tags": [TAG, {"Key": "k2", "Value": "v2"}]},
        "Tags Reason: Topic already exists with different tags",
        f"{TEST}TestSNSTopicCrud::test_create_duplicate_topic_with_more_tags",
    ),
    "other attributes of a topic": refused(
        "CreateTopic",
        {"Name": "<name>", "Attributes": {"DisplayName": "other"}},
        "Attributes Reason: Topic already exists with different attributes",
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    "a missing topic": Refusal(
        "GetTopicAttributes",
        {"TopicArn": MISSING},
        "NotFound",
        "Topic does not exist",
        f"{TEST}TestSNSTopicCrud::test_create_topic_with_attributes",
        404,
    ),
    "no ARN of a topic": refused(
        "GetTopicAttributes",
        {"TopicArn": "topic"},
        "TopicArn Reason: An ARN must have at least 6 elements, not 1",
        f"{TEST}TestSNSTopicCrud::test_create_topic_with_attributes",
    ),
    "an unknown attribute of a topic": attribute(
        "Nope",
        "1",
        "AttributeName",
        "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html",
    ),
    "a policy that is not JSON": attribute("Policy", "nope", "Policy Error: null", POLICY),
    "a policy without a principal": attribute(
        "Policy", policy(Principal=None), "Policy Error: null", POLICY
    ),
    "a statement that is a number": attribute(
        "Policy", '{"Statement": 5}', "Policy Error: null", POLICY
    ),
    "an action that is a number": attribute(
        "Policy", policy(Action=5), "Policy Error: null", POLICY
    ),
    "a policy for another service": attribute(
        "Policy",
        policy(Action="s3:Get"),
        "Policy statement action out of service scope!",
        POLICY,
    ),
    "a policy for a missing role": attribute(
        "Policy", policy(Principal={"AWS": ROLE}), "Policy Error: PrincipalNotFound", POLICY
    ),
    "an unknown protocol": subscribe(
        "Amazon SNS does not support this protocol string: test-protocol",
        f"{TEST}TestSNSSubscriptionCrud::test_subscribe_with_invalid_protocol",
        Protocol="test-protocol",
    ),
    "the URL of a queue": subscribe(
        "SQS endpoint ARN",
        f"{TEST}TestSNSSubscriptionSQS::test_subscribe_to_sqs_with_queue_url",
        Endpoint="https://sqs.us-east-1.amazonaws.com/123456789012/queue",
    ),
    "no function": subscribe(None, SUBSCRIBE, Protocol="lambda", Endpoint="nope"),
    "no mail address": subscribe("Email address", SUBSCRIBE, Protocol="email", Endpoint="nope"),
    "two mail addresses": subscribe(
        "Email address", SUBSCRIBE, Protocol="email", Endpoint="a@example.com;b@example.com"
    ),
    "https to an http address": subscribe(
        None, SUBSCRIBE, Protocol="https", Endpoint="http://example.com"
    ),
    "a raw delivery that is neither true nor false": subscribe(
        "Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. "
        "Must be true or false.",
        f"{TEST}TestSNSSubscriptionCrud::test_create_subscriptions_with_attributes",
        Attributes={"RawMessageDelivery": "wrongvalue"},
    ),
    "other attributes of a subscription": subscribe(
        "Attributes Reason: Subscription already exists with different attributes",
        SUBSCRIBE,
        Endpoint="<queue>",
        Attributes={"RawMessageDelivery": "true"},
    ),
    "an unknown attribute of a subscription": of_subscription("Nope", "1", "AttributeName"),
    "an unknown value": of_subscription(
        "RawMessageDelivery",
        "test-ValUe",
        "RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false.",
    ),
    "a filter that is not JSON": of_subscription(
        "FilterPolicy", "{invalidjson}", "FilterPolicy: failed to parse JSON. …"
    ),
    "a filter that is no object": of_subscription(
        "FilterPolicy",
        "5",
        None,
        "https://docs.aws.amazon.com/sns/latest/dg/message-filtering.html",
    ),
    "a filter with a value outside a list": of_subscription(
        "FilterPolicy",
        '{"key_a": "value_one"}',
        'FilterPolicy: "key_a" must be an object or an array…',
        f"{FILTERS}test_sub_filter_policy_nested_property_constraints",
    ),
    "a nested filter for attributes": of_subscription(
        "FilterPolicy",
        '{"object": {"key": [{"prefix": "auto-"}]}}',
        "Filter policy scope MessageAttributes does not support nested filter policy",
        f"{FILTERS}test_sub_filter_policy_nested_property",
    ),
    "a filter with six keys": of_subscription(
        "FilterPolicy",
        json.dumps({f"key_{number}": ["value"] for number in range(6)}),
        "FilterPolicy: Filter policy can not have more than 5 keys",
        f"{FILTERS}test_sub_filter_policy_nested_property_constraints",
    ),
    "a filter that is too complex": of_subscription(
        "FilterPolicy",
        json.dumps({"key_a": ["value"] * 51, "key_b": ["value"] * 3}),
        "FilterPolicy: Filter policy is too complex",
        f"{FILTERS}test_sub_filter_policy_nested_property_constraints",
    ),
    "an unknown scope of a filter": of_subscription(
        "FilterPolicyScope",
        "RandomValue",
        "FilterPolicyScope: Invalid value [RandomValue]. "
        "Please use either MessageBody or MessageAttributes",
        f"{FILTERS}test_set_subscription_filter_policy_scope",
    ),
    "a missing function": subscribe(None, SUBSCRIBE, Protocol="lambda", Endpoint="<function>"),
    "raw delivery by SMS": subscribe(
        "Attributes Reason: Delivery protocol [sms] does not support raw message delivery.",
        "https://github.com/aws-controllers-k8s/community/issues/2192",
        Protocol="sms",
        Endpoint="+15555550100",
        Attributes={"RawMessageDelivery": "false"},
    ),
    "a redrive policy that is not JSON": of_subscription(
        "RedrivePolicy", "{invalidjson}", "RedrivePolicy: failed to parse JSON. …"
    ),
    "a redrive policy without an ARN": of_subscription(
        "RedrivePolicy",
        '{"deadLetterTargetArn": "fake"}',
        "RedrivePolicy: deadLetterTargetArn is an invalid arn",
    ),
    "a missing subscription": Refusal(
        "GetSubscriptionAttributes",
        {"SubscriptionArn": f"{MISSING}:4b4c4e4a-0000-0000-0000-000000000000"},
        "NotFound",
        "Subscription does not exist",
        f"{TEST}TestSNSSubscriptionCrud::test_create_subscriptions_with_attributes",
        404,
    ),
    "no ARN of a subscription": refused(
        "Unsubscribe",
        {"SubscriptionArn": "nope"},
        None,
        "https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html",
    ),
    "a wrong token": Refusal(
        "ConfirmSubscription",
        {"TopicArn": "<topic>", "Token": "51b2ff3edb475b7d91550e0ab6edf0c1"},
        "InvalidParameter",
        "Invalid token",
        f"{TEST}TestSNSSubscriptionCrud::test_sns_confirm_subscription_wrong_token",
    ),
    "an empty message": publish("Empty message", "test_empty_sns_message", Message=""),
    "a long message": publish(
        "Message too long", "test_publish_too_long_message", Message="a" * 262_145
    ),
    "an empty subject": publish("Subject", "test_publish_with_empty_subject", Subject=""),
    "a structure without a default": publish(
        NO_DEFAULT,
        "test_message_structure_json_exc",
        Message='{"sqs": "text"}',
        MessageStructure="json",
    ),
    "a structure that is not JSON": publish(
        "Message Structure - JSON message body failed to parse",
        "test_message_structure_json_exc",
        Message='{"default": ',
        MessageStructure="json",
    ),
    "a default that is not text": publish(
        NO_DEFAULT,
        "test_message_structure_json_exc",
        Message='{"default": {"object": "test"}}',
        MessageStructure="json",
    ),
    "a message to no ARN": publish(
        "TopicArn Reason: An ARN must have at least 6 elements, not 2",
        "test_publish_wrong_arn_format",
        TopicArn="randomstring:1",
    ),
    "a message to a missing topic": Refusal(
        "Publish",
        {"TopicArn": MISSING, "Message": "text"},
        "NotFound",
        "Topic does not exist",
        f"{TEST}TestSNSPublishCrud::test_unknown_topic_publish",
        404,
    ),
}


@pytest.fixture
def topics(aws: EmbeddedAws) -> Any:
    return aws.client("sns", REGION)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_sns_answers_as_recorded(
    aws: EmbeddedAws, topics: Any, unique: str, refusal: Refusal
) -> None:
    topic = topics.create_topic(Name=unique, Tags=[TAG])["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{aws.account_id}:{unique}"
    subscription = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    arn = subscription["SubscriptionArn"]

    function = f"arn:aws:lambda:{REGION}:{aws.account_id}:function:{unique}"
    names = {"topic": topic, "name": unique, "subscription": arn, "queue": queue}
    assert_refused(aws, "sns", refusal, **names, function=function)
    topics.delete_topic(TopicArn=topic)


def test_a_topic_that_is_created_again_is_the_same(topics: Any, unique: str) -> None:
    # localstack sns/test_sns.py::TestSNSTopicCrud::test_create_duplicate_topic_check_idempotency
    arn = topics.create_topic(Name=unique, Tags=[TAG], Attributes={"DisplayName": "a"})
    again = [
        topics.create_topic(Name=unique),
        topics.create_topic(Name=unique, Tags=[TAG]),
        topics.create_topic(Name=unique, Attributes={"DisplayName": "a"}),
    ]
    assert {each["TopicArn"] for each in again} == {arn["TopicArn"]}


def test_a_topic_has_the_policies_of_aws(aws: EmbeddedAws, topics: Any, unique: str) -> None:
    # localstack sns/test_sns.py::TestSNSTopicCrud::test_create_topic_test_arn
    arn = topics.create_topic(Name=unique)["TopicArn"]
    attributes = topics.get_topic_attributes(TopicArn=arn)["Attributes"]

    assert json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultRequestPolicy"] == {
        "headerContentType": "text/plain; charset=UTF-8"
    }
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Action"] == [
        f"SNS:{action}"
        for action in (
            *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
            *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
        )
    ]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": aws.account_id}}


def test_a_policy_for_a_service_is_kept(topics: Any, unique: str) -> None:
    arn = topics.create_topic(Name=unique)["TopicArn"]
    document = allow("events.amazonaws.com", "sns:Publish", arn)
    topics.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)

    assert topics.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] == document


def test_a_nested_filter_for_the_body_is_kept(topics: Any, unique: str) -> None:
    # localstack sns/test_sns_filter_policy.py::TestSNSFilterPolicyCrud::
    # test_sub_filter_policy_nested_property
    arn = topics.create_topic(Name=unique)["TopicArn"]
    policy = json.dumps({"object": {"key": [{"prefix": "auto-"}]}})
    subscription = topics.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=QUEUE,
        Attributes={"FilterPolicyScope": "MessageBody", "FilterPolicy": policy},
    )["SubscriptionArn"]

    found = topics.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert found["FilterPolicy"] == policy
    assert found["SubscriptionPrincipal"].startswith("arn:aws:iam::")


def test_a_key_is_looked_for_when_a_message_is_published(topics: Any, unique: str) -> None:
    # https://github.com/getmoto/moto/pull/3389: AWS keeps any key of a topic
    options = {"KmsMasterKeyId": "alias/missing"}
    arn = topics.create_topic(Name=unique, Attributes=options)["TopicArn"]

    with pytest.raises(ClientError, match="alias/missing") as refusal:
        topics.publish(TopicArn=arn, Message="text")
    assert refusal.value.response["Error"]["Code"] == "KMSNotFound"


def test_subscriptions_of_a_topic_are_listed_in_pages(topics: Any, unique: str) -> None:
    # https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html: 100 of them
    arn = topics.create_topic(Name=unique)["TopicArn"]
    for number in range(101):
        topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"{QUEUE}-{number}")

    first = topics.list_subscriptions_by_topic(TopicArn=arn)
    second = topics.list_subscriptions_by_topic(TopicArn=arn, NextToken=first["NextToken"])
    assert [len(each["Subscriptions"]) for each in (first, second)] == [100, 1]
    assert "NextToken" not in second


def test_a_subscription_is_listed_without_its_arn_until_it_is_confirmed(
    topics: Any, unique: str
) -> None:
    # https://docs.aws.amazon.com/cli/latest/reference/sns/list-subscriptions.html
    arn = topics.create_topic(Name=unique)["TopicArn"]
    topics.subscribe(TopicArn=arn, Protocol="email", Endpoint=f"{unique}@example.com")

    pages = topics.get_paginator("list_subscriptions").paginate()
    (listed,) = (
        each for page in pages for each in page["Subscriptions"] if each["TopicArn"] == arn
    )
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    assert topics.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == [listed]


def test_raw_delivery_is_in_lower_case(topics: Any, unique: str) -> None:
    # localstack sns/test_sns.py::TestSNSSubscriptionCrud::
    # test_create_subscriptions_with_attributes
    arn = topics.create_topic(Name=unique)["TopicArn"]
    subscription = topics.subscribe(
        TopicArn=arn, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "True"}
    )["SubscriptionArn"]

    def raw() -> str:
        found = topics.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        value: str = found["RawMessageDelivery"]
        return value

    assert raw() == "true"
    topics.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="RawMessageDelivery", AttributeValue="False"
    )
    assert raw() == "false"


HANDLER = """
import json
def handler(event, context):
    print("got", json.dumps(event["Records"][0]["Sns"]))
"""
LOGGING = {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}


def test_a_function_gets_the_names_of_aws(
    aws: EmbeddedAws, topics: Any, unique: str, make_function: Callable[..., str]
) -> None:
    # localstack sns/test_sns.py::TestSNSSubscriptionLambda::test_python_lambda_subscribe_sns_topic
    function = make_function(HANDLER, LOGGING)
    arn = f"arn:aws:lambda:{REGION}:{aws.account_id}:function:{function}"
    topic = topics.create_topic(Name=unique)["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    topics.publish(TopicArn=topic, Message="Hello world.")

    message = received(aws, f"/aws/lambda/{function}")
    assert set(message) == {
        *("Message", "MessageAttributes", "MessageId", "Signature", "SignatureVersion"),
        *("SigningCertUrl", "Subject", "Timestamp", "TopicArn", "Type", "UnsubscribeUrl"),
    }
    assert (message["Subject"], message["MessageAttributes"]) == (None, {})


def received(aws: EmbeddedAws, group: str) -> dict[str, Any]:
    """Return what the function printed."""
    logs, deadline = aws.client("logs", REGION), time.monotonic() + 60
    while time.monotonic() < deadline:
        if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            for event in logs.filter_log_events(logGroupName=group)["events"]:
                if event["message"].startswith("got "):
                    message: dict[str, Any] = json.loads(event["message"].removeprefix("got "))
                    return message
        time.sleep(0.05)
    raise AssertionError("the function printed nothing in 60 s")

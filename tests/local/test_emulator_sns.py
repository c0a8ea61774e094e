"""Subscriptions: their confirmation, their attributes.

https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"
MAIL = {"Protocol": "email", "Endpoint": "ops@example.com"}
POLICY = '{"a": ["b"]}'


@pytest.fixture
def topics(aws: EmbeddedAws) -> Any:
    return aws.client("sns", REGION)


@pytest.fixture
def topic(topics: Any, unique: str) -> Iterator[str]:
    arn = topics.create_topic(Name=unique)["TopicArn"]
    yield arn
    topics.delete_topic(TopicArn=arn)


def queue(aws: EmbeddedAws) -> dict[str, str]:
    return {"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{aws.account_id}:queue"}


def attributes(topics: Any, subscription: str) -> dict[str, str]:
    found = topics.get_subscription_attributes(SubscriptionArn=subscription)
    answer: dict[str, str] = found["Attributes"]
    return answer


def test_mail_waits_for_its_confirmation_and_a_queue_does_not(
    aws: EmbeddedAws, topics: Any, topic: str
) -> None:
    mail = topics.subscribe(TopicArn=topic, ReturnSubscriptionArn=True, **MAIL)["SubscriptionArn"]
    queued = topics.subscribe(TopicArn=topic, **queue(aws))["SubscriptionArn"]

    assert attributes(topics, mail)["PendingConfirmation"] == "true"
    assert attributes(topics, queued)["PendingConfirmation"] == "false"
    assert topics.subscribe(TopicArn=topic, **MAIL)["SubscriptionArn"] == "pending confirmation"
    counts = topics.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (counts["SubscriptionsPending"], counts["SubscriptionsConfirmed"]) == ("1", "1")


def test_who_has_not_confirmed_cannot_be_unsubscribed(
    aws: EmbeddedAws, topics: Any, topic: str
) -> None:
    mail = topics.subscribe(TopicArn=topic, ReturnSubscriptionArn=True, **MAIL)["SubscriptionArn"]
    queued = topics.subscribe(TopicArn=topic, **queue(aws))["SubscriptionArn"]

    with pytest.raises(ClientError, match="pending confirmation") as error:
        topics.unsubscribe(SubscriptionArn=mail)
    assert error.value.response["Error"]["Code"] == "InvalidParameter"
    assert attributes(topics, mail)
    topics.unsubscribe(SubscriptionArn=queued)
    with pytest.raises(ClientError, match="NotFound"):
        attributes(topics, queued)


def test_a_password_in_a_url_is_not_told(topics: Any, topic: str) -> None:
    subscription = topics.subscribe(
        TopicArn=topic,
        Protocol="https",
        Endpoint="https://user:hidden@127.0.0.1:1/path",
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]

    told = attributes(topics, subscription)["Endpoint"]
    assert told == "https://user:****@127.0.0.1:1/path"


def test_a_filter_policy_that_is_taken_away_has_no_scope_any_more(
    aws: EmbeddedAws, topics: Any, topic: str
) -> None:
    subscription = topics.subscribe(
        TopicArn=topic, Attributes={"FilterPolicy": POLICY}, **queue(aws)
    )["SubscriptionArn"]
    told = attributes(topics, subscription)
    assert (told["FilterPolicy"], told["FilterPolicyScope"]) == (POLICY, "MessageAttributes")

    topics.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="{}"
    )

    assert not {"FilterPolicy", "FilterPolicyScope"} & attributes(topics, subscription).keys()

import json
from typing import Any

from tests.provider.specimen import Specimen, World
from tests.provider.specimens.logs import key_arn


def topic(world: World, name: str = "a-topic") -> str:
    return str(world.make("aws:sns/topic:Topic", name, name=name)["id"])


def policy(world: World, name: str = "a-topic", sid: str = "Publish") -> str:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "sns:Publish",
        "Resource": topic(world, name),
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def queue(world: World, name: str = "a-queue") -> str:
    world.client("sqs").create_queue(QueueName=name)
    return f"arn:aws:sqs:us-east-1:{world.account_id}:{name}"


RETRIES = json.dumps({"healthyRetryPolicy": {"numRetries": 5}})

SPECIMENS = [
    Specimen(
        "aws:sns/topic:Topic",
        lambda world: {
            "name": "specimen",
            "kmsMasterKeyId": key_arn(world),
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "another"},
            {"name": "another.fifo", "fifoTopic": True},
            {"kmsMasterKeyId": key_arn(world, "another-key")},
            {"kmsMasterKeyId": None},
            {"displayName": "Of the tests"},
            {"policy": policy(world)},
            {"deliveryPolicy": json.dumps({"http": {"disableSubscriptionOverrides": True}})},
            {"signatureVersion": 2},
            {"tracingConfig": "Active"},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="already exists",
    ),
    Specimen(
        "aws:sns/topicPolicy:TopicPolicy",
        lambda world: {"arn": topic(world), "policy": policy(world)},
        lambda world: [
            {"arn": topic(world, "another-topic")},
            {"policy": policy(world, sid="Another")},
        ],
        seen_gone=False,
    ),
    Specimen(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda world: {"topic": topic(world), "protocol": "sqs", "endpoint": queue(world)},
        lambda world: [
            {"topic": topic(world, "another-topic")},
            {"protocol": "email", "endpoint": "ops@example.com"},
            {"endpoint": queue(world, "another-queue")},
            {"rawMessageDelivery": True},
            {"filterPolicy": json.dumps({"a": ["b"]})},
            {"filterPolicy": json.dumps({"a": ["b"]}), "filterPolicyScope": "MessageBody"},
            {"deliveryPolicy": RETRIES},
            {"endpointAutoConfirms": True},
            {"confirmationTimeoutInMinutes": 2},
        ],
        not_read=frozenset({"endpointAutoConfirms", "confirmationTimeoutInMinutes"}),
    ),
]

"""A topic and the queue that subscribes to it: what an alarm or a rule tells somebody."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local.aws import EmbeddedAws

WAIT_SECONDS = 60

Message = dict[str, Any]


def allow(service: str, action: str, resource: str = "*") -> str:
    """Return a policy, in JSON, that lets a service do this."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Inbox:
    """What is published to `topic_arn` can be waited for; `attributes` are the topic's.

    Its policy is the one that every topic has from the beginning, unless given.
    """

    def __init__(self, aws: EmbeddedAws, region: str, **attributes: str) -> None:
        name = f"inbox-{uuid.uuid4().hex[:12]}"
        topics, self._queues = aws.client("sns", region), aws.client("sqs", region)
        self._events = aws.client("events", region)
        self._messages: list[Message] = []
        self.topic_arn: str = topics.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        self._url = self._queues.create_queue(
            QueueName=name, Attributes={"Policy": allow("sns.amazonaws.com", "sqs:SendMessage")}
        )["QueueUrl"]
        self.queue_arn: str = self._queues.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        topics.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=self.queue_arn)

    def allow_to_send(self, service: str) -> None:
        """Let this service send to the queue itself, and nobody else."""
        self._queues.set_queue_attributes(
            QueueUrl=self._url, Attributes={"Policy": allow(service, "sqs:SendMessage")}
        )

    def receive_events(self, name: str, pattern: Mapping[str, object]) -> None:
        """Get the events that match a pattern, by a rule of this name."""
        self.allow_to_send("events.amazonaws.com")
        self._events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        self._events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": self.queue_arn}])

    def wait_for(self, wanted: Callable[[Message], bool]) -> tuple[Message, float]:
        """Return the first message that is wanted, once, and the seconds that it took."""
        started = time.monotonic()
        while time.monotonic() - started < WAIT_SECONDS:
            self._receive()
            for message in self._messages:
                if wanted(message):
                    self._messages.remove(message)
                    return message, time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"no such message in {WAIT_SECONDS} s, but {self._messages}")

    def is_empty(self) -> bool:
        """Tell whether nothing has come."""
        self._receive()
        return not self._messages

    def _receive(self) -> None:
        received = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        self._messages += [self._message(each["Body"]) for each in received.get("Messages", [])]

    @staticmethod
    def _message(text: str) -> Message:
        body: Message = json.loads(text)
        if "TopicArn" not in body:  # straight from a rule
            return body
        message: Message = json.loads(body["Message"])
        return message

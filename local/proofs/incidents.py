"""Triggers the incidents that alarms report, and waits for the notifications.

Each trigger is an API call or an invocation. AWS does the rest: CloudTrail records an event, a
metric filter counts it, an alarm notifies the topic, and a queue that subscribes receives the
message.
"""

import contextlib
import json
import secrets
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from infra.aws import limits
from local.deployment import Deployment
from local.functions import Function
from local.proofs.role_access import read_as, role_copy

_SECONDS = 60
_POLL_SECONDS = 0.05
_WAIT = {"Delay": 0.02, "MaxAttempts": 500}

Message = dict[str, Any]
Trigger = Callable[[Deployment], contextlib.AbstractContextManager[None]]

_FUNCTION_ERRORS = "function-errors"


@dataclass(frozen=True)
class Notification:
    """What a subscriber received about one incident."""

    description: str
    """The alarm's description, which says what to do."""
    seconds: float
    """From the trigger to the notification."""
    recovery_seconds: float
    """From there to the notification that the alarm is OK again."""


class Subscriber:
    """A queue that subscribes to the deployment's alarms, for the time of a `with` block."""

    def __init__(self, deployment: Deployment) -> None:
        self._queues, self._topics = deployment.client("sqs"), deployment.client("sns")
        self._topic_arn: str = deployment.outputs["alarm_topic_arn"]
        self._messages: list[Message] = []

    def __enter__(self) -> Self:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": "*",  # this queue
                    "Condition": {"ArnEquals": {"aws:SourceArn": self._topic_arn}},
                }
            ],
        }
        self._url = self._queues.create_queue(
            QueueName=f"incidents-{secrets.token_hex(4)}",
            Attributes={"Policy": json.dumps(policy)},
        )["QueueUrl"]
        queue = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._subscription = self._topics.subscribe(
            TopicArn=self._topic_arn,
            Protocol="sqs",
            Endpoint=queue["Attributes"]["QueueArn"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return self

    def __exit__(self, *_: object) -> None:
        self._topics.unsubscribe(SubscriptionArn=self._subscription)
        self._queues.delete_queue(QueueUrl=self._url)

    def wait_for(self, alarms: Collection[str], *states: str) -> dict[str, tuple[Message, float]]:
        """Wait until each alarm has reported its change from the first state to the second.

        Returns:
            Name of the alarm -> its message, and when it arrived, by the monotonic clock.

        Raises:
            TimeoutError: not within a minute; the text names the alarms without a message.

        """
        found: dict[str, tuple[Message, float]] = {}
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            received = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            for each in received.get("Messages", []):
                self._messages.append(json.loads(json.loads(each["Body"])["Message"]))
                self._queues.delete_message(
                    QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"]
                )
            for message in self._messages:
                name = message["AlarmName"]
                if [message["OldStateValue"], message["NewStateValue"]] == [*states]:
                    found.setdefault(name, (message, time.monotonic()))
            if found.keys() >= {*alarms}:
                return {name: found[name] for name in alarms}
            time.sleep(_POLL_SECONDS)
        missing = ", ".join(sorted({*alarms} - found.keys()))
        raise TimeoutError(
            f"no notification of {' to '.join(states)} within {_SECONDS} s from {missing}"
        )


def trigger(deployment: Deployment, wanted: Collection[str] = ()) -> dict[str, Notification]:
    """Trigger incidents at once, and wait until each was reported and its alarm is OK again.

    `wanted` are names of incidents; by default all that this deployment has alarms for. Every
    change is reverted; the secret that is deleted is created for it.

    Raises:
        TimeoutError: an alarm did not fire, or did not return to OK.

    """
    triggers = {**TRIGGERS, **_function_triggers(deployment)}
    if not deployment.rotating:
        del triggers["rotation-failed"]
    alarms = {
        name: deployment.outputs["alarm_names"][name]
        for name in triggers
        if name in wanted or not wanted
    }
    _wait_until_ok(deployment, alarms.values())
    with contextlib.ExitStack() as triggered, Subscriber(deployment) as subscriber:
        at = {}
        for name in alarms:
            at[name] = time.monotonic()
            triggered.enter_context(triggers[name](deployment))
        began = subscriber.wait_for(alarms.values(), "OK", "ALARM")
        ended = subscriber.wait_for(alarms.values(), "ALARM", "OK")
    return {
        name: Notification(
            str(began[alarm][0]["AlarmDescription"]),
            began[alarm][1] - at[name],
            ended[alarm][1] - began[alarm][1],
        )
        for name, alarm in alarms.items()
    }


def _wait_until_ok(deployment: Deployment, alarms: Collection[str]) -> None:
    """Wait until every alarm is OK: earlier incidents are over, and new alarms were evaluated."""
    cloudwatch, deadline = deployment.client("cloudwatch"), time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = cloudwatch.describe_alarms(AlarmNames=[*alarms])["MetricAlarms"]
        if len(found) == len(alarms) and all(each["StateValue"] == "OK" for each in found):
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"after {_SECONDS} s these alarms are not all OK: {', '.join(alarms)}")


@contextmanager
def _denied_read(deployment: Deployment) -> Iterator[None]:
    """Let a role without permissions read a secret."""
    arn = next(iter(deployment.outputs["secret_arns"].values()))
    role_arn = next(iter(deployment.functions.values())).outputs["role_arn"]
    with role_copy(deployment.client, role_arn, lambda _: False) as stranger:
        read_as(deployment.client, stranger, [arn])
        yield


@contextmanager
def _deleted_secret(deployment: Deployment) -> Iterator[None]:
    """Create a secret of the environment, and delete it."""
    client = deployment.client("secretsmanager")
    arn = client.create_secret(
        Name=f"{deployment.stack.project}/{deployment.stack.name}/{secrets.token_hex(4)}",
        SecretString=secrets.token_urlsafe(),
    )["ARN"]
    client.delete_secret(SecretId=arn, RecoveryWindowInDays=limits.RECOVERY_WINDOW_DAYS.least)
    yield
    # Only now: this is another deletion, which would fire the alarm again.
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@contextmanager
def _failed_rotation(deployment: Deployment) -> Iterator[None]:
    """Rotate while the rotation function is throttled; then let the rotation succeed."""
    name = deployment.rotating[0]
    function = deployment.outputs["rotation_function_arns"][name]
    functions, client = deployment.client("lambda"), deployment.client("secretsmanager")
    rotation = {
        "SecretId": deployment.outputs["secret_arns"][name],
        "ClientRequestToken": str(uuid.uuid4()),
    }
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    try:
        _start_rotation(client, rotation)
        yield
    finally:
        functions.delete_function_concurrency(FunctionName=function)
        client.rotate_secret(**rotation)  # Secrets Manager would retry later by itself
        _wait_until_rotated(client, rotation)


def _start_rotation(client: Any, rotation: Mapping[str, str]) -> None:  # noqa: ANN401 (boto3 makes its classes at run time)
    """Rotate once Secrets Manager has tested the configuration of a new deployment."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(client.exceptions.InvalidRequestException):
            client.rotate_secret(**rotation)
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{rotation['SecretId']} could not be rotated within {_SECONDS} s")


def _wait_until_rotated(client: Any, rotation: Mapping[str, str]) -> None:  # noqa: ANN401 (boto3 makes its classes at run time)
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = client.describe_secret(SecretId=rotation["SecretId"])["VersionIdsToStages"]
        if "AWSCURRENT" in found.get(rotation["ClientRequestToken"], ()):
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{rotation['SecretId']} was not rotated after its failed rotation")


@contextmanager
def _failing_invocation(function: Function, _: Deployment) -> Iterator[None]:
    """Break the handler of `$LATEST` and call it; callers of the alias are not affected."""
    functions, name = function.client("lambda"), function.outputs["name"]
    handler = function.configuration["Handler"]
    updated = functions.get_waiter("function_updated_v2")
    functions.update_function_configuration(FunctionName=name, Handler="missing.lambda_handler")
    try:
        updated.wait(FunctionName=name, WaiterConfig=_WAIT)
        functions.invoke(FunctionName=name, Payload=b"{}")
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Handler=handler)
        updated.wait(FunctionName=name, WaiterConfig=_WAIT)


def _function_triggers(deployment: Deployment) -> dict[str, Trigger]:
    """Return the trigger of each function's incident, under the name of its alarm."""
    return {
        _FUNCTION_ERRORS
        if function.config.has_first_outputs
        else f"{name}-{_FUNCTION_ERRORS}": partial(_failing_invocation, function)
        for name, function in deployment.functions.items()
    }


TRIGGERS: Mapping[str, Trigger] = {
    "denied-reads": _denied_read,
    "secret-deleted": _deleted_secret,
    "rotation-failed": _failed_rotation,
}
"""Incident -> context manager that triggers it and reverts its changes; without those of
functions."""

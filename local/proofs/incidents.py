"""What an operator is to hear of, caused in a deployment; and the wait for who is told.

Each cause is an API call or an invocation. All that follows is what AWS does by itself: an event
of CloudTrail, a metric filter, an alarm, the topic, a queue that subscribes to it.
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
from local.proofs.trial import read_as, role_like

_SECONDS = 60
_POLL_SECONDS = 0.05
_WAIT = {"Delay": 0.02, "MaxAttempts": 500}

Message = dict[str, Any]
Cause = Callable[[Deployment], contextlib.AbstractContextManager[None]]

_FUNCTION_ERRORS = "function-errors"


@dataclass(frozen=True)
class Told:
    """What a subscriber heard of one incident."""

    description: str
    """The alarm's text, which says what to do."""
    seconds: float
    """From the cause to the message."""
    over_after_seconds: float
    """From there to the message that the alarm is OK again."""


class Subscriber:
    """A queue that is told what the deployment's alarms tell, for the time of a `with` block."""

    def __init__(self, deployment: Deployment) -> None:
        self._queues, self._topics = deployment.client("sqs"), deployment.client("sns")
        self._topic_arn: str = deployment.outputs["alarm_topic_arn"]
        self._heard: list[Message] = []

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
        """Wait until each alarm has told that it went from the first state to the second.

        Returns:
            Name of the alarm -> its message, and when it came, by the monotonic clock.

        Raises:
            TimeoutError: not in a minute; the text names those that told nothing.

        """
        found: dict[str, tuple[Message, float]] = {}
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            received = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            for each in received.get("Messages", []):
                self._heard.append(json.loads(json.loads(each["Body"])["Message"]))
                self._queues.delete_message(
                    QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"]
                )
            for message in self._heard:
                name = message["AlarmName"]
                if [message["OldStateValue"], message["NewStateValue"]] == [*states]:
                    found.setdefault(name, (message, time.monotonic()))
            if found.keys() >= {*alarms}:
                return {name: found[name] for name in alarms}
            time.sleep(_POLL_SECONDS)
        missing = ", ".join(sorted({*alarms} - found.keys()))
        raise TimeoutError(f"no message of {' to '.join(states)} in {_SECONDS} s by {missing}")


def cause(deployment: Deployment, wanted: Collection[str] = ()) -> dict[str, Told]:
    """Cause incidents at once, and wait until each was told of and is over.

    `wanted` are names of incidents; none: all that this deployment can have. What was changed is
    put back; the secret that is deleted is made for it.

    Raises:
        TimeoutError: an alarm did not begin, or did not end.

    """
    causes = {**CAUSES, **_function_causes(deployment)}
    if not deployment.rotating:
        del causes["rotation-failed"]
    alarms = {
        name: deployment.outputs["alarm_names"][name]
        for name in causes
        if name in wanted or not wanted
    }
    _wait_until_ok(deployment, alarms.values())
    with contextlib.ExitStack() as caused, Subscriber(deployment) as subscriber:
        at = {}
        for name in alarms:
            at[name] = time.monotonic()
            caused.enter_context(causes[name](deployment))
        began = subscriber.wait_for(alarms.values(), "OK", "ALARM")
        ended = subscriber.wait_for(alarms.values(), "ALARM", "OK")
    return {
        name: Told(
            str(began[alarm][0]["AlarmDescription"]),
            began[alarm][1] - at[name],
            ended[alarm][1] - began[alarm][1],
        )
        for name, alarm in alarms.items()
    }


def _wait_until_ok(deployment: Deployment, alarms: Collection[str]) -> None:
    """Wait until what has happened before is over, and new alarms have looked once."""
    cloudwatch, deadline = deployment.client("cloudwatch"), time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = cloudwatch.describe_alarms(AlarmNames=[*alarms])["MetricAlarms"]
        if len(found) == len(alarms) and all(each["StateValue"] == "OK" for each in found):
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"not every alarm is OK after {_SECONDS} s: {', '.join(alarms)}")


@contextmanager
def _denied_read(deployment: Deployment) -> Iterator[None]:
    """Let a role without any grant ask for a secret."""
    arn = next(iter(deployment.outputs["secret_arns"].values()))
    role_arn = next(iter(deployment.functions.values())).outputs["role_arn"]
    with role_like(deployment.client, role_arn, lambda _: False) as stranger:
        read_as(deployment.client, stranger, [arn])
        yield


@contextmanager
def _deleted_secret(deployment: Deployment) -> Iterator[None]:
    """Make a secret of the environment, and delete it."""
    client = deployment.client("secretsmanager")
    arn = client.create_secret(
        Name=f"{deployment.stack.project}/{deployment.stack.name}/{secrets.token_hex(4)}",
        SecretString=secrets.token_urlsafe(),
    )["ARN"]
    client.delete_secret(SecretId=arn, RecoveryWindowInDays=limits.RECOVERY_WINDOW_DAYS.least)
    yield
    # Not before: it is a deletion, too, and the alarm would begin again.
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@contextmanager
def _failed_rotation(deployment: Deployment) -> Iterator[None]:
    """Rotate while the rotation function may not run; then it may, and the rotation ends well."""
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
        client.rotate_secret(**rotation)  # Secrets Manager itself would do so in time
        _wait_until_rotated(client, rotation)


def _start_rotation(client: Any, rotation: Mapping[str, str]) -> None:  # noqa: ANN401 (boto3 makes its classes at run time)
    """Rotate as soon as Secrets Manager has tried the configuration of what was just deployed."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(client.exceptions.InvalidRequestException):
            client.rotate_secret(**rotation)
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{rotation['SecretId']} could not be rotated in {_SECONDS} s")


def _wait_until_rotated(client: Any, rotation: Mapping[str, str]) -> None:  # noqa: ANN401 (boto3 makes its classes at run time)
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = client.describe_secret(SecretId=rotation["SecretId"])["VersionIdsToStages"]
        if "AWSCURRENT" in found.get(rotation["ClientRequestToken"], ()):
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{rotation['SecretId']} was not rotated after it had failed to")


@contextmanager
def _failing_invocation(function: Function, _: Deployment) -> Iterator[None]:
    """Give the unpublished function a handler that is not there; its callers use an alias."""
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


def _function_causes(deployment: Deployment) -> dict[str, Cause]:
    """Name the incident of each function as its alarm is named."""
    return {
        _FUNCTION_ERRORS
        if function.config.has_first_outputs
        else f"{name}-{_FUNCTION_ERRORS}": partial(_failing_invocation, function)
        for name, function in deployment.functions.items()
    }


CAUSES: Mapping[str, Cause] = {
    "denied-reads": _denied_read,
    "secret-deleted": _deleted_secret,
    "rotation-failed": _failed_rotation,
}
"""Incident -> what causes it, and takes back at the end what it changed; without those of
functions."""

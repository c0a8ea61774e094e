"""CloudWatch: a change of an alarm's state reaches topics, functions and EventBridge."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import logging
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, sns

from local.emulator import events
from local.emulator.cloudwatch import alarm_messages
from local.emulator.cloudwatch.alarm_history import (
    current_state,
    previous_state,
    record_action,
    remember,
)
from local.emulator.cloudwatch.alarm_messages import AlarmState
from local.emulator.core import permissions
from local.emulator.core.patching import replaces

CLOUDWATCH = "cloudwatch.amazonaws.com"
CLOUDWATCH_TO_LAMBDA = "lambda.alarms.cloudwatch.amazonaws.com"
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions"}

Data = dict[str, Any]
logger = logging.getLogger("emulator.cloudwatch")


@replaces(cloudwatch, "_dispatch_alarm_actions")
def dispatch_permitted_actions(
    _original: Callable[..., None], alarm: Data, old: str, new: str, _reason: str
) -> None:
    """Notify EventBridge, and the functions and topics that let CloudWatch reach them.

    ministack publishes to topics only, without their permission, and in another form than AWS.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    """
    previous, current = previous_state(alarm, old), current_state(alarm)
    remember(alarm, current)
    detail = json.dumps(alarm_messages.event_detail(alarm, previous, current))
    events.emit("aws.cloudwatch", "CloudWatch Alarm State Change", detail, (alarm["AlarmArn"],))
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(ACTIONS.get(new, "InsufficientDataActions")) or []:
        permitted = _may_act(action, alarm["AlarmArn"])
        summary = record_action(alarm, action, failed=not permitted)
        if permitted:
            _act(action, alarm, previous, current)
        else:
            logger.warning("%s: %s", alarm["AlarmName"], summary)


def _act(action: str, alarm: Data, previous: AlarmState, current: AlarmState) -> None:
    service = parse_arn(action).service
    place = {"account": get_account_id(), "region": get_region()}
    if service == "sns":
        message = alarm_messages.notification(alarm, previous, current, **place)
        subject = alarm_messages.subject(alarm, current, place["region"])
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        sns._fanout(action, str(uuid.uuid4()), text, subject)
    elif service == "lambda":
        detail = alarm_messages.event_detail(alarm, previous, current)
        event = alarm_messages.invocation(alarm, detail, **place)
        eventbridge._dispatch_to_lambda(action, json.dumps(event))


def _may_act(action: str, alarm_arn: str) -> bool:
    service = parse_arn(action).service
    if service == "lambda":
        return permissions.may_invoke(CLOUDWATCH_TO_LAMBDA, action, source_arn=alarm_arn)
    # The policy that a topic has from the beginning lets its owner's alarms publish.
    owner = {"aws:sourceowner": get_account_id()}
    return service != "sns" or permissions.may_publish(
        CLOUDWATCH, action, source_arn=alarm_arn, conditions=owner
    )

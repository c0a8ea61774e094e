"""CloudWatch: a change of an alarm's state reaches topics, functions and EventBridge."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge

from local.emulator import events
from local.emulator.core import permissions
from local.emulator.core.patching import replaces

CLOUDWATCH = "cloudwatch.amazonaws.com"
CLOUDWATCH_TO_LAMBDA = "lambda.alarms.cloudwatch.amazonaws.com"
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions"}

Data = dict[str, Any]
logger = logging.getLogger("emulator.cloudwatch")


@replaces(cloudwatch, "_dispatch_alarm_actions")
def dispatch_permitted_actions(
    original: Callable[..., None], alarm: Data, old: str, new: str, reason: str
) -> None:
    """Tell EventBridge, invoke functions, and publish to topics that let CloudWatch publish.

    ministack publishes to topics only, and without asking them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    """
    detail = {
        "alarmName": alarm["AlarmName"],
        "configuration": {"description": alarm.get("AlarmDescription", "")},
        "previousState": {"value": old},
        "state": {"value": new, "reason": reason, "timestamp": _now()},
    }
    events.emit(
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        json.dumps(detail),
        (alarm["AlarmArn"],),
    )
    name = ACTIONS.get(new, "InsufficientDataActions")
    if not alarm.get("ActionsEnabled", True):
        return
    actions = alarm.get(name) or []
    permitted = [action for action in actions if _may_act(action, alarm["AlarmArn"])]
    for action in actions:
        _record_action(alarm, action, failed=action not in permitted)
    original(alarm | {name: permitted}, old, new, reason)
    for action in permitted:
        if parse_arn(action).service == "lambda":
            eventbridge._dispatch_to_lambda(action, json.dumps(_invocation(alarm, detail)))


def _may_act(action: str, alarm_arn: str) -> bool:
    service = parse_arn(action).service
    if service == "lambda":
        return permissions.may_invoke(CLOUDWATCH_TO_LAMBDA, action, source_arn=alarm_arn)
    # The policy that a topic has from the beginning lets its owner's alarms publish.
    owner = {"aws:sourceowner": get_account_id()}
    return service != "sns" or permissions.may_publish(
        CLOUDWATCH, action, source_arn=alarm_arn, conditions=owner
    )


def _record_action(alarm: Data, action: str, *, failed: bool) -> None:
    summary = f"{'Failed to execute' if failed else 'Successfully executed'} action {action}"
    if failed:
        logger.warning("%s: %s", alarm["AlarmName"], summary)
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": summary,
            "HistoryData": json.dumps({"actionState": "Failed" if failed else "Succeeded"}),
        }
    )


def _invocation(alarm: Data, detail: Data) -> Data:
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": get_account_id(),
        "time": _now(),
        "region": get_region(),
        "alarmData": detail,
    }


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())

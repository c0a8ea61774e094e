"""EventBridge: read-only management events, log groups as targets, and targets that are asked."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import (
    cloudwatch,
    cloudwatch_logs,
    eventbridge,
    sqs,
)

from local.emulator import event_targets, schedules
from local.emulator.core import permissions
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response

EVENTS = "events.amazonaws.com"
# Rules in this state get read-only management events, too.
ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
PATTERN_CHARACTERS = 2048
RULES_PER_BUS = 300
READ_ONLY = ("Describe", "Get", "List")
CHANGES_ALL_THE_SAME = ("GetFederationToken", "GetSessionToken")

Data = dict[str, Any]
Handler = Callable[[Data], Response]
logger = logging.getLogger("emulator.events")


def emit(source: str, detail_type: str, detail: str, resources: tuple[str, ...] = ()) -> None:
    """Put a service's own event on the default bus; `detail` is JSON."""
    eventbridge._dispatch_event(
        {
            "EventId": str(uuid.uuid4()),
            "Source": source,
            "DetailType": detail_type,
            "Detail": detail,
            "EventBusName": "default",
            "Time": int(time.time()),
            "Resources": list(resources),
            "Account": get_account_id(),
            "Region": get_region(),
        }
    )


def _rule_key(data: Data) -> str:
    return str(eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default")))


@replaces(eventbridge, "_put_rule")
def put_rule_for_all_management_events(original: Handler, data: Data) -> Response:
    """Enable a rule in the state that gets read-only management events, too.

    ministack takes the state for disabled.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
    """
    all_events = data.get("State") == ALL_MANAGEMENT_EVENTS
    response = original({**data, "State": "ENABLED"} if all_events else data)
    key = _rule_key(data)
    if key in eventbridge._rules:
        eventbridge._rules[key]["_AllManagementEvents"] = all_events
    return response


@replaces(eventbridge, "_put_rule")
def replace_whole_rule(original: Handler, data: Data) -> Response:
    """Replace a rule as a whole, but for its tags.

    ministack keeps what the request does not give.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    """
    if _rule_key(data) in eventbridge._rules:
        data = {"State": "ENABLED", "Description": "", "RoleArn": "", **data, "Tags": []}
    return original(data)


@replaces(eventbridge, "_put_rule")
def refuse_invalid_rules(original: Handler, data: Data) -> Response:
    """Refuse a rule that nothing triggers, a schedule on another bus, and what exceeds a quota.

    ministack takes them.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    """
    bus = data.get("EventBusName", "default")
    violation = None
    if not (data.get("EventPattern") or data.get("ScheduleExpression")):
        violation = "Parameter(s) EventPattern or ScheduleExpression must be specified."
    elif data.get("ScheduleExpression") and bus != "default":
        violation = "ScheduleExpression is supported only on the default event bus."
    if violation:
        return error_response("ValidationException", violation)
    others = [rule for rule in eventbridge._rules.values() if rule["EventBusName"] == bus]
    is_too_many = len(others) >= RULES_PER_BUS and _rule_key(data) not in eventbridge._rules
    if is_too_many or len(data.get("EventPattern", "")) > PATTERN_CHARACTERS:
        text = "The requested resource exceeds the maximum number allowed."
        return error_response("LimitExceededException", text)
    return original(data)


@replaces(eventbridge, "_validate_schedule_expression")
def validate_schedule(_original: Callable[[str], bool], expression: str) -> bool:
    """Refuse a schedule that AWS refuses.

    ministack takes `rate(1 minutes)`, and numbers outside their range.
    """
    return schedules.is_valid(expression)


@replaces(eventbridge, "_delete_rule")
def refuse_to_delete_rule_with_targets(original: Handler, data: Data) -> Response:
    """Refuse to delete a rule that has targets.

    ministack deletes the targets too.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
    """
    if eventbridge._targets.get(_rule_key(data)):
        return error_response("ValidationException", "Rule can't be deleted since it has targets.")
    return original(data)


@replaces(eventbridge, "_enable_rule")
def enable_rule_without_read_only_events(original: Handler, data: Data) -> Response:
    """Enable a rule without the read-only management events.

    The rule would keep its previous state.
    """
    eventbridge._rules.get(_rule_key(data), {}).pop("_AllManagementEvents", None)
    return original(data)


@replaces(eventbridge, "_rule_out")
def show_state_for_all_management_events(original: Callable[[Data], Data], rule: Data) -> Data:
    """Describe a rule with the state that it was given.

    ministack only knows that it is enabled.
    """
    shown = original(rule)
    if shown["State"] == "ENABLED" and rule.get("_AllManagementEvents"):
        shown["State"] = ALL_MANAGEMENT_EVENTS
    return shown


@replaces(eventbridge, "_matches_pattern_view")
def match_read_only_events_by_state(
    original: Callable[..., bool], pattern: str, view: Any, owner: str = "rule"
) -> bool:
    """Match a read-only management event only with a rule in the state for it.

    ministack matches them with every rule.
    """
    if not original(pattern, view, owner):
        return False
    if view.envelope()["detail-type"] != "AWS API Call via CloudTrail":
        return True
    rule = eventbridge._rules.get(owner.removeprefix("rule "), {})
    name = view.event_with_detail()["detail"]["eventName"]
    return bool(
        rule.get("_AllManagementEvents")
        or not name.startswith(READ_ONLY)
        or name in CHANGES_ALL_THE_SAME
    )


@replaces(eventbridge, "_invoke_target")
def deliver_if_target_permits(
    original: Callable[..., None], target: Data, event: Data, rule: Data, view: Any = None
) -> None:
    """Deliver only where the target's policy and its key let EventBridge, and to log groups.

    ministack delivers without asking, and not to log groups.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    if not _may_deliver(target["Arn"], rule["Arn"]):
        logger.warning("%s: %s does not let EventBridge in", rule["Name"], target["Arn"])
        _count("FailedInvocations", rule)
        return
    view = view or eventbridge._pattern_event_view(event)
    delivered = event_targets.with_input(target, rule, view)
    if delivered is None:
        logger.warning("%s: the template of %s does not make JSON", rule["Name"], target["Id"])
        _count("FailedInvocations", rule)
        return
    _count("Invocations", rule)
    if parse_arn(target["Arn"]).service == "logs":
        _log(target, rule, view)
    else:
        original(delivered, event, rule, view)


def _count(metric: str, rule: Data) -> None:
    cloudwatch.record_metric("AWS/Events", metric, 1, "Count", {"RuleName": rule["Name"]})


def _may_deliver(target: str, rule: str) -> bool:
    service = parse_arn(target).service
    if service == "sns":
        return permissions.may_publish(EVENTS, target, source_arn=rule)
    if service == "sqs":
        queue = (sqs._queue_by_arn(target) or {}).get("attributes", {})
        key = queue.get("KmsMasterKeyId")
        return permissions.service_may(
            EVENTS, "sqs:SendMessage", target, queue.get("Policy"), source_arn=rule
        ) and (not key or permissions.service_may_encrypt(EVENTS, key, source_arn=rule))
    if service == "lambda":
        return permissions.may_invoke(EVENTS, target, source_arn=rule)
    if service == "logs":
        stream = target.removesuffix(":*") + ":log-stream:*"
        policies = [
            policy["policyDocument"] for policy in cloudwatch_logs._resource_policies.values()
        ]
        return any(
            permissions.service_may(EVENTS, "logs:PutLogEvents", stream, policy, source_arn=rule)
            for policy in policies
        )
    return True


def _log(target: Data, rule: Data, view: Any) -> None:
    """Write the event into the target's log group, each in a stream of its own.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html: the input of a log
    group, if it is not the event, is an object of `timestamp` and `message`.
    """
    line = {
        "timestamp": int(time.time() * 1000),
        "message": event_targets.compact(view.event_with_detail()),
    }
    if "InputTransformer" in target:
        line |= json.loads(
            eventbridge._apply_input_transformer(target["InputTransformer"], rule, view)
        )
    stream = {
        "logGroupName": target["Arn"].partition(":log-group:")[2].removesuffix(":*"),
        "logStreamName": str(uuid.uuid4()),
    }
    cloudwatch_logs._create_log_stream(stream)
    cloudwatch_logs._put_log_events(stream | {"logEvents": [line]})

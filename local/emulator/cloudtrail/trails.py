"""CloudTrail's trails: an event goes to their log groups and, by any of them, to EventBridge."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudtrail, cloudwatch_logs

from local.emulator import events
from local.emulator.core import permissions
from local.emulator.core.patching import adds, changes, replaces
from local.emulator.core.responses import Response

CLOUDTRAIL = "cloudtrail.amazonaws.com"
DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
}
INSIGHTS = "_InsightSelectors"
DELIVERED = "_DeliveredToLogsAt"
LOG_GROUP = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")

Data = dict[str, Any]
Handler = Callable[[Data], Response]


def deliver(event: Data, text: str) -> None:
    """Hand the event, and its JSON, to every trail that logs it, and to EventBridge.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html:
    without a trail that logs, EventBridge gets none.
    """
    logging = [
        (region, trail)
        for region, name, trail in cloudtrail._visible_trail_items()
        if trail["IsLogging"] and _selects(_selectors(region, name), event)
    ]
    for region, trail in logging:
        if trail.get("CloudWatchLogsLogGroupArn"):
            with request_scope(get_account_id(), region):
                _log(_log_group(trail["CloudWatchLogsLogGroupArn"]), text)
            trail[DELIVERED] = time.time()
    if logging:
        source = "aws." + event["eventSource"].partition(".")[0]
        events.emit(source, DETAIL_TYPES[event["eventType"]], text)


def _selectors(region: str, name: str) -> Iterable[Data]:
    selectors: Iterable[Data] = cloudtrail._event_selectors.get_scoped(
        get_account_id(), region, name, cloudtrail._DEFAULT_EVENT_SELECTORS
    )
    return selectors


def _selects(selectors: Iterable[Data], event: Data) -> bool:
    """Tell whether a trail logs this management event.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    return any(
        all(_fits(field, event) for field in selector["FieldSelectors"])
        if "FieldSelectors" in selector
        else selector["IncludeManagementEvents"]
        and selector["ReadWriteType"] in ("All", "ReadOnly" if event["readOnly"] else "WriteOnly")
        and event["eventSource"] not in selector.get("ExcludeManagementEventSources", [])
        for selector in selectors
    )


def _fits(field: Data, event: Data) -> bool:
    value = event.get(field["Field"])
    text = value if isinstance(value, str) else json.dumps(value)
    return (
        ("Equals" not in field or text in field["Equals"])
        and ("StartsWith" not in field or text.startswith(tuple(field["StartsWith"])))
        and text not in field.get("NotEquals", [])
        and not text.startswith(tuple(field.get("NotStartsWith", [])))
    )


def _log(group: str, text: str) -> None:
    stream = {"logGroupName": group, "logStreamName": _log_stream()}
    if (
        stream["logStreamName"]
        not in cloudwatch_logs._log_groups.get(group, {"streams": ()})["streams"]
    ):
        cloudwatch_logs._create_log_stream(stream)
    line = {"timestamp": int(time.time() * 1000), "message": text}
    cloudwatch_logs._put_log_events(stream | {"logEvents": [line]})


def _log_stream() -> str:
    return f"{get_account_id()}_CloudTrail_{get_region()}"


def _log_group(arn: str) -> str:
    return arn.partition(":log-group:")[2].removesuffix(":*")


@replaces(cloudtrail._DISPATCH, "CreateTrail")
def keep_log_group_of_new_trail(original: Handler, request: Data) -> Response:
    """Keep the tags and, if CloudTrail can write with them, the log group and the role.

    ministack drops them.
    """
    arn = cloudtrail._trail_arn(request.get("Name", ""))
    if refusal := _refusal_of_log_group(request, arn):
        return refusal
    status, headers, body = original(request)
    answer = json.loads(body)
    if "TrailARN" in answer:
        given = {name: request[name] for name in LOG_GROUP if request.get(name)}
        cloudtrail._trails[request["Name"].strip()].update(given)
        tags = {tag["Key"]: tag.get("Value", "") for tag in request.get("TagsList", ())}
        cloudtrail._trail_tags[answer["TrailARN"]] = tags
        body = json.dumps(answer | given).encode()
    return status, headers, body


@replaces(cloudtrail._DISPATCH, "UpdateTrail")
def validate_log_group_of_trail(original: Handler, request: Data) -> Response:
    """Refuse what CloudTrail cannot write to, as on creation.

    ministack takes any.
    """
    name, _, trail = cloudtrail._find_visible_trail(request.get("Name", ""))
    arn = (trail or {}).get("TrailARN") or cloudtrail._trail_arn(name)
    return _refusal_of_log_group(request, arn) or original(request)


@replaces(cloudtrail._DISPATCH, "GetTrailStatus")
def report_delivery_to_logs(original: Handler, request: Data) -> Response:
    """Report when the last event was delivered to the log group.

    ministack does not know.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    """
    status, headers, body = original(request)
    _, _, trail = cloudtrail._find_visible_trail(request.get("Name", "").strip())
    if trail and DELIVERED in trail:
        delivery = {"LatestCloudWatchLogsDeliveryTime": trail[DELIVERED]}
        body = json.dumps(json.loads(body) | delivery).encode()
    return status, headers, body


@adds(cloudtrail._DISPATCH, "PutInsightSelectors")
def put_insight_selectors(request: Data) -> Response:
    """Keep what the trail looks for; no insight is ever found here.

    ministack lacks the operation.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html
    """
    _, _, trail, refusal = cloudtrail._find_mutable_trail(request.get("TrailName", ""))
    if refusal is None:
        trail[INSIGHTS] = request["InsightSelectors"]
        trail["HasInsightSelectors"] = bool(trail[INSIGHTS])
    return refusal or _insights(trail)


@adds(cloudtrail._DISPATCH, "GetInsightSelectors")
def get_insight_selectors(request: Data) -> Response:
    """Tell what the trail looks for.

    ministack lacks the operation.
    """
    name, _, trail = cloudtrail._find_visible_trail(request.get("TrailName", ""))
    if trail is None:
        return _error("TrailNotFoundException", f"Unknown trail: {name}")
    if not trail["HasInsightSelectors"]:
        return _error(
            "InsightNotEnabledException",
            f"Trail {name} does not have Insights enabled. Edit the trail settings to enable"
            " Insights, and then try the operation again.",
        )
    return _insights(trail)


def _insights(trail: Data) -> Response:
    told = {"TrailARN": trail["TrailARN"], "InsightSelectors": trail[INSIGHTS]}
    response: Response = cloudtrail._ok(told)
    return response


@changes(cloudtrail, "_TRAIL_STATE_KEYS")
def hide_insight_selectors(keys: frozenset[str]) -> frozenset[str]:
    """Leave the selectors out of a trail's description."""
    return keys | {INSIGHTS}


def _refusal_of_log_group(request: Data, trail_arn: str) -> Response | None:
    """Refuse a log group that is not there, and a role that cannot write there.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
    """
    group_arn, role_arn = (str(request.get(name) or "") for name in LOG_GROUP)
    if not group_arn and not role_arn:
        return None
    if not group_arn.endswith(":*") or _log_group(group_arn) not in cloudwatch_logs._log_groups:
        return _error(
            "InvalidCloudWatchLogsLogGroupArnException",
            "CloudTrail cannot validate the specified log group ARN.",
        )
    stream = f"{group_arn.removesuffix(':*')}:log-stream:{_log_stream()}"
    actions = {"logs:CreateLogStream": stream, "logs:PutLogEvents": stream}
    if not role_arn or not permissions.role_may(
        CLOUDTRAIL, role_arn, actions, source_arn=trail_arn
    ):
        return _error(
            "InvalidCloudWatchLogsRoleArnException",
            "Access denied. Verify in IAM that the role has adequate permissions.",
        )
    return None


def _error(code: str, message: str) -> Response:
    response: Response = cloudtrail._err(code, message)
    return response

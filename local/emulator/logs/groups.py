"""CloudWatch Logs: the log groups and metric filters that it takes."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import cloudwatch_logs, kms

from local.emulator.core import permissions
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
METRIC_FILTERS_PER_GROUP = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
KEY_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")

_SENTENCE = re.compile(r"(The specified [a-z ]+ (?:does not exist|already exists)): .*")
_METRIC_VALUE = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|\$[\w.\[\]*-]+")

Data = dict[str, Any]
Handler = Callable[[Data], Response]


@replaces(cloudwatch_logs, "error_response_json")
def leave_out_names(
    original: Callable[..., Response], code: str, message: str, *status: int
) -> Response:
    """Leave the name out of the error for what is missing, or there already.

    ministack names it.
    """
    if found := _SENTENCE.fullmatch(message):
        missing = found[1].endswith("not exist")
        message = f"{found[1]}." if missing else found[1]
    return original(code, message, *status)


@replaces(cloudwatch_logs, "_create_log_group")
def refuse_reserved_names_and_unusable_keys(original: Handler, data: Data) -> Response:
    """Refuse names that are AWS's own, and keys that CloudWatch Logs may not use.

    ministack takes them.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    """
    if data["logGroupName"].lower().startswith("aws/"):
        text = "Log groups starting with AWS/ are reserved for AWS."
        return error_response("InvalidParameterException", text)
    return wrong_key(data) or original(data)


@replaces(cloudwatch_logs, "_forget_log_records_for_group")
def forget_records_of_own_events(_original: Callable[[str], None], group_name: str) -> None:
    """Forget the records of a group's events when the group is deleted.

    ministack looks through the records of all groups, which takes minutes for hundreds of groups.
    """
    for stream in cloudwatch_logs._log_groups[group_name]["streams"].values():
        for event in stream["events"]:
            cloudwatch_logs._log_records.pop(event.get("eventId"), None)


@replaces(cloudwatch_logs, "_describe_log_groups")
def describe_deletion_protection(original: Handler, data: Data) -> Response:
    """Say that the groups are not protected.

    ministack says nothing.
    """
    response = original(data)
    if not succeeded(response):
        return response
    answer = json.loads(response[2])
    for group in answer["logGroups"]:
        group.setdefault("deletionProtectionEnabled", False)
    return json_response(answer)


@replaces(cloudwatch_logs, "_put_metric_filter")
def refuse_invalid_metric_filter(original: Handler, data: Data) -> Response:
    """Refuse a filter too many, and a value that is neither a number nor a selector.

    ministack takes them.
    """
    group = data["logGroupName"]
    for transformation in data["metricTransformations"]:
        if not _METRIC_VALUE.fullmatch(transformation["metricValue"]):
            text = f"Invalid metric transformation: value {transformation['metricValue']!r}"
            return error_response("InvalidParameterException", text)
    others = [key for key in cloudwatch_logs._metric_filters if key[0] == group]
    is_new = (group, data["filterName"]) not in others
    if is_new and len(others) >= METRIC_FILTERS_PER_GROUP:
        return error_response("LimitExceededException", "Resource limit exceeded.")
    return original(data)


def wrong_key(data: Data) -> Response | None:
    """Return the error for a key that does not let CloudWatch Logs encrypt this group."""
    key_id = data.get("kmsKeyId")
    if not key_id:
        return None
    if not key_id.startswith("arn:"):
        text = "The specified KMS Key Id could not be found."
        return error_response("InvalidParameterException", text)
    group = cloudwatch_logs._make_group_arn(data["logGroupName"]).removesuffix(":*")
    key = kms._resolve_key(key_id)
    conditions = {"kms:encryptioncontext:aws:logs:arn": group}
    if key is not None and all(
        permissions.service_may(
            f"logs.{get_region()}.amazonaws.com",
            action,
            key["Arn"],
            key["Policy"],
            source_arn=group,
            conditions=conditions,
        )
        for action in KEY_ACTIONS
    ):
        return None
    text = f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
    return error_response("AccessDeniedException", text)

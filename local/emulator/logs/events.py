"""CloudWatch Logs: lines come in order, and are found page by page."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import itertools
import json
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
EVENTS_PER_PAGE = 10_000

Data = dict[str, Any]
Handler = Callable[[Data], Response]


@replaces(cloudwatch_logs, "_put_log_events")
def refuse_events_out_of_order(original: Handler, data: Data) -> Response:
    """Refuse events that are not in the order of their time.

    ministack sorts them.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
    """
    times = [event["timestamp"] for event in data["logEvents"]]
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        text = "Log events in a single PutLogEvents request must be in chronological order."
        return error_response("InvalidParameterException", text)
    return original(data)


@replaces(cloudwatch_logs, "_filter_log_events")
def filter_page_by_page(original: Handler, data: Data) -> Response:
    """Return a page, and the token of the next one.

    ministack returns the first page only.
    """
    token, limit = data.get("nextToken", "0"), data.get("limit", EVENTS_PER_PAGE)
    if not token.isdecimal():
        return error_response("InvalidParameterException", "The specified nextToken is invalid.")
    response = original({**data, "limit": EVENTS_PER_PAGE})
    if not succeeded(response):
        return response
    answer, start = json.loads(response[2]), int(token)
    events, end = answer["events"], start + limit
    more = {"nextToken": str(end)} if end < len(events) else {}
    return json_response({**answer, "events": events[start:end], **more})


@replaces(cloudwatch_logs, "_describe_log_streams")
def find_group_by_identifier(original: Handler, data: Data) -> Response:
    """Find the group by its ARN, too.

    ministack knows its name only.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
    """
    return original({**data, "logGroupName": cloudwatch_logs._resolve_log_group_name(data)})

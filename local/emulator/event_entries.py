"""EventBridge: the entries of PutEvents that it takes."""

import contextvars
import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded

REQUIRED = ("Source", "DetailType", "Detail")
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
REQUEST_BYTES = 1024 * 1024
TIME_BYTES = 14

Data = dict[str, Any]

_time: contextvars.ContextVar[int | None] = contextvars.ContextVar("time", default=None)
"""When the event happened that is being put, in seconds; None if it is now."""


@replaces(eventbridge, "_put_events")
def put_valid_entries(
    original: Callable[..., Response], data: Data, **options: object
) -> Response:
    """Put the entries that are complete, and report an error for each of the others.

    ministack takes entries without a source, a type or a detail, details that are not objects,
    and requests of any size.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """
    if sum(map(_size, data["Entries"])) > REQUEST_BYTES:
        text = "Total size of the entries in the request is over the limit."
        return error_response("ValidationException", text)
    results = []
    for entry in data["Entries"]:
        if failure := _failure(entry):
            results.append(failure)
            continue
        token = _time.set(int(entry["Time"]) if "Time" in entry else None)
        try:
            response = original({**data, "Entries": [entry]}, **options)
        finally:
            _time.reset(token)
        if not succeeded(response):
            return response
        results += json.loads(response[2])["Entries"]
    failed = sum("ErrorCode" in result for result in results)
    return json_response({"FailedEntryCount": failed, "Entries": results})


@replaces(eventbridge, "_pattern_event_view")
def keep_time_of_entry(original: Callable[[Data], object], event: Data) -> object:
    """Match and deliver an event with the time of its entry.

    ministack takes the time at which it comes.
    """
    if (time := _time.get()) is not None:
        event["Time"] = time
    return original(event)


def _failure(entry: Data) -> Data | None:
    """Return the result for an entry that is not valid."""
    for name in REQUIRED:
        if not entry.get(name):
            text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _size(entry: Data) -> int:
    """Return the size of an entry in bytes, as the documentation computes it."""
    texts = [*(entry.get(name) or "" for name in REQUIRED), *(entry.get("Resources") or ())]
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)

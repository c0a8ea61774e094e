"""CloudWatch: the previous state of each alarm, and what its history says."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch

from local.emulator.cloudwatch import requests
from local.emulator.cloudwatch.alarm_messages import AlarmState
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

INITIAL_REASON = "Unchecked: Initial alarm creation"

Data = dict[str, Any]

_reported = AccountRegionScopedDict()
"""Name of an alarm -> the state that its actions last heard of."""


def previous_state(alarm: Data, value: str) -> AlarmState:
    """Return the state that an alarm was in; of a new alarm, the one that it was created with."""
    reported: AlarmState | None = _reported.get(alarm["AlarmName"])
    if reported is not None and reported.value == value:
        return reported
    created = alarm.get("AlarmConfigurationUpdatedTimestamp", time.time())
    return AlarmState(value, INITIAL_REASON, created)


def current_state(alarm: Data) -> AlarmState:
    """Return the state that an alarm is in."""
    return AlarmState(
        alarm["StateValue"], alarm["StateReason"], time.time(), alarm.get("StateReasonData", "")
    )


def remember(alarm: Data, state: AlarmState) -> None:
    """Keep the state that an alarm has reported."""
    _reported[alarm["AlarmName"]] = state


@replaces(cloudwatch, "_delete_alarms")
def forget_states(original: Callable[..., Any], *request: Any) -> Any:
    """Forget the states of alarms that are deleted: a new one of the same name has none.

    Only this module keeps them.
    """
    answer = original(*request)
    for name in [*_reported]:
        if name not in cloudwatch._alarms and name not in cloudwatch._composite_alarms:
            del _reported[name]
    return answer


@replaces(cloudwatch, "_list_tags_for_resource")
def list_no_tags_of_deleted_alarm(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """List no tags for an alarm that does not exist.

    ministack refuses.
    """
    response = original(form, data, *protocol)
    if response[0] != HTTPStatus.NOT_FOUND:
        return response
    return requests.empty_list("ListTagsForResource", "Tags", *protocol)


@replaces(cloudwatch, "_record_history")
def record_both_states(
    _original: Callable[..., None], name: str, old: str, new: str, *_reasons: object
) -> None:
    """Record a change of state with the reasons of both states.

    ministack leaves out the previous reason and the data, and records a change when it creates an
    alarm.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html
    """
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    if alarm is None or old == new:
        return
    states = {"oldState": previous_state(alarm, old), "newState": current_state(alarm)}
    _append(
        alarm,
        "StateUpdate",
        f"Alarm updated from {old} to {new}",
        {"version": "1.0", **{key: _as_history(state) for key, state in states.items()}},
    )


def record_action(alarm: Data, action: str, *, failed: bool) -> str:
    """Record that an action was executed, or failed, and return the summary."""
    summary = f"{'Failed to execute' if failed else 'Successfully executed'} action {action}"
    state = {"actionState": "Failed" if failed else "Succeeded"}
    _append(alarm, "Action", summary, state)
    return summary


def _append(alarm: Data, kind: str, summary: str, data: Data) -> None:
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data),
        }
    )


def _as_history(state: AlarmState) -> Data:
    data = {"stateReasonData": json.loads(state.data)} if state.data else {}
    return {"stateValue": state.value, "stateReason": state.reason, **data}

"""What a function is doing, and what cannot be done meanwhile.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from local.emulator.core import loop
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, conflict

TRANSITION_SECONDS = 0.02
"""How long a creation or an update takes: long enough for a waiter to see it."""

_REASON = "The function is being created."  # also of an update, as recorded


@replaces(lambda_svc, "_build_config")
def update_nothing_yet(original: Callable[..., Data], *function: Any) -> Data:
    """Create a function that has no update.

    ministack says that one is in progress.
    """
    config = original(*function)
    for key in ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        del config[key]
    return config


@replaces(lambda_svc, "_schedule_state_transition")
def begin_transition(_original: Callable[..., None], name: str, _seconds: float) -> None:
    """Keep a function active while it is updated, and settle it in a moment.

    ministack makes it pending, and half a second later active.
    """
    config = lambda_svc._functions[name]["config"]
    if config["StateReasonCode"] == "Updating":
        config |= {"State": "Active", "LastUpdateStatus": "InProgress"}
        config |= {"LastUpdateStatusReason": _REASON, "LastUpdateStatusReasonCode": "Creating"}
        del config["StateReason"], config["StateReasonCode"]
    loop.later(TRANSITION_SECONDS, _settle, name)


def make_pending(version: Data) -> None:
    """Set the state of a version that an operation has published together with the function."""
    version |= {"State": "Pending", "StateReason": _REASON, "StateReasonCode": "Creating"}
    for key in ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        version.pop(key, None)


def _settle(name: str) -> None:
    function = lambda_svc._functions.get(name)
    if function is None:  # it was deleted meanwhile
        return
    revision, config = function["config"]["RevisionId"], function["config"]
    _finish(config)
    config["RevisionId"] = new_uuid()
    for version in function["versions"].values():
        if version.get("function_revision") == revision:  # it is still what was published last
            version["function_revision"] = config["RevisionId"]
        # A snapshot is made in its own time.
        if (version["config"].get("SnapStart") or {}).get("OptimizationStatus") != "On":
            _finish(version["config"])


def _finish(config: Data) -> None:
    config |= {"State": "Active", "LastUpdateStatus": "Successful"}
    for key in ("State", "LastUpdateStatus"):
        config.pop(f"{key}Reason", None)
        config.pop(f"{key}ReasonCode", None)


@replaces(lambda_svc, "_update_code")
@replaces(lambda_svc, "_update_config")
@replaces(lambda_svc, "_publish_version")
def wait_for_end_of_update(
    original: Callable[..., Response], name: str, *request: Any
) -> Response:
    """Refuse a change while the function is created or updated.

    ministack makes it.
    """
    config = (lambda_svc._functions.get(name) or {}).get("config", {})
    if config.get("LastUpdateStatus") == "InProgress":
        return conflict(
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: {config['FunctionArn']}"
        )
    return refusal_while_pending(config) or original(name, *request)


def refusal_while_pending(config: Data) -> Response | None:
    """Return the refusal of what a function does not do before it is active."""
    if config.get("State") != "Pending":
        return None
    return conflict(
        "The operation cannot be performed at this time. The function is currently in the "
        "following state: Pending"
    )

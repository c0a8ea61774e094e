"""The log groups and streams of functions.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import time
from collections.abc import Iterable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, iam

from local.emulator.lambda_.answers import Data
from local.emulator.lambda_.platform_log import Event


def group_of(config: Data) -> str:
    """Return the name of a function's log group."""
    group = (config.get("LoggingConfig") or {}).get("LogGroup")
    return group or f"/aws/lambda/{config['FunctionName']}"


def write(config: Data, stream_name: str, events: Iterable[Event]) -> None:
    """Write to a function's log, and create its group and stream, as far as its role may."""
    name = group_of(config)
    group_arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    stream_arn = f"{group_arn}:log-stream:{stream_name}"
    needed = {"logs:CreateLogStream": stream_arn, "logs:PutLogEvents": stream_arn}
    if name not in cloudwatch_logs._log_groups:
        needed["logs:CreateLogGroup"] = group_arn
    if not all(_role_may(config, action, resource) for action, resource in needed.items()):
        return
    now = time.time_ns() // 1_000_000
    written = [
        {"timestamp": event.milliseconds, "message": event.message, "ingestionTime": now}
        for event in events
    ]
    cloudwatch_logs._append_log_events(_stream(name, stream_name, now), written)
    cloudwatch_logs._fanout_to_subscription_filters(
        name,
        stream_name,
        [{key: event[key] for key in ("timestamp", "message")} for event in written],
    )


def _stream(group_name: str, name: str, now: int) -> Any:  # noqa: ANN401 (ministack's)
    groups = cloudwatch_logs._log_groups
    if group_name not in groups:
        groups[group_name] = {
            "arn": cloudwatch_logs._make_group_arn(group_name),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    new = {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
    return groups[group_name]["streams"].setdefault(name, new)


def _role_may(config: Data, action: str, resource: str) -> bool:
    account = get_account_id()
    role = config["Role"].rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']}",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    policies = iam_evaluator._gather_role_policies(role, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, role, account)
    return bool(iam_evaluator.evaluate(context, policies, *boundary).decision == "Allow")

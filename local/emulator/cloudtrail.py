"""CloudTrail: a record names its caller."""
# ruff: noqa: ANN401, SLF001 - ministack is untyped, and its gaps sit behind private names

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import cloudtrail, iam

from . import replaces


@replaces(cloudtrail, "record_event")
def caller_is_only_an_access_key(original: Callable[..., None], **call: Any) -> None:
    """Name the caller: `Username` is the user's or the session's name, for a function its own.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    original(**call)
    record = cloudtrail._get_event_queue()[-1]
    event = json.loads(record["CloudTrailEvent"])
    arn = iam_evaluator.caller_arn()
    record["Username"] = arn.rpartition("/")[2]
    identity = {
        "type": "IAMUser",
        "arn": arn,
        "accountId": event["recipientAccountId"],
        "accessKeyId": call["access_key_id"],
    }
    if ":assumed-role/" in arn:
        role = iam._roles.get(iam_evaluator._role_name_from_assumed_arn(arn)) or {}
        issuer = {"type": "Role", "arn": role.get("Arn"), "userName": role.get("RoleName")}
        identity |= {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}
    else:
        identity["userName"] = record["Username"]
    event["userIdentity"] = identity
    record["CloudTrailEvent"] = json.dumps(event)

"""Secrets Manager: RotateSecret calls the rotation function, step by step.

A failed rotation stays as it failed: AWS would try it again by itself, and here it takes another
RotateSecret with the same token. Nothing rotates by the schedule, which is kept and answered only.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.services import lambda_svc, secretsmanager

from local.emulator.cloudtrail.events import record_service_event
from local.emulator.core import caller
from local.emulator.core.accounts import denial_message
from local.emulator.core.patching import replaces
from local.emulator.core.permissions import service_may
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager import schedule
from local.emulator.secretsmanager.shared import (
    CURRENT,
    PENDING,
    VALUE,
    Data,
    Handler,
    constraint_error,
    has_value,
    usable_secret,
)

SERVICE = "secretsmanager.amazonaws.com"
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
TOKEN_CHARACTERS = range(32, 65)

_log = logging.getLogger("local.emulator")

_rotations: dict[tuple[str, str], asyncio.Task[None]] = {}
_left_pending: set[str] = set()
"""ARNs of the secrets whose failed tests leave AWSPENDING."""


@replaces(secretsmanager, "_rotate_secret")
def rotate_secret(original: Handler, data: Data) -> Response:
    """Keep the configuration and start to rotate, or only to test with `RotateImmediately` false.

    ministack calls no function.

    The answer does not wait. Needs `lambda:InvokeFunction` of the caller, and a function whose
    policy lets Secrets Manager invoke it for this secret. A token that is pending goes on.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
    """
    secret = usable_secret(data)
    if secret is None or secretsmanager._is_replica(secret):
        return original(data)  # it refuses them
    token = data.get("ClientRequestToken") or str(uuid.uuid4())
    function_arn = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN") or ""
    refusal = (
        _refusal_of_values(token, data.get("RotationRules") or {})
        or _refusal_of_function(function_arn, secret)
        or _refusal_of_pending(token, secret)
    )
    if refusal:
        return refusal
    secret |= {
        "RotationEnabled": True,
        "RotationLambdaARN": function_arn,
        "RotationRules": data.get("RotationRules") or secret.get("RotationRules"),
        "_ConfiguredDate": round(time.time(), 3),
    }
    _start(secret, token, immediately=data.get("RotateImmediately", True))
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})


def _refusal_of_values(token: str, rules: Data) -> Response | None:
    if len(token) not in TOKEN_CHARACTERS:
        return constraint_error("clientRequestToken", "have length between 32 and 64")
    error = schedule.violation(rules)
    return error_response("InvalidParameterException", error) if error else None


def _refusal_of_function(arn: str, secret: Data) -> Response | None:
    if not arn:
        return error_response(
            "InvalidRequestException",
            "No Lambda rotation function ARN is associated with this secret.",
        )
    action = "lambda:InvokeFunction"
    if denied := caller.refusal(action, arn):
        return error_response("AccessDeniedException", denial_message(denied, action, arn))
    if not _may_invoke(arn, secret):
        return error_response(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the "
            f"function policy grants access to the principal {SERVICE}.",
        )
    return None


def _may_invoke(function_arn: str, secret: Data) -> bool:
    found = lambda_svc.function_policy_for_arn(function_arn)
    if found is None:
        return False
    policy, _owner = found
    action = "lambda:InvokeFunction"
    return service_may(SERVICE, action, function_arn, policy, source_arn=secret["ARN"])


def _refusal_of_pending(token: str, secret: Data) -> Response | None:
    pending, version = secretsmanager._find_stage_version(secret, PENDING)
    if pending in (None, token) or CURRENT in version["Stages"]:
        return None
    return error_response(
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )


def _start(secret: Data, token: str, *, immediately: bool) -> None:
    """Rotate to the version of this token in the background, if that is not done or under way.

    The version has no value yet; for a test alone it has a copy of the current one.
    """
    version = secret["Versions"].get(token)
    rotation = (secret["ARN"], token)
    if version is None:
        _, current = secretsmanager._find_stage_version(secret, CURRENT)
        copied = {} if immediately or current is None else current
        secretsmanager._remove_stage_everywhere(secret, PENDING)
        secret["Versions"][token] = {name: copied.get(name) for name in VALUE} | {
            "CreatedDate": round(time.time(), 3),
            "Stages": [PENDING],
        }
    elif not immediately or rotation in _rotations or not _is_under_way(secret, token):
        return  # nothing to go on with; a test never takes over what a rotation has made
    # On the loop that serves the requests, so that no two change a secret at the same time.
    task = asyncio.get_running_loop().create_task(
        _rotate(secret, token) if immediately else _test(secret, token)
    )
    _rotations[rotation] = task
    task.add_done_callback(lambda _: _rotations.pop(rotation))


async def _rotate(secret: Data, token: str) -> None:
    _record("RotationStarted", secret)
    for step in STEPS:
        if not _is_under_way(secret, token):
            return  # it was cancelled, or abandoned for a value put by hand
        if not await _succeeds(step, secret, token):
            _record("RotationFailed", secret)
            return
    secret["LastRotatedDate"] = round(time.time(), 3)
    secretsmanager._sync_replicas(secret)
    _record("RotationSucceeded", secret)


def leave_pending_after_failed_tests(secret_arn: str) -> None:
    """Leave AWSPENDING on a version without a value when a test of this secret's rotation fails.

    AWS says that it may, and not when.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    _left_pending.add(secret_arn)


async def _test(secret: Data, token: str) -> None:
    _record("TestRotationStarted", secret)
    succeeded = await _succeeds("testSecret", secret, token)
    version = secret["Versions"].pop(token, None)
    if version is not None and not succeeded and secret["ARN"] in _left_pending:
        secret["Versions"][token] = version | dict.fromkeys(VALUE)
    _record("TestRotationSucceeded" if succeeded else "TestRotationFailed", secret)


def _is_under_way(secret: Data, token: str) -> bool:
    stages = secret["Versions"].get(token, {}).get("Stages", [])
    return bool(secret["RotationEnabled"] and PENDING in stages and CURRENT not in stages)


async def _succeeds(step: str, secret: Data, token: str) -> bool:
    """Invoke the function, and see that it did what the first and the last step are for."""
    function_arn = secret["RotationLambdaARN"]
    if not _may_invoke(function_arn, secret):
        return False
    name, qualifier = lambda_svc._resolve_name_and_qualifier(function_arn)
    event = {
        "Step": step,
        "SecretId": secret["ARN"],
        "ClientRequestToken": token,
        "RotationToken": str(uuid.uuid4()),
    }
    try:
        status, headers, _ = await lambda_svc._invoke(name, event, {}, qualifier)
    except Exception:  # noqa: BLE001 (an error of ours must not leave the rotation under way)
        _log.exception("%s could not be invoked", function_arn)
        return False
    if status != HTTPStatus.OK or "X-Amz-Function-Error" in headers:
        return False
    version = secret["Versions"].get(token, {"Stages": []})
    done = {"createSecret": has_value(version), "finishSecret": CURRENT in version["Stages"]}
    return done.get(step, True)


def _record(event_name: str, secret: Data) -> None:
    """Record a rotation's event.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
    """
    record_service_event(SERVICE, event_name, {"SecretId": secret["ARN"]})


@replaces(secretsmanager, "handle_request")
async def cancel_rotation(original: Callable[..., Awaitable[Response]], *request: Any) -> Response:
    """Answer CancelRotateSecret: start no further step; the labels stay where they are.

    ministack lacks the operation.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
    """
    _method, _path, headers, body, _query = request
    if not headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
        return await original(*request)
    data = json.loads(body)
    response: Response = secretsmanager._update_secret({"SecretId": data.get("SecretId")})
    secret = usable_secret(data)
    if secret is None or not succeeded(response):
        return response  # there is no such secret, or it is a replica, or deleted
    secret["RotationEnabled"] = False
    pending, _ = secretsmanager._find_stage_version(secret, PENDING)
    return json_response(json.loads(response[2]) | ({"VersionId": pending} if pending else {}))


@replaces(secretsmanager, "_describe_secret")
def describe_rotation_dates(original: Handler, data: Data) -> Response:
    """Show when the secret was rotated last and will be next.

    ministack omits the dates.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    response = original(data)
    if not succeeded(response):
        return response
    _, secret = secretsmanager._resolve(data["SecretId"])
    answer = json.loads(response[2])
    if secret["RotationEnabled"]:
        dates = {
            "LastRotatedDate": secret.get("LastRotatedDate"),
            "NextRotationDate": _next_rotation(secret),
        }
        answer |= {name: date for name, date in dates.items() if date is not None}
    return json_response(answer)


def _next_rotation(secret: Data) -> float | None:
    """Return the end of the next window; any new current version counts as a rotation."""
    _, current = secretsmanager._find_stage_version(secret, CURRENT)
    last = max(secret["_ConfiguredDate"], current["CreatedDate"] if current else 0)
    following = schedule.next_rotation(secret.get("RotationRules") or {}, last)
    return following.timestamp() if following else None


@replaces(secretsmanager, "_apply_current_promotion")
def abandon_pending_rotation(original: Callable[..., None], secret: Data, version_id: str) -> None:
    """Abandon the rotation to another version when a new value becomes the current one.

    ministack leaves it pending.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
    """
    pending, _ = secretsmanager._find_stage_version(secret, PENDING)
    original(secret, version_id)
    if pending not in (None, version_id):
        secretsmanager._remove_stage_everywhere(secret, PENDING)
        _record("RotationAbandoned", secret)

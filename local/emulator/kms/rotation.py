"""Rotation of key material: by the calendar, which is only shown, and on demand."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.kms.shared import SYMMETRIC, Data, Handler

# https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
ON_DEMAND_ROTATIONS = 10
MATERIAL_BYTES = 32
DAY_SECONDS = 24 * 60 * 60


@replaces(kms, "_enable_key_rotation")
@replaces(kms, "_disable_key_rotation")
def refuse_to_rotate_asymmetric_key(original: Handler, data: Data) -> Response:
    """Refuse to rotate a key that is not symmetric.

    ministack turns its rotation on.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key and key["KeySpec"] != SYMMETRIC:
        return error_response(
            "UnsupportedOperationException", f"{key['Arn']} is not a symmetric key."
        )
    response = original(data)
    if key and succeeded(response):
        key["_RotationChanged"] = round(time.time(), 3)
    return response


@replaces(kms, "_get_key_rotation_status")
def show_next_rotation(original: Handler, data: Data) -> Response:
    """Show the key, and its period and next rotation only if it rotates.

    ministack always shows the period, and neither the key nor the next rotation.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    response = original(data)
    if not succeeded(response):
        return response
    key, answer = kms._resolve_key(data["KeyId"]), json.loads(response[2])
    if not answer["KeyRotationEnabled"] or key["KeyState"].startswith("Pending"):
        return json_response({"KeyId": key["Arn"], "KeyRotationEnabled": False})
    period = answer["RotationPeriodInDays"] * DAY_SECONDS
    following = {"KeyId": key["Arn"], "NextRotationDate": key["_RotationChanged"] + period}
    return json_response(answer | following)


@replaces(kms, "handle_request")
async def answer_rotations(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Answer RotateKeyOnDemand and ListKeyRotations.

    ministack lacks the operations.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
    """
    _method, _path, headers, body, _query = request
    handlers = {"RotateKeyOnDemand": _rotate, "ListKeyRotations": _list}
    handler = handlers.get(headers.get("x-amz-target", "").rpartition(".")[2])
    if handler is None:
        return await original(*request)
    data = json_object(body)
    described: Response = kms._get_key_policy({"KeyId": data.get("KeyId", "")})
    if not succeeded(described):
        return described  # there is no such key
    return handler(kms._resolve_key(data["KeyId"]), data)


def _rotate(key: Data, _data: Data) -> Response:
    """Make new material, at once; what older material has encrypted can still be decrypted."""
    if refusal := _refusal_of_origin(key) or kms._check_key_state(key) or _refusal_of_kind(key):
        return refusal
    rotations = key.setdefault("_rotations", [])
    if len(rotations) >= ON_DEMAND_ROTATIONS:
        return error_response(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. "
            f"No more on-demand rotations can be performed for this key: {key['Arn']}",
        )
    material = secrets.token_bytes(MATERIAL_BYTES)
    members = [member for _, member in kms._mrk_members(key)] or [key]
    for member in members:
        previous = member.setdefault("_previous_materials", [])
        previous.insert(0, member["_symmetric_key"])
        member["_symmetric_key"] = material
    rotations.append(
        {
            "KeyId": key["Arn"],
            "KeyMaterialId": kms._key_material_id(key),
            "RotationDate": round(time.time(), 3),
            "RotationType": "ON_DEMAND",
        }
    )
    return json_response({"KeyId": key["Arn"]})


def _refusal_of_origin(key: Data) -> Response | None:
    if key["Origin"] == "AWS_KMS":
        return None
    return error_response(
        "UnsupportedOperationException",
        f"{key['Arn']} origin is {key['Origin']} which is not valid for this operation.",
    )


def _refusal_of_kind(key: Data) -> Response | None:
    """Refuse an asymmetric key, and a replica, which has the material of its primary key."""
    if key["KeySpec"] == SYMMETRIC and key.get("_mrk_type") != "REPLICA":
        return None
    return error_response("UnsupportedOperationException", "")


def _list(key: Data, data: Data) -> Response:
    """List the completed rotations, all on one page: there are 10 at most.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
    """
    rotations = key.get("_rotations", [])
    if data.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL":
        materials = (*reversed(key.get("_previous_materials", [])), key["_symmetric_key"])
        ids = [kms._key_material_id(key | {"_symmetric_key": each}) for each in materials]
        first = {"KeyId": key["Arn"], "KeyMaterialId": ids[0]}
        rotations = [
            each
            | {
                "KeyMaterialState": "CURRENT"
                if each["KeyMaterialId"] == ids[-1]
                else "NON_CURRENT"
            }
            for each in (first, *rotations)
        ]
    return json_response({"Rotations": rotations, "Truncated": False})

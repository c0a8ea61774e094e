"""Keys of SecureStrings, which the caller must be allowed to use, and the permission to tag."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Iterable

from ministack.core.responses import get_region
from ministack.services import kms, ssm

from local.emulator.core import caller
from local.emulator.core.accounts import denial_message
from local.emulator.core.patching import replaces
from local.emulator.core.permissions import encryption_context_keys
from local.emulator.core.responses import Response, error_response, succeeded
from local.emulator.ssm.shared import SECURE, Data, Handler

AWS_OWN_KEY = "alias/aws/ssm"


@replaces(ssm, "_get_parameter")
@replaces(ssm, "_get_parameters")
@replaces(ssm, "_get_parameters_by_path")
@replaces(ssm, "_get_parameter_history")
def check_key_on_reading(original: Handler, data: Data) -> Response:
    """Decrypt only with a usable key that the caller may use, in the context of the ARN.

    ministack does not check the key.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    response = original(data)
    if not succeeded(response) or not data.get("WithDecryption"):
        return response
    answer = json.loads(response[2])
    for shown in answer["Parameters"] if "Parameters" in answer else [answer["Parameter"]]:
        # A version has the key that it was written with.
        name, parameter = ssm._lookup_parameter(shown["Name"])
        history = ssm._parameter_history.get(name) or []
        keys = [each["KeyId"] for each in history if each["Version"] == shown["Version"]]
        if shown["Type"] == SECURE and (
            refusal := _refusal_of_key(keys[0], parameter["ARN"], ["kms:Decrypt"])
        ):
            return refusal
    return response


@replaces(ssm, "_put_parameter")
def check_key_on_writing(original: Handler, data: Data) -> Response:
    """Encrypt only with a usable key that the caller may use: an Advanced one by a data key.

    ministack does not check the key.
    """
    name = data.get("Name", "")
    existing = ssm._parameters.get(name) or {}
    if (data.get("Type") or existing.get("Type")) != SECURE:
        return original(data)
    tier = data.get("Tier") or existing.get("Tier")
    action = "kms:GenerateDataKey" if tier == "Advanced" else "kms:Encrypt"
    key_id = data.get("KeyId") or AWS_OWN_KEY
    return _refusal_of_key(key_id, ssm._param_arn(name), [action]) or original(data)


@replaces(ssm, "_put_parameter")
def check_permission_to_tag(original: Handler, data: Data) -> Response:
    """Tag a new parameter only if the caller may call AddTagsToResource.

    ministack tags for every caller.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    """
    action, arn = "ssm:AddTagsToResource", ssm._param_arn(data.get("Name", ""))
    if data.get("Tags") and (denied := caller.refusal(action, arn)):
        return error_response("AccessDeniedException", denial_message(denied, action, arn))
    return original(data)


def _refusal_of_key(key_id: str, arn: str, actions: Iterable[str]) -> Response | None:
    """Answer for a customer key that is unusable or closed to the caller, else None."""
    if key_id == AWS_OWN_KEY:
        return None  # it serves every caller in the account
    key = kms._resolve_key(key_id)
    if key is None:
        return error_response("InvalidKeyId", f"Invalid keyId {key_id}")
    conditions = encryption_context_keys({"PARAMETER_ARN": arn}) | {
        "kms:ViaService": f"ssm.{get_region()}.amazonaws.com"
    }
    for action in actions:
        if caller.refusal(action, key["Arn"], conditions):
            return error_response(
                "AccessDeniedException",
                "The ciphertext refers to a customer master key that does not exist, does not "
                "exist in this region, or you are not allowed to access.",
            )
    if key["KeyState"] != "Enabled":
        return error_response("InvalidKeyId", f"{key['Arn']} is {key['KeyState']}.")
    return None

"""Key states: what a disabled key, or one whose deletion is scheduled, cannot do.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response
from local.emulator.kms.shared import Data, Handler

CODE = "KMSInvalidStateException"
PENDING = {
    "PendingDeletion": "pending deletion",
    "PendingReplicaDeletion": "pending replica deletion",
}


@replaces(kms, "_create_alias")
@replaces(kms, "_create_grant")
@replaces(kms, "_disable_key")
@replaces(kms, "_disable_key_rotation")
@replaces(kms, "_enable_key")
@replaces(kms, "_enable_key_rotation")
@replaces(kms, "_schedule_key_deletion")
@replaces(kms, "_tag_resource")
@replaces(kms, "_untag_resource")
@replaces(kms, "_update_alias")
@replaces(kms, "_update_key_description")
def refuse_key_pending_deletion(original: Handler, data: Data) -> Response:
    """Refuse to change a key whose deletion is scheduled.

    ministack changes it, and ends the deletion when the key is enabled.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    key = kms._resolve_key(data.get("TargetKeyId") or data.get("KeyId", ""))
    state = PENDING.get((key or {}).get("KeyState", ""))
    return error_response(CODE, f"{key['Arn']} is {state}.") if state else original(data)


@replaces(kms, "_cancel_key_deletion")
def cancel_scheduled_deletion_only(original: Handler, data: Data) -> Response:
    """Refuse to cancel a deletion that is not scheduled.

    ministack disables the key.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key is not None and key["KeyState"] not in PENDING:
        return error_response(CODE, f"{key['Arn']} is not pending deletion.")
    return original(data)


@replaces(kms, "_enable_key_rotation")
@replaces(kms, "_disable_key_rotation")
def refuse_rotation_of_disabled_key(original: Handler, data: Data) -> Response:
    """Refuse to change the rotation of a disabled key.

    ministack changes it.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key is not None and key["KeyState"] == "Disabled":
        return error_response("DisabledException", f"{key['Arn']} is disabled.")
    return original(data)


@replaces(kms, "_check_key_state")
def refuse_to_use_new_or_leaving_replica(original: Handler, key: Data) -> Response | None:
    """Refuse to use a replica that is still created, or a primary key that waits for its replicas.

    ministack uses them.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    if key["KeyState"] == "Creating":
        return error_response(CODE, f"{key['Arn']} is creating.")
    if key["KeyState"] in PENDING:
        return error_response(CODE, f"{key['Arn']} is {PENDING[key['KeyState']]}.")
    return original(key)

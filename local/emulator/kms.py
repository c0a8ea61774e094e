"""KMS: a key policy is a policy, and only symmetric keys rotate."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.principals import has_invalid_principal
from local.emulator.core.responses import Response, error_response


@replaces(kms, "_create_key")
@replaces(kms, "_put_key_policy")
@replaces(kms, "_replicate_key")
def validate_key_policy(original: Callable[..., Response], data: dict[str, Any]) -> Response:
    """Refuse a key policy that is no policy document, or names a role that does not exist.

    ministack takes any text.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if "Policy" in data:
        fault = iam_evaluator.validate_policy_document(data["Policy"])
        if not fault and has_invalid_principal(data["Policy"]):
            fault = "Policy contains a statement with one or more invalid principals."
        if fault:
            return error_response("MalformedPolicyDocumentException", fault)
    return original(data)


@replaces(kms, "_enable_key_rotation")
@replaces(kms, "_disable_key_rotation")
def refuse_to_rotate_asymmetric_key(
    original: Callable[..., Response], data: dict[str, Any]
) -> Response:
    """Refuse to rotate a key that is no symmetric one.

    ministack turns its rotation on.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key and key["KeySpec"] != "SYMMETRIC_DEFAULT":
        return error_response(
            "UnsupportedOperationException", f"{key['Arn']} is not a symmetric key."
        )
    return original(data)

"""KMS: a key policy is a policy, only symmetric keys rotate, and other accounts may use a key."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.services import kms

from local.emulator.core.accounts import in_account_of
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


@replaces(iam_actions, "_kms_key_id_from_ciphertext")
def find_key_of_another_account(original: Callable[[str], str], ciphertext: str) -> str:
    """Return the ARN of the key that a ciphertext is under, if it is another account's.

    ministack returns the key's id, and takes it for a key of the caller's account.
    """
    key_id = original(ciphertext)
    if key_id in kms._keys:
        return key_id
    keys = kms._keys.to_dict().items()
    arns = [key["Arn"] for (_, *place), key in keys if place == [get_region(), key_id]]
    return arns[0] if arns else key_id


@replaces(kms, "_decrypt")
@replaces(kms, "_describe_key")
@replaces(kms, "_encrypt")
@replaces(kms, "_generate_data_key")
@replaces(kms, "_generate_data_key_without_plaintext")
def use_key_of_another_account(
    original: Callable[..., Response], data: dict[str, Any]
) -> Response:
    """Find a key of another account by its ARN, or by the ciphertext that is under it.

    ministack finds those of the caller's account only. Of the operations that AWS lets another
    account use, those of other keys and of grants are left out.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    named = data.get("KeyId") or iam_actions._kms_key_id_from_ciphertext(
        data.get("CiphertextBlob", "")
    )
    with in_account_of(named):
        return original(data)

"""Key policies: their principals exist, and the caller can change the policy again."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

from ministack.core import iam_evaluator
from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.permissions import policy_allows_caller
from local.emulator.core.principals import has_invalid_principal
from local.emulator.core.responses import Response, error_response
from local.emulator.kms.shared import Data, Handler

NAME = "default"


@replaces(kms, "_create_key")
@replaces(kms, "_put_key_policy")
@replaces(kms, "_replicate_key")
def check_key_policy(original: Handler, data: Data) -> Response:
    """Refuse an invalid policy, one with a missing principal, and one that shuts the caller out.

    ministack takes any text.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if "Policy" in data:
        error = iam_evaluator.validate_policy_document(data["Policy"])
        if not error and has_invalid_principal(data["Policy"]):
            error = "Policy contains a statement with one or more invalid principals."
        if not error and not data.get("BypassPolicyLockoutSafetyCheck"):
            error = _lockout(data)
        if error:
            return error_response("MalformedPolicyDocumentException", error)
    return original(data)


def _lockout(data: Data) -> str:
    """Return the error of a policy that does not let the caller change it; empty if it does.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    """
    key = kms._resolve_key(data.get("KeyId", "")) or {"Arn": kms._arn("new")}
    if policy_allows_caller(data["Policy"], "kms:PutKeyPolicy", key["Arn"]):
        return ""
    return "The new key policy will not allow you to update the key policy in the future."


@replaces(kms, "_get_key_policy")
@replaces(kms, "_put_key_policy")
def refuse_unknown_policy_name(original: Handler, data: Data) -> Response:
    """Refuse any other name than `default`, the only one that a key policy can have.

    ministack ignores the name.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
    """
    if data.get("PolicyName", NAME) != NAME:
        return error_response("NotFoundException", "No such policy exists")
    return original(data)

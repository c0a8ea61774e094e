"""KMS: a key policy is a policy."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json
from ministack.services import kms

from . import Response, replaces


@replaces(kms, "_create_key")
@replaces(kms, "_put_key_policy")
@replaces(kms, "_replicate_key")
def any_text_passes_for_a_key_policy(
    original: Callable[..., Response], data: dict[str, Any]
) -> Response:
    """Refuse a key policy that is no policy document with MalformedPolicyDocumentException."""
    if "Policy" in data and (fault := iam_evaluator.validate_policy_document(data["Policy"])):
        refusal: Response = error_response_json("MalformedPolicyDocumentException", fault, 400)
        return refusal
    return original(data)

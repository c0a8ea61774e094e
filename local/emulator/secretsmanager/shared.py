"""Secrets Manager: what its modules share: the secret of a request, its value and its key."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import kms, secretsmanager

from local.emulator.core import caller
from local.emulator.core.permissions import encryption_context_keys
from local.emulator.core.responses import Response, error_response

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
VALUE = ("SecretString", "SecretBinary")

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
READING = ("kms:Decrypt",)
WRITING = ("kms:GenerateDataKey", "kms:Decrypt")

Data = dict[str, Any]
Handler = Callable[[Data], Response]

_UNREADABLE = "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
_UNWRITABLE = (
    "Secrets Manager can't encrypt the protected secret text using the provided KMS key. "
    "Check that the KMS key is available, enabled, and not in an invalid state."
)


def has_value(data: Data) -> bool:
    """Return whether a request, an answer or a version has a value."""
    return any(data.get(name) is not None for name in VALUE)


def usable_secret(data: Data) -> Data | None:
    """Return the secret of a request, or None when ministack refuses the request itself."""
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    found: Data | None = secret
    return None if found is None or found.get("DeletedDate") else found


def key_of_version(secret: Data, version: Data) -> str | None:
    """Return the customer key that a version is encrypted with; a replica has one for all."""
    key: str | None = secret.get("KmsKeyId")
    return key if secretsmanager._is_replica(secret) else version.get("KmsKeyId", key)


def refusal_of_key(secret: Data, actions: tuple[str, ...]) -> Response | None:
    """Answer for a secret whose customer key is unusable or closed to the caller, else None."""
    key_id = secret.get("KmsKeyId")
    if not key_id or key_id.endswith("alias/aws/secretsmanager"):
        # Every caller in the account may use AWS's own key, and no one else.
        return _of_default_key() if caller.is_in_another_account() else None
    key = kms._resolve_key(key_id)
    if key is None or key["KeyState"] != "Enabled":
        return (
            error_response("DecryptionFailure", _UNREADABLE)
            if actions is READING
            else error_response("EncryptionFailure", _UNWRITABLE)
        )
    conditions = encryption_context_keys({"SecretARN": secret["ARN"]}) | {
        "kms:ViaService": f"secretsmanager.{get_region()}.amazonaws.com"
    }
    for action in actions:
        if caller.refusal(action, key["Arn"], conditions):
            return error_response("AccessDeniedException", "Access to KMS is not allowed")
    return None


def _of_default_key() -> Response:
    """Refuse a value under `aws/secretsmanager` to another account.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
    """
    return error_response(
        "InvalidRequestException",
        "You can't access a secret from a different AWS account if you encrypt the secret with "
        "the default KMS service key.",
    )


def constraint_error(member: str, rule: str) -> Response:
    """Refuse a parameter that breaks a rule, such as `have length less than or equal to 512`.

    AWS quotes the value; here no message contains one, because it may be secret.
    """
    return error_response(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must {rule}",
    )

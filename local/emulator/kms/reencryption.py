"""ReEncrypt: the source key decrypts, the destination key encrypts, and both allow it."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import kms

from local.emulator.core import caller
from local.emulator.core.accounts import denial_message
from local.emulator.core.patching import replaces
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.kms.shared import SYMMETRIC, Data

OPERATION = "kms:ReEncrypt"
FROM, TO = "kms:ReEncryptFrom", "kms:ReEncryptTo"


@replaces(iam_evaluator, "enforce")
def check_source_key(
    original: Callable[..., Any], access_key_id: str, action: str, *request: Any, **options: Any
) -> Any:
    """Ask for `kms:ReEncryptFrom` on the source key of ReEncrypt.

    ministack asks for `kms:ReEncrypt`, which is not an action of IAM.

    https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
    """
    checked = FROM if action == OPERATION else action
    return original(access_key_id, checked, *request, **options)


@replaces(iam_actions, "access_denied_response")
def name_source_action(
    original: Callable[..., Response], service: str, action: str, *request: Any, **options: Any
) -> Response:
    """Name `kms:ReEncryptFrom` where the source key of ReEncrypt is denied.

    ministack names `kms:ReEncrypt`.
    """
    return original(service, FROM if action == OPERATION else action, *request, **options)


@replaces(kms, "handle_request")
async def answer_reencryption(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Answer ReEncrypt.

    ministack lacks the operation.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
    """
    _method, _path, headers, body, _query = request
    if not headers.get("x-amz-target", "").endswith(".ReEncrypt"):
        return await original(*request)
    return _reencrypt(json_object(body))


def _reencrypt(data: Data) -> Response:
    destination = kms._resolve_key(data.get("DestinationKeyId", ""))
    if destination is not None and (denied := caller.refusal(TO, destination["Arn"])):
        return error_response(
            "AccessDeniedException", denial_message(denied, TO, destination["Arn"])
        )
    source = {
        "CiphertextBlob": data.get("CiphertextBlob", ""),
        "EncryptionContext": data.get("SourceEncryptionContext"),
        "EncryptionAlgorithm": data.get("SourceEncryptionAlgorithm", SYMMETRIC),
        "KeyId": data.get("SourceKeyId", ""),
    }
    decrypted: Response = kms._decrypt(source)
    if not succeeded(decrypted):
        return decrypted
    opened = json.loads(decrypted[2])
    target = {
        "Plaintext": opened["Plaintext"],
        "EncryptionContext": data.get("DestinationEncryptionContext"),
        "EncryptionAlgorithm": data.get("DestinationEncryptionAlgorithm", SYMMETRIC),
        "KeyId": data.get("DestinationKeyId", ""),
    }
    encrypted: Response = kms._encrypt(target)
    if not succeeded(encrypted):
        return encrypted
    sealed = json.loads(encrypted[2])
    return json_response(
        {
            "CiphertextBlob": sealed["CiphertextBlob"],
            "SourceKeyId": opened["KeyId"],
            "KeyId": sealed["KeyId"],
            "SourceEncryptionAlgorithm": opened["EncryptionAlgorithm"],
            "DestinationEncryptionAlgorithm": sealed["EncryptionAlgorithm"],
        }
    )

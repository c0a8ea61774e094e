"""Keys of other accounts: found by their ARN, or by the ciphertext that they made."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import base64
import binascii
from collections.abc import Callable

from ministack.core import iam_actions
from ministack.core.responses import get_region
from ministack.services import kms

from local.emulator.core.accounts import in_account_of
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.kms.ciphertexts import key_id_of
from local.emulator.kms.shared import Data, Handler


@replaces(iam_actions, "_kms_key_id_from_ciphertext")
def find_key_of_ciphertext(_original: Callable[[str], str], ciphertext: str) -> str:
    """Return the id of the key that made a ciphertext, or its ARN if it is another account's.

    ministack reads ciphertexts of its own form, and takes the key for one of the caller's account.
    """
    try:
        key_id = key_id_of(base64.b64decode(ciphertext))
    except binascii.Error:
        return ""
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
def use_key_of_another_account(original: Handler, data: Data) -> Response:
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

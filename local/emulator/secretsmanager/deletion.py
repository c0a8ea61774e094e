"""DeleteSecret: without a recovery window it succeeds even for a missing secret."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import secrets
import string
import time

from ministack.core.responses import get_account_id, get_region
from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, json_response
from local.emulator.secretsmanager.shared import Data, Handler

SUFFIX_CHARACTERS = 6


def random_suffix() -> str:
    """Return the six characters that end a secret's ARN."""
    characters = string.ascii_letters + string.digits
    return "".join(secrets.choice(characters) for _ in range(SUFFIX_CHARACTERS))


@replaces(secretsmanager, "_delete_secret")
def delete_missing_secret(original: Handler, data: Data) -> Response:
    """Answer as if a missing secret had been there when it is deleted without recovery.

    ministack does not find it.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    secret_id = data.get("SecretId", "")
    _, secret = secretsmanager._resolve(secret_id)
    is_forced = data.get("ForceDeleteWithoutRecovery") and "RecoveryWindowInDays" not in data
    if secret is not None or not is_forced:
        return original(data)
    arn, name = secret_id, secret_id.rpartition(":")[2]
    if not secret_id.startswith("arn:"):
        scope = f"{get_region()}:{get_account_id()}"
        arn = f"arn:aws:secretsmanager:{scope}:secret:{name}-{random_suffix()}"
    return json_response({"ARN": arn, "Name": name, "DeletionDate": round(time.time(), 3)})

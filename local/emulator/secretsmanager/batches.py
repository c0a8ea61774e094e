"""BatchGetSecretValue: each secret is read, and refused, as by GetSecretValue."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Callable

from ministack.services import secretsmanager

from local.emulator.core import caller
from local.emulator.core.accounts import denial_message, in_account_of
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager.shared import Data, Handler

ACTION = "secretsmanager:GetSecretValue"


@replaces(secretsmanager, "_get_secret_value")
def read_in_owners_account(original: Handler, data: Data) -> Response:
    """Find each secret of a batch in the account that owns it.

    ministack finds those of the caller's account only.

    AWS does not name BatchGetSecretValue among the operations that work from another account; that
    it does is taken from its permission for each secret, which is that of GetSecretValue.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
    """
    with in_account_of(data.get("SecretId", "")):
        return original(data)


@replaces(secretsmanager, "_batch_get_secret_value")
def require_ids_or_filters(
    original: Callable[[Data, str], Response], data: Data, access_key_id: str
) -> Response:
    """Refuse both a list of secrets and filters, or neither.

    ministack ignores the filters, or reads every secret.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
    """
    if bool(data.get("SecretIdList")) == bool(data.get("Filters")):
        return error_response(
            "InvalidParameterException",
            "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
        )
    return original(data, access_key_id)


@replaces(secretsmanager, "_batch_get_secret_value")
def name_policy_that_refuses(
    original: Callable[[Data, str], Response], data: Data, access_key_id: str
) -> Response:
    """Say of each refused secret which kind of policy refuses it.

    ministack takes a policy that does not allow for one that denies.
    """
    response = original(data, access_key_id)
    if not succeeded(response):
        return response
    answer = json.loads(response[2])
    for error in answer["Errors"]:
        is_denied = error["Message"].startswith("User: ")
        if is_denied and (denied := caller.refusal(ACTION, _arn(error["SecretId"]))):
            error["Message"] = denial_message(denied, ACTION, error["SecretId"])
    return json_response(answer)


def _arn(secret_id: str) -> str:
    _, secret = secretsmanager._resolve(secret_id)
    return str(secret["ARN"]) if secret else secret_id

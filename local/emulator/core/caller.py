"""The caller of KMS, Secrets Manager and Parameter Store, whose permissions their handlers check.

They answer in the account that owns the secret, which is not always the caller's.
"""
# ruff: noqa: ANN401 (ministack is untyped)

import contextvars
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import kms, secretsmanager, ssm

from local.emulator.core.accounts import in_account_of
from local.emulator.core.patching import replaces
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response


class Caller(NamedTuple):
    """A principal that signed a request."""

    access_key_id: str
    account_id: str


_caller: contextvars.ContextVar[Caller] = contextvars.ContextVar("caller")


@replaces(kms, "handle_request")
@replaces(secretsmanager, "handle_request")
@replaces(ssm, "handle_request")
async def remember_caller(original: Callable[..., Awaitable[Response]], *request: Any) -> Response:
    """Keep the caller for the checks of keys, and answer in the account that owns the secret.

    ministack's handlers do not know the caller, and find the secrets of its account only.

    Every operation on a secret can be called from another account, by the secret's ARN:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
    """
    _method, _path, headers, body, query = request
    key_id = extract_access_key_id(headers, query) or ""
    token = _caller.set(Caller(key_id, get_account_id()))
    try:
        with in_account_of(json_object(body).get("SecretId", "")):
            return await original(*request)
    finally:
        _caller.reset(token)


def is_in_another_account() -> bool:
    """Return whether the caller's account is not the one that owns the secret."""
    return bool(_caller.get().account_id != get_account_id())


def refusal(action: str, resource_arn: str, conditions: Mapping[str, str] | None = None) -> Any:
    """Return why the caller may not do this to a resource; None if it may."""
    caller, service = _caller.get(), action.partition(":")[0]
    with request_scope(caller.account_id, get_region()):
        return iam_evaluator.enforce(
            caller.access_key_id,
            action,
            service,
            get_region(),
            resource_arn=resource_arn,
            service_context=dict(conditions or {}),
        )

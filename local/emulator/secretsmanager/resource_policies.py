"""Resource policies: valid, not public, and evaluated as if each request had come by TLS."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import contextvars
import json
from collections.abc import Awaitable, Callable
from typing import Any

import ministack.app
from ministack.core import iam_evaluator
from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.principals import as_list, has_invalid_principal
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager.shared import Data, Handler, constraint_error

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
POLICY_CHARACTERS = 20_480
# A policy for every principal is not public if a condition fixes one of these keys.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_secret-policy.html
FIXING = {"aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce"}
BROAD_ACCESS = "This resource policy grants broad access to your secret."
EQUAL = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")

_without_tls: contextvars.ContextVar[bool] = contextvars.ContextVar("without_tls", default=False)


@replaces(secretsmanager, "_put_resource_policy")
def check_resource_policy(original: Handler, data: Data) -> Response:
    """Refuse an invalid policy, and a public one with `BlockPublicPolicy`.

    ministack takes any text.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
    """
    policy = data.get("ResourcePolicy", "")
    if refusal := _refusal(policy):
        return refusal
    if data.get("BlockPublicPolicy") and _is_public(policy):
        return error_response(
            "PublicPolicyException",
            "The BlockPublicPolicy parameter is set to true, and the resource policy did not "
            "prevent broad access to the secret.",
        )
    return original(data)


@replaces(secretsmanager, "_validate_resource_policy")
def find_public_policy(original: Handler, data: Data) -> Response:
    """Refuse an invalid policy, and report a public one.

    ministack passes every policy.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ValidateResourcePolicy.html
    """
    policy = data.get("ResourcePolicy", "")
    if "SecretId" in data:
        described: Response = secretsmanager._describe_secret(data)
        if not succeeded(described):
            return described
    if refusal := _refusal(policy):
        return refusal
    if not _is_public(policy):
        return original(data)
    error = {"CheckName": "PUBLIC_POLICY", "ErrorMessage": BROAD_ACCESS}
    return json_response({"PolicyValidationPassed": False, "ValidationErrors": [error]})


def _refusal(policy: str) -> Response | None:
    """Refuse a policy that is too long, or no policy of a secret whose principals exist.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
    """
    if not 1 <= len(policy) <= POLICY_CHARACTERS:
        return constraint_error("resourcePolicy", f"have length between 1 and {POLICY_CHARACTERS}")
    code = "MalformedPolicyDocumentException"
    try:
        statements = as_list(json.loads(policy)["Statement"])
        actions = [action for each in statements for action in as_list(each.get("Action", []))]
        effects = {each["Effect"] for each in statements}
        foreign = [action for action in actions if not _is_of_secrets(action)]
    except (AttributeError, KeyError, TypeError, ValueError):
        return error_response(code, "This resource policy contains invalid Json.")
    if not effects <= {"Allow", "Deny"}:
        return error_response(code, "This resource policy contains a syntax error.")
    if has_invalid_principal(policy):
        return error_response(code, "This resource policy contains an unsupported principal.")
    if foreign:
        return error_response(code, "This resource policy contains an unsupported action.")
    return None


def _is_of_secrets(action: str) -> bool:
    """Return whether an action is, or a pattern can be, one of Secrets Manager."""
    service = action.partition(":")[0]
    return service == "*" or service.lower() == "secretsmanager"


@replaces(secretsmanager, "_get_resource_policy")
@replaces(secretsmanager, "_put_resource_policy")
@replaces(secretsmanager, "_delete_resource_policy")
def refuse_policy_of_deleted_secret(original: Handler, data: Data) -> Response:
    """Refuse the policy of a secret in its recovery window.

    ministack answers as if it were not deleted.
    """
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if secret and secret.get("DeletedDate"):
        return error_response(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return original(data)


def _is_public(policy: str) -> bool:
    return any(map(_allows_everyone, as_list(json.loads(policy)["Statement"])))


def _allows_everyone(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", "*")  # with NotPrincipal, nearly every principal
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    if statement["Effect"] != "Allow" or "*" not in as_list(named):
        return False
    return not any(
        key.lower() in FIXING and not any("*" in value for value in as_list(values))
        for operator, keys in statement.get("Condition", {}).items()
        if operator in EQUAL
        for key, values in keys.items()
    )


@replaces(ministack.app, "app")
async def remember_missing_tls(
    original: Callable[..., Awaitable[None]], scope: dict[str, Any], *channels: Any
) -> None:
    """Note whether a request says that it came without TLS; here none comes by it.

    The emulator serves without TLS, and policies may refuse that.
    """
    header = (b"x-forwarded-proto", b"http")
    token = _without_tls.set(header in scope.get("headers", ()))
    try:
        await original(scope, *channels)
    finally:
        _without_tls.reset(token)


@replaces(iam_evaluator, "_resolve_condition_key")
def resolve_secure_transport(original: Callable[..., Any], key: str, context: Any) -> Any:
    """Resolve `aws:SecureTransport` to true, but for a request that says otherwise.

    ministack says that it came without TLS.
    """
    if key.lower() == "aws:securetransport":
        return str(not _without_tls.get()).lower()
    return original(key, context)

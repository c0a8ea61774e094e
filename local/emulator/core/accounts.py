"""Resources of other accounts: found in their own account, used only if both accounts allow it.

ministack keeps accounts apart by the account that a request is for. It finds a secret or a key in
the caller's account only, and the resource policies of no other.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

SHARED = ("kms", "secretsmanager")
"""The services whose resources principals of another account can use here."""


def owner(resource: str) -> str:
    """Return the account of an ARN; what is named otherwise is in the request's own account."""
    return iam_evaluator._account_from_arn(resource) or str(get_account_id())


@contextmanager
def in_account_of(resource: str) -> Iterator[None]:
    """Look up in the account that owns the resource, in the region of the request."""
    with request_scope(owner(resource), get_region()):
        yield


@replaces(iam_evaluator, "_resource_policy")
def find_policy_in_owners_account(
    original: Callable[..., Any], service: str, resource_arn: str
) -> Any:
    """Ask the policy of a secret or key of another account; without one, nobody there may use it.

    ministack lets the caller's own policies decide.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    if service not in SHARED or owner(resource_arn) == get_account_id():
        return original(service, resource_arn)
    with in_account_of(resource_arn):
        return original(service, resource_arn) or ("", get_account_id())


@replaces(iam_evaluator, "combine_resource_policy")
def keep_policy_that_did_not_allow(
    original: Callable[..., Any], identity: Any, context: Any, *policy: Any, **options: Any
) -> Any:
    """Keep that the resource's policy is what does not allow the request.

    ministack keeps it only of a policy that denies.
    """
    result = original(identity, context, *policy, **options)
    if result.decision == "ImplicitDeny" and identity.decision == "Allow":
        result.resource_policy_arn = context.resource_arn
    return result


@replaces(iam_actions, "access_denied_response")
def name_resource_and_policy(
    original: Callable[..., Response], service: str, action: str, *caller: Any, **options: Any
) -> Response:
    """Say which resource was refused, and which kind of policy refused it.

    ministack names no resource, and blames the caller's policies for what a resource's policy does
    not allow.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    if service in SHARED and not options.get("message") and not options.get("error_code"):
        denied = iam_evaluator.EvalResult(
            "Deny" if options.get("explicit_deny") else "ImplicitDeny",
            principal_arn=caller[0],
            resource_policy_arn=options.get("resource_policy_arn", ""),
        )
        options["message"] = denial_message(denied, action, options.get("resource_arn", "*"))
    return original(service, action, *caller, **options)


def denial_message(denied: Any, action: str, resource: str) -> str:
    """Say who may not do what to which resource, and which kind of policy refuses it."""
    kind = "resource" if denied.resource_policy_arn else "identity"
    reason = (
        f"with an explicit deny in {'a' if kind == 'resource' else 'an'} {kind}-based policy"
        if denied.decision == "Deny"
        else f"because no {kind}-based policy allows the {action} action"
    )
    return (
        f"User: {denied.principal_arn} is not authorized to perform: {action} "
        f"on resource: {resource} {reason}"
    )

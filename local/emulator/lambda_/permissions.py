"""Resource policies: one of a function, and one of each of its versions and aliases.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.principals import has_invalid_principal
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid, not_found, refusal

# Services have names of two of Amazon's domains; Alexa's skills alone are in `amazon.com`.
_SERVICE = re.compile(r"[\w.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)")
_ACCOUNT = re.compile(r"\d{12}")
_ALIAS = re.compile(r"(?!\d+$)[\w-]+")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_POLICY_BYTES = 20_480
_EMPTY = {"Version": "2012-10-17", "Id": "default"}


@replaces(lambda_svc, "_add_permission")
def add_to_own_policy(
    original: Callable[..., Response], name: str, data: Data, *qualified: Any
) -> Response:
    """Add a statement to the policy of the function, version or alias that is named.

    ministack has one policy for all of them, of any size, and takes any principal.
    """
    qualifier = _qualifier(*qualified)
    if qualifier == "$LATEST":
        return invalid("We currently do not support adding policies for $LATEST.")
    if error := _missing_alias(name, qualifier):
        return error
    principal = data.get("Principal", "")
    if _ACCOUNT.fullmatch(principal):
        principal = f"arn:aws:iam::{principal}:root"
    if not _is_principal(principal):
        return invalid(
            "The provided principal was invalid. Please check the principal and try again."
        )
    response = _on_own_policy(original, name, {**data, "Principal": principal}, *qualified)
    own = _own(name, *qualified)
    size = len(json.dumps({**_EMPTY, "Statement": own}, separators=(",", ":")).encode())
    if response[0] == HTTPStatus.CREATED and size > _POLICY_BYTES:
        lambda_svc._functions[name]["policy"]["Statement"].remove(own[-1])
        message = f"The final policy size ({size}) is bigger than the limit ({_POLICY_BYTES})."
        return refusal("PolicyLengthExceededException", message)
    return response


@replaces(lambda_svc, "_remove_permission")
def remove_from_own_policy(
    original: Callable[..., Response], name: str, statement: str, *qualified: Any
) -> Response:
    """Remove a statement from the policy of the function, version or alias that is named.

    ministack removes it from all of them.
    """
    if name not in lambda_svc._functions:
        return not_found(f"No policy found for: {lambda_svc._func_arn(name)}")
    if error := _missing_alias(name, _qualifier(*qualified)):
        return error
    response = _on_own_policy(original, name, statement, *qualified)
    if b"No policy is associated" not in response[2] or not _own(name, *qualified):
        return response
    return not_found(f"Statement {statement} is not found in resource policy.")


@replaces(lambda_svc, "_get_policy")
def get_own_policy(original: Callable[..., Response], name: str, *qualified: Any) -> Response:
    """Return the policy of the function, version or alias that is named, unless it is empty.

    ministack returns the statements of versions and aliases as the function's.
    """
    if name in lambda_svc._functions and not _own(name, *qualified):
        return not_found("The resource you requested does not exist.")
    return _on_own_policy(original, name, *qualified)


def _qualifier(query: Data | None = None, path_qualifier: str | None = None) -> str | None:
    qualifier: str | None = lambda_svc._qualifier_from_path_or_query(path_qualifier, query)
    return qualifier


def _missing_alias(name: str, qualifier: str | None) -> Response | None:
    """Return the refusal of an alias that is not there; a missing version has another."""
    function = lambda_svc._functions.get(name)
    if function is None or not qualifier or not _ALIAS.fullmatch(qualifier):
        return None
    if qualifier in function["aliases"]:
        return None
    return not_found(f"Cannot find alias arn: {lambda_svc._func_arn(name)}:{qualifier}")


def _own(name: str, *qualified: Any) -> list[Data]:
    """Return the statements of one policy."""
    function = lambda_svc._functions.get(name)
    if function is None:
        return []
    resource = lambda_svc._policy_resource_arn(name, _qualifier(*qualified))
    return [each for each in function["policy"]["Statement"] if each["Resource"] == resource]


def _on_own_policy(operation: Callable[..., Response], name: str, *request: Any) -> Response:
    """Run an operation that is to see no other policy's statements."""
    function = lambda_svc._functions.get(name)
    if function is None:
        return operation(name, *request)
    own = _own(name, *request[-2:])  # they name the qualifier
    policy = function["policy"]
    others = [each for each in policy["Statement"] if each not in own]
    policy["Statement"] = own
    response = operation(name, *request)
    policy["Statement"] = [*others, *policy["Statement"]]
    return response


def _is_principal(principal: str) -> bool:
    if principal == "*" or _SERVICE.fullmatch(principal):
        return True
    document = {"Statement": [{"Principal": {"AWS": principal}}]}
    return principal.startswith("arn:") and not has_invalid_principal(json.dumps(document))

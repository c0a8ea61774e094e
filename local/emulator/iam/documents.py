"""What a policy may say: IAM refuses one that breaks the grammar of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import iam

from local.emulator.core.patching import replaces
from local.emulator.core.principals import as_list, has_invalid_principal
from local.emulator.core.responses import Response

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]
Statement = dict[str, Any]

_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_OPERATOR = re.compile(
    r"(?:ForA(?:ll|ny)Values?:)?"
    r"(?:String(?:Not)?(?:Equals(?:IgnoreCase)?|Like)"
    r"|(?:Numeric|Date)(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)"
    r"|Bool|BinaryEquals|(?:Not)?IpAddress|Arn(?:Not)?(?:Equals|Like)|Null)(?:IfExists)?",
    re.IGNORECASE,
)
_ACTION = re.compile(r"\*|[\w*?-]+:[\w*?-]+")
_SID = re.compile(r"[0-9A-Za-z]*")
_TRUSTED_ACTION = re.compile(r"sts:(?:AssumeRole\w*|TagSession|SetSourceIdentity|SetContext|\*)")
_SERVICE = re.compile(r"[\w.-]+\.amazonaws\.com(?:\.cn)?")


@replaces(iam._IAM_HANDLERS, "PutRolePolicy")
@replaces(iam._IAM_HANDLERS, "PutUserPolicy")
@replaces(iam._IAM_HANDLERS, "CreatePolicy")
@replaces(iam._IAM_HANDLERS, "CreatePolicyVersion")
def check_policy(original: Handler, parameters: Parameters) -> Response:
    """Refuse a policy that breaks the grammar.

    ministack takes any action, resource and condition, and a principal.
    """
    document = iam._p(parameters, "PolicyDocument")
    for key, entities in (("RoleName", iam._roles), ("UserName", iam._users)):
        if (name := iam._p(parameters, key)) and name not in entities:
            return original(parameters)  # it refuses that first, as IAM does
    if error := _error(document, _policy_errors, "The policy is not in the valid JSON format."):
        return _malformed(error)
    return original(parameters)


@replaces(iam._IAM_HANDLERS, "CreateRole")
@replaces(iam._IAM_HANDLERS, "UpdateAssumeRolePolicy")
def check_trust_policy(original: Handler, parameters: Parameters) -> Response:
    """Refuse a trust policy that breaks the grammar, or names a principal that is not there.

    ministack takes any text.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
    """
    names = ("AssumeRolePolicyDocument", "PolicyDocument")
    (document,) = filter(None, (iam._p(parameters, name) for name in names))
    if error := _error(document, _trust_errors, "This policy contains invalid Json"):
        return _malformed(error)
    return original(parameters)


def _error(
    document: str, errors: Callable[[list[Statement]], Iterator[str]], not_json: str
) -> str | None:
    """Return the first error of a policy; None if it has none."""
    try:
        policy = json.loads(document)
    except ValueError:
        return not_json
    statements = as_list(policy.get("Statement")) if isinstance(policy, dict) else []
    if not statements or not all(isinstance(each, dict) for each in statements):
        return "Syntax errors in policy."
    if any(each.keys() - _ELEMENTS for each in statements):
        return "Syntax errors in policy."
    if any(each.get("Effect") not in ("Allow", "Deny") for each in statements):
        return "Syntax errors in policy."
    return next(errors(statements), None)


def _policy_errors(statements: list[Statement]) -> Iterator[str]:
    for statement in statements:
        if {"Principal", "NotPrincipal"} & statement.keys():
            yield "Policy document should not specify a principal."
        if not {"Action", "NotAction"} & statement.keys():
            yield "Policy statement must contain actions."
        if not {"Resource", "NotResource"} & statement.keys():
            yield "Policy statement must contain resources."
        for resource in _values(statement, "Resource"):
            if resource != "*" and not resource.startswith("arn:"):
                yield f'Resource {resource} must be in ARN format or "*".'
    yield from _common_errors(statements)


def _trust_errors(statements: list[Statement]) -> Iterator[str]:
    for statement in statements:
        for field in ("Resource", "NotResource"):
            if field in statement:
                yield f"Has prohibited field {field}"
        for field in ("Principal", "Action"):
            if not {field, f"Not{field}"} & statement.keys():
                yield f"Missing required field {field}"
        if not all(map(_TRUSTED_ACTION.fullmatch, _values(statement, "Action"))):
            yield "AssumeRole policy may only specify STS AssumeRole actions."
        yield from _principal_errors(statement.get("Principal"))
    yield from _common_errors(statements)


def _principal_errors(principal: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON)
    if not isinstance(principal, dict):
        return
    for service in as_list(principal.get("Service", [])):
        if not _SERVICE.fullmatch(service):
            yield f'Invalid principal in policy: "SERVICE":"{service}"'
    for name in as_list(principal.get("AWS", [])):
        if has_invalid_principal(json.dumps({"Statement": {"Principal": {"AWS": name}}})):
            yield f'Invalid principal in policy: "AWS":"{name}"'


def _common_errors(statements: list[Statement]) -> Iterator[str]:
    ids = [each["Sid"] for each in statements if each.get("Sid")]
    if len(ids) > len(set(ids)):
        yield "Statement IDs (SID) in a single policy must be unique."
    if not all(map(_SID.fullmatch, ids)):
        yield (
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
            "regular expression [0-9A-Za-z]*"
        )
    for statement in statements:
        if not all(map(_ACTION.fullmatch, _values(statement, "Action"))):
            yield ("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        for operator in statement.get("Condition") or ():
            if not _OPERATOR.fullmatch(operator):
                yield f"Invalid Condition type : {operator}."


def _values(statement: Statement, element: str) -> list[str]:
    """Return what a statement lists under an element, or under its negation."""
    return [
        value for name in (element, f"Not{element}") for value in as_list(statement.get(name, []))
    ]


def _malformed(message: str) -> Response:
    response: Response = iam._error(400, "MalformedPolicyDocument", message)
    return response

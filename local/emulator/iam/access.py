"""IAM: no way in without a signature, condition keys of the caller and the request, quotas.

What a service adds when it uses a key for a caller, such as `kms:ViaService`, is in
`secretsmanager.shared` and `ssm`.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region, request_scope
from ministack.services import iam, secretsmanager

from local.emulator.core.accounts import in_account_of
from local.emulator.core.patching import adds, replaces
from local.emulator.core.permissions import encryption_context_keys
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_INLINE_POLICIES_CHARACTERS = 10_240
MANAGED_POLICY_CHARACTERS = 6_144
MANAGED_POLICIES_PER_ROLE = 10

ADMIN = "admin"

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]


def seed_admin(account_id: str, access_key_id: str, secret_access_key: str) -> None:
    """Create the account's IAM user who may do everything in it, with this access key."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with request_scope(account_id, get_region()):
        iam._create_user({"UserName": ADMIN})
        iam._put_user_policy(
            {
                "UserName": ADMIN,
                "PolicyName": "everything",
                "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
            }
        )
        iam._access_keys[access_key_id] = {
            "AccessKeyId": access_key_id,
            "SecretAccessKey": secret_access_key,
            "UserName": ADMIN,
            "Status": "Active",
            "CreateDate": iam._now(),
        }


@replaces(iam_evaluator, "is_root_access_key")
def recognize_no_root_access_key(_original: Callable[..., bool], _access_key_id: str) -> bool:
    """Know no root.

    ministack's root needs no signature: its key is `test`, none, or any account's id.
    """
    return False


@replaces(iam_evaluator, "_resolve_condition_key")
def resolve_principal_arn(original: Callable[..., Any], key: str, context: Any) -> Any:
    """Resolve `aws:PrincipalArn` to the role of a role session, as AWS does.

    ministack resolves it to the session's ARN.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    if key.lower() == "aws:principalarn" and ":assumed-role/" in context.principal_arn:
        name = iam_evaluator._role_name_from_assumed_arn(context.principal_arn)
        role = iam._roles.get_scoped(context.principal_account, None, name)
        if role is not None:
            return role["Arn"]
    return original(key, context)


@replaces(iam_evaluator, "_resolve_condition_key")
def resolve_condition_keys_of_secret(original: Callable[..., Any], key: str, context: Any) -> Any:
    """Resolve `secretsmanager:SecretId` (the ARN) and `secretsmanager:ResourceTag/<key>`.

    ministack never sets them.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    service, _, name = key.lower().partition(":")
    if service == "secretsmanager" and context.resource_arn.startswith("arn:"):
        if name == "secretid":
            return context.resource_arn
        if name.startswith("resourcetag/"):
            with in_account_of(context.resource_arn):
                _, secret = secretsmanager._resolve(context.resource_arn)
            tags = {tag["Key"].lower(): tag["Value"] for tag in (secret or {}).get("Tags", [])}
            return tags.get(name.removeprefix("resourcetag/"))
    return original(key, context)


@replaces(iam_evaluator, "_resolve_condition_key")
def resolve_caller_account(original: Callable[..., Any], key: str, context: Any) -> Any:
    """Resolve `kms:CallerAccount`.

    ministack never sets it.
    """
    if key.lower() == "kms:calleraccount":
        return context.principal_account
    return original(key, context)


@replaces(iam_actions, "request_tag_context")
def set_condition_keys_of_request(
    original: Callable[..., Any], service: str, action: str, body: bytes, parameters: Parameters
) -> dict[str, Any]:
    """Set `kms:EncryptionContext:<key>` and `secretsmanager:VersionStage` and `VersionId`.

    ministack never sets them.

    Each is there only when the request states it.
    """
    keys: dict[str, Any] = dict(original(service, action, body, parameters))
    request = json_object(body) if service in ("kms", "secretsmanager") else {}
    if service == "kms":
        keys |= encryption_context_keys(request.get("EncryptionContext") or {})
    else:
        stated = {"VersionStage", "VersionId"} & request.keys()
        keys |= {f"secretsmanager:{name}": request[name] for name in stated}
    return keys


@replaces(iam._IAM_HANDLERS, "PutRolePolicy")
def limit_inline_policies(original: Handler, parameters: Parameters) -> Response:
    """Refuse a role more than 10,240 characters of inline policies in all.

    ministack has no such quota.
    """
    role = iam._p(parameters, "RoleName")
    documents = dict((iam._roles.get(role) or {}).get("InlinePolicies", {}))
    documents[iam._p(parameters, "PolicyName")] = iam._p(parameters, "PolicyDocument")
    if sum(_size(document) for document in documents.values()) > ROLE_INLINE_POLICIES_CHARACTERS:
        return _limit_exceeded(
            f"Maximum policy size of {ROLE_INLINE_POLICIES_CHARACTERS} bytes exceeded "
            f"for role {role}"
        )
    return original(parameters)


@replaces(iam._IAM_HANDLERS, "CreatePolicy")
@replaces(iam._IAM_HANDLERS, "CreatePolicyVersion")
def limit_managed_policy(original: Handler, parameters: Parameters) -> Response:
    """Refuse a managed policy of more than 6,144 characters.

    ministack has no such quota.
    """
    if _size(iam._p(parameters, "PolicyDocument")) > MANAGED_POLICY_CHARACTERS:
        return _limit_exceeded(f"Cannot exceed quota for PolicySize: {MANAGED_POLICY_CHARACTERS}")
    return original(parameters)


@replaces(iam._IAM_HANDLERS, "AttachRolePolicy")
def refuse_to_attach_unknown_policy(original: Handler, parameters: Parameters) -> Response:
    """Refuse to attach a managed policy that does not exist.

    ministack attaches it.
    """
    arn = iam._p(parameters, "PolicyArn")
    if iam._policy_exists(arn):
        return original(parameters)
    error = (404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    if not arn.startswith("arn:"):
        error = (400, "ValidationError", "Invalid ARN:  Could not be parsed!")
    response: Response = iam._error(*error)
    return response


@adds(iam._IAM_HANDLERS, "SetDefaultPolicyVersion")
def set_default_policy_version(parameters: Parameters) -> Response:
    """Make a version of a managed policy its default one.

    ministack lacks the operation.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
    """
    found: Response = iam._get_policy_version(parameters)  # it refuses what is not there
    if found[0] != HTTPStatus.OK:
        return found
    policy, chosen = (
        iam._policies[iam._p(parameters, "PolicyArn")],
        iam._p(parameters, "VersionId"),
    )
    for version in policy["Versions"].values():
        version["IsDefaultVersion"] = version["VersionId"] == chosen
    policy["DefaultVersionId"] = chosen
    response: Response = iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")
    return response


@replaces(iam._IAM_HANDLERS, "AttachRolePolicy")
def limit_attached_policies(original: Handler, parameters: Parameters) -> Response:
    """Refuse a role an eleventh managed policy.

    ministack has no such quota.
    """
    role = iam._roles.get(iam._p(parameters, "RoleName")) or {}
    attached = {*role.get("AttachedPolicies", []), iam._p(parameters, "PolicyArn")}
    if len(attached) > MANAGED_POLICIES_PER_ROLE:
        return _limit_exceeded(
            f"Cannot exceed quota for PoliciesPerRole: {MANAGED_POLICIES_PER_ROLE}"
        )
    return original(parameters)


def _size(document: str) -> int:
    """Count a policy's characters as IAM does: without white space."""
    return len("".join(document.split()))


def _limit_exceeded(message: str) -> Response:
    response: Response = iam._error(409, "LimitExceeded", message)
    return response

"""The role of a function: who may be one, and the credentials of its session."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import secrets
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, lambda_svc, sts

from local.emulator.core.accounts import owner
from local.emulator.core.patching import replaces
from local.emulator.core.permissions import role_may
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid, refusal

_LAMBDA = "lambda.amazonaws.com"
_SALT = secrets.token_hex(32)


@replaces(lambda_runtime, "execution_credentials")
@replaces(lambda_svc, "execution_credentials")
def salt_role_credentials(original: Callable[..., dict[str, str]], config: Data) -> dict[str, str]:
    """Derive a role session's credentials from a secret of this run, not from ARNs alone.

    ministack's can be computed by anyone who knows the ARNs.
    """
    return original({**config, "FunctionArn": f"{config['FunctionArn']}:{_SALT}"})


@replaces(sts, "_evict_expired_sessions")
def evict_sessions_in_any_thread(_original: Callable[[], None]) -> None:
    """Drop expired sessions while functions that start in other threads get theirs.

    ministack raises an error then, and the invocation fails.
    """
    for access_key, session in sts._sessions.copy().items():
        if sts._session_expired(session):
            sts._sessions.pop(access_key, None)


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def check_role(original: Callable[..., Response], *request: Any) -> Response:
    """Refuse a role that Lambda cannot assume for this account.

    ministack takes any.
    """
    return _refusal_of_role(request[-1]) or original(*request)


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def check_role_permissions(original: Callable[..., Response], *request: Any) -> Response:
    """Refuse a role that cannot make network interfaces, or send what could not be processed.

    ministack takes any.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    data = request[-1]
    name = data.get("FunctionName") or request[0]
    existing = lambda_svc._functions.get(name, {}).get("config", {})
    role = data.get("Role") or existing.get("Role", "")
    needed = []
    if (data.get("VpcConfig") or {}).get("SubnetIds"):
        needed.append(("ec2:CreateNetworkInterface", "*"))
    if target := (data.get("DeadLetterConfig") or {}).get("TargetArn"):
        action = "sns:Publish" if ":sns:" in target else "sqs:SendMessage"
        needed.append((action, target))
    for action, resource in needed:
        source = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
        if not role_may(_LAMBDA, role, {action: resource}, source_arn=source):
            service, _, operation = action.partition(":")
            return invalid(
                "The provided execution role does not have permissions to call "
                f"{operation} on {service.upper()}"
            )
    return original(*request)


def _refusal_of_role(data: Data) -> Response | None:
    if "Role" not in data:
        return None
    if owner(data["Role"]) != get_account_id():
        return refusal("AccessDeniedException", "Cross-account pass role is not allowed.")
    if _lambda_may_assume(data["Role"]):
        return None
    return invalid("The role defined for the function cannot be assumed by Lambda.")


def _lambda_may_assume(role_arn: str) -> bool:
    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=_LAMBDA,
        principal_type="Service",
        principal_account=get_account_id(),
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id()},
    )
    decision = iam_evaluator.evaluate_resource_policy(
        role["AssumeRolePolicyDocument"], context, service=_LAMBDA
    ).decision
    return bool(decision == "Allow")

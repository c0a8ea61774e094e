"""The role of a function: who may be one, and the credentials of its session."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import secrets
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, lambda_svc

from local.emulator.core.accounts import owner
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid, refusal

_SALT = secrets.token_hex(32)


@replaces(lambda_runtime, "execution_credentials")
@replaces(lambda_svc, "execution_credentials")
def salt_role_credentials(original: Callable[..., dict[str, str]], config: Data) -> dict[str, str]:
    """Derive a role session's credentials from a secret of this run, not from ARNs alone.

    ministack's can be computed by anyone who knows the ARNs.
    """
    return original({**config, "FunctionArn": f"{config['FunctionArn']}:{_SALT}"})


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def check_role(original: Callable[..., Response], *request: Any) -> Response:
    """Refuse a role that Lambda cannot assume for this account.

    ministack takes any.
    """
    return _refusal_of_role(request[-1]) or original(*request)


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
        principal_arn="lambda.amazonaws.com",
        principal_type="Service",
        principal_account=get_account_id(),
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id()},
    )
    decision = iam_evaluator.evaluate_resource_policy(
        role["AssumeRolePolicyDocument"], context, service="lambda.amazonaws.com"
    ).decision
    return bool(decision == "Allow")

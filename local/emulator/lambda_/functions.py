"""Lambda: layers exist, roles are asked, limits hold."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import contextvars
import json
import secrets
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.arn import parse_arn
from ministack.core.responses import (
    get_account_id,
    get_region,
    set_request_account_id,
    set_request_region,
)
from ministack.services import cloudwatch_logs, iam, lambda_svc

from local.emulator.core.accounts import owner
from local.emulator.core.patching import changes, replaces
from local.emulator.core.responses import Response, error_response

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_BYTES = 4_096
CONCURRENT_EXECUTIONS = 1_000
UNRESERVED_EXECUTIONS = 100

STATE_TRANSITION_SECONDS = 0.02

Data = dict[str, Any]
_SALT = secrets.token_hex(32)


@changes(lambda_svc, "_LAMBDA_STATE_TRANSITION_DELAY")
def shorten_state_transition(_seconds: float) -> float:
    """Shorten the half second that each deployment waits for a function to become active."""
    return STATE_TRANSITION_SECONDS


def publish_layers(arns: Iterable[str], content: bytes) -> None:
    """Publish `content`, a zip, as exactly these layer versions, readable by every account.

    The versions below each need not exist. ValueError for an ARN that is no layer version's.
    """
    zip_file = base64.b64encode(content).decode()
    for arn in arns:
        contextvars.copy_context().run(_publish_layer, arn, zip_file)


def _publish_layer(arn: str, zip_file: str) -> None:
    parsed = parse_arn(arn)
    name_and_version = lambda_svc._lambda_layer_version_name_and_number_from_arn_spec(parsed)
    if name_and_version is None:
        raise ValueError(f"{arn} is not the ARN of a layer version")
    name, version = name_and_version
    set_request_account_id(parsed.account_id)
    set_request_region(parsed.region)
    lambda_svc._layers.setdefault(name, {"versions": []})["next_version"] = version
    lambda_svc._publish_layer_version(name, {"Content": {"ZipFile": zip_file}})
    everyone = {"StatementId": "everyone", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    lambda_svc._add_layer_version_permission(name, version, everyone)


@replaces(lambda_runtime, "execution_credentials")
@replaces(lambda_svc, "execution_credentials")
def salt_role_credentials(original: Callable[..., dict[str, str]], config: Data) -> dict[str, str]:
    """Derive a role session's credentials from a secret of this run, not from ARNs alone.

    ministack's can be computed by anybody who knows the ARNs.
    """
    return original({**config, "FunctionArn": f"{config['FunctionArn']}:{_SALT}"})


@replaces(lambda_svc, "_resolve_cross_account_layer")
def refuse_unknown_layer(
    original: Callable[..., Any], arn: str, parsed: Any, name_and_version: tuple[str, int]
) -> Any:
    """Refuse a layer that nobody published as AWS refuses one that nobody shared.

    ministack attaches it as an empty one.
    """
    name, _ = name_and_version
    if lambda_svc._layers.get_scoped(parsed.account_id, parsed.region, name) is None:
        return lambda_svc._layer_access_denied(arn)
    return original(arn, parsed, name_and_version)


@replaces(lambda_svc, "_create_function")
def check_created_function(original: Callable[..., Response], data: Data) -> Response:
    """Refuse an environment above 4 KB, and a role that Lambda cannot assume for this account.

    ministack takes both.
    """
    return _refusal_of_environment(data) or _refusal_of_role(data) or original(data)


@replaces(lambda_svc, "_update_config")
def check_updated_function(original: Callable[..., Response], name: str, data: Data) -> Response:
    """Refuse the same as on creation.

    ministack takes both.
    """
    return _refusal_of_environment(data) or _refusal_of_role(data) or original(name, data)


@replaces(lambda_svc, "_create_function")
def complete_published_version(original: Callable[..., Response], data: Data) -> Response:
    """Give the version that CreateFunction publishes its ARN, and say what it is a version of.

    ministack publishes that version again when the function has not changed.
    """
    response = original(data)
    if response[0] == HTTPStatus.CREATED and data.get("Publish"):
        function = lambda_svc._functions[data["FunctionName"]]
        version = function["versions"]["1"]
        version["function_revision"] = function["config"]["RevisionId"]
        version["config"]["FunctionArn"] = f"{function['config']['FunctionArn']}:1"
    return response


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def complete_logging_config(original: Callable[..., Response], *arguments: Any) -> Response:
    """Choose the log group, and with JSON the levels, that are not given.

    ministack keeps what is given and no more.

    https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    """
    *named, data = arguments
    if given := data.get("LoggingConfig"):
        name = (named or [data["FunctionName"]])[0]
        levels = ("ApplicationLogLevel", "SystemLogLevel")
        data["LoggingConfig"] = {
            "LogFormat": "Text",
            "LogGroup": f"/aws/lambda/{name}",
            **(dict.fromkeys(levels, "INFO") if given.get("LogFormat") == "JSON" else {}),
            **given,
        }
    return original(*arguments)


@replaces(lambda_svc, "_put_function_concurrency")
def limit_reserved_concurrency(
    original: Callable[..., Response], name: str, data: Data
) -> Response:
    """Refuse a reservation that leaves less than 100 of the account's 1000 to all others.

    ministack reserves all of it.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    others = sum(
        function["concurrency"] or 0
        for other, function in lambda_svc._functions.items()
        if other != name
    )
    wanted = others + data.get("ReservedConcurrentExecutions", 0)
    if wanted > CONCURRENT_EXECUTIONS - UNRESERVED_EXECUTIONS:
        return _invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{UNRESERVED_EXECUTIONS}]."
        )
    return original(name, data)


def _refusal_of_environment(data: Data) -> Response | None:
    variables = (data.get("Environment") or {}).get("Variables", {})
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size <= ENVIRONMENT_BYTES:
        return None
    # AWS goes on to quote all variables; their values are no part of any message.
    return _invalid(
        "Lambda was unable to configure your environment variables because the environment "
        f"variables you have provided exceeded the 4KB limit. String measured: {size} bytes"
    )


def _refusal_of_role(data: Data) -> Response | None:
    if "Role" not in data:
        return None
    if owner(data["Role"]) != get_account_id():
        return error_response("AccessDeniedException", "Cross-account pass role is not allowed.")
    if _lambda_may_assume(data["Role"]):
        return None
    return _invalid("The role defined for the function cannot be assumed by Lambda.")


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


@replaces(lambda_svc, "_emit_lambda_logs")
def write_logs_if_role_permits(
    original: Callable[..., None], function: Data, *invocation: Any, **source: Any
) -> None:
    """Write a function's lines, and create its log group, only if its role may.

    ministack writes them without asking.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    config = function.get("config") or function
    name = (config.get("LoggingConfig") or {}).get("LogGroup")
    name = name or f"/aws/lambda/{config['FunctionName']}"
    group = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    stream = f"{group}:log-stream:{config.get('Version', '$LATEST')}"
    needed = {"logs:CreateLogStream": stream, "logs:PutLogEvents": stream}
    if name not in cloudwatch_logs._log_groups:
        needed["logs:CreateLogGroup"] = group
    if all(_role_may(config, action, resource) for action, resource in needed.items()):
        original(function, *invocation, **source)


def _role_may(config: Data, action: str, resource: str) -> bool:
    account = get_account_id()
    role = config["Role"].rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']}",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    policies = iam_evaluator._gather_role_policies(role, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, role, account)
    return bool(iam_evaluator.evaluate(context, policies, *boundary).decision == "Allow")


def _invalid(message: str) -> Response:
    return error_response("InvalidParameterValueException", message)

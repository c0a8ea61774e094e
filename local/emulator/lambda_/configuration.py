"""What a function is made of: its environment, runtime, network, key and log settings."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import hashlib
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2, kms, lambda_svc, sns, sqs

from local.emulator.core.accounts import in_account_of
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_BYTES = 4_096

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED_VARIABLES = {
    *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE"),
    *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API"),
    *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
}
_LOG_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")

# Neither created nor updated any more:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
RETIRED_RUNTIMES = {
    *("dotnet5.0", "dotnet7", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1"),
    *("go1.x", "java8", "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10"),
    *("nodejs10.x", "nodejs12.x", "nodejs14.x", "provided", "python2.7", "python3.6", "python3.7"),
    *("ruby2.5", "ruby2.7"),
}


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def check_configuration(original: Callable[..., Response], *request: Any) -> Response:
    """Refuse what Lambda refuses of an environment, a runtime, a network, a key and a target.

    ministack takes them all.
    """
    data = request[-1]
    checks = (_runtime, _environment, _key, _subnets, _security_groups, _dead_letters)
    refusals = (check(data) for check in checks)
    return next(filter(None, refusals), None) or original(*request)


@replaces(lambda_svc, "_create_function")
def require_handler(original: Callable[..., Response], data: Data) -> Response:
    """Refuse a zip without a handler or a runtime.

    ministack takes `index.handler`.
    """
    is_image = data.get("PackageType") == "Image" or "ImageUri" in data.get("Code", {})
    if not is_image and not (data.get("Handler") and data.get("Runtime")):
        return invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    return original(data)


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_config")
def complete_logging_config(original: Callable[..., Response], *arguments: Any) -> Response:
    """Keep what an update does not name, and choose the log group and, with JSON, the levels.

    ministack keeps what is given and no more.

    https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    """
    *named, data = arguments
    if given := data.get("LoggingConfig"):
        name = (named or [data["FunctionName"]])[0]
        chosen = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
        levels = dict.fromkeys(_LOG_LEVELS, "INFO")
        function = lambda_svc._functions.get(name) or {}
        complete = chosen | function.get("config", {}).get("LoggingConfig", {})
        complete |= (levels if given.get("LogFormat") == "JSON" else {}) | given
        if complete["LogFormat"] == "Text":
            complete = {key: complete[key] for key in chosen}
        data["LoggingConfig"] = complete
    return original(*arguments)


@replaces(lambda_svc, "_build_config")
def name_runtime_version(original: Callable[..., Data], *function: Any) -> Data:
    """Give a function the ARN of its runtime's version.

    ministack has an empty one.
    """
    config = original(*function)
    version = hashlib.sha256(config["Runtime"].encode()).hexdigest()
    arn = f"arn:aws:lambda:{get_region()}::runtime:{version}"
    config["RuntimeVersionConfig"] = {"RuntimeVersionArn": arn}
    return config


@replaces(lambda_svc, "_vpc_config_with_id")
def complete_vpc_config(original: Callable[..., Data], given: Data | None) -> Data:
    """Say whether a function in a VPC has IPv6.

    ministack keeps what is given and no more.

    https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfigResponse.html
    """
    return {"Ipv6AllowedForDualStack": False, **original(given)}


def _runtime(data: Data) -> Response | None:
    if data.get("Runtime") not in RETIRED_RUNTIMES:
        return None
    return invalid(
        f"The runtime parameter of {data['Runtime']} is no longer supported for creating or "
        "updating AWS Lambda functions. We recommend you use a supported runtime while creating "
        "or updating functions."
    )


def _environment(data: Data) -> Response | None:
    variables = (data.get("Environment") or {}).get("Variables", {})
    subject = (
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided"
    )
    if reserved := sorted(RESERVED_VARIABLES & variables.keys()):
        return invalid(
            f"{subject} contains reserved keys that are currently not supported for modification."
            f" Reserved keys used in this request: {', '.join(reserved)}"
        )
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size <= ENVIRONMENT_BYTES:
        return None
    # AWS goes on to quote all variables; their values are no part of any message.
    return invalid(f"{subject} exceeded the 4KB limit. String measured: {size} bytes")


def _key(data: Data) -> Response | None:
    arn = data.get("KMSKeyArn")
    if not arn:
        return None
    with in_account_of(arn):
        if kms._resolve_key(arn) is not None:
            return None
    return invalid(
        "Lambda was unable to configure access to your environment variables because the KMS key "
        "is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
        f"NotFoundException KMS Message: Key '{arn}' does not exist"
    )


def _subnets(data: Data) -> Response | None:
    ec2._ensure_defaults_initialized()
    for subnet in (data.get("VpcConfig") or {}).get("SubnetIds") or ():
        if subnet not in ec2._subnets:
            return invalid(
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
                f"EC2 Error Message: The subnet ID '{subnet}' does not exist"
            )
    return None


def _security_groups(data: Data) -> Response | None:
    for group in (data.get("VpcConfig") or {}).get("SecurityGroupIds") or ():
        if group not in ec2._security_groups:
            return invalid(
                "Error occurred while DescribeSecurityGroups. EC2 Error Code: "
                "InvalidGroup.NotFound. EC2 Error Message: The security group "
                f"'{group}' does not exist"
            )
    return None


def _dead_letters(data: Data) -> Response | None:
    target = (data.get("DeadLetterConfig") or {}).get("TargetArn", "")
    with in_account_of(target):
        if ":sns:" in target and sns._topic_by_arn_any_scope(target) is None:
            return invalid(f"The dead letter topic {target} does not exist")
        if ":sqs:" in target and sqs._queue_by_arn(target) is None:
            return invalid(f"The dead letter queue {target} does not exist")
    return None

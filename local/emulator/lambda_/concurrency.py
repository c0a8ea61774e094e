"""Executions that a function has for itself.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable

from ministack.services import lambda_svc

from local.emulator.core.patching import changes, replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, function_not_found, invalid

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONCURRENT_EXECUTIONS = 1_000
UNRESERVED_EXECUTIONS = 100


@changes(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP")
def have_lambdas_default_quota(_of_this_machine: int) -> int:
    """Let an account have 1000 concurrent executions.

    ministack derives the number from this machine's memory.
    """
    return CONCURRENT_EXECUTIONS


@replaces(lambda_svc, "_put_function_concurrency")
def limit_reserved_concurrency(
    original: Callable[..., Response], name: str, data: Data
) -> Response:
    """Refuse a reservation that leaves less than 100 of the account's 1000 to all others.

    ministack reserves all of it.
    """
    if name not in lambda_svc._functions:
        return function_not_found(name, "$LATEST")
    others = sum(
        function["concurrency"] or 0
        for other, function in lambda_svc._functions.items()
        if other != name
    )
    reserved = others + data.get("ReservedConcurrentExecutions", 0)
    if reserved > CONCURRENT_EXECUTIONS - UNRESERVED_EXECUTIONS:
        return invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{UNRESERVED_EXECUTIONS}]."
        )
    return original(name, data)


@replaces(lambda_svc, "_reserved_concurrency")
def limit_versions_too(
    original: Callable[..., int | None], _record: Data, config: Data
) -> int | None:
    """Count the executions of versions and aliases as their function's.

    ministack does not limit those of a published version.
    """
    return original(lambda_svc._functions.get(config.get("FunctionName")), config)


@replaces(lambda_svc, "_throttle_response")
def answer_throttled_request(
    original: Callable[..., Data],
    reason_code: str,
    msg: str,  # noqa: ARG001 (as the original)
) -> Data:
    """Answer a throttled invocation as Lambda does.

    ministack names the limit in the message.
    """
    throttled = original(reason_code=reason_code, msg="Rate Exceeded.")
    throttled["body"]["Type"] = "User"
    return throttled

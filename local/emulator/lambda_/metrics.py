"""Lambda's own metrics: of every invocation, from any caller, with all their dimensions."""
# ruff: noqa: ANN401 (ministack is untyped)

import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, lambda_svc

from local.emulator.core.patching import replaces

Data = dict[str, Any]


@replaces(lambda_svc, "_execute_function_dispatch")
def publish_metrics_of_invocation(
    original: Callable[..., Data], function: Data, config: Data, *invocation: Any
) -> Data:
    """Publish Invocations, Errors and Duration where every invocation passes.

    ministack counts no error of a failed asynchronous invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    started = time.monotonic()
    result = original(function, config, *invocation)
    milliseconds = (time.monotonic() - started) * 1000
    _publish(config, "Invocations", 1)
    _publish(config, "Errors", int(bool(result.get("error"))))
    _publish(config, "Duration", milliseconds, "Milliseconds")
    _publish(config, "Throttles", 0)
    return result


@replaces(lambda_svc, "_emit_lambda_metrics")
def publish_throttle_once(
    _original: Callable[..., None],
    function_name: str,
    duration_ms: float,
    error: bool,  # noqa: ARG001, FBT001 (as the original)
    throttle: bool,  # noqa: FBT001 (as the original)
) -> None:
    """Publish Throttles, and nothing else, for what was not executed.

    ministack counts it twice, and as an invocation.
    """
    # Called where there is no room, without a duration, and again for a caller that waits.
    if throttle and not duration_ms:
        _publish({"FunctionName": function_name}, "Throttles", 1)


def _publish(config: Data, metric: str, value: float, unit: str = "Count") -> None:
    name = config["FunctionName"]
    qualifier = config.get("FunctionArn", "").partition(f":function:{name}")[2]
    for dimensions in (
        {},
        {"FunctionName": name},
        {"FunctionName": name, "Resource": name + qualifier},
    ):
        cloudwatch.record_metric("AWS/Lambda", metric, value, unit, dimensions)

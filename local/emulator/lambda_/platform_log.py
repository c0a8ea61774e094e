"""The events that Lambda itself writes to a function's log, as text or as JSON.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import json
import math
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

Data = dict[str, Any]

_LEVELS = ("DEBUG", "INFO", "WARN")
_LATEST = "$LATEST"


class Event(NamedTuple):
    """An event of a log."""

    milliseconds: int
    """Since 1970."""
    message: str


class Figures(NamedTuple):
    """What an invocation took."""

    seconds: float
    init_seconds: float | None
    """None where the environment was there before."""
    peak_megabytes: int


class Failure(NamedTuple):
    """Why an invocation did not end as its function meant it to."""

    status: str
    """`error`, `failure` or `timeout`, as the Telemetry API names them."""
    error_type: str = ""


def event(message: str) -> Event:
    """Return an event of now."""
    return Event(time.time_ns() // 1_000_000, message)


def init_start(config: Data) -> list[Event]:
    """Return what is written when an environment is initialised."""
    arn = config["RuntimeVersionConfig"]["RuntimeVersionArn"]
    runtime = config.get("Runtime") or "image"
    family = runtime.rstrip("0123456789.x")
    version = f"{family}:{runtime.removeprefix(family)}"
    record = {
        "initializationType": "on-demand",
        "phase": "init",
        "runtimeVersion": version,
        "runtimeVersionArn": arn,
        "functionName": config["FunctionName"],
        "functionVersion": config.get("Version", _LATEST),
    }
    text = f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n"
    return _written(config, "platform.initStart", record, text)


def start(config: Data, request_id: str) -> list[Event]:
    """Return what is written when an invocation starts."""
    version = config.get("Version", _LATEST)
    record = {"requestId": request_id, "version": version}
    text = f"START RequestId: {request_id} Version: {version}\n"
    return _written(config, "platform.start", record, text)


def ended(config: Data, request_id: str, text: str) -> list[Event]:
    """Return what is written of a process that has ended; JSON has it in the report only."""
    if _is_json(config):
        return []
    return [event(f"RequestId: {request_id} Error: {text}\nRuntime.ExitError\n")]


def timed_out(config: Data, request_id: str) -> list[Event]:
    """Return what is written of a timeout; JSON has it in the report only."""
    if _is_json(config):
        return []
    return [
        event(f"{_now()} {request_id} Task timed out after {config['Timeout']}.00 seconds\n\n")
    ]


def report(
    config: Data, request_id: str, figures: Figures, failure: Failure | None
) -> list[Event]:
    """Return what is written when an invocation has ended."""
    duration = figures.seconds * 1000
    # Initialisation is billed: https://aws.amazon.com/lambda/pricing/
    billed = math.ceil(duration + (figures.init_seconds or 0) * 1000)
    metrics = {
        "durationMs": round(duration, 3),
        "billedDurationMs": billed,
        "memorySizeMB": config["MemorySize"],
        "maxMemoryUsedMB": figures.peak_megabytes,
    }
    items = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {config['MemorySize']} MB",
        f"Max Memory Used: {figures.peak_megabytes} MB",
    ]
    if figures.init_seconds is not None:
        metrics["initDurationMs"] = round(figures.init_seconds * 1000, 3)
        items.append(f"Init Duration: {figures.init_seconds * 1000:.2f} ms")
    record: Data = {"requestId": request_id, "metrics": metrics, "status": "success"}
    if failure is not None:
        record["status"] = failure.status
    if failure is not None and failure.error_type:
        record["errorType"] = failure.error_type
        items += [f"Status: {failure.status}", f"Error Type: {failure.error_type}"]
    elif failure is not None and failure.status == "timeout":
        items.append("Status: timeout")
    text = "\t".join([*items, "\n"])
    level = "INFO" if failure is None else "WARN"
    events = _written(config, "platform.report", record, text, level)
    return events if _is_json(config) else [event(f"END RequestId: {request_id}\n"), *events]


def _written(config: Data, kind: str, record: Data, text: str, level: str = "INFO") -> list[Event]:
    if not _is_json(config):
        return [event(text)]
    least = config["LoggingConfig"].get("SystemLogLevel", "INFO")
    if _LEVELS.index(level) < _LEVELS.index(least):
        return []
    return [event(json.dumps({"time": _now(), "type": kind, "record": record}) + "\n")]


def _is_json(config: Data) -> bool:
    return bool((config.get("LoggingConfig") or {}).get("LogFormat") == "JSON")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The environment variables of a function.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import os
from pathlib import Path
from typing import Any, NamedTuple

from ministack.core import lambda_runtime
from ministack.core.responses import get_region
from ministack.services import lambda_svc

from local.emulator.lambda_ import logs

Data = dict[str, Any]

_X_RAY = {
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
    "_AWS_XRAY_DAEMON_PORT": "2000",
}


class Folders(NamedTuple):
    """Where an execution environment has what Lambda has in three places."""

    task_root: Path
    """`/var/task`, with the package."""
    opt: Path
    """`/opt`, with the layers."""
    scratch: Path
    """`/tmp`."""


def variables(config: Data, folders: Folders) -> dict[str, str]:
    """Return the environment variables of a function, except the one of its log stream.

    Three are not Lambda's: it has a home, a `/tmp` and a way to AWS of its own.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    task_root, opt, scratch = folders
    return {
        "LANG": "en_US.UTF-8",
        "PATH": os.pathsep.join([os.defpath, str(opt / "bin")]),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, (task_root, task_root / "lib", opt / "lib"))),
        **_node_path(config["Runtime"], opt),
        "TZ": ":UTC",
        "PWD": str(task_root),
        "SHLVL": "0",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        lambda_runtime.HOST_PREFIX_ENV: "true",  # there is no <prefix>.127.0.0.1
        **_X_RAY,
        **lambda_svc._runtime_env_vars(config),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        **lambda_runtime.execution_credentials(config),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if has_snapshot(config) else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": logs.group_of(config),
        **_log_format(config),
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": config["Handler"],
    }


def _log_format(config: Data) -> dict[str, str]:
    """Return the variables of a function that logs JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
    """
    settings = config.get("LoggingConfig") or {}
    if settings.get("LogFormat") != "JSON":
        return {}
    return {
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": settings["ApplicationLogLevel"],
    }


def _node_path(runtime: str, opt: Path) -> dict[str, str]:
    """Return where Node looks for the packages of layers.

    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
    """
    if not runtime.startswith("nodejs"):
        return {}
    major = runtime.removeprefix("nodejs").partition(".")[0]
    folders = opt / f"nodejs/node{major}/node_modules", opt / "nodejs/node_modules"
    return {"NODE_PATH": os.pathsep.join(map(str, folders))}


def has_snapshot(config: Data) -> bool:
    """Return whether this is a published version with SnapStart."""
    return bool((config.get("SnapStart") or {}).get("OptimizationStatus") == "On")

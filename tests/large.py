"""Stacks with hundreds of secrets."""

from typing import Any

from local.aws import ADMIN_ARN
from local.config.project import Stack
from tests.recording import stack

_RANDOM = {"generate": {"key": {}}}


def large(secrets: int, rotating: int = 0, functions: int = 1, **changes: Any) -> Stack:
    """Return dev with so many secrets and functions, which read ten of them each."""
    names = [f"service-{number:04}-api-credentials" for number in range(secrets)]
    rotation = {**_RANDOM, "rotation": {"strategy": "random", "everyDays": 30}}
    code = {"code": "handler/app.py", "handler": "app.lambda_handler", "telemetry": True}
    return stack(
        "dev",
        secrets={name: rotation if at < rotating else _RANDOM for at, name in enumerate(names)},
        functions={
            f"function-{number}": {**code, "secrets": names[10 * number : 10 * number + 10]}
            for number in range(functions)
        },
        **changes,
    )


def watched(secrets: int, rotating: int, functions: int) -> Stack:
    """Return such a stack with a replica region, alarms, a trail and resource policies."""
    return large(
        secrets,
        rotating,
        functions,
        replicaRegions=["us-west-2"],
        audit={"trail": "own"},
        monitoring={"enabled": True},
        resourcePolicy={"enabled": True, "administrators": [ADMIN_ARN, *("arn:aws:iam::*:role/lambda-secrets-deploy", "arn:aws:iam::*:role/*/lambda-secrets-deploy")]},
    )

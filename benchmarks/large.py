"""Stacks with hundreds of secrets, most of which rotate, and alarms on all of them."""

from pathlib import Path
from typing import Any

from local.aws import ADMIN_ARN
from local.config.project import Stack, load

ROOT = Path(__file__).resolve().parent.parent
_READ_BY_ONE = 10
_DEPLOYERS = ("lambda-secrets-deploy", "*/lambda-secrets-deploy")
_WATCHED: dict[str, Any] = {
    "replicaRegions": ["us-west-2"],
    "audit": {"trail": "own"},
    "monitoring": {"enabled": True},
    "resourcePolicy": {
        "enabled": True,
        "administrators": [ADMIN_ARN, *(f"arn:aws:iam::*:role/{each}" for each in _DEPLOYERS)],
    },
}


def watched(secrets: int, rotating: int, functions: int) -> Stack:
    """Return dev with so many secrets and functions, each of which reads ten secrets.

    With a replica region, a trail, alarms and resource policies.
    """
    names = [f"service-{number:04}-api-credentials" for number in range(secrets)]
    generated: dict[str, Any] = {"generate": {"key": {}}}
    rotated = {**generated, "rotation": {"strategy": "random", "everyDays": 30}}
    code = {"code": "handler/app.py", "handler": "app.lambda_handler", "telemetry": True}
    return load(ROOT, "dev").changed(
        secrets={name: rotated if at < rotating else generated for at, name in enumerate(names)},
        functions={
            f"function-{number}": {
                **code,
                "secrets": names[_READ_BY_ONE * number :][:_READ_BY_ONE],
            }
            for number in range(functions)
        },
        **_WATCHED,
    )

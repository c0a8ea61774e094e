"""Stacks with hundreds of secrets, most of which rotate, and alarms on all of them.

`python -m benchmarks.large FILE` writes the config of the largest one, for `make up-large`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from local.aws import ADMIN_ARN
from local.config.project import Stack, load

ROOT = Path(__file__).resolve().parent.parent
SECRETS, ROTATING, FUNCTIONS = 500, 300, 20
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


def watched(secrets: int, rotating: int, functions: int, in_group: int = 0) -> Stack:
    """Return dev with so many secrets and functions, each of which reads ten secrets.

    With a replica region, a trail, alarms and resource policies. `in_group` is how many secrets
    share a rotation function; 0: none do.
    """
    names = [f"service-{number:04}-api-credentials" for number in range(secrets)]
    # What handler/app.py shows of its secrets.
    shown = {"host": "db.example.com", "dbname": "orders", "username": "app"}
    generated: dict[str, Any] = {"fields": shown, "generate": {"password": {}}}

    def rotated(number: int) -> dict[str, Any]:
        group = {"group": f"group-{number // in_group}"} if in_group else {}
        return {**generated, "rotation": {"strategy": "random", "everyDays": 30, **group}}

    code = {
        "code": "handler/app.py",
        "handler": "app.lambda_handler",
        "telemetry": True,
        "event": "handler/event.json",
        "expect": {"statusCode": 200},
    }
    return load(ROOT, "dev").changed(
        secrets={
            name: rotated(number) if number < rotating else generated
            for number, name in enumerate(names)
        },
        functions={
            f"function-{number}": {
                **code,
                "secrets": names[_READ_BY_ONE * number :][:_READ_BY_ONE],
            }
            for number in range(functions)
        },
        **_WATCHED,
    )


def config_file(stack: Stack) -> str:
    """Return the text of a stack file with all of this config."""
    values = {key: _value(text) for key, text in stack.config.items()}
    text: str = yaml.safe_dump({"config": values})
    return text


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(
        config_file(watched(SECRETS, ROTATING, FUNCTIONS)), encoding="utf-8"
    )

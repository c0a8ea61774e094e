"""Secrets by the extension's HTTP endpoint, as AWS's documentation shows it, port included.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import json
import os
from typing import Any

import requests

ENDPOINT = "http://localhost:2773/secretsmanager/get"


def secret(name: str) -> dict[str, Any]:
    response = requests.get(
        ENDPOINT,
        params={"secretId": os.environ["SECRET_PREFIX"] + name},
        headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
        timeout=20,
    )
    response.raise_for_status()
    value: dict[str, Any] = json.loads(response.json()["SecretString"])
    return value

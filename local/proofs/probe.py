"""A function that tries to read with its role's credentials, and reports the results.

IAM answers it as it answers every function with the role. The response has AWS's error codes,
texts and digests, never a value.
"""

import functools
import hmac
import json
import os
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, dict[str, str]]:
    """Try to read with the SDK and, if requested, through the extension.

    Args:
        event: `SecretIds`, `ParameterNames`; `ThroughExtension`, secret ids; `Key` for digests.
        context: Lambda's.

    Returns:
        `Secrets` and `Parameters`, each id -> `read` or AWS's error; `Digests`, each id -> HMAC
        of the value that the extension returned, or its error.

    """
    del context
    port = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")
    return {
        "Secrets": {each: _tried(_read_secret, each) for each in event.get("SecretIds", ())},
        "Parameters": {
            each: _tried(_read_parameter, each) for each in event.get("ParameterNames", ())
        },
        "Digests": {
            each: _digest(port, each, event["Key"]) for each in event.get("ThroughExtension", ())
        },
    }


def _tried(read: Callable[[str], object], name: str) -> str:
    try:
        read(name)
    except ClientError as error:
        return str(error)
    return "read"


def _read_secret(secret_id: str) -> None:
    region = secret_id.split(":")[3] if secret_id.startswith("arn:") else None
    _client("secretsmanager", region).get_secret_value(SecretId=secret_id)


def _read_parameter(name: str) -> None:
    _client("ssm").get_parameter(Name=name, WithDecryption=True)


@functools.cache
def _client(service: Literal["secretsmanager", "ssm"], region: str | None = None) -> Any:  # noqa: ANN401 (boto3 makes its classes at run time)
    return boto3.client(service, region_name=region)


def _digest(port: str, secret_id: str, key: str) -> str:
    url = f"http://127.0.0.1:{port}/secretsmanager/get?secretId={quote(secret_id, safe='')}"
    headers = {"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]}
    try:
        with urlopen(Request(url, headers=headers)) as answer:
            value = json.loads(answer.read())
    except OSError as error:
        return str(error)
    return digest(value["SecretString"], key)


def digest(text: str, key: str) -> str:
    """Return a text's HMAC, which reveals nothing without the key."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()

"""Prepares a payout for the bank: AWS's caching library, used as its README shows.

https://github.com/aws/aws-secretsmanager-caching-python
"""

import base64
import hashlib
import os
from typing import Any

import botocore.session
from aws_secretsmanager_caching import (
    InjectKeywordedSecretString,
    SecretCache,
    SecretCacheConfig,
)

client = botocore.session.get_session().create_client("secretsmanager")
cache = SecretCache(config=SecretCacheConfig(), client=client)


@InjectKeywordedSecretString(
    secret_id=os.environ["SECRET_NAME"], cache=cache, user="username", password="password"
)
def authorisation(user: str, password: str) -> str:
    """Return what is sent as `Authorization`."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return {
        "iban": event["iban"],
        "cents": event["cents"],
        "authorisation": hashlib.sha256(authorisation().encode()).hexdigest(),
    }

"""Signs an order with a key that the function reads from Secrets Manager."""

import hashlib
import hmac
import os
from typing import Any

from secret_client import SecretClient

secrets = SecretClient()


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    key = secrets.get_secret(os.environ["SECRET_NAME"], context=context).json["key"]
    signature = hmac.new(key.encode(), event["order"].encode(), hashlib.sha256)
    return {"order": event["order"], "signature": signature.hexdigest()}

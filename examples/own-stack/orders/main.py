"""Signs an order, and authorizes its payment, with two secrets of the stack."""

import hashlib
import hmac
import os
from typing import Any

from secret_client import SecretClient

PREFIX = os.environ["SECRET_PREFIX"]  # such as `lambda-secrets/shop/`
secrets = SecretClient()


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    key = secrets.get_secret(f"{PREFIX}signing", context=context).json["key"]
    token = secrets.get_secret(f"{PREFIX}payments", context=context).text
    return {
        "order": event["order"],
        "signature": signed(key, event["order"]),
        "authorization": signed(token, event["order"]),
    }


def signed(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

"""Issues a session with a key that rotates, read with the client of this project."""

import hashlib
import hmac
import os
from typing import Any

from secret_client import SecretClient

client = SecretClient()


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    key = client.get_secret(os.environ["SECRET_NAME"], context=context).json["key"]
    return {
        "user": event["user"],
        "session": hmac.new(key.encode(), event["user"].encode(), hashlib.sha256).hexdigest(),
    }

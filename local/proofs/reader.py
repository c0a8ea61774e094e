"""A function that reads its secret through the project's client, and reports its source.

It is deployed together with the client's files.
"""

import os
from typing import Any

from secret_client import SecretClient

_secrets = SecretClient()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, str]:  # noqa: ANN401, ARG001 (Lambda's signature; its context object has no type)
    """Read the secret that `SECRET_NAME` names; return the value's `source` and `version`."""
    secret = _secrets.get_secret(os.environ["SECRET_NAME"], context=context)
    return {"source": secret.source, "secret_version": secret.version}

"""Callers that use the functions' client directly and keep no connection.

They import the modules of a function's package, so `handler` must be on the path.
"""

import hmac
from typing import Any

from pg8000.native import InterfaceError

from local.deployment import Deployment
from local.proofs.traffic import Caller
from postgres import connect, is_auth_error
from secret_client import SecretClient, Value

# Shorter than a rotation, so that a signature is at most one rotation old.
_SIGNER_SECONDS = 0.05


def logging_in(
    deployment: Deployment, name: str, make: type[SecretClient] = SecretClient
) -> Caller:
    """Return a caller that logs in to a secret's database for every request."""
    assert deployment.server is not None  # noqa: S101 (the stack has a database)
    ca_bundle, client = deployment.server.ca_bundle, _client(deployment, make)
    arn = deployment.outputs["secret_arns"][name]

    def log_in(secret: Value) -> dict[str, Any]:
        with connect(secret.json, ca_bundle=ca_bundle) as connection:
            connection.run("SELECT session_user")
        return {"secret_version": secret.version}

    def request() -> dict[str, Any]:
        try:
            return client.with_fresh_credentials(arn, log_in, is_auth_error)
        except InterfaceError:  # the server terminated this session
            return client.with_fresh_credentials(arn, log_in, is_auth_error)

    return request


def signing(deployment: Deployment, name: str, field: str) -> Caller:
    """Return a caller that signs with one client and verifies with another.

    The verifier also accepts `previous`. Each client has its own cache, so either value may be
    newer.
    """
    signer = _client(deployment, SecretClient, cache_seconds=_SIGNER_SECONDS)
    verifier = _client(deployment, SecretClient)
    arn = deployment.outputs["secret_arns"][name]

    def request() -> dict[str, Any]:
        signature = _sign(signer.get_secret(arn).json[field])

        def verify(secret: Value) -> dict[str, Any]:
            accepted = [secret.json, secret.json.get("previous", {})]
            if not any(field in each and _sign(each[field]) == signature for each in accepted):
                raise PermissionError
            return {"secret_version": secret.version}

        return verifier.with_fresh_credentials(
            arn, verify, lambda error: isinstance(error, PermissionError)
        )

    return request


def _sign(key: str) -> str:
    return hmac.new(key.encode(), b"message", "sha256").hexdigest()


def _client(
    deployment: Deployment, make: type[SecretClient], cache_seconds: float = 300
) -> SecretClient:
    return make(cache_seconds=cache_seconds, make_client=lambda name, _: deployment.client(name))

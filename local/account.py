"""An account of the embedded AWS, its administrator, and its boto3 clients."""

import os
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.session import Session as BotocoreSession

_CLIENT_CONFIG = Config(
    proxies={},
    inject_host_prefix=False,  # <prefix>.127.0.0.1 does not resolve
    max_pool_connections=32,
    connect_timeout=5,
    read_timeout=900,  # as long as Lambda's longest invocation, because a retry would invoke twice
    retries={"mode": "standard", "total_max_attempts": 2},
)


class Clients:
    """Creates and caches the boto3 clients of one endpoint. Safe for threads."""

    def __init__(self, endpoint_url: Callable[[], str]) -> None:
        self._endpoint_url = endpoint_url
        self._session = _session_without_environment()
        self._made: dict[tuple[str, ...], Any] = {}
        self._lock = threading.Lock()

    @property
    def endpoint_url(self) -> str:
        """The value for `AWS_ENDPOINT_URL`: `http://127.0.0.1:<port>`."""
        return self._endpoint_url()

    def get(self, service: str, region: str, credentials: Mapping[str, Any]) -> Any:  # noqa: ANN401 (methods come at run time)
        """Return a client; equal arguments return the same one."""
        key_id, secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        token = credentials.get("SessionToken")
        key = (service, region, key_id, secret, token or "")
        # boto3 clients can be shared between threads, but creating a session or client cannot.
        with self._lock:
            if key not in self._made:
                self._made[key] = self._session.client(
                    service,  # type: ignore[call-overload] # any service, not a literal
                    region_name=region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=key_id,
                    aws_secret_access_key=secret,
                    aws_session_token=token,
                    config=_CLIENT_CONFIG,
                )
            return self._made[key]

    def close(self) -> None:
        """Close the connections of all clients and drop the clients."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()


class AwsAccount:
    """An AWS account with an administrator: an IAM user who is allowed every action."""

    def __init__(self, account_id: str, clients: Clients) -> None:
        self.account_id = account_id
        """The account id, twelve digits."""
        self.access_key_id = "AKIA" + _random(16, string.ascii_uppercase + "234567")
        self.secret_access_key = _random(40, string.ascii_letters + string.digits)
        self._clients = clients

    @property
    def endpoint_url(self) -> str:
        """The value for `AWS_ENDPOINT_URL`: `http://127.0.0.1:<port>`."""
        return self._clients.endpoint_url

    @property
    def credentials(self) -> dict[str, str]:
        """The administrator's credentials, in the form that `client_as` expects."""
        return {"AccessKeyId": self.access_key_id, "SecretAccessKey": self.secret_access_key}

    def exports(self, region: str) -> dict[str, str]:
        """Return the environment variables that point the AWS CLI, boto3 and Pulumi here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,  # read by boto3 and version 1 of the CLI
            "AWS_EC2_METADATA_DISABLED": "true",
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        }

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 (methods come at run time)
        """Return the administrator's boto3 client; equal arguments return the same one."""
        return self.client_as(service, region, self.credentials)

    def client_as(self, service: str, region: str, credentials: Mapping[str, Any]) -> Any:  # noqa: ANN401 (methods come at run time)
        """Return a boto3 client with other credentials; equal arguments return the same one.

        `credentials` has the keys that IAM and STS return: `AccessKeyId`, `SecretAccessKey` and,
        for a role session, `SessionToken`. The caller's environment is ignored.
        """
        return self._clients.get(service, region, credentials)


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _session_without_environment() -> boto3.Session:
    """Return a session that ignores environment variables and the user's AWS files."""
    variables = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in BotocoreSession.SESSION_VARIABLES.items()
    }
    variables["config_file"] = variables["credentials_file"] = (None, None, os.devnull, None)
    return boto3.Session(botocore_session=BotocoreSession(session_vars=variables))

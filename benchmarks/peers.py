"""Every client, used as in its documentation.

Each function here creates one client and returns a function that fetches with it. Imports are
inside the functions, so that a cold start includes them. Loaded into the measured processes.
"""
# ruff: noqa: PLC0415, ANN401 (imports are what is measured; the clients are untyped)

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Ask = Callable[[str], Any]

_PORT = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")
_URL = f"http://127.0.0.1:{_PORT}/secretsmanager/get?secretId="
_TOKEN = os.environ.get("AWS_SESSION_TOKEN", "")
_HEADERS = {"X-Aws-Parameters-Secrets-Token": _TOKEN}


# --- name -> the secret's fields: for cold start and fetch ---------------------------------------


def ours(cache_seconds: "float | None" = None) -> "Ask":
    """Use the client of this project."""
    from secret_client import SecretClient

    client = SecretClient(cache_seconds=cache_seconds)
    return lambda name: client.get_secret(name).json


def ours_direct(make_client: "Any" = None) -> "Ask":
    """Use it where the extension may hold an older version."""
    from secret_client import SecretClient

    client = SecretClient(make_client=make_client)
    return lambda name: client.get_secret(name, refresh=True).json


def ours_by_botocore() -> "Ask":
    """Use it so, with a client of botocore."""

    def make(service: str, region: "str | None") -> "Any":
        from botocore.session import get_session

        return get_session().create_client(service, region)

    return ours_direct(make)


def ours_by_boto3() -> "Ask":
    """Use it so, with a client of boto3."""

    def make(service: str, region: "str | None") -> "Any":
        from boto3 import Session

        session: Any = Session()
        return session.client(service, region)

    return ours_direct(make)


def floor() -> "Ask":
    """Do the minimum: open a connection, read the response to its end, and parse it."""
    from _socket import AF_INET, SOCK_STREAM, socket

    return _raw(lambda: socket(AF_INET, SOCK_STREAM))


def plain_socket() -> "Ask":
    """Do the same with the public module."""
    from socket import socket

    return _raw(socket)


def _raw(connect: "Callable[[], Any]") -> "Ask":
    import json

    def ask(name: str) -> "Any":
        connection = connect()
        connection.connect(("127.0.0.1", int(_PORT)))
        connection.sendall(
            f"GET /secretsmanager/get?secretId={name} HTTP/1.0\r\n"
            f"X-Aws-Parameters-Secrets-Token: {_TOKEN}\r\n\r\n".encode()
        )
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        connection.close()
        return json.loads(json.loads(answer.partition(b"\r\n\r\n")[2])["SecretString"])

    return ask


def http_client() -> "Ask":
    """Call the extension with `http.client` on a new connection."""
    import http.client
    import json

    def ask(name: str) -> "Any":
        connection = http.client.HTTPConnection("127.0.0.1", int(_PORT))
        connection.request("GET", f"/secretsmanager/get?secretId={name}", headers=_HEADERS)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return json.loads(answer["SecretString"])

    return ask


def urllib() -> "Ask":
    """Call the extension with `urllib.request`."""
    import json
    import urllib.request

    def ask(name: str) -> "Any":
        request = urllib.request.Request(_URL + name, headers=_HEADERS)  # noqa: S310 (http only)
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (http only)
            return json.loads(json.loads(answer.read())["SecretString"])

    return ask


def requests() -> "Ask":
    """Call the extension with `requests`, as in AWS's documentation."""
    import json

    import requests

    def ask(name: str) -> "Any":
        answer = requests.get(_URL + name, headers=_HEADERS)  # noqa: S113 (the sample has none)
        return json.loads(answer.json()["SecretString"])

    return ask


def boto3() -> "Ask":
    """Call Secrets Manager with the SDK."""
    import json

    import boto3

    client = boto3.client("secretsmanager")
    return lambda name: json.loads(client.get_secret_value(SecretId=name)["SecretString"])


def caching() -> "Ask":
    """Call Secrets Manager with aws-secretsmanager-caching."""
    import json

    ask = caching_get()
    return lambda name: json.loads(ask(name))


def powertools() -> "Ask":
    """Call Secrets Manager with Powertools' high-level function."""
    from aws_lambda_powertools.utilities import parameters

    return lambda name: parameters.get_secret(name, transform="json")


# --- name -> what the client caches: for hits ----------------------------------------------------


def ours_get(ttl_seconds: float = 150) -> "Ask":
    """Use `SecretClient.get_secret`, which fetches again after two thirds of its time."""
    from secret_client import SecretClient

    return SecretClient(cache_seconds=ttl_seconds * 1.5).get_secret


def caching_get(ttl_seconds: int = 3600) -> "Ask":
    """Use `SecretCache.get_secret_string`."""
    from aws_secretsmanager_caching import SecretCache, SecretCacheConfig

    get: Ask = SecretCache(
        SecretCacheConfig(secret_refresh_interval=ttl_seconds)
    ).get_secret_string
    return get


def powertools_get() -> "Ask":
    """Use Powertools' `get_secret`."""
    from aws_lambda_powertools.utilities import parameters

    get: Ask = parameters.get_secret
    return get


def powertools_provider(ttl_seconds: "float | None" = None) -> "Ask":
    """Use Powertools' `SecretsProvider.get`."""
    from functools import partial

    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    get: Any = SecretsProvider().get
    return partial(get, max_age=ttl_seconds) if ttl_seconds else get

"""Asks AWS with a signed request, by the standard library: a seventh of boto3's CPU time.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import os
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from json import dumps, loads
from random import random
from time import gmtime, sleep, strftime
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any

_CONNECT_SECONDS = 2
_READ_SECONDS = 4
_PAUSE_SECONDS = 0.5
_OK = 200
_SERVER_ERROR = 500
_THROTTLED = {"ThrottlingException", "TooManyRequestsException"}
# These are left to boto3.
_OTHER_SETTINGS = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "REQUESTS_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
)


class SignedClient:
    """A client of Secrets Manager or Parameter Store in one region."""

    def __init__(self, service: str, region: str, host: str, tls: "SSLContext | None") -> None:
        self._service = service
        self._region = region
        self._host = host
        self._tls = tls

    def get_secret_value(self, **arguments: str) -> "dict[str, Any]":
        """Return what AWS answers; raise `AwsError`, or ConnectionError if there is no answer."""
        return self._call("secretsmanager.GetSecretValue", arguments)

    def get_parameter(self, **arguments: "Any") -> "dict[str, Any]":
        """Return what AWS answers; raise `AwsError`, or ConnectionError if there is no answer."""
        return self._call("AmazonSSM.GetParameter", arguments)

    def _call(self, target: str, arguments: "dict[str, Any]") -> "dict[str, Any]":
        body = dumps(arguments).encode()
        answer = self._answer(target, body)
        if isinstance(answer, Exception) and _is_transient(answer):
            sleep(random() * _PAUSE_SECONDS)  # noqa: S311 (a pause, not a key)
            answer = self._answer(target, body)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, target: str, body: bytes) -> "dict[str, Any] | Exception":
        """Return errors instead of raising them: these frames hold credentials and values."""
        try:
            status, text = self._send(target, body)
            answer: dict[str, Any] = loads(text)
            code = str(answer.get("__type", status)).rpartition("#")[2]
            message = str(answer.get("message") or answer.get("Message") or "")
        except (OSError, HTTPException) as error:
            if type(error).__name__ == "SSLCertVerificationError":
                return error.with_traceback(None)
            return ConnectionError(f"{self._host}: {error}")
        except (AttributeError, ValueError):
            return ConnectionError(f"{self._host}: the answer cannot be read")
        return answer if status == _OK else AwsError(status, code, message)

    def _send(self, target: str, body: bytes) -> tuple[int, bytes]:
        connection = (
            HTTPSConnection(self._host, timeout=_CONNECT_SECONDS, context=self._tls)
            if self._tls
            else HTTPConnection(self._host, timeout=_CONNECT_SECONDS)
        )
        try:
            connection.connect()
            connection.sock.settimeout(_READ_SECONDS)
            connection.request("POST", "/", body, self._headers(target, body))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _headers(self, target: str, body: bytes) -> dict[str, str]:
        environment = os.environ
        now = strftime("%Y%m%dT%H%M%SZ", gmtime())
        signed = {
            "content-type": "application/x-amz-json-1.1",
            "host": self._host,
            "x-amz-date": now,
            "x-amz-security-token": environment["AWS_SESSION_TOKEN"],
            "x-amz-target": target,
        }
        names = ";".join(signed)
        lines = "".join(f"{name}:{text}\n" for name, text in signed.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{now[:8]}/{self._region}/{self._service}/aws4_request"
        key = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={environment['AWS_ACCESS_KEY_ID']}/{scope},"
            f" SignedHeaders={names}, Signature={signature}"
        )
        return signed


class AwsError(Exception):
    """AWS refused; `response` has the shape of botocore's `ClientError.response`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.response: dict[str, dict[str, Any]] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }


def signed_client(service: str, region: str | None) -> SignedClient | None:
    """Return a client that signs with the function's credentials, or None.

    None where it takes boto3: outside of Lambda, under SnapStart (its credentials are not
    in the environment), with settings that only boto3 knows, in isolated partitions, without the
    system's CA certificates.
    """
    environment = os.environ
    region = region or environment.get("AWS_REGION") or ""
    needed = "AWS_LAMBDA_FUNCTION_NAME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
    if (
        not all(environment.get(name) for name in needed.split())
        or any(environment.get(name) for name in _OTHER_SETTINGS)
        or not region.replace("-", "").isalnum()  # it becomes part of the host's name
        or not region.isascii()
        or "-iso" in region
        or region.startswith("eusc-")
    ):
        return None
    variable = "SSM" if service == "ssm" else "SECRETS_MANAGER"
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = (
        environment.get(f"AWS_ENDPOINT_URL_{variable}")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.{suffix}"
    )
    parts = urlsplit(url)
    if parts.path.strip("/") or not parts.hostname or parts.username:
        return None
    tls = None
    if parts.scheme != "http":
        from ssl import create_default_context

        tls = create_default_context()
        if not tls.cert_store_stats()["x509_ca"]:
            return None
    return SignedClient(service, region, parts.netloc, tls)


def _is_transient(error: Exception) -> bool:
    if isinstance(error, AwsError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status >= _SERVER_ERROR or error.response["Error"]["Code"] in _THROTTLED
    return isinstance(error, ConnectionError)

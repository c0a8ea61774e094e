"""Reads secrets through the AWS Parameters and Secrets Lambda Extension.

One file, standard library, nothing that a cold start would notice: a socket, and the json that
Lambda's own runtime has imported already. Make one ``SecretClient`` per execution environment
and call it inside the handler; before the first invocation the extension answers nobody.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import json
import os
import time
from socket import create_connection

# `localhost` may mean ::1 first, where the extension does not listen.
_HOST = "127.0.0.1"
_PORT_VARIABLE = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"
_NOT_READY = b"not ready to serve traffic, please wait"
_NOT_READY_PAUSE_SECONDS = 0.002
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class SecretError(Exception):
    """A secret could not be read. The text names the secret and the next step, never a value."""


class NotReady(SecretError):
    """The extension was not ready in time."""


class Unauthorized(SecretError):
    """The extension did not accept the session token, or there is none."""


class Refused(SecretError):
    """The extension's call to AWS failed: not found, denied, throttled, timed out, not decrypted.

    The extension gives one answer to all of these. Its log line in the function's log names the
    cause.
    """


class Unavailable(SecretError):
    """Nobody answered on the extension's port, or not in time."""


class InvalidAnswer(SecretError):
    """What was answered is not what the extension answers, or not of the kind asked for."""


class SecretClient:
    """Reads secrets through the extension of this execution environment.

    Args:
        timeout_seconds: longest time a call may take in all, waiting for readiness included.

    """

    def __init__(self, timeout_seconds: float = 5.0) -> None:
        self._timeout_seconds = timeout_seconds

    def get_text(
        self,
        secret_id: str,
        *,
        version_id: str | None = None,
        version_stage: str | None = None,
    ) -> str:
        """Read a secret's text.

        Args:
            secret_id: name or ARN.
            version_id: one version; without it and ``version_stage``, AWSCURRENT.
            version_stage: the version with this staging label.

        Raises:
            SecretError: one subclass per cause.

        """
        query = f"secretId={_quote(secret_id)}"
        if version_id is not None:
            query += f"&versionId={_quote(version_id)}"
        if version_stage is not None:
            query += f"&versionStage={_quote(version_stage)}"
        body = self._get(f"/secretsmanager/get?{query}", secret_id)
        try:
            text = json.loads(body)["SecretString"]
        except (ValueError, KeyError, TypeError):
            # No cause is chained: a decoding error carries the document.
            raise InvalidAnswer(f"{secret_id}: the extension's answer is not a secret") from None
        if not isinstance(text, str):
            raise InvalidAnswer(f"{secret_id}: the secret is binary, it has no text")
        return text

    def get_json(
        self,
        secret_id: str,
        *,
        version_id: str | None = None,
        version_stage: str | None = None,
    ) -> dict[str, object]:
        """Read a secret whose text is a JSON object; see ``get_text``."""
        text = self.get_text(secret_id, version_id=version_id, version_stage=version_stage)
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InvalidAnswer(f"{secret_id}: the secret's text is not a JSON object")
        return value

    def _get(self, path: str, secret_id: str) -> bytes:
        token = os.environ.get("AWS_SESSION_TOKEN")
        if not token:
            raise Unauthorized(f"{secret_id}: AWS_SESSION_TOKEN is not set; is this Lambda?")
        deadline = time.monotonic() + self._timeout_seconds
        early = False
        while True:
            try:
                status, body = _request(path, token, deadline)
            except OSError as error:
                if early and isinstance(error, TimeoutError):
                    raise self._not_ready(secret_id) from error
                raise Unavailable(
                    f"{secret_id}: no answer from the extension on {_HOST}:{_port()}"
                    f" ({type(error).__name__}); is its layer attached?"
                ) from error
            if status == 200:  # noqa: PLR2004 (HTTP's own number says it best)
                return body
            if body != _NOT_READY:
                raise _refusal(status, secret_id)
            if time.monotonic() + _NOT_READY_PAUSE_SECONDS > deadline:
                raise self._not_ready(secret_id)
            early = True
            time.sleep(_NOT_READY_PAUSE_SECONDS)

    def _not_ready(self, secret_id: str) -> NotReady:
        return NotReady(
            f"{secret_id}: the extension was not ready for {self._timeout_seconds} s; it answers"
            " inside the handler only, never while the module is imported"
        )


def _port() -> int:
    return int(os.environ.get(_PORT_VARIABLE) or 2773)


def _refusal(status: int, secret_id: str) -> SecretError:
    match status:
        case 400:
            return Refused(
                f"{secret_id}: the extension could not read it; the cause stands in its own line"
                " in this log: not found, no grant for the secret or its key, throttled, timed out"
            )
        case 401:
            return Unauthorized(f"{secret_id}: the extension did not accept the session token")
        case _:
            return InvalidAnswer(f"{secret_id}: the extension answered with status {status}")


def _request(path: str, token: str, deadline: float) -> tuple[int, bytes]:
    """Ask once. HTTP/1.0, so the answer is never chunked and ends where the connection does.

    Raises:
        OSError: nobody listens, the connection broke, the answer is cut short or took too long.

    """
    with create_connection((_HOST, _port()), _remaining(deadline)) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.0\r\nHost: {_HOST}\r\n"
            f"X-Aws-Parameters-Secrets-Token: {token}\r\n\r\n".encode("latin-1")
        )
        answer = bytearray()
        while part := connection.recv(65_536):
            answer += part
            connection.settimeout(_remaining(deadline))
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    try:
        code = int(status.split(b" ")[1])
    except (IndexError, ValueError):
        raise ConnectionError("the answer is not HTTP") from None
    for header in headers:
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length" and value.strip() != str(len(body)).encode():
            raise ConnectionError("the answer is cut short")
    return code, body


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining


def _quote(text: str) -> str:
    """Percent-encode everything but RFC 3986's unreserved characters."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())

# ruff: noqa: E501 (a table reads by its rows)
"""The errors of the retrieval client: their causes and next steps."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)

import secret_client
from secret_client import (
    AccessDenied,
    DecryptionFailed,
    InvalidValue,
    SecretClient,
    SecretError,
    SecretNotFound,
    Throttled,
    Unavailable,
    extension_retries,
    sdk,
)
from tests import scripted
from tests.scripted import CANARY, Answer, Aws, Clock, Server
from tests.unit.client_support import BROKEN, CHECK, HALF_SECONDS, REPLICAS

GRANT = "allow the function's role to read it, and check the secret's resource policy"
KEY = "grant the role kms:Decrypt on the key, and see that the key is enabled"
OWN = "the credentials are not valid: remove AWS_* variables of your own; if there are none, assign the function's role again"
RESTORE = "if it is marked for deletion: aws secretsmanager restore-secret"
QUOTA = "cache values longer, or request a higher quota"
NETWORK = "in a VPC, check its endpoints and their security groups; otherwise, https://health.aws.amazon.com"
CAUSES: list[tuple[int, str, str, type[SecretError], str]] = [
    (400, "ResourceNotFoundException", "can't find it.", SecretNotFound, CHECK),
    (400, "InvalidRequestException", "marked for deletion.", SecretNotFound, RESTORE),
    (400, "ParameterNotFound", "", SecretNotFound, CHECK),
    (400, "ParameterVersionNotFound", "", SecretNotFound, CHECK),
    (400, "AccessDeniedException", "not authorized to perform: x", AccessDenied, GRANT),
    (400, "ExpiredTokenException", "expired", AccessDenied, OWN),
    (400, "UnrecognizedClientException", "invalid", AccessDenied, OWN),
    (400, "InvalidSignatureException", "too old", AccessDenied, OWN),
    (400, "AccessDeniedException", "role/kms-user is not authorized", AccessDenied, GRANT),
    (400, "AccessDeniedException", "Access to KMS is not allowed", DecryptionFailed, KEY),
    (400, "AccessDeniedException", "to perform: kms:Decrypt on x", DecryptionFailed, KEY),
    (400, "AccessDeniedException", "The ciphertext refers to a key", DecryptionFailed, KEY),
    (400, "DecryptionFailure", "can't decrypt", DecryptionFailed, KEY),
    (400, "InvalidKeyId", "", DecryptionFailed, KEY),
    (400, "KMSDisabledException", "", DecryptionFailed, KEY),
    (400, "KMSThrottlingException", "", Throttled, QUOTA),
    (400, "KMSInternalException", "", Unavailable, NETWORK),
    (400, "ThrottlingException", "Rate exceeded", Throttled, QUOTA),
    (400, "TooManyRequestsException", "", Throttled, QUOTA),
    (500, "InternalServiceError", "", Unavailable, NETWORK),
    (503, "ServiceUnavailable", "", Unavailable, NETWORK),
    (
        400,
        "InvalidParameterException",
        "bad",
        InvalidValue,
        "check the name, version, stage or label",
    ),
    (
        400,
        "Unheard",
        "of",
        SecretError,
        "check the function's AWS_ variables, and boto3's version",
    ),
]


@pytest.mark.parametrize(("status", "code", "message", "error", "step"), CAUSES)
def test_every_cause_has_its_exception_that_says_what_to_do(  # noqa: PLR0913, PLR0917
    extension: Server,
    aws: Aws,
    status: int,
    code: str,
    message: str,
    error: type[SecretError],
    step: str,
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error(code, message, status))
    with pytest.raises(SecretError) as raised:
        SecretClient(make_client=aws.client).get_secret("app/x")
    assert type(raised.value) is error
    text = str(raised.value)
    assert text.startswith("app/x: ")
    assert code in text
    assert message.rstrip(".") in text or status >= 500
    assert f"; {step}" in text


def test_what_boto3_refuses_to_ask_is_no_outage(extension: Server, aws: Aws) -> None:
    extension.script(BROKEN)
    with pytest.raises(InvalidValue, match=r"AWS was not asked \(ParamValidationError: Param"):
        SecretClient(make_client=aws.client).get_secret("")
    assert aws.requests == []


@pytest.mark.parametrize(
    "answer",
    [scripted.reset, scripted.cut(b"{}"), scripted.http(200, b"{")],
    ids=["reset", "cut", "no JSON"],
)
def test_an_aws_that_answers_nonsense_is_unavailable(
    extension: Server, aws: Aws, answer: Answer
) -> None:
    extension.script(BROKEN)
    aws.script(answer)
    with pytest.raises(
        Unavailable,
        match=r"^s: the extension failed: status 400; .*; AWS did not answer \(.+\); in a VPC",
    ) as raised:
        SecretClient(make_client=aws.client).get_secret("s")
    assert CANARY not in scripted.told(raised.value)


DID_NOT_ASK: list[tuple[Exception, type[SecretError], str]] = [
    (NoRegionError(), SecretError, "check the function's AWS_ variables, and boto3's version"),
    (
        SSLError(endpoint_url="e", error=OSError("self-signed")),
        SecretError,
        "check the function's AWS_ ",
    ),
    (TypeError("get_secret_value() got an argument"), SecretError, "check the function's AWS_ "),
    (AttributeError("no get_secret_value"), SecretError, "check the function's AWS_ variables"),
    (NoCredentialsError(), AccessDenied, OWN),
    (PartialCredentialsError(provider="env", cred_var="X"), AccessDenied, OWN),
    (CredentialRetrievalError(provider="p", error_msg="m"), AccessDenied, OWN),
]
DID_NOT_ANSWER: list[Exception] = [
    EndpointConnectionError(endpoint_url="e"),
    ConnectTimeoutError(endpoint_url="e"),
    ReadTimeoutError(endpoint_url="e"),
    ConnectionClosedError(endpoint_url="e"),
    HTTPClientError(error="broken"),
    ConnectionResetError("reset"),
    TimeoutError("late"),
]


def raising(error: Exception) -> Any:
    def ask(**_: object) -> None:
        raise error

    return lambda *_: SimpleNamespace(get_secret_value=ask)


@pytest.mark.parametrize(("error", "kind", "step"), DID_NOT_ASK, ids=lambda it: type(it).__name__)
def test_what_is_wrong_before_aws_is_asked_is_no_outage_and_nothing_stale_hides_it(
    extension: Server, clock: Clock, error: Exception, kind: type[SecretError], step: str
) -> None:
    client = SecretClient(make_client=raising(error), replica_regions=REPLICAS)
    client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    with pytest.raises(SecretError) as raised:
        client.get_secret("s")
    assert type(raised.value) is kind
    said = f"s: AWS was not asked ({type(error).__name__}: {error}); {step}"
    assert str(raised.value).startswith(said)


def test_where_no_thread_can_be_started_that_is_the_error(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sdk, "start_new_thread", start)
    extension.script(BROKEN)
    with pytest.raises(SecretError, match=r"^s: AWS was not asked \(RuntimeError: can't start"):
        SecretClient(make_client=aws.client).get_secret("s")


@pytest.mark.parametrize("error", DID_NOT_ANSWER, ids=lambda it: type(it).__name__)
def test_an_aws_that_cannot_be_reached_is_an_outage(
    extension: Server, clock: Clock, error: Exception
) -> None:
    client = SecretClient(make_client=raising(error))
    old = client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    assert client.get_secret("s") is old
    with pytest.raises(Unavailable, match="AWS did not answer"):
        client.get_secret("other")


NUMBER = scripted.http(200, scripted.secret_body("s", SecretString=5))


def raw(answer: bytes) -> Answer:
    return lambda _, connection: connection.sendall(answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BROKEN, "status 400; the extension's line in this log says why"),
        (scripted.http(401, scripted.BAD_TOKEN), "it did not accept the session token"),
        (scripted.http(404, b""), "status 404; the extension's line"),
        (scripted.http(200, b"[" * 20_000), "the answer cannot be read"),
        (scripted.secret(None), "the answer cannot be read"),
        (NUMBER, "the answer cannot be read"),
        (raw(CANARY.encode()), "the answer is no HTTP, or cut short"),
        (raw(b"HTTP/1.1 200\r\nContent-Length: x\r\n\r\n"), "the answer is no HTTP, or"),
        (raw(b"HTTP/1.1 what\r\n\r\n"), "the answer is no HTTP, or cut short"),
        (raw(scripted.whole(200, b"{}") + b"x"), "the answer is no HTTP, or cut short"),
        (raw(b"HTTP/1.1 200\r\nX: chunked\r\n\r\n9\r\n{"), "no HTTP, or cut short"),
        (scripted.reset, "reset by peer"),
        (
            scripted.http(400, scripted.NOT_READY),
            "it was not ready; ask in the handler, not while a module is imported",
        ),
    ],
    ids=range(13),
)
@pytest.mark.usefixtures("_no_boto3")
def test_the_extensions_fault_is_told_where_nobody_else_can_tell_it(
    monkeypatch: pytest.MonkeyPatch, extension: Server, answer: Answer, said: str
) -> None:
    monkeypatch.setattr(extension_retries, "_READY_SECONDS", 0.02)
    extension.script(answer)
    with pytest.raises(Unavailable) as raised:
        SecretClient().get_secret("s")
    assert str(raised.value).startswith("s: the extension failed: ")
    assert said in str(raised.value)
    assert CANARY not in scripted.told(raised.value)


def test_a_traceback_names_the_module_that_applications_import() -> None:
    modules = {getattr(secret_client, name).__module__ for name in secret_client.__all__}
    assert modules == {"secret_client"}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("You can't perform this operation on the secret because it was marked for deletion.", SecretNotFound),
        ("You can't perform this operation on the secret because it is being replicated.", SecretError),
    ],
)  # fmt: skip
def test_a_secret_that_cannot_be_read_now_is_not_called_missing(
    extension: Server, aws: Aws, message: str, kind: type[SecretError]
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error("InvalidRequestException", message))
    with pytest.raises(SecretError) as raised:
        SecretClient(make_client=aws.client).get_secret("s")
    assert type(raised.value) is kind


@pytest.mark.parametrize("size", [b"-2", b"+2", b"", b"0x9", b"_1"])
def test_a_chunk_of_no_size_ends_the_answer(extension: Server, aws: Aws, size: bytes) -> None:
    body = (size + b"\r\n") * 4_000
    extension.script(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    start = time.monotonic()
    assert SecretClient(make_client=aws.client).get_secret("s").source == "sdk"
    assert time.monotonic() - start < HALF_SECONDS

"""What the retrieval client asks the extension and the SDK."""

import os
from typing import Any
from unittest.mock import MagicMock

import pytest

from secret_client import InvalidValue, SecretClient, SecretError
from secret_client import extension as extension_module
from tests import scripted
from tests.scripted import CANARY, TOKEN, Aws, Server
from tests.unit.client_support import ARN, BROKEN, PORT


def test_it_asks_as_the_extension_wants_to_be_asked(extension: Server) -> None:
    assert SecretClient().get_secret("a/b").text == CANARY
    (request,) = extension.requests
    assert request.head.split("\r\n")[0] == "GET /secretsmanager/get?secretId=a%2Fb HTTP/1.0"
    assert request.header("X-Aws-Parameters-Secrets-Token") == TOKEN
    assert request.header("Host") == "127.0.0.1"


@pytest.mark.parametrize(
    ("secret_id", "encoded"),
    [
        ("a/b+c=d@e.f-g_h~", "a%2Fb%2Bc%3Dd%40e.f-g_h~"),
        ("secret:é", "secret%3A%C3%A9"),
        ("a b&versionStage=X\r\nHost: evil", "a%20b%26versionStage%3DX%0D%0AHost%3A%20evil"),
        (ARN, ARN.replace(":", "%3A").replace("/", "%2F")),
    ],
)
def test_every_reserved_character_is_percent_encoded(
    extension: Server, secret_id: str, encoded: str
) -> None:
    SecretClient().get_secret(secret_id)
    assert extension.requests[0].target == f"/secretsmanager/get?secretId={encoded}"
    assert "evil" not in (extension.requests[0].header("Host") or "")


def test_version_and_stage_of_a_secret_are_part_of_the_question(extension: Server) -> None:
    SecretClient().get_secret("s", version_id="v/1", version_stage="AWSPREVIOUS")
    assert extension.requests[0].query == {
        "secretId": "s",
        "versionId": "v/1",
        "versionStage": "AWSPREVIOUS",
    }


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {"withDecryption": "true"}),
        ({"decrypt": False}, {}),
        ({"version": 7}, {"version": "7", "withDecryption": "true"}),
        ({"label": "Dev/1"}, {"label": "Dev/1", "withDecryption": "true"}),
    ],
)
def test_version_label_and_decryption_of_a_parameter_are_part_of_the_question(
    extension: Server, arguments: dict[str, Any], query: dict[str, str]
) -> None:
    extension.script(scripted.parameter("text", version=7))
    value = SecretClient().get_parameter("/app/url", **arguments)
    (request,) = extension.requests
    assert request.target.split("?")[0] == "/systemsmanager/parameters/get"
    assert request.query == {"name": "/app/url", **query}
    assert (value.name, value.text, value.version, value.stages) == ("/app/url", "text", "7", ())


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {"Name": "/p", "WithDecryption": True}),
        ({"decrypt": False}, {"Name": "/p", "WithDecryption": False}),
        ({"version": 7}, {"Name": "/p:7", "WithDecryption": True}),
        ({"label": "Dev"}, {"Name": "/p:Dev", "WithDecryption": True}),
    ],
)
def test_the_sdk_is_asked_for_the_same_parameter(
    extension: Server, aws: Aws, arguments: dict[str, Any], asked: dict[str, Any]
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_parameter("text", version=7))
    value = SecretClient(make_client=aws.client).get_parameter("/p", **arguments)
    assert (value.text, value.version, value.source) == ("text", "7", "sdk")
    assert [request.json for request in aws.requests] == [asked]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {"SecretId": "s"}),
        (
            {"version_id": "v" * 32, "version_stage": "X"},
            {"SecretId": "s", "VersionId": "v" * 32, "VersionStage": "X"},
        ),
    ],
)
def test_the_sdk_is_asked_for_the_same_secret(
    extension: Server, aws: Aws, arguments: dict[str, Any], asked: dict[str, Any]
) -> None:
    extension.script(BROKEN)
    value = SecretClient(make_client=aws.client).get_secret("s", **arguments)
    assert (value.text, value.source) == (CANARY, "sdk")
    assert [request.json for request in aws.requests] == [asked]


def test_token_and_port_are_read_in_the_call_and_not_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    port = os.environ[PORT]
    monkeypatch.delenv(PORT)
    client = SecretClient(cache_seconds=0)
    monkeypatch.setenv(PORT, port)
    for token in ("one", "two"):
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        client.get_secret("s")
    asked = [request.header("X-Aws-Parameters-Secrets-Token") for request in extension.requests]
    assert asked == ["one", "one"]  # which it accepted


def test_default_port_is_the_extensions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def request(*arguments: object) -> None:  # 2773 cannot be listened on safely here
        asked.append(arguments[0])
        raise ConnectionRefusedError

    monkeypatch.delenv(PORT, raising=False)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setattr(extension_module, "request", request)
    with pytest.raises(SecretError):
        SecretClient(make_client=lambda *_: None).get_secret("s")
    assert asked == [2773]


@pytest.mark.parametrize("port", ["70000", "-1", "none"])
def test_a_port_that_is_none_leaves_the_sdk(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, port: str
) -> None:
    monkeypatch.setenv(PORT, port)
    assert SecretClient(make_client=aws.client).get_secret("s").source == "sdk"
    assert extension.requests == []


@pytest.mark.parametrize("name", [None, b"s", 5, "\ud800"])
def test_a_name_that_is_no_text_is_named_and_nobody_is_asked(
    extension: Server, aws: Aws, name: Any
) -> None:
    client = SecretClient(make_client=aws.client)
    with pytest.raises(
        InvalidValue, match=r"secretId must be a string, got .+; is an environment variable"
    ):
        client.get_secret(name)
    stage: Any = 5 if name is None else name
    with pytest.raises(InvalidValue, match=r"^versionStage must be a string") as raised:
        client.get_secret("s", version_stage=stage)
    assert str(raised.value).isascii()
    with pytest.raises(InvalidValue, match=r"^name must be a string, got "):
        client.get_parameter(name)
    assert (extension.requests, aws.requests) == ([], [])


@pytest.mark.parametrize("name", [["s"], {"s": 1}, {"s"}])
def test_a_name_that_cannot_be_a_key_is_named(extension: Server, name: Any) -> None:
    client = SecretClient()
    for read in (client.get_secret, client.get_parameter):
        with pytest.raises(
            InvalidValue, match=r"must be a string, got .*; is an environment variable not set"
        ):
            read(name)
    with pytest.raises(InvalidValue, match="versionId must be a string"):
        client.get_secret("s", version_id=name)
    assert extension.requests == []


@pytest.mark.parametrize("version", ["1\r\nX: y", "1&label=x", "3", 1.5, True])
def test_a_version_is_a_number(extension: Server, version: Any) -> None:
    with pytest.raises(InvalidValue, match="pass either a version, a number, or a label"):
        SecretClient().get_parameter("/p", version=version)
    assert extension.requests == []


def test_a_version_goes_without_a_label(extension: Server) -> None:
    with pytest.raises(InvalidValue, match="or a label, not both"):
        SecretClient().get_parameter("/p", version=3, label="x")
    assert extension.requests == []


@pytest.mark.parametrize("context", [{}, MagicMock(), object()])
def test_a_context_that_is_none_is_refused(extension: Server, context: Any) -> None:
    client = SecretClient()
    with pytest.raises(TypeError, match="must be the object that Lambda calls the handler with"):
        client.get_secret("s", context=context)
    assert extension.requests == []


@pytest.mark.parametrize("regions", ["us-west-2", (None,), ("us-west-2", 5)])
def test_replica_regions_are_names(regions: Any) -> None:
    with pytest.raises(TypeError, match=r"^replica_regions must be a tuple of names, got"):
        SecretClient(replica_regions=regions)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), "5m", [5]])
@pytest.mark.parametrize("argument", ["cache_seconds", "timeout_seconds"])
def test_times_are_numbers_of_seconds(argument: str, seconds: Any) -> None:
    with pytest.raises(
        ValueError, match=f"^{argument} must be a number of seconds, got"
    ) as raised:
        SecretClient(**{argument: seconds})
    assert repr(seconds) in str(raised.value)


def test_a_call_must_have_some_time() -> None:
    with pytest.raises(ValueError, match=r"^timeout_seconds must be more than 0, got 0$"):
        SecretClient(timeout_seconds=0)


def test_no_proxy_sees_a_request(monkeypatch: pytest.MonkeyPatch, extension: Server) -> None:
    proxy = Server(scripted.secret("from the proxy"))
    try:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            for variable in (name, name.upper()):
                monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        assert SecretClient().get_secret("s").text == CANARY
        assert proxy.requests == []
    finally:
        proxy.close()
    assert len(extension.requests) == 1


@pytest.mark.usefixtures("extension")
def test_a_name_stays_in_one_line_of_a_log(aws: Aws) -> None:
    aws.script(scripted.aws_error("ResourceNotFoundException", "no"))
    client = SecretClient(make_client=aws.client)
    with pytest.raises(SecretError) as raised:
        client.get_secret("a\nERROR forged", refresh=True)
    assert str(raised.value).startswith("a\\nERROR forged: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "AccessDeniedException", "not authorized to read a\nERROR forged\x1b[31m"),
        (400, "InternalFailure\nERROR", "forged"),
        (500, "InternalFailure\nERROR", "forged"),
    ],
)
@pytest.mark.usefixtures("extension")
def test_what_aws_answers_stays_in_one_line_of_a_log(
    aws: Aws, status: int, code: str, message: str
) -> None:
    """IAM quotes the name that was asked for."""
    aws.script(scripted.aws_error(code, message, status))
    with pytest.raises(SecretError) as raised:
        SecretClient(make_client=aws.client).get_secret("é", refresh=True)
    assert str(raised.value).startswith("é: ")
    assert str(raised.value).isprintable()


def test_an_invalid_name_stays_in_one_line_of_a_log(extension: Server, aws: Aws) -> None:
    """boto3 lists what is wrong with it in lines."""
    extension.script(BROKEN)
    with pytest.raises(InvalidValue, match="ParamValidationError") as raised:
        SecretClient(make_client=aws.client).get_secret("")
    assert str(raised.value).isprintable()

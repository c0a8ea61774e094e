"""The client's own signed request: what boto3 would send, and what it makes of each answer."""

import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import trustme
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from secret_client import SecretClient, SecretError, Throttled, Unavailable, signed
from secret_client.signed import SignedClient, signed_client
from tests import https_aws, scripted
from tests.scripted import CANARY, REGION, TOKEN, Answer, Aws, Server
from tests.unit.client_support import BROKEN
from tests.unit.interruptions import shown

KEY = f"{CANARY}-key"
FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "f",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": KEY,
    "AWS_SESSION_TOKEN": TOKEN,
    "AWS_REGION": REGION,
}


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that Lambda gives a function."""
    for name in signed._OTHER_SETTINGS:  # noqa: SLF001
        monkeypatch.delenv(name, raising=False)
    for name, text in FUNCTION.items():
        monkeypatch.setenv(name, text)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, aws: Aws, extension: Server) -> Aws:
    """A scripted AWS that functions ask, as the extension refuses."""
    extension.script(BROKEN)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{aws.port}")
    monkeypatch.setitem(sys.modules, "boto3", None)
    return aws


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
visible = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1)


@given(
    arguments=st.dictionaries(texts, texts, max_size=3),
    token=visible,
    secret_key=visible,
    region=st.sampled_from(["eu-central-1", "us-gov-west-1", "cn-north-1"]),
    service=st.sampled_from(["secretsmanager", "ssm"]),
)
def test_the_signature_is_the_one_of_botocore(
    arguments: dict[str, str],
    token: str,
    secret_key: str,
    region: str,
    service: str,
) -> None:
    body, target = json.dumps(arguments).encode(), "AmazonSSM.GetParameter"
    credentials = {"AWS_SECRET_ACCESS_KEY": secret_key, "AWS_SESSION_TOKEN": token}
    with mock.patch.dict("os.environ", credentials):
        headers = SignedClient(service, region, "host:8443", None)._headers(target, body)  # noqa: SLF001
    sent = {"content-type": headers["content-type"], "x-amz-target": target}
    theirs = AWSRequest("POST", "https://host:8443/", sent, body)
    theirs.context["timestamp"] = headers["x-amz-date"]
    auth: Any = SigV4Auth(Credentials("AKIDEXAMPLE", secret_key, token), service, region)
    auth._modify_request_before_signing(theirs)  # noqa: SLF001 (with the time of ours)
    signature = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)
    assert headers["authorization"].endswith(f", Signature={signature}")


def test_a_function_reads_without_boto3(endpoint: Aws) -> None:
    value = SecretClient().get_secret("s")
    assert value.source == "sdk"
    (asked,) = endpoint.requests
    assert asked.json == {"SecretId": "s"}
    assert asked.header("X-Amz-Security-Token") == TOKEN
    assert asked.header("X-Amz-Target") == "secretsmanager.GetSecretValue"


def test_a_parameter_and_a_binary_secret_are_read(endpoint: Aws) -> None:
    binary = scripted.secret_body("s", SecretString=None, SecretBinary="AP8=")
    endpoint.script(scripted.http(200, binary))
    assert SecretClient().get_secret("s").binary == b"\x00\xff"
    parameter = {"Name": "/p", "Value": "v", "Version": 3, "ARN": "arn", "Type": "String"}
    endpoint.script(scripted.http(200, json.dumps({"Parameter": parameter}).encode()))
    assert SecretClient().get_parameter("/p").text == "v"
    assert endpoint.requests[0].header("X-Amz-Target") == "AmazonSSM.GetParameter"


def test_a_replica_is_asked_in_its_own_region(endpoint: Aws) -> None:
    endpoint.script(scripted.reset, scripted.reset, scripted.aws_secret())
    value = SecretClient(replica_regions=("eu-west-1",)).get_secret("s")
    assert value.source == "replica:eu-west-1"
    assert [request.region for request in endpoint.requests] == [REGION, REGION, "eu-west-1"]


ANSWERS: dict[str, Answer] = {
    "missing": scripted.aws_error("ResourceNotFoundException", "can't find it."),
    "denied": scripted.aws_error("AccessDeniedException", "not authorized to perform: x"),
    "key": scripted.aws_error("AccessDeniedException", "Access to KMS is not allowed"),
    "expired": scripted.aws_error("ExpiredTokenException", "expired"),
    "late": scripted.aws_error("InvalidSignatureException", "Signature expired: x"),
    "throttled": scripted.aws_error("ThrottlingException", "Rate exceeded"),
    "invalid": scripted.aws_error("ValidationException", "bad name"),
    "server": scripted.aws_error("InternalServiceError", "", 500),
    "nonsense": scripted.http(200, b"{"),
    "no answer": scripted.reset,
    "incomplete": scripted.http(200, json.dumps({"SecretString": CANARY}).encode()),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_means_what_it_means_to_a_client_with_boto3(endpoint: Aws, name: str) -> None:
    endpoint.script(ANSWERS[name])
    with pytest.raises(SecretError) as theirs:
        SecretClient(make_client=endpoint.client).get_secret("s")
    with pytest.raises(SecretError) as ours:
        SecretClient().get_secret("s")
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value).rpartition("; ")[2] == str(theirs.value).rpartition("; ")[2]
    if "did not answer" not in str(theirs.value):
        assert str(ours.value) == str(theirs.value)


def test_an_answer_of_another_shape_is_unavailable(endpoint: Aws) -> None:
    endpoint.script(scripted.http(200, b"5"))
    with pytest.raises(Unavailable, match="the answer cannot be read"):
        SecretClient().get_secret("s")


@pytest.mark.parametrize("name", ANSWERS)
def test_no_frame_of_a_failed_request_shows_credentials_or_a_value(
    endpoint: Aws, name: str
) -> None:
    endpoint.script(ANSWERS[name])
    with pytest.raises(SecretError) as raised:
        SecretClient().get_secret("s")
    trace = raised.value.__traceback__
    assert trace is not None
    text = shown(raised.value.with_traceback(trace.tb_next))
    assert "self = <secret_client" in text
    assert CANARY not in text
    assert TOKEN not in text


def test_control_the_frame_that_sends_would_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError

    client = SignedClient("ssm", REGION, "127.0.0.1:1", None)
    monkeypatch.setattr(signed, "sha256", fail)
    with pytest.raises(OSError) as raised:  # noqa: PT011 (any)
        client._headers("t", b"")  # noqa: SLF001
    assert TOKEN in shown(raised.value)


@pytest.mark.parametrize(
    "first",
    [
        scripted.aws_error("ServiceUnavailable", "", 503),
        scripted.aws_error("ThrottlingException", "Rate exceeded"),
        scripted.reset,
    ],
    ids=["503", "throttled", "reset"],
)
def test_what_may_pass_is_asked_once_more(endpoint: Aws, first: Answer) -> None:
    endpoint.script(first, scripted.aws_secret())
    assert SecretClient().get_secret("s").source == "sdk"


def test_it_is_asked_twice_at_most_and_a_refusal_once(endpoint: Aws) -> None:
    endpoint.script(ANSWERS["throttled"])
    with pytest.raises(Throttled):
        SecretClient().get_secret("s")
    assert len(endpoint.requests) == 2
    endpoint.script(ANSWERS["denied"])
    with pytest.raises(SecretError):
        SecretClient().get_secret("s")
    assert len(endpoint.requests) == 1


def test_an_aws_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, endpoint: Aws) -> None:
    monkeypatch.setattr(signed, "_READ_SECONDS", 0.1)
    endpoint.script(scripted.hang)
    with pytest.raises(Unavailable, match=r"AWS did not answer \(127.0.0.1:\d+: timed out\)"):
        SecretClient().get_secret("s")


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        *((name, "") for name in FUNCTION),
        *((name, "x") for name in signed._OTHER_SETTINGS),  # noqa: SLF001
        ("AWS_REGION", "us-iso-east-1"),
        ("AWS_REGION", "eusc-de-east-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1/path"),
        ("AWS_ENDPOINT_URL", "http://user@127.0.0.1"),
        ("AWS_ENDPOINT_URL", "127.0.0.1"),
    ],
)
def test_what_only_boto3_knows_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, setting: str, text: str
) -> None:
    assert signed_client("ssm", None) is not None
    monkeypatch.setenv(setting, text)
    assert signed_client("ssm", None) is None


@pytest.mark.parametrize("region", ["evil.example", "a/b", "x@y", "a#", "a:1", "", " ", "é", "--"])
def test_no_region_names_another_host(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.delenv("AWS_REGION")
    assert signed_client("ssm", region) is None


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "secretsmanager.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "secretsmanager.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "secretsmanager.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_host_is_the_one_of_boto3(aws: Aws, region: str, host: str) -> None:
    client = signed_client("secretsmanager", region)
    assert client is not None
    assert client._host == host  # noqa: SLF001
    theirs = aws._session.client("secretsmanager", region_name=region)  # noqa: SLF001
    assert theirs.meta.endpoint_url == f"https://{host}"
    theirs.close()


def test_the_endpoint_of_a_service_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://vpce:8443")
    hosts = [signed_client(service, None) for service in ("secretsmanager", "ssm")]
    assert [client and client._host for client in hosts] == ["vpce:8443", "all"]  # noqa: SLF001


def test_the_server_is_known_by_its_certificate(
    monkeypatch: pytest.MonkeyPatch, extension: Server, tmp_path: Path
) -> None:
    extension.script(BROKEN)
    bundle, other = tmp_path / "bundle.pem", tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with https_aws.serve(bundle) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert SecretClient().get_secret("s").source == "sdk"
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        with pytest.raises(
            SecretError, match=r"AWS was not asked \(SSLCertVerificationError"
        ) as no:
            SecretClient().get_secret("s")
        assert type(no.value) is SecretError


def test_without_certificates_it_takes_those_of_boto3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    assert signed_client("ssm", None) is None

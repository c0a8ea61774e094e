"""The stand-in for AWS's extension over real HTTP, alone.

Secrets Manager and Parameter Store are played by a scripted server in this process: what is
proven here is the extension's side of the wire. IAM is proven elsewhere, against the emulator.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.extension import launcher
from tests.local import extension_support
from tests.local.extension_support import (
    NOT_READY,
    TOKEN,
    VALUE,
    Extension,
    Upstream,
    parameter,
    refusal,
    secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable

upstream = extension_support.upstream
start, extension = extension_support.start, extension_support.extension

FAILED = (400, b"an unexpected error occurred while executing request")
UNAUTHORIZED = (401, b"bad session token or header key")


# --- routes and answers -------------------------------------------------------------------------


def test_a_secret_is_answered_byte_for_byte_like_the_real_one(extension: Extension) -> None:
    answer = extension.get("/secretsmanager/get?secretId=app%2Fdb")
    assert answer.status == 200
    assert answer.body == (
        b'{"ARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf",'
        b'"CreatedDate":"2022-11-16T08:22:40.499Z","Name":"app/db","SecretBinary":null,'
        rb'"SecretString":"hunter2-\u003c\u0026\u003e-' + "é".encode() + b'",'
        b'"VersionId":"11111111-2222-3333-4444-555555555555",'
        b'"VersionStages":["AWSCURRENT"],"ResultMetadata":{}}'
    )
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_parameter_is_answered_byte_for_byte_like_the_real_one(
    extension: Extension, slash: str
) -> None:
    answer = extension.get(f"/systemsmanager/parameters/get{slash}?name=%2Fapp%2Furl")
    assert answer.status == 200
    assert answer.body == (
        b'{"Parameter":{"ARN":"arn:aws:ssm:us-east-1:123456789012:parameter/app/url",'
        b'"DataType":"text","LastModifiedDate":"2022-11-16T08:22:40.499Z","Name":"/app/url",'
        rb'"Selector":null,"SourceResult":null,"Type":"String","Value":"hunter2-\u003c\u0026\u003e'
        b"-" + "é".encode() + b'","Version":1},"ResultMetadata":{}}'
    )


def test_a_binary_secret_is_answered_as_padded_base64(
    extension: Extension, upstream: Upstream
) -> None:
    binary = {**secret("binary"), "SecretString": None, "SecretBinary": "++8="}
    upstream.scripts["binary"] = lambda: (200, binary)
    status, body = extension.secret("binary")
    assert status == 200
    assert b'"SecretBinary":"++8=","SecretString":null' in body


def test_version_and_stage_of_a_secret_reach_secrets_manager(
    extension: Extension, upstream: Upstream
) -> None:
    assert extension.secret("staged", "&versionId=v1&versionStage=AWSPREVIOUS")[0] == 200
    [call] = upstream.calls_for("staged")
    assert call.operation == "GetSecretValue"
    assert call.body == {
        "SecretId": "staged",
        "VersionId": "v1",
        "VersionStage": "AWSPREVIOUS",
    }


@pytest.mark.parametrize(
    ("query", "selector"),
    [
        ("version=1", ":1"),
        ("label=Dev", ":Dev"),
        ("version=2&label=Dev", ":2"),
        ("label=Test&version=2", ":Test"),
    ],
)
def test_version_or_label_selects_a_parameter_whichever_is_first(
    extension: Extension, query: str, selector: str
) -> None:
    status, body = extension.parameter("/selected", f"&{query}")
    assert status == 200
    assert json.loads(body)["Parameter"]["Selector"] == selector


def test_a_secure_string_is_ciphertext_unless_decryption_is_asked_for(
    extension: Extension, upstream: Upstream
) -> None:
    def answer() -> tuple[int, dict[str, object]]:
        plain = upstream.calls_for("/secure")[-1].body["WithDecryption"]
        value = "plain" if plain else "AQICAHciphertext"
        return 200, parameter("/secure", Type="SecureString", Value=value)

    upstream.scripts["/secure"] = answer
    values = [
        json.loads(extension.parameter("/secure", more)[1])["Parameter"]["Value"]
        for more in ("", "&withDecryption=true", "&withDecryption=false")
    ]
    assert values == ["AQICAHciphertext", "plain", "AQICAHciphertext"]


def test_reserved_characters_may_come_encoded_and_slashes_raw(
    extension: Extension, upstream: Upstream
) -> None:
    assert extension.secret("a%2Fb%2Bc%3Dd%40e")[0] == 200
    assert upstream.calls_for("a/b+c=d@e")
    assert extension.parameter("/raw/path")[0] == 200
    assert upstream.calls_for("/raw/path")


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "é"])
def test_without_the_functions_session_token_nothing_is_answered(
    extension: Extension, token: str | None
) -> None:
    answer = extension.get("/secretsmanager/get?secretId=guarded", token)
    assert answer[:2] == UNAUTHORIZED
    assert len(answer.body) == 31
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_the_name_of_the_token_header_may_be_in_any_case(extension: Extension) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", extension.port, timeout=60)
    connection.request(
        "GET", "/secretsmanager/get?secretId=a", headers={"x-AWS-parameters-SECRETS-token": TOKEN}
    )
    assert connection.getresponse().status == 200
    connection.close()


def test_without_a_session_token_in_the_environment_every_token_is_wrong(
    start: Callable[..., Extension],
) -> None:
    extension = start(AWS_SESSION_TOKEN="")
    assert extension.get("/secretsmanager/get?secretId=a", "")[:2] == UNAUTHORIZED
    assert extension.get("/secretsmanager/get?secretId=a", TOKEN)[:2] == UNAUTHORIZED


@pytest.mark.parametrize(
    "path",
    [
        "/secretsmanager/get",
        "/secretsmanager/get?secretId=",
        "/secretsmanager/get?name=x",
        "/systemsmanager/parameters/get",
        "/systemsmanager/parameters/get/?name=",
    ],
)
def test_a_request_that_names_nothing_gets_the_generic_error(
    extension: Extension, path: str
) -> None:
    assert extension.get(path)[:2] == FAILED


@pytest.mark.parametrize(
    "path", ["/", "/secretsmanager/get/?secretId=x", "/secretsmanager/list", "/ping"]
)
def test_another_route_is_not_found(extension: Extension, path: str) -> None:
    assert extension.get(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_another_method_is_not_allowed(extension: Extension, method: str) -> None:
    answer = extension.get("/secretsmanager/get?secretId=x", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


# --- what fails upstream ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ResourceNotFoundException", 400),
        ("AccessDeniedException", 403),
        ("ThrottlingException", 400),
        ("DecryptionFailure", 400),
        ("InvalidRequestException", 400),
        ("InternalServiceError", 500),
    ],
)
def test_every_failure_upstream_looks_the_same_and_is_told_apart_in_the_log(
    extension: Extension, upstream: Upstream, code: str, status: int
) -> None:
    for name, get in ((f"failing-{code}", extension.secret), (f"/{code}", extension.parameter)):
        upstream.scripts[name] = refusal(code, status)
        assert get(name) == FAILED
    assert extension.log().count(f"the reason of {status} {code}") == 2


def test_a_failure_is_not_cached(extension: Extension, upstream: Upstream) -> None:
    upstream.scripts["recovering"] = refusal("AccessDeniedException")
    assert extension.secret("recovering") == FAILED
    del upstream.scripts["recovering"]
    assert extension.secret("recovering")[0] == 200


def test_a_name_cannot_forge_a_line_in_the_log(extension: Extension, upstream: Upstream) -> None:
    upstream.scripts["forged"] = lambda: (400, {"__type": "X", "message": "a\nERROR forged"})
    extension.secret("forged")
    assert "\nERROR forged" not in extension.log()
    assert r"a\nERROR forged" in extension.log()


def test_a_failing_service_is_asked_three_times_at_most(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    upstream.scripts["down"] = refusal("InternalServiceError", 500)
    assert start(AWS_MAX_ATTEMPTS="").secret("down") == FAILED
    assert len(upstream.calls_for("down")) == 3


@pytest.mark.parametrize(
    ("service", "bounded", "unbounded"),
    [("SECRETS_MANAGER", "secret", "parameter"), ("SSM_PARAMETER_STORE", "parameter", "secret")],
)
def test_a_call_is_given_up_after_the_timeout_of_its_own_service(
    start: Callable[..., Extension], upstream: Upstream, service: str, bounded: str, unbounded: str
) -> None:
    release = threading.Event()

    def hang() -> tuple[int, dict[str, object]]:
        release.wait(10)
        return 200, secret("hanging") | parameter("hanging")

    def dawdle() -> tuple[int, dict[str, object]]:
        time.sleep(0.3)
        return 200, secret("dawdling") | parameter("dawdling")

    upstream.scripts |= {"hanging": hang, "dawdling": dawdle}
    extension = start(**{f"{service}_TIMEOUT_MILLIS": "200"})
    assert getattr(extension, bounded)("hanging") == FAILED
    release.set()
    assert "imeout" in extension.log()
    assert getattr(extension, unbounded)("dawdling")[0] == 200


# --- readiness ----------------------------------------------------------------------------------


def test_before_the_first_invoke_every_client_is_told_to_wait(
    start: Callable[..., Extension],
) -> None:
    extension = start(invoked=False)
    assert extension.secret("early") == NOT_READY
    assert extension.parameter("/early") == NOT_READY
    extension.invoke()
    assert extension.secret("early")[0] == 200
    assert extension.parameter("/early")[0] == 200


# --- the cache ----------------------------------------------------------------------------------


def test_a_value_stays_as_it_was_after_a_rotation(
    extension: Extension, upstream: Upstream
) -> None:
    first = extension.secret("rotated")
    upstream.scripts["rotated"] = lambda: (200, secret("rotated", "new"))
    assert extension.secret("rotated") == first
    assert len(upstream.calls_for("rotated")) == 1


def test_the_cache_tells_versions_stages_labels_and_decryption_apart(
    extension: Extension, upstream: Upstream
) -> None:
    secrets = ["", "&versionStage=AWSCURRENT", "&versionStage=AWSPREVIOUS", "&versionId=v1"]
    parameters = ["", "&withDecryption=true", "&version=1", "&label=Dev"]
    for _ in range(2):
        for more in secrets:
            extension.secret("keyed", more)
        for more in parameters:
            extension.parameter("/keyed", more)
    names = ["keyed", "/keyed", "/keyed:1", "/keyed:Dev"]
    assert [len(upstream.calls_for(name)) for name in names] == [4, 2, 1, 1]


@pytest.mark.parametrize(
    ("name", "secret_calls", "parameter_calls"),
    [("SECRETS_MANAGER_TTL", 2, 1), ("SSM_PARAMETER_STORE_TTL", 1, 2)],
)
def test_a_time_to_live_of_zero_bypasses_the_cache_for_its_service(
    start: Callable[..., Extension],
    upstream: Upstream,
    name: str,
    secret_calls: int,
    parameter_calls: int,
) -> None:
    extension = start(**{name: "0"})
    for _ in range(2):
        extension.secret(f"{name}-s")
        extension.parameter(f"/{name}-p")
    assert len(upstream.calls_for(f"{name}-s")) == secret_calls
    assert len(upstream.calls_for(f"/{name}-p")) == parameter_calls


@pytest.mark.parametrize(("name", "off"), [("SIZE", "0"), ("ENABLED", "false")])
def test_the_cache_can_be_switched_off(
    start: Callable[..., Extension], upstream: Upstream, name: str, off: str
) -> None:
    extension = start(**{f"PARAMETERS_SECRETS_EXTENSION_CACHE_{name}": off})
    for _ in range(2):
        extension.secret(f"uncached-{name}")
    assert len(upstream.calls_for(f"uncached-{name}")) == 2


def test_secrets_and_parameters_share_the_places_in_the_cache(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    extension = start(PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE="1")
    extension.secret("crowded")
    extension.parameter("/crowded")
    extension.secret("crowded")
    assert len(upstream.calls_for("crowded")) == 2


def test_a_value_is_fetched_anew_when_its_time_to_live_is_over(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    extension = start(SECRETS_MANAGER_TTL="1")
    begun = time.monotonic()
    while len(upstream.calls_for("ageing")) < 2:
        assert time.monotonic() < begun + 60
        extension.secret("ageing")
    assert time.monotonic() - begun >= 1


# --- calls and connections ----------------------------------------------------------------------


def test_calls_are_signed_with_the_credentials_of_the_functions_role(
    extension: Extension, upstream: Upstream
) -> None:
    extension.secret("signed")
    extension.parameter("/signed")
    for name, service in (("signed", "secretsmanager"), ("/signed", "ssm")):
        [call] = upstream.calls_for(name)
        scope = call.headers["Authorization"].split(",")[0]
        assert scope.startswith("AWS4-HMAC-SHA256 Credential=ASIAFUNCTIONROLE/")
        assert scope.endswith(f"/eu-west-3/{service}/aws4_request")
        assert call.headers["X-Amz-Security-Token"] == TOKEN


def test_no_call_leaves_the_machine(
    start: Callable[..., Extension], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process as the launcher starts it, with a far call in the place of the server."""
    prepare, serve = launcher.RUN.rsplit(" from ", 1)
    assert serve == "local.extension.server import main; main()"
    far = "import socket; socket.create_connection(('192.0.2.1', 1), 5)"
    monkeypatch.setattr(launcher, "RUN", f"{prepare} {far}")
    extension = start()
    extension.process.wait(30)
    assert "PermissionError: '192.0.2.1' is not on loopback" in extension.log()


def test_no_more_calls_are_under_way_than_connections_are_allowed(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    under_way: list[None] = []
    seen: list[int] = []
    two = threading.Event()

    def answer() -> tuple[int, dict[str, object]]:
        under_way.append(None)
        seen.append(len(under_way))
        if len(under_way) == 2:
            two.set()
        two.wait(60)
        time.sleep(0.05)  # for a third to come
        under_way.pop()
        return 200, secret("bounded")

    names = [f"bounded-{number}" for number in range(8)]
    upstream.scripts |= dict.fromkeys(names, answer)
    extension = start(PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS="2")
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(extension.secret, names))
    assert [status for status, _ in answers] == [200] * 8
    assert max(seen) == 2


def test_many_clients_at_once_are_all_answered(extension: Extension) -> None:
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(extension.secret, ["crowd"] * 200))
    assert {status for status, _ in answers} == {200}
    assert len(set(answers)) == 1
    assert "Traceback" not in extension.log()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_clients_that_come_one_by_one_need_no_more_threads(extension: Extension) -> None:
    def threads() -> int:
        return len(list(Path(f"/proc/{extension.process.pid}/task").iterdir()))

    extension.secret("one-by-one")
    before = threads()
    for _ in range(50):
        extension.secret("one-by-one")
    assert threads() < before + 10


def test_one_connection_serves_many_requests(extension: Extension) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", extension.port, timeout=60)
    connection.connect()
    kept = connection.sock
    for status, method, path in (
        (200, "GET", "/secretsmanager/get?secretId=kept"),
        (404, "GET", "/nowhere"),
        (405, "POST", "/secretsmanager/get"),
        (405, "HEAD", "/secretsmanager/get"),
        (200, "GET", "/secretsmanager/get?secretId=kept"),
    ):
        body = "ignored" if method == "POST" else None
        headers = {"X-Aws-Parameters-Secrets-Token": TOKEN}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is kept
    connection.close()


def test_a_client_that_speaks_http_1_0_reads_to_the_end(extension: Extension) -> None:
    request = (
        "GET /secretsmanager/get?secretId=old HTTP/1.0\r\n"
        f"X-Aws-Parameters-Secrets-Token: {TOKEN}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", extension.port), 10) as client:
        client.sendall(request.encode())
        with client.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert json.loads(body)["SecretString"] == VALUE


def test_an_answer_to_head_has_no_body(extension: Extension) -> None:
    with socket.create_connection(("127.0.0.1", extension.port), 10) as client:
        client.sendall(b"HEAD /nowhere HTTP/1.0\r\n\r\n")
        with client.makefile("rb") as stream:
            assert stream.read().endswith(b"\r\n\r\n")


def test_a_request_sent_in_pieces_is_put_together(extension: Extension) -> None:
    request = f"GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Token: {TOKEN}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", extension.port), 10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), 7):
            client.sendall(request[start : start + 7])
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 404 ")


def test_a_request_without_host_is_refused_as_go_refuses_it(extension: Extension) -> None:
    with socket.create_connection(("127.0.0.1", extension.port), 10) as client:
        client.sendall(b"GET /secretsmanager/get?secretId=x HTTP/1.1\r\n\r\n")
        with client.makefile("rb") as stream:
            assert stream.read().startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_client_that_leaves_early_disturbs_nobody(extension: Extension) -> None:
    with socket.create_connection(("127.0.0.1", extension.port), 10) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset
        client.sendall(b"GET /secretsmanager/get?secretId=x HT")
    assert extension.secret("still-there")[0] == 200
    assert "Traceback" not in extension.log()


# --- the log ------------------------------------------------------------------------------------


def test_the_log_says_which_settings_were_not_taken(start: Callable[..., Extension]) -> None:
    extension = start(SECRETS_MANAGER_TTL="3600", PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE="many")
    extension.get("/")
    replaced, clamped, serving = extension.log().splitlines()
    assert clamped.startswith("[AWS Parameters and Secrets Lambda Extension] 20")
    assert clamped.endswith(
        " WARN SECRETS_MANAGER_TTL exceeds max limit. Setting it to 300 seconds."
    )
    assert " WARN PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE must be a whole number" in replaced
    assert serving.endswith(f" INFO Serving on port {extension.port}")


def test_a_value_is_in_no_line_of_the_most_talkative_log(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    upstream.scripts["odd"] = lambda: (200, {**secret("odd"), "CreatedDate": "no date"})
    extension = start(PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL="debug")
    assert extension.secret("logged")[0] == 200
    assert extension.parameter("/logged", "&withDecryption=true")[0] == 200
    assert extension.secret("odd") == FAILED
    assert " DEBUG " in extension.log()
    assert "hunter2" not in extension.log()
    assert TOKEN not in extension.log()


def test_at_log_level_none_the_log_is_empty(
    start: Callable[..., Extension], upstream: Upstream
) -> None:
    upstream.scripts["silent"] = refusal("AccessDeniedException")
    extension = start(PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL="NONE", SECRETS_MANAGER_TTL="999")
    assert extension.secret("silent") == FAILED
    assert extension.log() == ""

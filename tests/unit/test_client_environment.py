"""The retrieval client under SnapStart, outside of Lambda and without boto3."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from secret_client import (
    AccessDenied,
    SecretClient,
    SecretNotFound,
    Unavailable,
    extension_retries,
    sdk,
)
from secret_client import extension as extension_module
from tests import scripted
from tests.scripted import CANARY, TOKEN, Answer, Aws, Clock, Server
from tests.unit.client_support import BROKEN, DOWN, HALF_SECONDS, PORT, REPLICAS, asked


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, extension: Server) -> Iterator[Server]:
    """Lambda's endpoint for credentials, as it is under SnapStart: no token in the environment."""
    served = Server(scripted.http(200, json.dumps({"Token": "fresh"}).encode()))
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    uri = f"http://127.0.0.1:{served.port}/2018/credentials?x=1"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me")
    try:
        yield served
    finally:
        served.close()
    assert extension


def test_under_snapstart_the_token_is_the_containers(
    credentials: Server, extension: Server
) -> None:
    assert SecretClient().get_secret("s").source == "extension"
    assert extension.requests[0].header("X-Aws-Parameters-Secrets-Token") == "fresh"
    (request,) = credentials.requests
    assert (request.target, request.header("Authorization")) == ("/2018/credentials?x=1", "let me")


@pytest.mark.parametrize(
    "answer",
    [
        scripted.http(403, b"no"),
        scripted.http(200, b"{}"),
        scripted.http(200, b"[]"),
        scripted.reset,
        scripted.hang,
    ],
    ids=["denied", "no token", "no object", "reset", "hang"],
)
def test_without_a_token_that_the_extension_accepts_the_sdk_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    credentials: Server,
    extension: Server,
    aws: Aws,
    answer: Answer,
) -> None:
    credentials.script(answer)
    extension.script(scripted.http(401, scripted.BAD_TOKEN))
    if answer is scripted.hang:
        # Its time is the extension's, half of all.
        remaining = extension_module._remaining  # noqa: SLF001
        monkeypatch.setattr(
            extension_module, "_remaining", lambda deadline: min(0.1, remaining(deadline))
        )
    value = SecretClient(make_client=aws.client).get_secret("s")
    assert value.source == "sdk"
    asked = [each.header("X-Aws-Parameters-Secrets-Token") for each in extension.requests]
    assert asked == ["let me"]


def test_outside_of_lambda_the_sdk_is_asked(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    assert SecretClient(make_client=aws.client).get_secret("s").source == "sdk"
    assert extension.requests == []


def test_boto3_is_asked_with_the_functions_own_credentials_and_region(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    extension.script(BROKEN)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{aws.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert SecretClient(timeout_seconds=30).get_secret("s").source == "sdk"
    assert asked(aws) == ["eu-west-3"]
    assert aws.requests[0].header("X-Amz-Security-Token") == TOKEN


@pytest.mark.usefixtures("_no_boto3")
def test_without_boto3_the_extension_is_enough(extension: Server) -> None:
    assert SecretClient().get_secret("s").source == "extension"
    assert len(extension.requests) == 1


@pytest.mark.usefixtures("_no_boto3")
@pytest.mark.parametrize("regions", [(), REPLICAS])
def test_without_boto3_the_error_says_where_the_cause_stands_and_nothing_is_lost(
    extension: Server, clock: Clock, regions: tuple[str, ...]
) -> None:
    client = SecretClient(replica_regions=regions)
    old = client.get_secret("s")
    extension.script(BROKEN)
    with pytest.raises(Unavailable) as raised:
        client.get_secret("other")
    assert str(raised.value) == (
        "other: the extension failed: status 400; the extension's line in this log says why; AWS"
        " cannot be asked directly: add boto3 to the package (import of boto3 halted; None in"
        " sys.modules)"
    )
    with pytest.raises(
        Unavailable, match=r"^s: the extension may have an older version; AWS cannot"
    ):
        client.get_secret("s", refresh=True)
    clock.move(120)
    assert client.get_secret("s") is old
    extension.script(scripted.secret())
    assert client.get_secret("other").source == "extension"  # no region passes for down


@pytest.mark.usefixtures("_no_boto3")
def test_without_boto3_an_extension_that_is_not_there_is_called_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    with scripted.bound_port() as bound:
        port = bound.getsockname()[1]
        monkeypatch.setenv(PORT, str(port))
        with pytest.raises(Unavailable, match=f"nothing listens on port {port}; is the layer att"):
            SecretClient().get_secret("s")


@pytest.mark.usefixtures("_no_boto3")
def test_without_a_token_the_error_asks_whether_this_is_lambda(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    with pytest.raises(Unavailable, match=r"AWS_SESSION_TOKEN is not set: is this Lambda\?"):
        SecretClient().get_secret("s")


def test_boto3_gives_up_soon_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    made = sdk._boto3_client("ssm", "eu-west-1")  # noqa: SLF001
    config = made.meta.config
    assert (config.region_name, config.connect_timeout, config.read_timeout) == ("eu-west-1", 2, 4)
    assert config.retries["total_max_attempts"] == 2
    made.close()


def test_a_client_of_the_sdk_is_made_once_for_each_service_and_region(
    extension: Server, aws: Aws
) -> None:
    extension.script(BROKEN)
    made: list[tuple[str, str | None]] = []

    def make(service: str, region: str | None) -> Any:
        made.append((service, region))
        return aws.client(service, region)

    client = SecretClient(make_client=make, cache_seconds=0)
    for _ in range(3):
        client.get_secret("s")
    aws.script(scripted.aws_parameter())
    for _ in range(2):
        client.get_parameter("/p")
    assert made == [("secretsmanager", None), ("ssm", None)]


@pytest.mark.parametrize("given", ["5m", "inf", "nan", "-1"])
def test_a_cache_time_that_is_no_number_of_seconds_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SECRETS_CACHE_SECONDS", given)
    with pytest.raises(ValueError, match="SECRETS_CACHE_SECONDS must be a number of seconds"):
        SecretClient()


def test_what_was_learnt_before_a_snapshot_is_asked_for_anew_after_it(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    hooks: list[Callable[[], None]] = []
    runtime = ModuleType("snapshot_restore_py")
    monkeypatch.setattr(runtime, "register_after_restore", hooks.append, raising=False)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    made: list[str | None] = []

    def make(service: str, region: str | None) -> Any:
        made.append(region)
        return aws.client(service, region)

    client = SecretClient(make_client=make, replica_regions=REPLICAS[:1])
    client.get_secret("s")
    client.get_secret("s")
    client.get_secret("zero", refresh=True)
    aws.script(scripted.by_region(eu_central_1=DOWN, eu_west_1=scripted.aws_secret()))
    client.get_secret("one", refresh=True)  # its region is down now
    assert (len(extension.requests), made) == (1, [None, "eu-west-1"])
    for restored in hooks:
        restored()
    client.get_secret("s")
    assert len(extension.requests) == 2
    aws.script(scripted.by_region(eu_central_1=scripted.aws_secret()))
    assert client.get_secret("s", refresh=True).source == "sdk"
    assert made == [None, "eu-west-1", None]
    assert [value.text for value in client.values_read()] == [CANARY]


def bad(*tokens: str) -> Answer:
    """Answer as an extension that accepts none but these tokens."""

    def answer(request: scripted.Request, connection: Any) -> None:
        good = request.header("X-Aws-Parameters-Secrets-Token") in tokens
        then = scripted.secret() if good else scripted.http(401, scripted.BAD_TOKEN)
        then(request, connection)

    return answer


@pytest.mark.parametrize("accepted", ["now", "fresh", "let me"])
def test_the_token_that_is_accepted_is_found_once_and_remembered(
    monkeypatch: pytest.MonkeyPatch, credentials: Server, extension: Server, accepted: str
) -> None:
    extension.script(bad(accepted))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "then")
    client = SecretClient(cache_seconds=0)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "now")
    for _ in range(3):
        assert client.get_secret("s").source == "extension"
    order = ["then", "now", "fresh", "let me"]
    tried = [each.header("X-Aws-Parameters-Secrets-Token") for each in extension.requests]
    assert tried == [*order[: order.index(accepted) + 1], accepted, accepted]
    assert len(credentials.requests) <= 1


@pytest.mark.parametrize(
    "uri",
    [
        "http://192.0.2.1:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://[::1]:{port}/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:port/x",
        "nonsense",
        "",
    ],
)
def test_no_token_goes_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, credentials: Server, extension: Server, uri: str
) -> None:
    uri = uri.replace("{port}", str(credentials.port))
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
    extension.script(bad("let me"))
    assert SecretClient().get_secret("s").source == "extension"
    assert len(credentials.requests) == (1 if "192.0.2.1" in uri else 0)  # here, not there


def test_an_extension_that_accepts_no_token_is_left_alone_for_a_while(
    credentials: Server, extension: Server, aws: Aws, clock: Clock
) -> None:
    extension.script(bad())
    client = SecretClient(cache_seconds=0, make_client=aws.client)
    for _ in range(5):
        assert client.get_secret("s").source == "sdk"
    assert len(extension.requests) == 2
    clock.move(31)
    extension.script(bad("fresh"))
    assert client.get_secret("s").source == "extension"
    assert credentials.requests


def test_other_credentials_in_the_environment_are_not_sent_and_a_refusal_says_so(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    client = SecretClient(cache_seconds=0, make_client=aws.client)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another account")
    assert client.get_secret("s").source == "extension"
    extension.script(scripted.http(401, scripted.BAD_TOKEN))
    aws.script(scripted.aws_error("AccessDeniedException", "no"))
    with pytest.raises(AccessDenied, match="it did not accept the session token; Acc"):
        client.get_secret("s")


def test_ten_reads_at_import_wait_for_readiness_once(extension: Server, aws: Aws) -> None:
    extension.script(scripted.http(400, scripted.NOT_READY))
    client = SecretClient(make_client=aws.client)
    client.get_secret("zero")
    waited = len(extension.requests)
    for number in range(9):
        assert client.get_secret(f"name-{number}").source == "sdk"
    assert len(extension.requests) == waited + 9
    extension.script(scripted.secret())
    assert client.get_secret("ready").source == "extension"


def test_an_extension_that_hangs_is_waited_for_once(
    extension: Server, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extension_retries, "SLOW_SECONDS", 0.01)
    client = SecretClient(make_client=aws.client, timeout_seconds=2)
    extension.script(scripted.hang)
    start = time.monotonic()
    for number in range(10):
        assert client.get_secret(f"name-{number}").source == "sdk"
    assert time.monotonic() - start < HALF_SECONDS / 3


@pytest.mark.parametrize("seconds", [0, 10.0])
def test_a_clock_that_stands_still_does_not_hold_a_client_that_waits_for_readiness(
    extension: Server, aws: Aws, clock: Clock, seconds: float
) -> None:
    extension.script(scripted.http(400, scripted.NOT_READY))
    client = SecretClient(make_client=aws.client, cache_seconds=seconds)
    assert client.get_secret("s").source == "sdk"
    assert clock() > 0


# --- AWS's agent, which listens in the same place ------------------------------------------------


def named(code: str, status: int = 400) -> Answer:
    return scripted.http(status, json.dumps({"__type": code, "message": "It is so."}).encode())


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", SecretNotFound),
        ("AccessDeniedException", AccessDenied),
        ("com.amazonaws#AccessDeniedException", AccessDenied),
    ],
)
def test_a_cause_that_the_agent_names_is_the_answer(
    extension: Server, aws: Aws, code: str, error: type[Exception]
) -> None:
    extension.script(named(code))
    with pytest.raises(error, match=r"^s: \w+Exception: It is so; "):
        SecretClient(make_client=aws.client).get_secret("s")
    assert aws.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        named("InternalFailure", 500),
        named("ConnectionError", 502),
        named("TimeoutError", 504),
        scripted.http(429, b"Connection limit exceeded"),
    ],
    ids=["500", "502", "504", "429"],
)
def test_when_the_agent_fails_the_sdk_is_called(
    extension: Server, aws: Aws, answer: Answer
) -> None:
    """https://github.com/aws/aws-workload-credentials-provider: cache_manager.rs, server.rs."""
    extension.script(answer)
    assert SecretClient(make_client=aws.client).get_secret("s").source == "sdk"


def test_an_agent_without_parameter_store_is_asked_for_one_parameter_only(
    extension: Server, aws: Aws
) -> None:
    extension.script(scripted.http(404, b"Not found"), scripted.secret())
    aws.script(scripted.aws_parameter())
    client = SecretClient(make_client=aws.client)
    for name in ("/one", "/two", "/three"):
        assert client.get_parameter(name).source == "sdk"
    assert client.get_secret("s").source == "extension"
    assert len(extension.requests) == 2

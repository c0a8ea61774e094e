"""The retrieval client when a region does not answer."""

import threading
import time
from typing import Any

import pytest

from secret_client import AccessDenied, SecretClient, SecretNotFound, Unavailable
from secret_client.client import Flight
from tests import scripted
from tests.scripted import CANARY, Answer, Aws, Clock, Server
from tests.unit.client_support import ARN, BROKEN, DOWN, HALF_SECONDS, REPLICAS, asked, left


def failing_over(aws: Aws, **answers: Answer) -> SecretClient:
    aws.script(scripted.by_region(**answers))
    return SecretClient(make_client=aws.client, replica_regions=REPLICAS)


def test_replica_regions_are_tried_in_order_and_the_value_says_from_which_it_is(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    extension.script(BROKEN)
    aws.script(
        scripted.by_region(eu_central_1=DOWN, eu_west_1=DOWN, us_east_1=scripted.aws_secret())
    )
    monkeypatch.setenv("SECRETS_REPLICA_REGIONS", " eu-west-1,, us-east-1 ")
    value = SecretClient(make_client=aws.client).get_secret("s")
    assert (value.text, value.source) == (CANARY, "replica:us-east-1")
    assert asked(aws) == ["eu-central-1", "eu-west-1", "us-east-1"]


def test_a_replica_is_asked_by_the_arn_of_its_region(extension: Server, aws: Aws) -> None:
    extension.script(BROKEN)
    client = failing_over(aws, eu_central_1=DOWN, eu_west_1=scripted.aws_secret())
    client.get_secret(ARN, version_stage="X")
    assert [request.json for request in aws.requests] == [
        {"SecretId": ARN, "VersionStage": "X"},
        {"SecretId": ARN.replace("eu-central-1", "eu-west-1"), "VersionStage": "X"},
    ]


def test_a_region_that_is_down_is_asked_last_for_30_seconds_and_the_extension_first(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    client = failing_over(aws, eu_central_1=scripted.aws_secret())
    client.get_secret("zero", refresh=True)
    extension.script(BROKEN)
    aws.script(scripted.by_region(eu_central_1=DOWN, eu_west_1=scripted.aws_secret()))
    client.get_secret("one")
    clock.move(29)
    client.get_secret("two")
    assert asked(aws) == ["eu-central-1", "eu-west-1", "eu-west-1"]
    assert len(extension.requests) == 2
    extension.script(scripted.secret())
    assert client.get_secret("three").source == "extension"
    extension.script(BROKEN)
    clock.move(2)
    client.get_secret("four")
    assert asked(aws)[3:] == ["eu-central-1", "eu-west-1"]


def test_an_extension_whose_region_is_down_is_not_waited_for(extension: Server, aws: Aws) -> None:
    client = failing_over(aws, eu_central_1=scripted.aws_secret())
    client.get_secret("zero", refresh=True)
    extension.script(BROKEN)
    aws.script(scripted.by_region(eu_central_1=DOWN, eu_west_1=scripted.aws_secret()))
    client.get_secret("one")
    extension.script(scripted.hang)
    start = time.monotonic()
    assert client.get_secret("two").source == "replica:eu-west-1"
    assert time.monotonic() - start < HALF_SECONDS


def given_up(monkeypatch: pytest.MonkeyPatch, when: threading.Event) -> list[float]:
    """Give up the first wait for the SDK at an event; return the deadlines of all waits."""
    deadlines: list[float] = []
    wait = Flight.wait

    def wait_for_the_event_first(flight: Flight, deadline: float) -> bool:
        deadlines.append(deadline)
        if len(deadlines) > 1:
            return wait(flight, deadline)
        assert when.wait(60)
        return False

    monkeypatch.setattr(Flight, "wait", wait_for_the_event_first)
    return deadlines


def test_making_a_client_of_the_sdk_slowly_is_no_outage_of_its_region(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    extension.script(BROKEN)
    making, slow, made = threading.Event(), threading.Event(), threading.Event()

    def make(service: str, region: str | None) -> Any:
        if region is None:
            making.set()
            slow.wait(60)
        client = aws.client(service, region)
        if region is None:
            made.set()
        return client

    given_up(monkeypatch, making)
    client = SecretClient(make_client=make, replica_regions=REPLICAS)
    try:
        assert client.get_secret("one").source == "replica:eu-west-1"
    finally:
        slow.set()
    assert made.wait(60)
    assert client.get_secret("two").source == "sdk"


def test_a_region_that_hangs_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, clock: Clock
) -> None:
    asked_for = threading.Event()

    def hang(request: scripted.Request, connection: Any) -> None:
        asked_for.set()
        scripted.hang(request, connection)

    extension.script(BROKEN)
    client = failing_over(aws, eu_central_1=hang, eu_west_1=scripted.aws_secret())
    deadlines = given_up(monkeypatch, asked_for)
    assert client.get_secret("s", context=left(12)).source == "replica:eu-west-1"
    assert [deadline - clock() for deadline in deadlines] == [pytest.approx(4), pytest.approx(6)]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_region_that_refuses_is_not_down(extension: Server, aws: Aws, code: str) -> None:
    extension.script(BROKEN)
    client = failing_over(aws, eu_central_1=scripted.aws_error(code))
    with pytest.raises((AccessDenied, SecretNotFound)):
        client.get_secret("s")
    assert asked(aws) == ["eu-central-1"]


def test_a_replica_that_refuses_is_no_reason_to_lose_the_value(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    missing = scripted.aws_error("ResourceNotFoundException")
    client = failing_over(aws, eu_central_1=DOWN, eu_west_1=missing, us_east_1=DOWN)
    old = client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    assert client.get_secret("s") is old
    clock.move(60)
    with pytest.raises(Unavailable, match=r"503.*; eu-west-1: SecretNotFound; us-east-1: Unavail"):
        client.get_secret("s")


def test_when_every_replica_is_down_the_own_region_is_asked_after_all(
    extension: Server, aws: Aws
) -> None:
    extension.script(BROKEN)
    client = failing_over(aws, eu_central_1=DOWN, eu_west_1=DOWN, us_east_1=DOWN)
    with pytest.raises(Unavailable):
        client.get_secret("s")
    aws.script(
        scripted.by_region(eu_central_1=scripted.aws_secret(), eu_west_1=DOWN, us_east_1=DOWN)
    )
    assert client.get_secret("s").source == "sdk"


def test_parameters_have_no_replicas_and_miss_none(extension: Server, aws: Aws) -> None:
    extension.script(BROKEN)
    client = failing_over(aws, eu_central_1=DOWN, eu_west_1=scripted.aws_secret())
    for name in ("s", "t"):
        client.get_secret(name)  # its region is down now
    aws.script(DOWN)
    with pytest.raises(Unavailable):
        client.get_parameter("/p")
    assert asked(aws) == ["eu-central-1"]
    extension.script(scripted.parameter())
    assert client.get_parameter("/p").source == "extension"


HOME = "eu-central-1"
ELSEWHERE = ARN.replace(HOME, "ap-south-1")


@pytest.fixture
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", HOME)


@pytest.mark.usefixtures("_at_home")
def test_a_secret_of_another_region_is_asked_for_there_by_a_cached_client_of_the_sdk(
    extension: Server, aws: Aws
) -> None:
    made: list[tuple[str, str | None]] = []

    def make(service: str, region: str | None) -> Any:
        made.append((service, region))
        return aws.client(service, region)

    client = SecretClient(make_client=make, replica_regions=REPLICAS)
    value = client.get_secret(ELSEWHERE, version_stage="X")
    assert (value.text, value.source) == (CANARY, "sdk")
    assert client.get_secret(ELSEWHERE, version_stage="X") is value
    client.get_secret(ELSEWHERE, version_stage="X", refresh=True)
    assert asked(aws) == ["ap-south-1", "ap-south-1"]
    assert aws.requests[0].json == {"SecretId": ELSEWHERE, "VersionStage": "X"}
    assert made == [("secretsmanager", "ap-south-1")]
    assert not extension.requests


@pytest.mark.usefixtures("_at_home")
@pytest.mark.parametrize("secret_id", ["s", "app/arn", ARN, ARN.replace("1111", "2222"), "arn:s"])
def test_a_name_and_a_secret_of_any_account_in_the_own_region_go_by_the_extension(
    extension: Server, aws: Aws, secret_id: str
) -> None:
    assert SecretClient(make_client=aws.client).get_secret(secret_id).source == "extension"
    assert len(extension.requests) == 1
    assert not aws.requests


def test_where_the_own_region_is_not_known_the_extension_is_asked(
    extension: Server, aws: Aws
) -> None:
    assert SecretClient(make_client=aws.client).get_secret(ELSEWHERE).source == "extension"
    assert len(extension.requests) == 1


@pytest.mark.usefixtures("_at_home")
@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDeniedException", AccessDenied), ("ResourceNotFoundException", SecretNotFound)],
)
def test_the_region_of_the_secret_names_the_cause(
    aws: Aws, code: str, error: type[Exception]
) -> None:
    aws.script(scripted.aws_error(code))
    client = SecretClient(make_client=aws.client, replica_regions=REPLICAS)
    with pytest.raises(error, match=code):
        client.get_secret(ELSEWHERE)
    assert asked(aws) == ["ap-south-1"]


@pytest.mark.usefixtures("_at_home")
def test_a_secret_whose_region_is_down_is_served_from_the_cache_and_asked_for_nowhere_else(
    aws: Aws, clock: Clock
) -> None:
    client = SecretClient(make_client=aws.client, replica_regions=REPLICAS)
    old = client.get_secret(ELSEWHERE)
    aws.script(DOWN)
    clock.move(120)
    assert client.get_secret(ELSEWHERE) is old
    clock.move(60)
    with pytest.raises(Unavailable, match="the extension reads in the function's own region only"):
        client.get_secret(ELSEWHERE)
    assert set(asked(aws)) == {"ap-south-1"}


@pytest.mark.usefixtures("_at_home")
def test_a_parameter_of_another_region_is_left_to_parameter_store(extension: Server) -> None:
    extension.script(scripted.parameter())
    arn = "arn:aws:ssm:ap-south-1:111122223333:parameter/p"
    assert SecretClient().get_parameter(arn).source == "extension"
    assert len(extension.requests) == 1


def test_a_call_with_little_time_left_takes_no_region_for_down(
    extension: Server, aws: Aws
) -> None:
    client = failing_over(aws, eu_central_1=scripted.aws_secret())
    client.get_secret("zero", refresh=True)
    extension.script(BROKEN)
    aws.script(
        scripted.by_region(eu_central_1=scripted.hang, eu_west_1=scripted.aws_secret("replica"))
    )
    client.get_secret("one", context=left(0.4))
    aws.script(scripted.by_region(eu_central_1=scripted.aws_secret(), eu_west_1=DOWN))
    assert client.get_secret("two").source == "sdk"
    assert asked(aws) == ["eu-central-1"]


def test_calls_that_hang_in_the_sdk_are_bounded(extension: Server, aws: Aws) -> None:
    client = failing_over(aws, eu_central_1=scripted.aws_secret())
    client.get_secret("zero", refresh=True)
    extension.script(BROKEN)
    aws.script(scripted.hang)
    errors = []
    for number in range(40):
        with pytest.raises(Unavailable) as raised:
            client.get_secret(f"name-{number}", context=left(0.03))
        errors.append(str(raised.value))
    assert len(aws.requests) <= 16
    assert "16 earlier calls are unanswered" in errors[-1]

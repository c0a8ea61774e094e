"""How long a call of the retrieval client takes at most."""

import time
from types import SimpleNamespace

import pytest

from secret_client import SecretClient, Unavailable, Value, extension_retries, loading
from secret_client import client as client_module
from tests import scripted
from tests.scripted import Aws, Clock, Server
from tests.unit.client_support import HALF_SECONDS, REPLICAS, left, value_of


def test_the_remaining_time_of_the_invocation_bounds_the_call(extension: Server, aws: Aws) -> None:
    extension.script(scripted.hang)
    aws.script(scripted.hang)
    client = SecretClient(make_client=aws.client)
    start = time.monotonic()
    with pytest.raises(
        Unavailable, match=r"the extension failed: .*; AWS did not answer \(no answer in time\)"
    ):
        client.get_secret("s", context=left(0.1))
    assert time.monotonic() - start < HALF_SECONDS


@pytest.mark.parametrize("seconds", [0, -1])
def test_without_time_left_nobody_is_asked(extension: Server, aws: Aws, seconds: float) -> None:
    client = SecretClient(make_client=aws.client, replica_regions=REPLICAS)
    with pytest.raises(Unavailable, match=r"^s: the invocation has no time left; raise the"):
        client.get_secret("s", context=left(seconds))
    assert (extension.requests, aws.requests) == ([], [])
    assert client.get_secret("s").source == "extension"  # no region passes for down


def test_the_handler_keeps_some_of_its_time_to_answer_with(extension: Server) -> None:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 150)
    with pytest.raises(Unavailable, match="no time left"):
        SecretClient().get_secret("s", context=context)
    assert extension.requests == []


def test_without_time_left_a_value_that_is_still_good_is_served(
    extension: Server, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=150)
    value = client.get_secret("s")
    clock.move(120)
    assert client.get_secret("s", context=left(0)) is value
    assert len(extension.requests) == 1


def test_much_remaining_time_does_not_lengthen_the_clients_own(
    extension: Server, aws: Aws
) -> None:
    extension.script(scripted.hang)
    aws.script(scripted.hang)
    start = time.monotonic()
    with pytest.raises(Unavailable):
        SecretClient(make_client=aws.client, timeout_seconds=0.2).get_secret("s", context=left(90))
    assert time.monotonic() - start < HALF_SECONDS


def test_a_value_that_is_still_good_is_served_after_a_second_of_vain_asking(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, running_clock: Clock
) -> None:
    assert loading._STALE_SECONDS == 1  # noqa: SLF001
    monkeypatch.setattr(loading, "_STALE_SECONDS", 0.1)
    client = SecretClient(cache_seconds=150, make_client=aws.client)
    value = client.get_secret("s")
    running_clock.move(120)
    extension.script(scripted.hang)
    aws.script(scripted.hang)
    start = time.monotonic()
    assert client.get_secret("s", context=left(90)) is value
    assert time.monotonic() - start < HALF_SECONDS


@pytest.mark.parametrize("hangs", [True, False])
def test_the_extension_has_half_of_the_time_and_the_sdk_what_is_left(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock, *, hangs: bool
) -> None:
    times: list[float] = []

    def ask(question: object, token: str, deadline: float, *_: object) -> Value:
        del question, token
        times.append(deadline - clock())
        clock.move(times[0] if hangs else 1)
        raise TimeoutError

    def ask_sdk(
        _: loading.Loader, question: object, regions: object, deadline: float, why: str
    ) -> Value:
        del question, regions, why
        times.append(deadline - clock())
        return value_of("from the sdk")

    monkeypatch.setattr(client_module, "from_extension", ask)
    monkeypatch.setattr(loading.Loader, "_from_sdk", ask_sdk)
    assert SecretClient(timeout_seconds=60).get_secret("s").text == "from the sdk"
    assert times == [pytest.approx(30), pytest.approx(30 if hangs else 59)]
    assert extension.requests == []


def test_not_ready_is_asked_again_until_ready(extension: Server, aws: Aws) -> None:
    not_ready = scripted.http(400, scripted.NOT_READY)
    extension.script(*[not_ready] * 5, scripted.secret())
    assert SecretClient(make_client=aws.client).get_secret("s").source == "extension"
    assert (len(extension.requests), aws.requests) == (6, [])


def test_less_than_10_milliseconds_are_lost_after_readiness() -> None:
    assert extension_retries._NOT_READY_PAUSE_SECONDS < 0.01  # noqa: SLF001

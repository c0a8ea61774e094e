"""The retrieval client in an environment that is frozen, where running time may stand still."""

import threading
from typing import Any

import pytest

from secret_client import SecretClient, SecretError, SecretNotFound, Unavailable
from tests import scripted
from tests.scripted import Aws, Clock, Server
from tests.unit.client_support import BROKEN, threads, wait_until

STALENESS_SECONDS = 450.0


class Extension:
    """An extension that keeps a value for 300 seconds by its own clock, of running time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, float]] = {}

    def __call__(self, request: scripted.Request, connection: Any) -> None:
        name = request.query["secretId"]
        asked, read_at = self._kept.get(name, (-1000.0, 0.0))
        if self._clock() - asked >= 300:
            asked, read_at = self._kept[name] = self._clock(), self._clock.time()
        scripted.secret(repr(read_at))(request, connection)


class Sdk:
    """An SDK that reads the time of day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def get_secret_value(self, **_: object) -> dict[str, Any]:
        text = repr(self._clock.time())
        return {"Name": "s", "ARN": "a", "VersionId": text, "SecretString": text}


def aging(extension: Server, clock: Clock) -> SecretClient:
    """Return a client that gets values which say when they were read."""
    extension.script(Extension(clock))
    return SecretClient(cache_seconds=150, make_client=lambda *_: Sdk(clock))


@pytest.mark.parametrize("running", [0.1, 3.0, 59.0])
def test_no_value_is_older_than_its_bound_however_long_the_freezes_are(
    extension: Server, clock: Clock, running: float
) -> None:
    client = aging(extension, clock)
    ages = []
    for _ in range(300):
        ages.append(clock.time() - float(client.get_secret("s").text))
        clock.move(running)
        clock.freeze(60 - running)
    assert max(ages) <= STALENESS_SECONDS
    assert max(ages) > 60, "a cached value was served, too"


def test_without_the_time_of_day_a_value_would_be_older_than_its_bound(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock
) -> None:
    client = aging(extension, clock)
    monkeypatch.setattr("secret_client.client.time", clock)
    monkeypatch.setattr("secret_client.loading.time", clock)
    monkeypatch.setattr("secret_client.clocks.time", clock)
    client.get_secret("s")
    client._drift = 0.0  # noqa: SLF001
    read = 0.0
    for _ in range(20):
        read = float(client.get_secret("s").text)
        clock.move(1)
        clock.freeze(59)
    assert clock.time() - read > STALENESS_SECONDS


def test_a_freeze_sends_reads_of_every_name_round_the_extension_for_its_time(
    extension: Server, clock: Clock
) -> None:
    client = aging(extension, clock)
    assert client.get_secret("one").source == "extension"
    clock.freeze(3600)
    assert client.get_secret("two").source == "sdk"
    clock.move(301)
    assert client.get_secret("three").source == "extension"


def test_a_short_freeze_shortens_the_time_of_what_the_extension_answers(
    extension: Server, clock: Clock
) -> None:
    client = aging(extension, clock)
    client.get_secret("one")
    clock.freeze(60)
    value = client.get_secret("two")
    assert value.source == "extension"
    clock.move(59)  # two thirds of what is left of 150 seconds
    assert client.get_secret("two") is value
    clock.move(2)
    assert client.get_secret("two") is not value


@pytest.mark.parametrize("seconds", [1e9, -1e9])
def test_what_was_read_in_another_decade_is_not_served(
    extension: Server, clock: Clock, seconds: float
) -> None:
    """As after a test that had frozen the time, which freezegun does for both clocks."""
    client = aging(extension, clock)
    clock.move(seconds)
    old = client.get_secret("s")
    clock.move(-seconds)
    assert client.get_secret("s") is not old


@pytest.mark.parametrize("seconds", [1e9, -1e9])
def test_what_failed_in_another_decade_is_asked_for(
    extension: Server, aws: Aws, clock: Clock, seconds: float
) -> None:
    client = SecretClient(make_client=aws.client)
    clock.move(seconds)
    extension.script(BROKEN)
    aws.script(scripted.aws_error("ResourceNotFoundException"))
    for _ in range(5):
        with pytest.raises(SecretNotFound):
            client.get_secret("s")
    clock.move(-seconds)
    extension.script(scripted.secret())
    aws.script(scripted.aws_secret())
    assert client.get_secret("s").text == scripted.CANARY


@pytest.mark.parametrize("seconds", [-30.0, -100_000.0])
def test_a_clock_that_was_set_back_ends_what_is_cached(
    extension: Server, clock: Clock, seconds: float
) -> None:
    client = aging(extension, clock)
    client.get_secret("s")
    clock.freeze(seconds)
    assert client.get_secret("s").source == "sdk"  # it may hide a freeze of any length


def test_a_clock_of_the_day_that_stands_still_changes_nothing(
    extension: Server, clock: Clock
) -> None:
    client = aging(extension, clock)
    first = client.get_secret("s")
    clock.move(99)
    clock.freeze(-99)
    assert client.get_secret("s") is first
    clock.move(52)
    clock.freeze(-52)
    assert client.get_secret("s") is not first


def test_a_value_that_arrives_after_a_freeze_is_asked_for_again(
    extension: Server, clock: Clock
) -> None:
    def frozen(request: scripted.Request, connection: Any) -> None:
        clock.freeze(4)
        scripted.secret("old")(request, connection)

    extension.script(frozen, scripted.secret("new"))
    client = SecretClient(cache_seconds=10)
    assert client.get_secret("s").text == "new"


def test_an_error_from_before_a_freeze_is_not_reported(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    def frozen(request: scripted.Request, connection: Any) -> None:
        clock.freeze(600)
        scripted.aws_error("InvalidSignatureException", "Signature expired: …")(
            request, connection
        )

    extension.script(BROKEN)
    aws.script(frozen, scripted.aws_secret("new"))
    assert SecretClient(make_client=aws.client).get_secret("s").text == "new"


def test_freezes_without_an_end_are_an_error(extension: Server, clock: Clock) -> None:
    def frozen(request: scripted.Request, connection: Any) -> None:
        clock.freeze(60)
        scripted.secret()(request, connection)

    extension.script(frozen)
    with pytest.raises(Unavailable, match="Lambda froze the environment during each attempt"):
        SecretClient(cache_seconds=1000).get_secret("s")


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestTimeTooSkewed"])
def test_a_signature_that_expired_serves_the_cached_value(
    extension: Server, aws: Aws, clock: Clock, code: str
) -> None:
    client = SecretClient(make_client=aws.client)
    value = client.get_secret("s")
    clock.move(120)
    extension.script(BROKEN)
    aws.script(scripted.aws_error(code, "Signature expired: it is now earlier than …"))
    assert client.get_secret("s") is value


def test_a_call_from_before_a_freeze_is_not_joined(extension: Server, clock: Clock) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, BROKEN), scripted.secret("new"))
    client = SecretClient(timeout_seconds=60, make_client=lambda *_: Down())

    def ask() -> str:
        try:
            return client.get_secret("s").text
        except SecretError:
            return "failed"

    with threads(1, ask):
        wait_until(lambda: len(extension.requests) == 1)
        clock.freeze(5)
        client._drift = clock.time() - clock()  # noqa: SLF001 (as another freeze has told)
        assert client.get_secret("s").text == "new"
        gate.set()


class Down:
    """An SDK whose region does not answer."""

    def get_secret_value(self, **_: object) -> None:
        raise ConnectionError("down")

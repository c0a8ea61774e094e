"""The retrieval client in many threads: one call for all of them."""

import asyncio
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from secret_client import AccessDenied, SecretClient, Unavailable, Value, loading
from tests import scripted
from tests.scripted import CANARY, Aws, Clock, Server
from tests.unit.client_support import BROKEN, left, threads, wait_until


def test_of_50_threads_at_an_expired_entry_one_asks_and_49_get_the_old_value_at_once(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock
) -> None:
    monkeypatch.setattr(loading, "_STALE_SECONDS", 60)
    client = SecretClient(cache_seconds=150, timeout_seconds=60)
    old = client.get_secret("s")
    clock.move(120)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("new")))
    with threads(50, lambda: client.get_secret("s")) as ran:
        try:
            wait_until(lambda: len(ran.outcomes) == 49)
            assert ran.outcomes == [old] * 49
        finally:
            gate.set()
    assert len(extension.requests) == 1
    assert client.get_secret("s").text == "new"


@pytest.mark.parametrize("moved", [None, 151])
def test_of_50_threads_without_a_good_value_one_asks_and_all_get_its_answer(
    extension: Server, clock: Clock, waiting: list[float], moved: float | None
) -> None:
    client = SecretClient(cache_seconds=150)
    if moved is not None:
        client.get_secret("s")
        clock.move(moved)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("new")))
    with threads(50, lambda: client.get_secret("s")) as ran:
        try:
            wait_until(lambda: len(waiting) == 49)
            assert ran.outcomes == []
        finally:
            gate.set()
    assert [value.text for value in ran.outcomes if isinstance(value, Value)] == ["new"] * 50
    assert len({id(value) for value in ran.outcomes}) == 1
    assert len(extension.requests) == 1


def test_those_who_wait_get_the_error_each_as_its_own(
    extension: Server, aws: Aws, waiting: list[float]
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, BROKEN))
    aws.script(scripted.aws_error("AccessDeniedException", "no"))
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    with threads(9, lambda: client.get_secret("s")) as ran:
        wait_until(lambda: len(waiting) == 8)
        gate.set()
    assert {type(error) for error in ran.outcomes} == {AccessDenied}
    assert len({str(error) for error in ran.outcomes}) == 1
    assert len({id(error) for error in ran.outcomes}) == 9
    assert len(aws.requests) == 1


def test_who_waits_does_so_until_its_own_deadline(extension: Server) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("x")))
    client = SecretClient(timeout_seconds=60)
    with threads(1, lambda: client.get_secret("s").text) as ran:
        wait_until(lambda: len(extension.requests) == 1)
        with pytest.raises(
            Unavailable, match=r"^s: no answer to another thread's request; in a VPC"
        ):
            client.get_secret("s", context=left(0.05))
        gate.set()
    assert ran.outcomes == ["x"]


class Ended(BaseException):
    """As KeyboardInterrupt and SystemExit, which no test should raise in earnest."""


def ended(*_: object) -> None:
    raise Ended


def test_what_ends_the_thread_that_asks_ends_no_other(
    extension: Server, aws: Aws, waiting: list[float]
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, BROKEN))
    ends = iter([ended])

    def make_client(*place: Any) -> Any:
        return next(ends, aws.client)(*place)

    client = SecretClient(make_client=make_client, timeout_seconds=60)
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(client.get_secret("s").text)
        except Ended as error:
            outcomes.append(error)

    with threads(5, ask):
        wait_until(lambda: len(waiting) == 4)
        gate.set()
    assert sorted(map(type, outcomes), key=str) == [str] * 4 + [Ended]
    assert len(aws.requests) == 1


@pytest.mark.usefixtures("extension")
def test_what_ends_a_thread_before_it_keeps_the_value_leaves_the_name_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = SecretClient()
    lock = client._cache._lock  # noqa: SLF001

    class Interrupted:
        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()
            raise Ended

    monkeypatch.setattr(client._cache, "_lock", Interrupted())  # noqa: SLF001
    with pytest.raises(Ended):
        client.get_secret("s")
    monkeypatch.setattr(client._cache, "_lock", lock)  # noqa: SLF001
    assert client.get_secret("s").text == CANARY


def test_a_call_that_outlived_its_deadline_holds_no_other(extension: Server, clock: Clock) -> None:
    """An exception of a signal handler may have ended its thread before the call was ended."""
    client = SecretClient()
    cache = client._cache  # noqa: SLF001

    def begin() -> None:
        cache.flights["s"] = flight = cache.flight(clock() + 5)
        flight.done.acquire()

    with threads(1, begin):
        pass
    clock.move(6)
    assert client.get_secret("s", context=left(0.2)).text == CANARY
    assert len(extension.requests) == 1


def test_a_client_of_the_sdk_that_needs_the_same_secret_ends_at_the_deadline(
    extension: Server,
) -> None:
    def make_client(*_: object) -> None:
        client.get_secret("s")

    extension.script(BROKEN)
    client = SecretClient(make_client=make_client, timeout_seconds=0.3)
    with pytest.raises(Unavailable, match=r"no answer (in time|to another thread)"):
        client.get_secret("s")


def test_coroutines_read_in_threads(extension: Server) -> None:
    client = SecretClient()

    async def read() -> list[str]:
        calls = [asyncio.to_thread(client.get_secret, "s") for _ in range(20)]
        return [value.text for value in await asyncio.gather(*calls)]

    assert asyncio.run(read()) == [CANARY] * 20
    assert len(extension.requests) == 1


def test_what_another_thread_has_just_fetched_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    class Late(dict[object, object]):
        """At the first look, as it was before the other thread was done."""

        looks = 0

        def get(self, key: object, default: object = None) -> object:
            self.looks += 1
            return default if self.looks == 1 else super().get(key, default)

    client = SecretClient()
    value = client.get_secret("s")
    entries = Late(client._entries)  # noqa: SLF001
    monkeypatch.setattr(client, "_entries", entries)
    monkeypatch.setattr(client._cache, "entries", entries)  # noqa: SLF001
    assert client.get_secret("s") is value
    assert (entries.looks, len(extension.requests)) == (2, 1)


def test_a_value_at_hand_takes_no_lock(monkeypatch: pytest.MonkeyPatch, extension: Server) -> None:
    extension.script(scripted.secret(), scripted.parameter())
    client = SecretClient()
    first = (client.get_secret("s"), client.get_parameter("/p"))
    monkeypatch.setattr(client._cache, "_lock", None)  # noqa: SLF001
    assert (client.get_secret("s"), client.get_parameter("/p")) == first


def test_what_is_read_at_the_same_time_does_not_wait_for_another_name(extension: Server) -> None:
    gate = threading.Event()

    def answer(request: scripted.Request, connection: Any) -> None:
        if request.query["secretId"] == "slow":
            gate.wait(30)
        scripted.secret("x")(request, connection)

    extension.script(answer)
    client = SecretClient(timeout_seconds=60)
    with threads(1, lambda: client.get_secret("slow")):
        wait_until(lambda: len(extension.requests) == 1)
        assert client.get_secret("fast").text == "x"
        gate.set()


def test_who_has_more_time_asks_after_one_who_had_less(
    extension: Server, waiting: list[float]
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("late")), scripted.secret("good"))
    client = SecretClient(make_client=lambda *_: Down(), timeout_seconds=60)
    times = iter([500, 0])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(times))
    with threads(1, lambda: client.get_secret("s", context=context)) as hasty:
        wait_until(lambda: len(extension.requests) == 1)
        with threads(1, lambda: client.get_secret("s", context=left(60)).text) as patient:
            wait_until(lambda: len(waiting) == 1)
            wait_until(lambda: bool(hasty.outcomes))
        gate.set()
    assert type(hasty.outcomes[0]) is Unavailable
    assert patient.outcomes == ["good"]


class Down:
    """An SDK whose region does not answer."""

    def get_secret_value(self, **_: object) -> None:
        raise ConnectionError("down")


def test_a_refresh_does_not_get_what_was_read_before_it_was_called(
    extension: Server, aws: Aws, waiting: list[float]
) -> None:
    gate = threading.Event()
    aws.script(
        scripted.gated(gate, scripted.aws_secret("old")), scripted.aws_secret("new", "version-2")
    )
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    refresh = partial(client.get_secret, "s", refresh=True)
    with threads(1, lambda: refresh().text) as first:
        wait_until(lambda: len(aws.requests) == 1)
        with threads(9, lambda: refresh().text) as later:
            wait_until(lambda: len(waiting) >= 9)
            gate.set()
    assert first.outcomes == ["old"]
    assert later.outcomes == ["new"] * 9
    assert len(aws.requests) == 2, "one for all that came later"
    assert extension.requests == []

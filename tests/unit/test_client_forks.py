"""The retrieval client after a fork, and in signal handlers."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from secret_client import SecretClient, Value
from secret_client import client as cache_module
from tests import scripted
from tests.scripted import CANARY, Server
from tests.unit.client_support import threads, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def in_child(call: Callable[[], str]) -> str:
    """Fork, and return what a call in the child does; a child that hangs is ended."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            signal.alarm(30)
            os.write(write, call().encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


def test_a_child_reads_what_another_thread_of_its_parent_was_reading(extension: Server) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("late")), scripted.secret("own"))
    client = SecretClient(timeout_seconds=60)
    with threads(1, lambda: client.get_secret("s").text) as ran:
        wait_until(lambda: len(extension.requests) == 1)
        try:
            assert in_child(lambda: client.get_secret("s").text) == "own"
        finally:
            gate.set()
    assert ran.outcomes == ["late"]


def test_a_child_does_not_wait_for_a_lock_that_a_thread_of_its_parent_held(
    extension: Server,
) -> None:
    client = SecretClient()
    client.get_secret("s")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with client._cache._lock:  # noqa: SLF001
            held.set()
            done.wait(60)

    with threads(1, hold):
        assert held.wait(60)
        try:
            assert in_child(lambda: client.get_secret("t").text) == CANARY
            assert in_child(lambda: str(len(client.values_read()))) == "1"
        finally:
            done.set()
    assert len(extension.requests) == 2
    assert [value.name for value in client.values_read()] == ["s"]


@pytest.fixture
def every_moment() -> Iterator[list[Callable[[], object]]]:
    """Interrupt the main thread again and again, to do what a test puts into the list."""
    calls: list[Callable[[], object]] = []

    def interrupt(*_: object) -> None:
        for call in calls:
            call()

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0004, 0.0004)
    try:
        yield calls
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Ended(Exception):  # noqa: N818 (as what a handler of one's own raises)
    """What a handler raises to end a call that takes too long."""


@pytest.mark.filterwarnings("ignore:Exception ignored in.*socket")  # one that it came before
def test_an_exception_of_a_signal_handler_leaves_no_call_and_no_lock(extension: Server) -> None:
    client = SecretClient(cache_seconds=0)
    client.values_read()
    ended = 0

    def interrupt(_: int, frame: FrameType | None) -> None:
        while frame is not None and "secret_client" not in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is not None:
            raise Ended

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for number in range(150):
            signal.setitimer(signal.ITIMER_REAL, 0.0001 + number % 97 * 1e-5)
            try:
                client.get_secret("s")
            except Ended:
                ended += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            flights = client._cache.flights.values()  # noqa: SLF001
            assert not any(flight.done.locked() for flight in flights)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ended > 5
    assert extension.requests
    with threads(1, client.values_read) as other:  # takes the lock
        pass
    assert type(other.outcomes[0]) is tuple


def test_a_signal_handler_may_read_while_the_client_does(
    extension: Server, every_moment: list[Callable[[], object]]
) -> None:
    client = SecretClient(cache_seconds=0)
    client.values_read()
    interrupted = [0]

    def read() -> None:
        interrupted[0] += 1
        client.values_read()
        if not interrupted[0] % 20:
            client.get_secret("s")

    every_moment.append(read)
    for _ in range(300):
        client.values_read()
        client.get_secret("s")
    every_moment.clear()
    assert interrupted[0] > 5
    assert not client._cache.flights  # noqa: SLF001
    assert extension.requests


@pytest.mark.usefixtures("extension")
def test_a_signal_handler_may_read_while_a_read_counts_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = SecretClient(cache_seconds=0)
    client.values_read()
    names = list("hgfedcba")
    size = cache_module._size  # noqa: SLF001

    def interrupted(value: Value) -> int:
        if names:
            name = names.pop()
            with monkeypatch.context() as handler:  # itself it is not interrupted
                handler.setattr(cache_module, "_size", size)
                client.get_secret(name)
        return size(value)

    client.get_secret("s")
    monkeypatch.setattr(cache_module, "_size", interrupted)
    client.get_secret("s")
    assert {value.name for value in client.values_read()} == {"s", *set("abcdefgh") - set(names)}
    assert len(names) < 6

"""The scripted extension and the scripted AWS that the client's tests talk to.

No outcome depends on how busy the machine is: whoever answers is waited for as long as it takes.
Where somebody is to hang, a test gives a short time itself.
"""

import sys
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from secret_client import SecretClient, sdk
from secret_client import extension as extension_module
from secret_client.client import Flight
from tests import scripted
from tests.unit.client_support import follow

PATIENT_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a client whose time no test limits more of it than any answer takes."""
    defaults = SecretClient.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "timeout_seconds", PATIENT_SECONDS)


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for the threads that a client no longer waits for: they would ask the next test's AWS.

    Those that hang end when the servers of the test have closed, which is before this.
    """
    ended: list[threading.Event] = []

    def tracked(run: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        end = threading.Event()

        def run_to_the_end() -> None:
            try:
                run(*arguments)
            finally:
                end.set()

        start_new_thread(run_to_the_end, ())
        ended.append(end)

    monkeypatch.setattr(sdk, "start_new_thread", tracked)
    yield
    assert all(end.wait(PATIENT_SECONDS) for end in ended), "a thread of the client never ends"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> scripted.Clock:
    """The client's clocks, which only a test moves; the client then waits without an end."""
    moved = scripted.Clock()
    remaining, wait = extension_module._remaining, Flight.wait  # noqa: SLF001

    def patient_remaining(deadline: float) -> float:
        return remaining(deadline) + PATIENT_SECONDS

    def patient_wait(flight: Flight, deadline: float) -> bool:
        return wait(flight, deadline + PATIENT_SECONDS if deadline > moved() else deadline)

    follow(monkeypatch, moved)
    monkeypatch.setattr(extension_module, "_remaining", patient_remaining)
    monkeypatch.setattr(Flight, "wait", patient_wait)
    return moved


@pytest.fixture
def running_clock(monkeypatch: pytest.MonkeyPatch) -> scripted.Clock:
    """The client's clocks, which run, and which a test can move."""
    moved = scripted.Clock(running=True)
    follow(monkeypatch, moved)
    return moved


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The deadlines until which threads have begun to wait for another one's answer."""
    deadlines: list[float] = []
    wait = Flight.wait

    def noted(flight: Flight, deadline: float) -> bool:
        deadlines.append(deadline)
        return wait(flight, deadline)

    monkeypatch.setattr(Flight, "wait", noted)
    return deadlines


@pytest.fixture
def _no_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[scripted.Server]:
    """An extension that has every secret."""
    served = scripted.Server(scripted.secret())
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(served.port))
    monkeypatch.setenv("AWS_SESSION_TOKEN", scripted.TOKEN)
    try:
        yield served
    finally:
        served.close()


@pytest.fixture(scope="module")
def served() -> Iterator[scripted.Server]:
    """An extension for tests of hypothesis, whose examples share it."""
    server = scripted.Server(scripted.secret())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(server.port))
        patch.setenv("AWS_SESSION_TOKEN", scripted.TOKEN)
        try:
            yield server
        finally:
            server.close()


@pytest.fixture(scope="session")
def _aws() -> Iterator[scripted.Aws]:
    served = scripted.Aws()
    try:
        yield served
    finally:
        served.close()


@pytest.fixture
def aws(_aws: scripted.Aws) -> Iterator[scripted.Aws]:
    """An AWS that has every secret; one for all tests, as clients of boto3 take long to make."""
    _aws.script(scripted.aws_secret())
    yield _aws
    _aws.script(scripted.aws_error("Unscripted"))

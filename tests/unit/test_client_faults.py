"""What the client does when the extension fails, and when the SDK then fails, too: every pair.

Real sockets, real boto3. Not proved here: how long AWS's own extension takes to fail.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from secret_client import SecretClient, SecretError, Value, extension_retries, loading
from secret_client import client as client_module
from secret_client import extension as extension_module
from tests import scripted
from tests.scripted import CANARY, TOKEN, Answer, Aws, Clock, Server

NAME = "app/database"
GOOD = f'{{"password": "{CANARY}"}}'
BODY = scripted.secret_body(NAME, SecretString=GOOD)
LONG = CANARY * (60_000 // len(CANARY))

EXTENSION: dict[str, Answer | None] = {
    "not ready": scripted.http(400, scripted.NOT_READY),
    "generic 400": scripted.http(400, scripted.GENERIC),
    "401": scripted.http(401, scripted.BAD_TOKEN),
    "500": scripted.http(500, CANARY.encode()),
    "reset": scripted.reset,
    "hang": scripted.hang,
    "slow drip": scripted.drip(BODY),
    "truncated body": scripted.cut(BODY),
    "wrong JSON": scripted.http(200, BODY[:-1]),
    "chunked": scripted.chunked(BODY),
    "60 KB value": scripted.http(200, scripted.secret_body(NAME, SecretString=LONG)),
    "connection refused": None,  # the port is kept, and nobody listens
    "port unused": None,
}
SDK: dict[str, Answer] = {
    "works": scripted.aws_secret(GOOD),
    "denied": scripted.aws_error("AccessDeniedException", "User is not authorized"),
    "throttled": scripted.aws_error("ThrottlingException", "Rate exceeded"),
    "hangs": scripted.hang,
}
CACHE_SECONDS = 150.0
# How far the clock is moved after the value was read; the client asks anew after two thirds.
STATES = {"cold": None, "warm": 99.0, "expired": 101.0, "bound passed": 151.0}

# What comes of it. hit: the value at hand, nobody was asked. stale: the same, after everybody
# failed. extension, sdk: who gave the value. Else the exception.
TABLE = """
fault               state         SDK works     SDK denied    SDK throttled SDK hangs
not ready           cold          sdk           AccessDenied  Throttled     Unavailable
not ready           warm          hit           hit           hit           hit
not ready           expired       sdk           AccessDenied  stale         stale
not ready           bound passed  sdk           AccessDenied  Throttled     Unavailable
generic 400         cold          sdk           AccessDenied  Throttled     Unavailable
generic 400         warm          hit           hit           hit           hit
generic 400         expired       sdk           AccessDenied  stale         stale
generic 400         bound passed  sdk           AccessDenied  Throttled     Unavailable
401                 cold          sdk           AccessDenied  Throttled     Unavailable
401                 warm          hit           hit           hit           hit
401                 expired       sdk           AccessDenied  stale         stale
401                 bound passed  sdk           AccessDenied  Throttled     Unavailable
500                 cold          sdk           AccessDenied  Throttled     Unavailable
500                 warm          hit           hit           hit           hit
500                 expired       sdk           AccessDenied  stale         stale
500                 bound passed  sdk           AccessDenied  Throttled     Unavailable
reset               cold          sdk           AccessDenied  Throttled     Unavailable
reset               warm          hit           hit           hit           hit
reset               expired       sdk           AccessDenied  stale         stale
reset               bound passed  sdk           AccessDenied  Throttled     Unavailable
hang                cold          sdk           AccessDenied  Throttled     Unavailable
hang                warm          hit           hit           hit           hit
hang                expired       sdk           AccessDenied  stale         stale
hang                bound passed  sdk           AccessDenied  Throttled     Unavailable
slow drip           cold          sdk           AccessDenied  Throttled     Unavailable
slow drip           warm          hit           hit           hit           hit
slow drip           expired       sdk           AccessDenied  stale         stale
slow drip           bound passed  sdk           AccessDenied  Throttled     Unavailable
truncated body      cold          sdk           AccessDenied  Throttled     Unavailable
truncated body      warm          hit           hit           hit           hit
truncated body      expired       sdk           AccessDenied  stale         stale
truncated body      bound passed  sdk           AccessDenied  Throttled     Unavailable
wrong JSON          cold          sdk           AccessDenied  Throttled     Unavailable
wrong JSON          warm          hit           hit           hit           hit
wrong JSON          expired       sdk           AccessDenied  stale         stale
wrong JSON          bound passed  sdk           AccessDenied  Throttled     Unavailable
chunked             cold          extension     extension     extension     extension
chunked             warm          hit           hit           hit           hit
chunked             expired       extension     extension     extension     extension
chunked             bound passed  extension     extension     extension     extension
60 KB value         cold          extension     extension     extension     extension
60 KB value         warm          hit           hit           hit           hit
60 KB value         expired       extension     extension     extension     extension
60 KB value         bound passed  extension     extension     extension     extension
connection refused  cold          sdk           AccessDenied  Throttled     Unavailable
connection refused  warm          hit           hit           hit           hit
connection refused  expired       sdk           AccessDenied  stale         stale
connection refused  bound passed  sdk           AccessDenied  Throttled     Unavailable
port unused         cold          sdk           AccessDenied  Throttled     Unavailable
port unused         warm          hit           hit           hit           hit
port unused         expired       sdk           AccessDenied  stale         stale
port unused         bound passed  sdk           AccessDenied  Throttled     Unavailable
"""
CELLS = {
    (fault, state, sdk): outcome
    for fault, state, *outcomes in (
        re.split(r" {2,}", row) for row in TABLE.strip().splitlines()[1:]
    )
    for sdk, outcome in zip(SDK, outcomes, strict=True)
}
# The port of tcpmux, which no test's server is given.
UNUSED_PORT = 1
# Where the SDK hangs, all the time there is; where the extension does, its part of it.
HANGS_SECONDS = 0.2
EXTENSION_HANGS_SECONDS = 0.1
# Where nobody hangs, the time is no part of the outcome; nobody's failing may take half of it.
ELSE_SECONDS = 60.0


def test_the_table_has_every_cell() -> None:
    assert set(CELLS) == set(product(EXTENSION, STATES, SDK))
    assert len(CELLS) == 208


def seconds_of(fault: str, sdk: str) -> float:
    answers = fault in ("chunked", "60 KB value")
    return HANGS_SECONDS if sdk == "hangs" and not answers else ELSE_SECONDS


class Context:
    """Lambda's context object, with so much time left."""

    def __init__(self, seconds: float) -> None:
        self._millis = int((seconds + client_module._RESERVE_SECONDS) * 1000)  # noqa: SLF001

    def get_remaining_time_in_millis(self) -> int:
        return self._millis


@dataclass
class Setup:
    """A client, and all that it depends on."""

    extension: Server
    aws: Aws
    clock: Clock
    monkeypatch: pytest.MonkeyPatch
    refused_port: int

    def script(self, fault: str | None, sdk: str) -> None:
        answer = EXTENSION[fault] if fault else scripted.http(200, BODY)
        self.extension.script(answer or scripted.hang)
        self.aws.script(SDK[sdk])
        port = self.extension.port
        if answer is None:
            port = self.refused_port if fault == "connection refused" else UNUSED_PORT
        self.monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(port))


@pytest.fixture
def setup(
    extension: Server, aws: Aws, running_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setup]:
    monkeypatch.setattr(extension_retries, "_READY_SECONDS", 0.05)
    # The second of an expired value is the context's time here.
    monkeypatch.setattr(loading, "_STALE_SECONDS", ELSE_SECONDS)
    with scripted.bound_port() as bound:
        yield Setup(extension, aws, running_clock, monkeypatch, bound.getsockname()[1])


ask_extension = extension_module.from_extension


class Asked:
    """Asks the extension, for a short time if wanted, and counts."""

    def __init__(self, *, briefly: bool) -> None:
        self.times, self._briefly = 0, briefly

    def __call__(
        self, question: extension_module.Question, token: str, deadline: float, *_: object
    ) -> Value:
        self.times += 1
        if self._briefly:
            now = deadline - extension_module._remaining(deadline)  # noqa: SLF001
            deadline = min(deadline, now + EXTENSION_HANGS_SECONDS)
        return ask_extension(question, token, deadline)


@pytest.mark.parametrize(("fault", "state", "sdk"), CELLS)
def test_each_pair_of_faults_has_its_outcome(
    setup: Setup, fault: str, state: str, sdk: str
) -> None:
    client = SecretClient(cache_seconds=CACHE_SECONDS, make_client=setup.aws.client)
    setup.script(None, "works")
    moved = STATES[state]
    first = None
    if moved is not None:
        first = client.get_secret(NAME)
        setup.clock.move(moved)

    setup.script(fault, sdk)
    asked = Asked(briefly=fault in ("hang", "slow drip"))
    with pytest.MonkeyPatch.context() as patch:
        for module in (client_module, extension_retries):
            patch.setattr(module, "from_extension", asked)
        start = time.monotonic()
        outcome = outcome_of(asked, client, first, Context(seconds_of(fault, sdk)))
    assert outcome == CELLS[fault, state, sdk]
    assert time.monotonic() - start < ELSE_SECONDS / 2

    setup.script(None, "works")
    if outcome == "hit":
        assert client.get_secret(NAME) is first
        assert setup.extension.requests == []
    setup.clock.move(CACHE_SECONDS)
    again = client.get_secret(NAME)
    assert (again.text, again.source) == (GOOD, "extension")


def outcome_of(asked: Asked, client: SecretClient, first: Value | None, context: Context) -> str:
    failure = None
    try:
        value = client.get_secret(NAME, context=context)
    except SecretError as error:
        failure = error
    if failure is not None:
        assert CANARY not in scripted.told(failure)
        assert TOKEN not in scripted.told(failure)
        assert str(failure).startswith(f"{NAME}: ")
        return type(failure).__name__
    assert value.text in (GOOD, LONG)
    assert CANARY not in repr(value)
    if value is not first:
        return value.source
    return "stale" if asked.times else "hit"

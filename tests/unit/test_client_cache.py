"""What the retrieval client caches, and for how long."""

import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from secret_client import SecretClient, Throttled, Unavailable, Value, loading
from secret_client import client as client_module
from tests import scripted
from tests.scripted import CANARY, Aws, Clock, Server
from tests.unit.client_support import ARN, BROKEN, DOWN, threads, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable


def test_everything_that_selects_a_value_tells_its_entry_apart(extension: Server) -> None:
    def answer(request: scripted.Request, connection: Any) -> None:
        then = scripted.secret if request.target.startswith("/secrets") else scripted.parameter
        then(request.target)(request, connection)

    extension.script(answer)
    client = SecretClient()
    reads: list[Callable[[], Value]] = [
        lambda: client.get_secret("x"),
        lambda: client.get_secret("y"),
        lambda: client.get_secret("x", version_id="1"),
        lambda: client.get_secret("x", version_stage="1"),
        lambda: client.get_secret("x", version_id="1", version_stage="1"),
        lambda: client.get_secret("x", version_stage="AWSCURRENT"),
        lambda: client.get_parameter("x"),
        lambda: client.get_parameter("x", version=1),
        lambda: client.get_parameter("x", label="1"),
        lambda: client.get_parameter("x", decrypt=False),
    ]
    first = [read().text for read in reads]
    assert len(set(first)) == len(reads)
    assert [read().text for read in reads] == first
    assert len(extension.requests) == len(reads)


def test_two_clients_share_nothing(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    one = SecretClient(make_client=aws.client, cache_seconds=300)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "another")
    two = SecretClient(make_client=aws.client, cache_seconds=0)
    extension.script(scripted.secret("one"), scripted.secret("two"))
    assert [client.get_secret("s").text for client in (one, two)] == ["one", "two"]
    sent = [each.header("X-Aws-Parameters-Secrets-Token") for each in extension.requests]
    assert sent == [scripted.TOKEN, "another"]
    assert one.get_secret("s").text == "one"
    assert [value.text for value in one.values_read()] == ["one"]
    extension.script(scripted.http(401, scripted.BAD_TOKEN))
    assert two.get_secret("s").source == "sdk"  # asks the extension no more
    extension.script(scripted.secret("three"))
    assert (one.get_secret("t").source, two.get_secret("t").source) == ("extension", "sdk")


def test_the_oldest_entry_makes_room(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock
) -> None:
    monkeypatch.setattr(client_module, "_MAX_ENTRIES", 3)
    client = SecretClient(cache_seconds=300)
    for name in "abcd":
        client.get_secret(name)
    for name in "dcb":
        client.get_secret(name)
    assert [request.query["secretId"] for request in extension.requests] == list("abcd")
    client.get_secret("a")
    assert len(extension.requests) == 5
    clock.move(201)
    client.get_secret("a")  # anew, and evicts none
    assert len(client._entries) == 3  # noqa: SLF001


def test_what_was_read_is_kept_once_however_often_it_is_read(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    monkeypatch.setattr(client_module, "_MAX_ENTRIES", 3)
    client = SecretClient(cache_seconds=0)
    assert client.values_read() == ()
    for _ in range(5):
        client.get_secret("s")
    assert [value.text for value in client.values_read()] == [CANARY]
    extension.script(*(scripted.secret(str(number)) for number in range(9)))
    for _ in range(9):
        client.get_secret("s")
    assert [value.text for value in client.values_read()] == ["6", "7", "8"]


def test_what_is_read_all_the_time_is_not_forgotten_first(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    monkeypatch.setattr(client_module, "_MAX_ENTRIES", 3)
    client = SecretClient(cache_seconds=0)
    client.values_read()
    extension.script(*(scripted.secret(text) for text in "hahbhchdhe"))
    for _ in range(10):
        client.get_secret("s")
    assert [value.text for value in client.values_read()] == ["d", "h", "e"]


def test_a_value_is_asked_for_anew_after_two_thirds_of_its_time(
    extension: Server, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=150)
    first = client.get_secret("s")
    clock.move(95)
    assert client.get_secret("s") is first
    clock.move(6)
    assert client.get_secret("s") is not first
    assert len(extension.requests) == 2


def test_no_cache_time_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    monkeypatch.setenv("SECRETS_CACHE_SECONDS", "0")
    client = SecretClient(make_client=aws.client)
    client.get_secret("s")
    client.get_secret("s")
    assert len(extension.requests) == 2
    extension.script(BROKEN)
    aws.script(DOWN)
    with pytest.raises(Unavailable):
        client.get_secret("s")


def test_a_stale_value_is_asked_for_again_a_second_later_and_ends_with_its_bound(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=150, make_client=aws.client)
    first = client.get_secret("s")
    extension.script(BROKEN)
    aws.script(DOWN)
    clock.move(120)
    for _ in range(5):
        assert client.get_secret("s") is first
    assert len(extension.requests) == 1
    for _ in range(2):
        clock.move(0.6)
        assert client.get_secret("s") is first
    assert len(extension.requests) == 2
    clock.move(28.4)  # 149.6: asked, and served for no second more
    assert client.get_secret("s") is first
    clock.move(0.5)
    with pytest.raises(Unavailable):
        client.get_secret("s")


def test_nothing_served_is_older_than_both_times_together(extension: Server, clock: Clock) -> None:
    kept_seconds, cache_seconds = 200.0, 100.0
    kept: list[float] = []

    def answer(request: scripted.Request, connection: Any) -> None:
        """Answer with the time at which AWS was asked, and keep that as the extension does."""
        if not kept or clock() - kept[-1] >= kept_seconds:
            kept.append(clock())
        scripted.secret(str(kept[-1]))(request, connection)

    client = SecretClient(cache_seconds=cache_seconds, make_client=lambda *_: Down())
    ages = []
    for number in range(600):
        extension.script(BROKEN if number // 13 % 2 else answer)  # for 91 seconds each
        with suppress(Unavailable):
            ages.append(clock() - float(client.get_secret("s").text))
        clock.move(7)
    assert max(ages) <= kept_seconds + cache_seconds
    assert max(ages) > kept_seconds + cache_seconds * 2 / 3  # else nothing stale was served


def test_a_value_whose_bound_passes_while_it_is_asked_for_anew_is_served_no_more(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    def answer(request: scripted.Request, connection: Any) -> None:
        clock.move(31)
        BROKEN(request, connection)

    client = SecretClient(cache_seconds=150, make_client=aws.client)
    client.get_secret("s")
    clock.move(120)
    extension.script(answer)
    with pytest.raises(Unavailable):
        client.get_secret("s")


class Down:
    """An SDK whose region does not answer."""

    def get_secret_value(self, **_: object) -> None:
        raise ConnectionError("down")


def test_refresh_goes_round_the_extension_and_is_kept(extension: Server, aws: Aws) -> None:
    aws.script(scripted.aws_secret("new", "version-2"))
    client = SecretClient(make_client=aws.client)
    client.get_secret("s")
    new = client.get_secret("s", refresh=True)
    assert (new.text, new.source, new.version) == ("new", "sdk", "version-2")
    assert client.get_secret("s") is new
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_what_a_refresh_found_is_not_undone_by_the_extensions_cache(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=150, make_client=aws.client)
    assert client.get_secret("s").version == "version-1"  # which the extension keeps
    aws.script(scripted.aws_secret("new", "version-2"))
    client.get_secret("s", refresh=True)
    for _ in range(2):
        clock.move(110)
        assert client.get_secret("s").text == "new"
    assert (len(extension.requests), len(aws.requests)) == (1, 3)
    extension.script(scripted.secret("new", VersionId="version-2"))
    clock.move(110)  # 330 seconds later, the extension has let go of it
    assert client.get_secret("s").source == "extension"


def test_a_refresh_without_a_value_at_hand_goes_round_the_extension_afterwards_too(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=0, make_client=aws.client)
    client.get_secret("s", refresh=True)
    assert client.get_secret("s").source == "sdk"
    clock.move(301)
    assert client.get_secret("s").source == "extension"
    assert len(extension.requests) == 1


def test_a_refresh_that_found_nothing_new_leaves_the_extension_in_use(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    client = SecretClient(cache_seconds=150, make_client=aws.client)
    client.get_secret("s")
    client.get_secret("s", refresh=True)
    clock.move(110)
    assert client.get_secret("s").source == "extension"
    assert len(extension.requests) == 2


@pytest.mark.parametrize("first", ["extension", "sdk"])
def test_the_extensions_answer_during_a_refresh_does_not_undo_it(
    extension: Server, aws: Aws, clock: Clock, first: str
) -> None:
    """Asked for later, and yet older: the extension has it from before."""
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    client.get_secret("s")
    clock.move(120)
    slow, old = threading.Event(), threading.Event()
    aws.script(scripted.gated(slow, scripted.aws_secret("new", "version-2")))
    with threads(1, lambda: client.get_secret("s", refresh=True)) as refreshed:
        wait_until(lambda: len(aws.requests) == 1)
        extension.script(scripted.gated(old, scripted.secret("old")))
        with threads(1, lambda: client.get_secret("s")) as read:
            wait_until(lambda: len(extension.requests) == 1)
            order = [(old, read), (slow, refreshed)]
            for gate, ran in order if first == "extension" else reversed(order):
                gate.set()
                wait_until(lambda: bool(ran.outcomes))  # noqa: B023 (called in this round)
    assert client.get_secret("s").text == "new"


def test_refresh_never_answers_with_the_old_value(extension: Server, aws: Aws) -> None:
    client = SecretClient(make_client=aws.client)
    old = client.get_secret("s")
    aws.script(scripted.aws_error("ThrottlingException"))
    with pytest.raises(Throttled):
        client.get_secret("s", refresh=True)
    assert client.get_secret("s") is old
    assert len(extension.requests) == 1


@pytest.mark.parametrize("failing", [False, True])
def test_an_older_question_does_not_undo_a_refresh(
    monkeypatch: pytest.MonkeyPatch,
    extension: Server,
    aws: Aws,
    clock: Clock,
    *,
    failing: bool,
) -> None:
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    client.get_secret("s")
    clock.move(120)
    gate = threading.Event()
    # A question while an old value is good ends after a second; the refresh is not to wait for it.
    monkeypatch.setattr(loading, "_STALE_SECONDS", 60)
    extension.script(scripted.gated(gate, BROKEN if failing else scripted.secret("old")))
    with threads(1, lambda: client.get_secret("s").text):
        wait_until(lambda: len(extension.requests) == 1)
        clock.move(1)
        aws.script(scripted.aws_secret("new"))
        try:
            with threads(1, lambda: client.get_secret("s", refresh=True).text) as refreshed:
                wait_until(lambda: bool(refreshed.outcomes))
            assert refreshed.outcomes == ["new"]
            aws.script(scripted.aws_error("ThrottlingException"))
        finally:
            gate.set()
    assert client.get_secret("s").text == "new"


def test_a_cold_read_that_began_earlier_does_not_undo_a_refresh(
    extension: Server, aws: Aws
) -> None:
    client = SecretClient(make_client=aws.client, timeout_seconds=60)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret("old")))
    aws.script(scripted.aws_secret("new", "version-2"))
    with threads(1, lambda: client.get_secret("s").text) as cold:
        wait_until(lambda: len(extension.requests) == 1)
        client.get_secret("s", refresh=True)
        gate.set()
    assert cold.outcomes == ["old"]
    assert client.get_secret("s").text == "new"


def test_a_refresh_by_name_is_seen_by_arn_and_by_stage(extension: Server) -> None:
    def get_secret_value(**_: object) -> dict[str, str]:
        return {"Name": "s", "ARN": ARN, "VersionId": "version-2", "SecretString": "new"}

    extension.script(scripted.secret(ARN=ARN))
    sdk = SimpleNamespace(get_secret_value=get_secret_value)
    client = SecretClient(make_client=lambda *_: sdk)
    names: list[dict[str, Any]] = [{"secret_id": ARN}, {"secret_id": "s", "version_stage": "X"}]
    for name in names:
        assert client.get_secret(**name).version == "version-1"
    client.get_secret("s", refresh=True)
    for name in [*names, {"secret_id": "s:partial"}]:
        assert client.get_secret(**name).text == "new"


def test_memory_is_bounded_by_bytes(extension: Server) -> None:
    texts = (str(number) + "x" * 65_000 for number in range(1000))

    def answer(request: scripted.Request, connection: Any) -> None:
        scripted.secret(next(texts), VersionId=request.query["secretId"])(request, connection)

    extension.script(answer)
    client = SecretClient(cache_seconds=600)
    for number in range(150):
        client.get_secret(str(number))
    size = sum(len(entry.value.text) for entry in client._entries.values())  # noqa: SLF001
    assert 6_000_000 < size < client_module._MAX_BYTES  # noqa: SLF001
    assert client.values_read()
    for number in range(150, 300):
        client.get_secret(str(number))
    assert sum(len(value.text) for value in client.values_read()) < client_module._MAX_BYTES  # noqa: SLF001
    client.get_secret("299")
    assert len(extension.requests) == 300

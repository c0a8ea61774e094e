"""The retrieval client against a scripted extension and a scripted AWS on real sockets."""

import copy
import json
import logging
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)

import secret_client
import secret_extension
import secret_sdk
from secret_client import (
    AccessDenied,
    DecryptionFailed,
    InvalidValue,
    SecretClient,
    SecretError,
    SecretNotFound,
    Throttled,
    Unavailable,
    Value,
)
from secret_redaction import RedactValues
from tests import scripted
from tests.scripted import CANARY, TOKEN, Answer, Aws, Clock, Server

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:app/database-AbCdEf"
REPLICAS = ("eu-west-1", "us-east-1")
BROKEN = scripted.http(400, scripted.GENERIC)
DOWN = scripted.aws_error("ServiceUnavailable", status=503)
PORT = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"


def value_of(text: str | None = None, binary: bytes | None = None) -> Value:
    return Value(
        text, binary, name="s", arn="arn", version="v", stages=("AWSCURRENT",), source="sdk"
    )


# --- what is asked -------------------------------------------------------------------------------


def test_it_asks_as_the_extension_wants_to_be_asked(extension: Server) -> None:
    assert SecretClient().get_secret("a/b").text == CANARY
    (request,) = extension.requests
    assert request.head.split("\r\n")[0] == "GET /secretsmanager/get?secretId=a%2Fb HTTP/1.0"
    assert request.header("X-Aws-Parameters-Secrets-Token") == TOKEN
    assert request.header("Host") == "127.0.0.1"


@pytest.mark.parametrize(
    ("secret_id", "encoded"),
    [
        ("a/b+c=d@e.f-g_h~", "a%2Fb%2Bc%3Dd%40e.f-g_h~"),
        ("secret:é", "secret%3A%C3%A9"),
        ("a b&versionStage=X\r\nHost: evil", "a%20b%26versionStage%3DX%0D%0AHost%3A%20evil"),
        (ARN, ARN.replace(":", "%3A").replace("/", "%2F")),
    ],
)
def test_every_reserved_character_is_percent_encoded(
    extension: Server, secret_id: str, encoded: str
) -> None:
    SecretClient().get_secret(secret_id)
    assert extension.requests[0].target == f"/secretsmanager/get?secretId={encoded}"
    assert "evil" not in (extension.requests[0].header("Host") or "")


def test_version_and_stage_of_a_secret_are_part_of_the_question(extension: Server) -> None:
    SecretClient().get_secret("s", version_id="v/1", version_stage="AWSPREVIOUS")
    assert extension.requests[0].query == {
        "secretId": "s",
        "versionId": "v/1",
        "versionStage": "AWSPREVIOUS",
    }


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {"withDecryption": "true"}),
        ({"decrypt": False}, {}),
        ({"version": 7}, {"version": "7", "withDecryption": "true"}),
        ({"label": "Dev/1"}, {"label": "Dev/1", "withDecryption": "true"}),
    ],
)
def test_version_label_and_decryption_of_a_parameter_are_part_of_the_question(
    extension: Server, arguments: dict[str, Any], query: dict[str, str]
) -> None:
    extension.script(scripted.parameter("text", version=7))
    value = SecretClient().get_parameter("/app/url", **arguments)
    (request,) = extension.requests
    assert request.target.split("?")[0] == "/systemsmanager/parameters/get"
    assert request.query == {"name": "/app/url", **query}
    assert (value.name, value.text, value.version, value.stages) == ("/app/url", "text", "7", ())


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {"Name": "/p", "WithDecryption": True}),
        ({"decrypt": False}, {"Name": "/p", "WithDecryption": False}),
        ({"version": 7}, {"Name": "/p:7", "WithDecryption": True}),
        ({"label": "Dev"}, {"Name": "/p:Dev", "WithDecryption": True}),
    ],
)
def test_the_sdk_is_asked_for_the_same_parameter(
    extension: Server, aws: Aws, arguments: dict[str, Any], asked: dict[str, Any]
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_parameter("text", version=7))
    value = SecretClient(make_client=aws.client).get_parameter("/p", **arguments)
    assert (value.text, value.version, value.source) == ("text", "7", "sdk")
    assert [request.json for request in aws.requests] == [asked]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, {"SecretId": "s"}),
        (
            {"version_id": "v" * 32, "version_stage": "X"},
            {"SecretId": "s", "VersionId": "v" * 32, "VersionStage": "X"},
        ),
    ],
)
def test_the_sdk_is_asked_for_the_same_secret(
    extension: Server, aws: Aws, arguments: dict[str, Any], asked: dict[str, Any]
) -> None:
    extension.script(BROKEN)
    value = SecretClient(make_client=aws.client).get_secret("s", **arguments)
    assert (value.text, value.source) == (CANARY, "sdk")
    assert [request.json for request in aws.requests] == [asked]


def test_token_and_port_are_read_in_the_call_and_not_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    port = os.environ[PORT]
    monkeypatch.delenv(PORT)
    client = SecretClient(cache_seconds=0)
    monkeypatch.setenv(PORT, port)
    for token in ("one", "two"):
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        client.get_secret("s")
    asked = [request.header("X-Aws-Parameters-Secrets-Token") for request in extension.requests]
    assert asked == ["one", "two"]


def test_default_port_is_the_extensions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def request(*arguments: object) -> None:  # 2773 cannot be listened on safely here
        asked.extend(arguments[:2])
        raise ConnectionRefusedError

    monkeypatch.delenv(PORT, raising=False)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setattr(secret_extension, "_request", request)
    with pytest.raises(secret_client.SecretError):
        SecretClient(make_client=lambda *_: None).get_secret("s")
    assert asked == ["127.0.0.1", 2773]


@pytest.mark.parametrize("port", ["70000", "-1", "none"])
def test_a_port_that_is_none_leaves_the_sdk(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, port: str
) -> None:
    monkeypatch.setenv(PORT, port)
    assert SecretClient(make_client=aws.client).get_secret("s").source == "sdk"
    assert extension.requests == []


@pytest.mark.parametrize("name", [None, b"s", 5, "\ud800"])
def test_a_name_that_is_no_text_is_named_and_nobody_is_asked(
    extension: Server, aws: Aws, name: Any
) -> None:
    client = SecretClient(make_client=aws.client)
    with pytest.raises(InvalidValue, match=r"secretId=\S+ is no text: is an environment variable"):
        client.get_secret(name)
    stage: Any = 5 if name is None else name
    with pytest.raises(InvalidValue, match=r"^versionStage=\S+ is no text") as raised:
        client.get_secret("s", version_stage=stage)
    assert str(raised.value).isascii()
    with pytest.raises(InvalidValue, match=r"name=\S+ is no text"):
        client.get_parameter(name)
    assert (extension.requests, aws.requests) == ([], [])


# --- what is answered ----------------------------------------------------------------------------


def test_a_value_tells_where_it_is_from_and_which_it_is(extension: Server) -> None:
    extension.script(scripted.secret("x", VersionStages=["AWSCURRENT", "mine"]))
    value = SecretClient().get_secret("app/database")
    assert (value.name, value.arn, value.version) == ("app/database", ARN, "version-1")
    assert (value.stages, value.source) == (("AWSCURRENT", "mine"), "extension")


@pytest.mark.parametrize("stages", [None, []])
def test_a_version_without_a_stage_can_be_read(extension: Server, stages: object) -> None:
    extension.script(scripted.secret("x", VersionStages=stages))
    value = SecretClient().get_secret("s", version_id="old")
    assert (value.text, value.stages, value.source) == ("x", (), "extension")


def test_binary_is_the_same_from_the_extension_and_from_the_sdk(
    extension: Server, aws: Aws
) -> None:
    bits = bytes(range(256))
    extension.script(scripted.secret(None, SecretBinary=scripted.encoded(bits)))
    aws.script(scripted.aws_secret(None, SecretBinary=scripted.encoded(bits)))
    client = SecretClient(make_client=aws.client)
    for value in (client.get_secret("s"), client.get_secret("s", refresh=True)):
        assert value.binary == bits
        for read in (lambda: value.text, lambda: value.json):  # noqa: B023 (read in this round)
            with pytest.raises(
                InvalidValue, match=r"^s: the value is binary; read it as `binary`$"
            ):
                read()


def test_text_is_bytes_too() -> None:
    assert value_of("é").binary == "é".encode()


def test_a_value_of_64_kib_arrives_whole(extension: Server) -> None:
    extension.script(scripted.secret("é" * 32_768))
    assert SecretClient().get_secret("s").text == "é" * 32_768


@pytest.mark.parametrize(
    "text", ["plain text", "[1]", '"text"', "{", "null", "[" * 30_000, '{"a":' * 30_000]
)
def test_text_that_is_no_json_object_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        _ = value_of(text).json
    assert str(raised.value) == "s: the value is not a JSON object; read it as `text`"
    assert raised.value.__context__ is None


def test_no_caller_can_change_what_the_next_one_gets(extension: Server) -> None:
    extension.script(scripted.secret('{"a": {"b": [1, {"c": 2}]}}'))
    client = SecretClient()
    value: Any = client.get_secret("s")
    assert value.json["a"]["b"] == (1, {"c": 2})
    changes: list[Callable[[], object]] = [
        lambda: value.json.__setitem__("a", 1),
        lambda: value.json["a"].pop("b"),
        lambda: value.json["a"]["b"].append(1),
        lambda: value.json["a"]["b"][1].update(c=3),
        lambda: setattr(value, "name", "other"),
        lambda: setattr(value, "_text", "other"),
        lambda: setattr(value, "new", "other"),
        lambda: delattr(value, "_text"),
        lambda: value.stages.append("x"),
    ]
    for change in changes:
        with pytest.raises((AttributeError, TypeError)):
            change()
    assert client.get_secret("s") is value
    assert value.json is value.json
    assert value.json == {"a": {"b": (1, {"c": 2})}}


def test_repr_shows_everything_but_the_value() -> None:
    shown = "<Value of s, version v, from the sdk>"
    value = value_of(CANARY)
    assert [repr(value), str(value), f"{value}", f"{[value]}"] == [shown] * 3 + [f"[{shown}]"]


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_value_is_not_to_be_pickled_or_copied(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="not to be pickled: it holds a secret"):
        write(value_of(CANARY))


# --- as an object --------------------------------------------------------------------------------


class Base:
    host: str
    port: int = 5432


class Database(Base):
    password: "str"
    ratio: "float | None" = None
    tags: "list[int | str]" = []  # noqa: RUF012 (as a user may write it)
    extra: dict[str, Any] | None = None
    enabled: bool = True


def read(kind: type, **fields: object) -> Any:
    made: Any = value_of(json.dumps(fields)).as_object(kind)
    return made


def test_json_is_read_as_an_object_of_a_plain_class() -> None:
    made: Any = read(Database, host="h", password=CANARY, ratio=1, tags=["x"], extra={"a": 1})
    assert (type(made), made.tags) == (Database, ("x",))
    assert (made.host, made.port, made.password) == ("h", 5432, CANARY)
    assert (made.ratio, made.extra, made.enabled) == (1, {"a": 1}, True)


def test_what_is_missing_or_of_another_type_is_named_without_its_value() -> None:
    with pytest.raises(InvalidValue) as raised:
        read(Database, port=CANARY, ratio=CANARY, tags=5, extra=[CANARY], enabled=1, other=CANARY)
    assert str(raised.value) == (
        "s: host is missing, port is not int, password is missing, ratio is not float | None,"
        " tags is not list[int | str], extra is not dict[str, typing.Any] | None,"
        " enabled is not bool"
    )
    assert CANARY not in scripted.told(raised.value)


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (str, ["x", ""], [1, None, True, [], {}]),
        (int, [1, 0], [1.5, True, "1", None]),
        (float, [1.5, 1], [True, "1", None]),
        (bool, [True, False], [1, 0, "true", None]),
        (dict, [{}, {"a": 1}], [[], "x", None]),
        (list, [[], [1]], [{}, "x", None]),
        (str | None, ["x", None], [1, False]),
        ("str|int", ["x", 1], [None, 1.5]),
        ("list[str | int] | None", [[1], None], ["x", 1]),
        ("dict[str, int | str | bool]", [{}], ["x", 1, True]),
        (Any, ["x", 1, None, [], {}], []),
        ("typing.Any", ["x", 1, None], []),
    ],
)
def test_every_annotation_takes_its_own_type_and_no_other(
    annotation: object, right: list[object], wrong: list[object]
) -> None:
    kind = type("Kind", (), {"__annotations__": {"field": annotation}})
    for value in right:
        expected = tuple(value) if isinstance(value, list) else value
        assert read(kind, field=value).field == expected
    for value in wrong:
        with pytest.raises(InvalidValue, match=r"^s: field is not "):
            read(kind, field=value)


def test_a_subclass_may_annotate_a_field_anew() -> None:
    class Narrow(Base):
        port: str  # type: ignore[assignment]

    assert read(Narrow, host="h", port="http").port == "http"


def test_a_dataclass_is_read_too_and_a_slot_is_no_default() -> None:
    @dataclass(frozen=True)
    class Frozen:
        host: str
        port: int = 1

    @dataclass(slots=True)
    class Slotted:
        host: str

    assert read(Frozen, host="h") == Frozen("h", 1)
    assert read(Slotted, host="h") == Slotted("h")
    with pytest.raises(InvalidValue, match=r"^s: host is missing$"):
        read(Slotted)


# --- the cache -----------------------------------------------------------------------------------


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


def test_the_oldest_entry_makes_room(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock
) -> None:
    monkeypatch.setattr(secret_client, "_MAX_ENTRIES", 3)
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
    assert len(client._cache) == 3  # noqa: SLF001


def test_what_was_read_is_kept_once_however_often_it_is_read(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    monkeypatch.setattr(secret_client, "_MAX_ENTRIES", 3)
    client = SecretClient(cache_seconds=0)
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
    monkeypatch.setattr(secret_client, "_MAX_ENTRIES", 3)
    client = SecretClient(cache_seconds=0)
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
    monkeypatch.setattr(secret_client, "_STALE_SECONDS", 60)
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


# --- threads -------------------------------------------------------------------------------------


class threads:  # noqa: N801 (a context manager, read as a word)
    """Runs a call in so many threads, and joins them."""

    def __init__(self, count: int, call: Callable[[], object]) -> None:
        self.outcomes: list[object] = []
        self._call = call
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def _run(self) -> None:
        try:
            self.outcomes.append(self._call())
        except Exception as error:  # noqa: BLE001 (an outcome, too)
            self.outcomes.append(error)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.002)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The deadlines until which threads have begun to wait for another one's answer."""
    deadlines: list[float] = []
    wait = secret_extension.Flight.wait

    def noted(flight: secret_extension.Flight, deadline: float) -> Any:
        deadlines.append(deadline)
        return wait(flight, deadline)

    monkeypatch.setattr(secret_extension.Flight, "wait", noted)
    return deadlines


def test_of_50_threads_at_an_expired_entry_one_asks_and_49_get_the_old_value_at_once(
    monkeypatch: pytest.MonkeyPatch, extension: Server, clock: Clock
) -> None:
    monkeypatch.setattr(secret_client, "_STALE_SECONDS", 60)
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
        with pytest.raises(Unavailable, match=r"^s: no answer to another thread; in a VPC"):
            client.get_secret("s", context=left(0.05))
        gate.set()
    assert ran.outcomes == ["x"]


class Ended(BaseException):
    """As KeyboardInterrupt and SystemExit, which no test should raise in earnest."""


def ended(*_: object) -> None:
    raise Ended


def test_what_ends_the_thread_that_asks_ends_it_and_those_who_wait_are_told(
    extension: Server, waiting: list[float]
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, BROKEN))
    client = SecretClient(make_client=ended, timeout_seconds=60)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            client.get_secret("s")
        except BaseException as error:  # noqa: BLE001 (an outcome)
            raised.append(error)

    with threads(5, ask):
        wait_until(lambda: len(waiting) == 4)
        gate.set()
    assert sorted(type(error).__name__ for error in raised) == ["Ended"] + ["Unavailable"] * 4
    extension.script(scripted.secret())
    assert client.get_secret("s").text == CANARY


def test_what_ends_a_thread_before_it_asks_leaves_the_name_free(
    monkeypatch: pytest.MonkeyPatch, extension: Server
) -> None:
    client = SecretClient()
    lock = client._lock  # noqa: SLF001

    class Interrupted:
        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()
            raise Ended

    monkeypatch.setattr(client, "_lock", Interrupted())
    with pytest.raises(Ended):
        client.get_secret("s")
    monkeypatch.setattr(client, "_lock", lock)
    assert client.get_secret("s").text == CANARY
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
    cache = Late(client._cache)  # noqa: SLF001
    monkeypatch.setattr(client, "_cache", cache)
    assert client.get_secret("s") is value
    assert (cache.looks, len(extension.requests)) == (2, 1)


def test_a_value_at_hand_takes_no_lock(monkeypatch: pytest.MonkeyPatch, extension: Server) -> None:
    extension.script(scripted.secret(), scripted.parameter())
    client = SecretClient()
    first = (client.get_secret("s"), client.get_parameter("/p"))
    monkeypatch.setattr(client, "_lock", None)
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


# --- time ----------------------------------------------------------------------------------------

# Half of the time that a client has here, which whoever fails or hangs does not take.
HALF_SECONDS = 30.0


def left(seconds: float) -> Any:
    millis = (seconds + secret_client._RESERVE_SECONDS) * 1000  # noqa: SLF001
    return SimpleNamespace(get_remaining_time_in_millis=lambda: millis)


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
    assert secret_client._STALE_SECONDS == 1  # noqa: SLF001
    monkeypatch.setattr(secret_client, "_STALE_SECONDS", 0.1)
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

    def ask(question: object, deadline: float) -> Value:
        del question
        times.append(deadline - clock())
        clock.move(times[0] if hangs else 1)
        raise TimeoutError

    def ask_sdk(
        _: SecretClient, question: object, regions: object, deadline: float, why: str
    ) -> Value:
        del question, regions, why
        times.append(deadline - clock())
        return value_of("from the sdk")

    monkeypatch.setattr(secret_client, "from_extension", ask)
    monkeypatch.setattr(SecretClient, "_from_sdk", ask_sdk)
    assert SecretClient(timeout_seconds=60).get_secret("s").text == "from the sdk"
    assert times == [pytest.approx(30), pytest.approx(30 if hangs else 59)]
    assert extension.requests == []


def test_not_ready_is_asked_again_until_ready(extension: Server, aws: Aws) -> None:
    not_ready = scripted.http(400, scripted.NOT_READY)
    extension.script(*[not_ready] * 5, scripted.secret())
    assert SecretClient(make_client=aws.client).get_secret("s").source == "extension"
    assert (len(extension.requests), aws.requests) == (6, [])


def test_less_than_10_milliseconds_are_lost_after_readiness() -> None:
    assert secret_extension._NOT_READY_PAUSE_SECONDS < 0.01  # noqa: SLF001


# --- rotation ------------------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818 (as the client names its own)
    """The database's words for: wrong password."""


class Rotated:
    """A service that takes certain passwords only."""

    def __init__(self, *right: str) -> None:
        self.right = right
        self.tried: list[str] = []

    def log_in(self, value: Value) -> str:
        self.tried.append(value.text)
        if value.text not in self.right:
            raise Refused(value.version)
        return f"with {value.text}"


def is_refused(error: Exception) -> bool:
    return isinstance(error, Refused)


@pytest.fixture
def rotating(extension: Server, aws: Aws) -> SecretClient:
    """v1 in the extension's cache, v2 current, v3 pending."""
    extension.script(scripted.secret("v1", VersionId="1"))
    current, pending = scripted.aws_secret("v2", "2"), scripted.aws_secret("v3", "3")
    aws.script(scripted.by_stage(AWSCURRENT=current, AWSPENDING=pending))
    return SecretClient(make_client=aws.client)


@pytest.mark.parametrize(
    ("right", "tried"), [("v1", ["v1"]), ("v2", ["v1", "v2"]), ("v3", ["v1", "v2", "v3"])]
)
def test_credentials_are_tried_as_cached_as_current_and_as_pending(
    rotating: SecretClient, right: str, tried: list[str]
) -> None:
    service = Rotated(right)
    used = rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert (used, service.tried) == (f"with {right}", tried)


def test_credentials_that_helped_once_come_first_the_next_time(rotating: SecretClient) -> None:
    rotating.with_fresh_credentials("s", Rotated("v2").log_in, is_refused)
    service = Rotated("v2")
    rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v2"]


def test_when_nothing_helps_the_last_refusal_is_raised(rotating: SecretClient) -> None:
    service = Rotated()
    with pytest.raises(Refused, match=r"^3$"):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1", "v2", "v3"]


def test_a_version_that_was_refused_is_not_tried_again(rotating: SecretClient, aws: Aws) -> None:
    aws.script(scripted.aws_secret("v1", "1"))
    service = Rotated()
    with pytest.raises(Refused, match=r"^1$"):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1"]


def test_another_error_of_the_use_passes_through_at_once(rotating: SecretClient, aws: Aws) -> None:
    def use(_: Value) -> None:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        rotating.with_fresh_credentials("s", use, is_refused)
    assert aws.requests == []


def test_when_nothing_can_be_read_that_is_the_error(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error("AccessDeniedException", "no"))
    service = Rotated()
    with pytest.raises(AccessDenied):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == []


def test_a_first_read_that_nobody_answered_is_tried_once_more(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN, scripted.secret("v1", VersionId="1"))
    aws.script(DOWN)
    service = Rotated("v1")
    used = rotating.with_fresh_credentials("s", service.log_in, is_refused, context=left(60))
    assert used == "with v1"
    assert (len(extension.requests), len(aws.requests)) == (2, 1)


def test_a_first_read_without_a_context_has_no_second_try(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN)
    with pytest.raises(Unavailable):
        rotating.get_secret("s")
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_later_read_that_nobody_answered_is_not_tried_again(
    rotating: SecretClient, aws: Aws, extension: Server, clock: Clock
) -> None:
    rotating.get_secret("s")
    extension.script(BROKEN)
    aws.script(DOWN)
    clock.move(300)
    with pytest.raises(Unavailable):
        rotating.get_secret("s", context=left(60))
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_first_read_of_a_parameter_is_tried_once_more_too(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN, scripted.parameter())
    aws.script(DOWN)
    assert rotating.get_parameter("/p", context=left(60)).source == "extension"
    assert (len(extension.requests), len(aws.requests)) == (2, 1)


def test_a_first_read_that_nobody_answered_twice_is_the_error(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN, scripted.aws_error("KMSInternalException"))
    service = Rotated()
    with pytest.raises(Unavailable, match=r"AWS answered 503") as raised:
        rotating.with_fresh_credentials("s", service.log_in, is_refused, context=left(60))
    (note,) = raised.value.__notes__
    assert "KMSInternalException" in note
    assert (service.tried, len(extension.requests), len(aws.requests)) == ([], 2, 2)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_first_read_that_was_answered_is_not_tried_again(
    rotating: SecretClient, aws: Aws, extension: Server, code: str
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error(code))
    with pytest.raises((AccessDenied, Throttled)):
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=left(60))
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_first_read_is_not_tried_again_without_time_left(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN)
    times = iter([60_000, 0])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(times))
    with pytest.raises(Unavailable, match=r"AWS answered 503") as raised:
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=context)
    assert raised.value.__notes__ == [
        "s: the invocation has no time left; raise the function's timeout"
    ]
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_when_nothing_newer_can_be_read_the_refusal_is_the_error(
    rotating: SecretClient, aws: Aws
) -> None:
    aws.script(scripted.aws_error("ResourceNotFoundException", "no"))
    with pytest.raises(Refused) as raised:
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused)
    assert str(raised.value) == "1"
    assert set(raised.value.__notes__) == {f"s: ResourceNotFoundException: no; {CHECK}"}


def test_a_rotation_that_ends_between_two_reads_is_not_noticed(
    rotating: SecretClient, aws: Aws
) -> None:
    """AWSCURRENT is read as v1 still, then the rotation ends, and nothing is pending any more."""
    missing = scripted.aws_error("ResourceNotFoundException")
    aws.script(scripted.aws_secret("v1", "1"), missing, scripted.aws_secret("v2", "2"))
    service = Rotated("v2")
    assert rotating.with_fresh_credentials("s", service.log_in, is_refused) == "with v2"
    assert service.tried == ["v1", "v2"]


def test_every_read_for_a_use_is_bound_by_the_context(rotating: SecretClient) -> None:
    asked = []

    def remaining() -> int:
        asked.append(1)
        return 60_000

    context = SimpleNamespace(get_remaining_time_in_millis=remaining)
    with pytest.raises(Refused):
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=context)
    assert len(asked) == 4


def test_pending_is_tried_when_current_cannot_be_read(rotating: SecretClient, aws: Aws) -> None:
    aws.script(
        scripted.by_stage(
            AWSCURRENT=scripted.aws_error("ThrottlingException"),
            AWSPENDING=scripted.aws_secret("v3", "3"),
        )
    )
    service = Rotated("v3")
    rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1", "v3"]


# --- regions -------------------------------------------------------------------------------------


def failing_over(aws: Aws, **answers: Answer) -> SecretClient:
    aws.script(scripted.by_region(**answers))
    return SecretClient(make_client=aws.client, replica_regions=REPLICAS)


def asked(aws: Aws) -> list[str]:
    return [request.region for request in aws.requests]


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
    wait = secret_extension.Flight.wait

    def wait_for_the_event_first(flight: secret_extension.Flight, deadline: float) -> Any:
        deadlines.append(deadline)
        if len(deadlines) > 1:
            return wait(flight, deadline)
        assert when.wait(60)
        return TimeoutError("no answer in time")

    monkeypatch.setattr(secret_extension.Flight, "wait", wait_for_the_event_first)
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


# --- SnapStart, and without boto3 ----------------------------------------------------------------


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
def test_without_a_token_the_extension_is_not_asked_but_the_sdk_is(
    monkeypatch: pytest.MonkeyPatch,
    credentials: Server,
    extension: Server,
    aws: Aws,
    answer: Answer,
) -> None:
    credentials.script(answer)
    if answer is scripted.hang:
        # Its time is the extension's, half of all.
        remaining = secret_extension._remaining  # noqa: SLF001
        monkeypatch.setattr(
            secret_extension, "_remaining", lambda deadline: min(0.1, remaining(deadline))
        )
    value = SecretClient(make_client=aws.client).get_secret("s")
    assert value.source == "sdk"
    assert extension.requests == []


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


@pytest.fixture
def _no_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)


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
        "other: the extension failed: status 400; its own line in this log tells why; boto3, in"
        " the package, would tell the cause (import of boto3 halted; None in sys.modules)"
    )
    with pytest.raises(Unavailable, match=r"^s: the extension may hold an older version; boto3,"):
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
    with pytest.raises(Unavailable, match=r"no session token: is this Lambda\?"):
        SecretClient().get_secret("s")


def test_boto3_gives_up_soon_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    made = secret_sdk._boto3_client("ssm", "eu-west-1")  # noqa: SLF001
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


# --- why it failed -------------------------------------------------------------------------------

GRANT = "grant the function's role the read, and see the resource policy of the secret"
KEY = "grant the role kms:Decrypt on the key, and see that the key is enabled"
OWN = "the credentials are bad: unset your own, or assign the function's role again"
RESTORE = "if it is marked for deletion: aws secretsmanager restore-secret"
CHECK = "check name, region, version and stage, and that a value was put"
QUOTA = "keep values longer, or have the account's quota raised"
NETWORK = "in a VPC, see its endpoints and their security groups; else AWS's health page"
CAUSES: list[tuple[int, str, str, type[SecretError], str]] = [
    (400, "ResourceNotFoundException", "can't find it.", SecretNotFound, CHECK),
    (400, "InvalidRequestException", "marked for deletion.", SecretNotFound, RESTORE),
    (400, "ParameterNotFound", "", SecretNotFound, CHECK),
    (400, "ParameterVersionNotFound", "", SecretNotFound, CHECK),
    (400, "AccessDeniedException", "not authorized to perform: x", AccessDenied, GRANT),
    (400, "ExpiredTokenException", "expired", AccessDenied, OWN),
    (400, "UnrecognizedClientException", "invalid", AccessDenied, OWN),
    (400, "InvalidSignatureException", "too old", AccessDenied, OWN),
    (400, "AccessDeniedException", "role/kms-user is not authorized", AccessDenied, GRANT),
    (400, "AccessDeniedException", "Access to KMS is not allowed", DecryptionFailed, KEY),
    (400, "AccessDeniedException", "to perform: kms:Decrypt on x", DecryptionFailed, KEY),
    (400, "AccessDeniedException", "The ciphertext refers to a key", DecryptionFailed, KEY),
    (400, "DecryptionFailure", "can't decrypt", DecryptionFailed, KEY),
    (400, "InvalidKeyId", "", DecryptionFailed, KEY),
    (400, "KMSDisabledException", "", DecryptionFailed, KEY),
    (400, "KMSThrottlingException", "", Throttled, QUOTA),
    (400, "KMSInternalException", "", Unavailable, NETWORK),
    (400, "ThrottlingException", "Rate exceeded", Throttled, QUOTA),
    (400, "TooManyRequestsException", "", Throttled, QUOTA),
    (500, "InternalServiceError", "", Unavailable, NETWORK),
    (503, "ServiceUnavailable", "", Unavailable, NETWORK),
    (400, "InvalidParameterException", "bad", InvalidValue, "see which name, version, stage or"),
    (400, "Unheard", "of", SecretError, "see the function's AWS_ variables, and boto3's version"),
]


@pytest.mark.parametrize(("status", "code", "message", "error", "step"), CAUSES)
def test_every_cause_has_its_exception_that_says_what_to_do(  # noqa: PLR0913, PLR0917
    extension: Server,
    aws: Aws,
    status: int,
    code: str,
    message: str,
    error: type[SecretError],
    step: str,
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error(code, message, status))
    with pytest.raises(SecretError) as raised:
        SecretClient(make_client=aws.client).get_secret("app/x")
    assert type(raised.value) is error
    text = str(raised.value)
    assert text.startswith("app/x: ")
    assert code in text
    assert message.rstrip(".") in text or status >= 500
    assert f"; {step}" in text


def test_what_boto3_refuses_to_ask_is_no_outage(extension: Server, aws: Aws) -> None:
    extension.script(BROKEN)
    with pytest.raises(InvalidValue, match=r"boto3 did not ask \(ParamValidationError: Param"):
        SecretClient(make_client=aws.client).get_secret("")
    assert aws.requests == []


@pytest.mark.parametrize(
    "answer",
    [scripted.reset, scripted.cut(b"{}"), scripted.http(200, b"{")],
    ids=["reset", "cut", "no JSON"],
)
def test_an_aws_that_answers_nonsense_is_unavailable(
    extension: Server, aws: Aws, answer: Answer
) -> None:
    extension.script(BROKEN)
    aws.script(answer)
    with pytest.raises(
        Unavailable,
        match=r"^s: the extension failed: status 400; .*; AWS did not answer \(.+\); in a VPC",
    ) as raised:
        SecretClient(make_client=aws.client).get_secret("s")
    assert CANARY not in scripted.told(raised.value)


DID_NOT_ASK: list[tuple[Exception, type[SecretError], str]] = [
    (NoRegionError(), SecretError, "see the function's AWS_ variables, and boto3's version"),
    (
        SSLError(endpoint_url="e", error=OSError("self-signed")),
        SecretError,
        "see the function's AWS_ ",
    ),
    (TypeError("get_secret_value() got an argument"), SecretError, "see the function's AWS_ "),
    (AttributeError("no get_secret_value"), SecretError, "see the function's AWS_ variables"),
    (NoCredentialsError(), AccessDenied, OWN),
    (PartialCredentialsError(provider="env", cred_var="X"), AccessDenied, OWN),
    (CredentialRetrievalError(provider="p", error_msg="m"), AccessDenied, OWN),
]
DID_NOT_ANSWER: list[Exception] = [
    EndpointConnectionError(endpoint_url="e"),
    ConnectTimeoutError(endpoint_url="e"),
    ReadTimeoutError(endpoint_url="e"),
    ConnectionClosedError(endpoint_url="e"),
    HTTPClientError(error="broken"),
    ConnectionResetError("reset"),
    TimeoutError("late"),
]


def raising(error: Exception) -> Any:
    def ask(**_: object) -> None:
        raise error

    return lambda *_: SimpleNamespace(get_secret_value=ask)


@pytest.mark.parametrize(("error", "kind", "step"), DID_NOT_ASK, ids=lambda it: type(it).__name__)
def test_what_is_wrong_before_aws_is_asked_is_no_outage_and_nothing_stale_hides_it(
    extension: Server, clock: Clock, error: Exception, kind: type[SecretError], step: str
) -> None:
    client = SecretClient(make_client=raising(error), replica_regions=REPLICAS)
    client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    with pytest.raises(SecretError) as raised:
        client.get_secret("s")
    assert type(raised.value) is kind
    said = f"s: boto3 did not ask ({type(error).__name__}: {error}); {step}"
    assert str(raised.value).startswith(said)


def test_where_no_thread_can_be_started_that_is_the_error(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws
) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(secret_sdk, "start_new_thread", start)
    extension.script(BROKEN)
    with pytest.raises(SecretError, match=r"^s: boto3 did not ask \(RuntimeError: can't start"):
        SecretClient(make_client=aws.client).get_secret("s")


@pytest.mark.parametrize("error", DID_NOT_ANSWER, ids=lambda it: type(it).__name__)
def test_an_aws_that_cannot_be_reached_is_an_outage(
    extension: Server, clock: Clock, error: Exception
) -> None:
    client = SecretClient(make_client=raising(error))
    old = client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    assert client.get_secret("s") is old
    with pytest.raises(Unavailable, match="AWS did not answer"):
        client.get_secret("other")


NUMBER = scripted.http(200, scripted.secret_body("s", SecretString=5))


def raw(answer: bytes) -> Answer:
    return lambda _, connection: connection.sendall(answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BROKEN, "status 400; its own line in this log tells why"),
        (scripted.http(401, scripted.BAD_TOKEN), "it did not accept the session token"),
        (scripted.http(404, b""), "status 404; its own line"),
        (scripted.http(200, b"[" * 20_000), "the answer cannot be read"),
        (scripted.secret(None), "the answer cannot be read"),
        (NUMBER, "the answer cannot be read"),
        (raw(CANARY.encode()), "the answer is no HTTP, or cut short"),
        (raw(b"HTTP/1.1 200\r\nContent-Length: x\r\n\r\n"), "the answer is no HTTP, or"),
        (raw(b"HTTP/1.1 what\r\n\r\n"), "the answer is no HTTP, or cut short"),
        (raw(scripted.whole(200, b"{}") + b"x"), "the answer is no HTTP, or cut short"),
        (raw(b"HTTP/1.1 200\r\nX: chunked\r\n\r\n9\r\n{"), "no HTTP, or cut short"),
        (scripted.reset, "reset by peer"),
        (
            scripted.http(400, scripted.NOT_READY),
            "it was not ready; ask in the handler, not while a module is imported",
        ),
    ],
    ids=range(13),
)
@pytest.mark.usefixtures("_no_boto3")
def test_the_extensions_fault_is_told_where_nobody_else_can_tell_it(
    monkeypatch: pytest.MonkeyPatch, extension: Server, answer: Answer, said: str
) -> None:
    monkeypatch.setattr(secret_extension, "_READY_SECONDS", 0.02)
    extension.script(answer)
    with pytest.raises(Unavailable) as raised:
        SecretClient().get_secret("s")
    assert str(raised.value).startswith("s: the extension failed: ")
    assert said in str(raised.value)
    assert CANARY not in scripted.told(raised.value)


# --- telemetry -----------------------------------------------------------------------------------


def test_telemetry_is_off_by_default(
    extension: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    SecretClient().get_secret("s")
    assert extension.requests
    assert capsys.readouterr() == ("", "")


def test_telemetry_counts_in_lines_that_cloudwatch_takes(
    monkeypatch: pytest.MonkeyPatch,
    extension: Server,
    aws: Aws,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECRETS_TELEMETRY", "True")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reader")
    client = SecretClient(make_client=aws.client, replica_regions=REPLICAS)
    for _ in range(4):
        client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    aws.script(DOWN)
    client.get_secret("s")
    with pytest.raises(Unavailable):
        client.get_secret("other")
    aws.script(scripted.by_region(eu_central_1=DOWN, eu_west_1=scripted.aws_secret()))
    clock.move(31)
    client.get_secret("s")

    printed = capsys.readouterr().out
    assert CANARY not in printed
    lines = [emf(line) for line in printed.splitlines()]
    names = ("Hits", "Misses", "Stale", "Failovers", "Errors", "Name", "Source")
    assert [tuple(line[name] for name in names) for line in lines] == [
        (0, 1, 0, 0, 0, "s", "extension"),
        (3, 0, 1, 0, 0, "s", "extension"),
        (0, 0, 0, 0, 1, "other", "none"),
        (0, 1, 0, 1, 0, "s", "replica:eu-west-1"),
    ]
    assert [line["FunctionName"] for line in lines] == ["reader"] * 4
    assert ["Age" in line for line in lines] == [False, True, False, False]
    assert 120 <= lines[1]["Age"] < 180
    assert "Reason" not in lines[0] | lines[3]
    assert lines[1]["Reason"].startswith("s: the extension failed: status 400; its own line")
    assert lines[2]["Reason"].startswith("other: the extension failed")
    assert all(0 <= line["Duration"] < 60_000 for line in lines)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, aws: Aws, extension: Server) -> SecretClient:
    monkeypatch.setenv("SECRETS_TELEMETRY", "true")
    assert extension
    return SecretClient(make_client=aws.client, timeout_seconds=60)


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[int, ...]]:
    lines = [emf(line) for line in capsys.readouterr().out.splitlines()]
    return [tuple(line[name] for name in ("Hits", "Misses", "Stale", "Errors")) for line in lines]


def test_hits_of_parameters_are_counted_too(
    measured: SecretClient, extension: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    extension.script(scripted.parameter())
    for name in ("/p", "/p", "/p", "/q"):
        measured.get_parameter(name)
    assert counted(capsys) == [(0, 1, 0, 0), (2, 1, 0, 0)]


def test_stale_answers_between_two_askings_are_counted_as_stale(
    measured: SecretClient,
    extension: Server,
    aws: Aws,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured.get_secret("s")
    extension.script(BROKEN)
    aws.script(DOWN)
    clock.move(120)
    for _ in range(3):
        measured.get_secret("s")
    assert len(extension.requests) == 1
    assert counted(capsys) == [(0, 1, 0, 0), *[(0, 0, 1, 0)] * 3]


@pytest.mark.parametrize("found", [True, False])
def test_those_who_wait_are_counted(  # noqa: PLR0913 (pytest's fixtures)
    measured: SecretClient,
    extension: Server,
    aws: Aws,
    waiting: list[float],
    capsys: pytest.CaptureFixture[str],
    *,
    found: bool,
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret() if found else BROKEN))
    aws.script(scripted.aws_error("AccessDeniedException"))
    with threads(5, lambda: measured.get_secret("s")):
        wait_until(lambda: len(waiting) == 4)
        gate.set()
    assert counted(capsys) == [(0, 1, 0, 0) if found else (0, 0, 0, 1)] * 5


def test_those_who_get_the_old_value_while_another_asks_are_hits(
    monkeypatch: pytest.MonkeyPatch,
    measured: SecretClient,
    extension: Server,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(secret_client, "_STALE_SECONDS", 60)
    measured.get_secret("s")
    clock.move(120)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret()))
    with threads(5, lambda: measured.get_secret("s")) as ran:
        try:
            wait_until(lambda: len(ran.outcomes) == 4)
        finally:
            gate.set()
    assert counted(capsys) == [(0, 1, 0, 0), (4, 1, 0, 0)]


def test_a_log_that_is_gone_loses_no_value(
    monkeypatch: pytest.MonkeyPatch, measured: SecretClient, extension: Server, aws: Aws
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    assert measured.get_secret("s").text == CANARY
    extension.script(BROKEN)
    aws.script(scripted.aws_error("AccessDeniedException"))
    with pytest.raises(AccessDenied):
        measured.get_secret("other")


def emf(line: str) -> dict[str, Any]:
    """Read a line as CloudWatch does; see the specification that the client names."""
    found: dict[str, Any] = json.loads(line)
    described = found["_aws"]
    assert abs(described["Timestamp"] - time.time() * 1000) < 60_000
    (directive,) = described["CloudWatchMetrics"]
    assert directive["Namespace"] == "LambdaSecrets"
    for dimension in directive["Dimensions"]:
        assert all(isinstance(found[name], str) for name in dimension)
    for metric in directive["Metrics"]:
        assert isinstance(found[metric["Name"]], int | float)
        assert metric["Unit"] in {"Count", "Milliseconds", "Seconds"}
    return found


# --- logs ----------------------------------------------------------------------------------------


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
        self.records.append(record)


PASSWORD = 'pa"ss\\wörd/+='


@pytest.fixture
def read_client(extension: Server) -> SecretClient:
    client = SecretClient()
    extension.script(
        scripted.secret(json.dumps({"password": PASSWORD, "a": [{"b": "inner-value"}], "n": "x"})),
        scripted.secret("plain-value-2"),
        scripted.secret(None, SecretBinary=scripted.encoded(b"binary\xff-value")),
        scripted.secret(json.dumps({"pin": 73519284})),
        scripted.secret(json.dumps(["in-a-list", {"k": ["deep-in-a-list"]}])),
    )
    for name in ("json", "text", "binary", "number", "list"):
        client.get_secret(name)
    return client


@pytest.fixture
def log(read_client: SecretClient) -> Iterator[tuple[logging.Logger, Log]]:
    logger, handler = logging.Logger("app"), Log()  # noqa: LOG001 (not to be found by others)
    logger.addHandler(handler)
    logger.addFilter(RedactValues(read_client))
    yield logger, handler
    handler.close()


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        repr(PASSWORD)[1:-1],
        "inner-value",
        "plain-value-2",
        repr(b"binary\xff-value")[2:-1],
        scripted.encoded(b"binary\xff-value"),
        "73519284",
        "in-a-list",
        "deep-in-a-list",
    ],
)
def test_no_record_shows_a_value_that_was_read(
    log: tuple[logging.Logger, Log], value: str
) -> None:
    logger, handler = log
    logger.info("it is " + value + ".")  # noqa: G003 (as a user may write it)
    logger.info("it is %s%s", value, ".")
    logger.info("%(it)s", {"it": value})
    logger.info(ValueError(value))
    try:
        try:
            raise KeyError(value)  # noqa: TRY301
        except KeyError as error:
            raise ValueError(f"with {value}") from error
    except ValueError:
        logger.exception("failed")
    logger.info("here", stack_info=True)
    logger.info("%d is no number", value)
    logger.info("with more", extra={"more": value, "inside": {"list": [value], value: (value,)}})
    assert len(handler.texts) == 8
    assert handler.texts[:2] == ["it is [redacted]."] * 2
    assert "ValueError: with [redacted]" in handler.texts[4]
    assert "Stack (most recent call last)" in handler.texts[5]
    for text, record in zip(handler.texts, handler.records, strict=True):
        assert value not in text
        assert value not in str(vars(record))


def test_a_traceback_that_another_handler_has_written_already_is_redacted_too(
    read_client: SecretClient,
) -> None:
    record = logging.LogRecord("app", logging.ERROR, "f", 1, "failed", None, None)
    record.exc_text = "ValueError: plain-value-2"
    record.stack_info = "line plain-value-2"
    assert RedactValues(read_client).filter(record)
    assert (record.exc_text, record.stack_info) == ("ValueError: [redacted]", "line [redacted]")


def test_on_the_handlers_of_the_root_logger_it_redacts_every_loggers_records(
    read_client: SecretClient,
) -> None:
    root, handler = logging.getLogger(), Log()
    handler.addFilter(RedactValues(read_client))
    root.addHandler(handler)
    try:
        logging.getLogger("app.child").error("it is plain-value-2")
    finally:
        root.removeHandler(handler)
        handler.close()
    assert handler.texts == ["it is [redacted]"]


def test_numbers_and_texts_that_were_added_are_redacted_where_they_are(
    log: tuple[logging.Logger, Log],
) -> None:
    logger, handler = log
    kept = object()
    extra = {"pin": 73519284, "url": "db://plain-value-2@host", "n": 5, "kept": kept}
    logger.info("here", extra={"request": extra})
    (record,) = handler.records
    assert vars(record)["request"] == {
        "pin": "[redacted]", "url": "db://[redacted]@host", "n": 5, "kept": kept
    }  # fmt: skip
    assert extra["pin"] == 73519284


def test_of_values_within_each_other_the_longest_goes_first(extension: Server) -> None:
    client = SecretClient()
    values = ["secret" + "x" * more for more in range(12)]
    extension.script(scripted.secret(json.dumps(dict.fromkeys("s", values))))
    client.get_secret("s")
    redact = RedactValues(client)
    for value in values:
        record = logging.LogRecord("app", logging.INFO, "f", 1, value, None, None)
        redact.filter(record)
        assert record.getMessage() == "[redacted]"


def test_what_holds_no_value_is_logged_as_it_is(log: tuple[logging.Logger, Log]) -> None:
    logger, handler = log
    logger.info("nothing %s", "here")
    try:
        raise ValueError("x")  # noqa: TRY301
    except ValueError:
        logger.exception("failed")
    assert handler.texts[0] == "nothing here"
    assert handler.records[0].args == ("here",)
    assert handler.records[1].exc_info is not None
    assert handler.texts[1].endswith("ValueError: x")


def test_a_value_that_was_rotated_away_is_redacted_still(extension: Server, clock: Clock) -> None:
    client = SecretClient()
    redact = RedactValues(client)
    extension.script(scripted.secret("old-value"), scripted.secret("new-value"))
    for _ in range(2):
        client.get_secret("s")
        clock.move(200)
        record = logging.LogRecord("app", logging.INFO, "f", 1, "old-value new-value", None, None)
        redact.filter(record)
    assert record.getMessage() == "[redacted] [redacted]"


# --- what it costs -------------------------------------------------------------------------------

COLD = """
import json, logging, re, sys, threading
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from secret_client import SecretClient
client = SecretClient()
value = client.get_secret("s")
assert client.get_secret("s") is value and value.source == "extension", value
value = client.get_parameter("/p")
assert client.get_parameter("/p") is value and value.source == "extension", value
print(*sorted(set(sys.modules) - before))
"""


def interpreter(version: str) -> str | None:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    installed = Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
        if candidate and run(candidate, "-V").returncode == 0:  # a shim of pyenv may start nothing
            return candidate
    return None


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 (an interpreter, the text above)
        command, env=environment, capture_output=True, check=False, text=True
    )


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_client_adds_no_module_but_itself_to_the_process(
    extension: Server, version: str
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no python{version}")

    def answer(request: scripted.Request, connection: Any) -> None:
        then = scripted.secret if request.target.startswith("/secrets") else scripted.parameter
        then("x")(request, connection)

    extension.script(answer)
    command = [
        python,
        "-I",
        "-S",
        "-B",
        "-W",
        "error",
        "-c",
        COLD,
        str(Path(secret_client.__file__).parent),
    ]
    ran = run(*command, **{PORT: str(extension.port), "AWS_SESSION_TOKEN": TOKEN})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["_socket", "secret_client", "secret_extension"]


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

"""The values that the retrieval client returns, and how they are read."""

import copy
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from traceback import TracebackException
from types import FrameType
from typing import Any

import pytest

from secret_client import InvalidValue, SecretClient
from tests import scripted
from tests.scripted import CANARY, Aws, Server
from tests.unit.client_support import ARN, value_of


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


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)
def test_a_value_gives_no_state_away() -> None:
    with pytest.raises(TypeError, match="holds a secret"):
        value_of(CANARY).__getstate__()


@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_a_library_that_asks_for_a_dictionary_gets_one_and_quotes_no_value() -> None:
    secret = value_of(json.dumps({"key": CANARY, "inner": {"key": CANARY}})).json
    assert isinstance(secret, dict)
    assert CANARY not in f"{secret!r} {secret} {secret['inner']!r}"  # as a refusal would quote it


PACKAGES = {"secret_client", "json"}


class Interrupted(Exception):  # noqa: N818 (what a signal handler might raise)
    """Comes in the middle of a call."""


def interruptions(call: Callable[[], object]) -> Iterator[Interrupted]:
    """Interrupt a call at each line in turn that runs in the client or in `json`."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if event == "line" and Path(frame.f_code.co_filename).parent.name in PACKAGES:
            lines -= 1
            if not lines:
                raise Interrupted
        return trace

    for line in range(1, 10_000):
        lines, before = line, sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        except Interrupted as error:
            yield error
        else:
            return
        finally:
            sys.settrace(before)
    pytest.fail("the call never ended")


def shown(error: BaseException) -> str:
    return "".join(TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_no_frame_has_a_local_that_shows_a_value_while_json_is_parsed() -> None:
    text = json.dumps({"a": CANARY, "b": [CANARY, [CANARY]], "c": {"d": CANARY}})
    value = value_of(text)
    interrupted = [shown(error) for error in interruptions(lambda: value.json)]
    assert len(interrupted) > 5
    for each in interrupted:
        assert "self = <Value of s" in each
        assert CANARY not in each


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

"""The values that the retrieval client returns, and how they are read."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

import secret_client
from secret_client import InvalidValue, SecretClient
from tests import scripted
from tests.scripted import CANARY, Aws, Server
from tests.unit.client_support import ARN, value_of
from tests.unit.interruptions import interruptions, shown


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


@pytest.mark.parametrize("text", ["x" * 65_536, "é" * 32_768, "\x01" * 65_536])
def test_a_value_of_64_kib_arrives_whole(extension: Server, text: str) -> None:
    extension.script(scripted.secret(text))
    value = SecretClient().get_secret("s")
    assert (value.text == text, value.source) == (True, "extension")


NOT_JSON = "the value is not JSON: {}; correct it, or read it as `text`"
AN_ARRAY = "the value is an array, not a JSON object; read it as `text`"
A_NUMBER = "the value is a number, not a JSON object; read it as `text`"
EMPTY = "the value is empty; put a JSON object"
TOO_DEEP = "the value is nested too deeply; read it as `text`"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", EMPTY),
        ("\ufeff\n ", EMPTY),
        ("plain text", NOT_JSON.format("Expecting value at line 1 column 1")),
        ("\xa0{}", NOT_JSON.format("Expecting value at line 1 column 1")),
        (
            "{'a': 1}",
            NOT_JSON.format(
                "Expecting property name enclosed in double quotes at line 1 column 2"
            ),
        ),
        (
            "\ufeff{",
            NOT_JSON.format(
                "Expecting property name enclosed in double quotes at line 1 column 2"
            ),
        ),
        ('{"a":', NOT_JSON.format("Expecting value at line 1 column 6")),
        ('\n\n {"a": 1 "b"}', NOT_JSON.format("Expecting ',' delimiter at line 3 column 10")),
        ('{"a" 1}', NOT_JSON.format("Expecting ':' delimiter at line 1 column 6")),
        ('{"a": "x\ny"}', NOT_JSON.format("Invalid control character at line 1 column 9")),
        ('{"a": "xy', NOT_JSON.format("Unterminated string starting at line 1 column 7")),
        ('{"a": "\\x"}', NOT_JSON.format("Invalid \\escape at line 1 column 8")),
        ('{"a": "\\u12"}', NOT_JSON.format("Invalid \\uXXXX escape at line 1 column 9")),
        ('{"a": 1}\n{}', NOT_JSON.format("Extra data at line 2 column 1")),
        ("[1]", AN_ARRAY),
        ('[{"a": 1}]', AN_ARRAY),
        ('"{}"', "the value is text in quotes, not a JSON object; read it as `text`"),
        ("1", A_NUMBER),
        ("-1.5", A_NUMBER),
        ("true", "the value is true or false, not a JSON object; read it as `text`"),
        ("null", "the value is null, not a JSON object; read it as `text`"),
        ("[" * 30_000, TOO_DEEP),
        ('{"a":' * 30_000, TOO_DEEP),
        ('{"a":' * 2_000 + "1" + "}" * 2_000, TOO_DEEP),
        (
            '{"a": ' + "1" * 5_000 + "}",
            "the value has a number with too many digits; read it as `text`",
        ),
    ],
)
def test_what_is_no_json_object_is_named_and_located(text: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        _ = value_of(text).json
    assert str(raised.value) == f"s: {reason}"
    assert raised.value.__context__ is None


def test_a_trailing_comma_is_located() -> None:
    # Python 3.13 names it, and the comma's place; before, what is missing after it.
    with pytest.raises(InvalidValue, match=r"at line (1 column 10|2 column 1); correct it"):
        _ = value_of('{"a": "b",\n}').json


def json_error(text: str) -> InvalidValue | None:
    try:
        _ = value_of(text).json
    except InvalidValue as error:
        return error
    return None


def test_no_error_of_json_holds_a_part_of_the_value() -> None:
    text = json.dumps(
        {"user": "appuser", "password": CANARY, "ports": [5432, 1e3, None]}, indent=1
    )
    broken = [text[:at] + text[at + 1 :] for at in range(len(text))]
    broken += [
        text[:at] + wrong + text[at:] for at in range(len(text)) for wrong in '{}[]",:\\\n\0x1'
    ]
    errors = [error for error in map(json_error, broken) if error]
    assert len(errors) > 500
    for error in errors:
        said = scripted.told(error)
        assert not [part for part in ("s3cr", "canary", "appuser", "5432") if part in said]


@pytest.mark.parametrize(
    "text", ['{"a": "é"}', ' {"a": "é"}\n', '\ufeff{"a": "é"}', '\ufeff\r\n{"a": "é"}']
)
def test_json_may_be_text_or_binary_with_a_byte_order_mark_and_whitespace(text: str) -> None:
    assert value_of(text).json == {"a": "é"}
    assert value_of(binary=text.encode()).json == {"a": "é"}


def test_binary_that_is_not_json_is_to_be_read_as_binary() -> None:
    for binary, reason in (
        (b"\xff{}", "the value is binary; read it as `binary`"),
        (b"[]", "the value is an array, not a JSON object; read it as `binary`"),
        (b"", EMPTY),
    ):
        with pytest.raises(InvalidValue) as raised:
            _ = value_of(binary=binary).json
        assert str(raised.value) == f"s: {reason}"


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


def test_a_value_gives_no_state_away() -> None:
    with pytest.raises(TypeError, match="holds a secret"):
        value_of(CANARY).__getstate__()


NESTED = {"key": CANARY, "inner": {"key": CANARY}, "list": [{"key": CANARY}, [CANARY, 1]]}


@pytest.fixture
def fields() -> Any:
    return value_of(json.dumps(NESTED)).json


def test_a_library_that_asks_for_a_dictionary_gets_one_and_quotes_no_value(fields: Any) -> None:
    assert isinstance(fields, dict)
    assert isinstance(fields["inner"], dict)
    for each in (fields, fields["inner"], fields["list"][0]):
        for text in (repr(each), str(each), f"{each}", f"{each!r}", pformat(each), f"{[each]}"):
            assert CANARY not in text
            assert "key" in text


def test_json_is_what_a_dictionary_is_to_json_and_to_calls(fields: Any) -> None:
    assert json.loads(json.dumps(fields)) == json.loads(json.dumps(dict(fields))) == NESTED
    assert dict(**fields) == dict(fields) == fields
    assert fields | {"key": 1} == {**fields, "key": 1}
    match fields:
        case {"inner": {"key": key}}:
            assert key == CANARY


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda fields: pickle.loads(pickle.dumps(fields))],  # noqa: S301 (its own)
)
def test_a_copy_is_plain_and_can_be_changed(fields: Any, copied: Callable[[Any], Any]) -> None:
    made = copied(fields)
    assert made == NESTED
    assert {type(made), type(made["inner"]), type(made["list"][0])} == {dict}
    assert {type(made["list"]), type(made["list"][1])} == {list}
    made["inner"]["key"] = made["list"][1][0] = "changed"
    assert fields["inner"]["key"] == fields["list"][1][0] == CANARY


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("__setitem__", ("key", 1)),
        ("__delitem__", ("key",)),
        ("__ior__", ({"key": 1},)),
        ("clear", ()),
        ("pop", ("key",)),
        ("popitem", ()),
        ("setdefault", ("other", 1)),
        ("update", ({"key": 1},)),
    ],
)
def test_every_way_to_change_a_dictionary_is_refused(
    fields: Any, method: str, arguments: tuple[object, ...]
) -> None:
    getattr({"key": 1}, method)(*arguments)  # it changes other dictionaries
    for each in (fields, fields["inner"], fields["list"][0]):
        before = dict(each)
        with pytest.raises(TypeError, match=r"read-only; change copy\.deepcopy\(secret\.json\)$"):
            getattr(each, method)(*arguments)
        assert each == before


def test_no_other_method_of_a_dictionary_changes_it() -> None:
    reads = {"copy", "get", "items", "keys", "values", "fromkeys"}
    changes = {name for name in vars(dict) if not name.startswith("_")} - reads
    assert changes == {"clear", "pop", "popitem", "setdefault", "update"}


def test_no_frame_has_a_local_that_shows_a_value_while_json_is_parsed() -> None:
    text = json.dumps({"a": CANARY, "b": [CANARY, [CANARY]], "c": {"d": CANARY}})
    value = value_of(text)
    interrupted = [shown(error) for error in interruptions(lambda: value.json)]
    assert len(interrupted) > 5
    for each in interrupted:
        assert "self = <Value of s" in each
        assert CANARY not in each


def test_what_a_cold_start_seldom_needs_is_imported_on_demand() -> None:
    program = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from secret_client.value import Value
        value = Value('{"a": [1]}', None, name="", arn="", version="", stages=(), source="sdk")
        value.json, repr(value.json)
        print(*sys.modules)
    """
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        program,
        str(Path(secret_client.__file__).parents[1]),
    ]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (ours)
    loaded = set(ran.stdout.split())
    assert "secret_client.value" in loaded
    late = {"annotations", "json_errors", "objects"}
    assert not loaded & ({f"secret_client.{name}" for name in late} | {"dataclasses", "typing"})

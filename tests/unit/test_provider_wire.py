"""Values as Pulumi's engine writes them.

https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
"""

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2

from local.provider.wire import UNKNOWN, holds_unknown, is_archive, plain, struct

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
# Of a bool, a number, a text, a list, an asset, an archive and a map.
UNKNOWNS = (
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)


def sent(value: Any) -> Any:
    """Send a value and read it."""
    written = struct_pb2.Struct()
    written.update({"key": value})
    return plain(struct_pb2.Struct.FromString(written.SerializeToString()))["key"]


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "text", 0, -3, 2**53, 0.5, [], [1, [None]], {}, {"a": {"b": 1}}],
)
def test_plain_values_are_read_as_they_were_written(value: object) -> None:
    read = sent(value)
    assert read == value
    assert type(read) is type(value)


def test_whole_numbers_are_whole() -> None:
    assert repr(sent([7.0, {"a": 7.0}])) == "[7, {'a': 7}]"


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_what_is_unknown_is_one_thing_whatever_its_type(unknown: str) -> None:
    read = sent({"a": [unknown, "known"]})
    assert read == {"a": [UNKNOWN, "known"]}
    assert holds_unknown(read)


@pytest.mark.parametrize(
    ("marked", "value"),
    [
        ({SIGNATURE: SECRET, "value": "canary"}, "canary"),
        ({SIGNATURE: SECRET, "value": {SIGNATURE: SECRET, "value": 1}}, 1),
        ({SIGNATURE: SECRET, "value": UNKNOWNS[0]}, UNKNOWN),
        ({SIGNATURE: OUTPUT, "value": "a", "secret": True, "dependencies": ["urn"]}, "a"),
        ({SIGNATURE: OUTPUT, "secret": True}, UNKNOWN),
        ({"a": [{SIGNATURE: SECRET, "value": "b"}]}, {"a": ["b"]}),
        ({"value": "no mark"}, {"value": "no mark"}),
    ],
)
def test_marks_are_taken_off(marked: object, value: object) -> None:
    assert sent(marked) == value


def test_an_archive_stays_as_it_is_sent() -> None:
    asset = {SIGNATURE: ASSET, "hash": "a", "text": "pass"}
    archive = {SIGNATURE: ARCHIVE, "hash": "b", "assets": {"app.py": asset}}
    assert sent(archive) == archive
    assert is_archive(sent(archive))
    assert not is_archive(asset)
    assert not is_archive("archive")


def test_only_the_named_properties_are_marked_and_only_if_they_are_there() -> None:
    written = struct({"a": "x", "b": "y", "c": None}, secret=["b", "c", "d"])
    assert json_format.MessageToDict(written) == {
        "a": "x",
        "b": {SIGNATURE: SECRET, "value": "y"},
        "c": None,
    }
    assert plain(written) == {"a": "x", "b": "y", "c": None}


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        (UNKNOWN, True),
        ({"a": {"b": UNKNOWN}}, True),
        ([1, [UNKNOWN]], True),
        ({UNKNOWN: "a"}, False),
        (None, False),
        ("text", False),
        ([{}, []], False),
    ],
)
def test_an_unknown_part_makes_the_whole_unknown(value: object, *, unknown: bool) -> None:
    assert holds_unknown(value) == unknown

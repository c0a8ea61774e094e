"""Values in the engine's format: a protobuf Struct in which some maps have a special meaning.

An archive stays a map (`hash`, `assets` or `path`), because the engine sends no more of a recorded
one. A value that a preview does not know yet is `UNKNOWN`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
UNKNOWN = rpc.UNKNOWN
# The engine has a marker for each type; all are read as `UNKNOWN`.
_UNKNOWN = {
    UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the marker of a secret)
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the properties, including secrets, without markers: never print them."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "struct_value":
        inner = plain(value.struct_value)
        is_marked = inner.get(SIGNATURE) in (SECRET, _OUTPUT)
        return inner.get("value", UNKNOWN) if is_marked else inner
    if kind == "number_value":  # a Struct has no whole numbers
        number = value.number_value
        return int(number) if number.is_integer() else number
    read = None if kind in (None, "null_value") else getattr(value, kind)
    return UNKNOWN if isinstance(read, str) and read in _UNKNOWN else read


def struct(properties: Mapping[str, Any], secret: Iterable[str] = ()) -> struct_pb2.Struct:
    """Return a Struct of properties; those named in `secret` are marked."""
    written = struct_pb2.Struct()
    marked = {
        key: {SIGNATURE: SECRET, "value": properties[key]}
        for key in secret
        if properties.get(key) is not None
    }
    written.update({**properties, **marked})
    return written


def holds_unknown(value: object) -> bool:
    """Whether any part of a value is not known yet."""
    if isinstance(value, Mapping):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return bool(value == UNKNOWN)


def is_archive(value: object) -> bool:
    """Whether a value is an archive: code to be packed."""
    return isinstance(value, Mapping) and value.get(SIGNATURE) == ARCHIVE

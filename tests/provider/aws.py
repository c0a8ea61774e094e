"""What AWS says of a type: CloudFormation's schema, and the models of the API's calls.

CloudFormation knows what a change replaces, what is required, closed sets of values and a few
defaults. The models know required members, patterns, limits and closed sets.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.provider.counterparts import COUNTERPARTS

SPEC: dict[str, Any] = json.loads(Path(__file__).with_name("cloudformation.json").read_text())

Span = tuple[float, float | None]
"""At least, at most; None: without end."""


class Limits(NamedTuple):
    """What a model says of a member."""

    required: bool | None = None
    """None: it is a member of a later call only."""
    pattern: str = ""
    """For the whole text; of a list, for each item."""
    length: Span | None = None
    """Characters of a text, items of a list."""
    bounds: Span | None = None
    """A number."""
    choices: tuple[str, ...] = ()
    is_list: bool = False


def property_of(type_: str, path: str) -> Mapping[str, Any] | None:
    """Return CloudFormation's facts about an input: required, replaces, default, enum.

    None: it has no such property, as `counterparts` says.

    Raises:
        LookupError: it is not there, and `counterparts` does not say so.

    """
    about = COUNTERPARTS[type_]
    name = _named(path, about.properties)
    if about.cloudformation is None or name is None:
        return None
    properties = _properties(about.cloudformation)
    if (found := properties.get(name.lower())) is not None:
        return found
    outer = name.rpartition(".")[0].lower()
    if outer in properties and not any(each.startswith(f"{outer}.") for each in properties):
        return None  # any JSON, or a map with keys of one's own
    raise LookupError(f"{type_} {path}: {about.cloudformation} has no {name}")


def member_of(type_: str, path: str) -> Limits | None:
    """Return the limits of an input in the first of its calls that has it; None as above.

    Raises:
        LookupError: it is not there, and `counterparts` does not say so.

    """
    about = COUNTERPARTS[type_]
    name = _named(path, about.members)
    if name is None:
        return None
    for call in (about.create, *about.changes):
        if found := _member(_input_of(call), name):
            shape, required = found
            return limits(shape, required=required if call == about.create else None)
    raise LookupError(f"{type_} {path}: {about.create} has no {name}")


def is_changed_by_a_call(type_: str, path: str) -> bool | None:
    """Tell whether a call changes in place what no property of CloudFormation is.

    None: no member of a call is the input's counterpart.
    """
    about = COUNTERPARTS[type_]
    name = _named(path, about.members)
    if name is None:
        return None
    changing = any(_member(_input_of(call), name) for call in about.changes)
    return changing and path not in about.identity


def _named(path: str, names: Mapping[str, str | None]) -> str | None:
    """Name the counterpart of an input, or of the field of one whose own counterpart is named."""
    if path == "region":
        return None
    if path in names:
        return names[path]
    outer, _, inner = path.rpartition(".")
    if not outer:
        return path
    above = _named(outer, names)
    return None if above is None else f"{above}.{inner}"


@functools.cache
def _properties(cloudformation: str) -> dict[str, Mapping[str, Any]]:
    found = SPEC["types"][cloudformation]["properties"]
    return {path.replace("[]", "").lower(): facts for path, facts in found.items()}


@functools.cache
def _input_of(call: str) -> Shape:
    service, operation = call.split(":")
    found: Shape = _model(service).operation_model(operation).input_shape
    return found


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _member(shape: Shape, path: str) -> tuple[Shape, bool] | None:
    """Find a member by its path, and whether the one that holds it requires it."""
    name, _, rest = path.partition(".")
    while isinstance(shape, ListShape | MapShape):
        shape = shape.member if isinstance(shape, ListShape) else shape.value
    if isinstance(shape, StructureShape):
        for key, member in shape.members.items():
            if key.lower() == name.lower():
                return _member(member, rest) if rest else (member, key in shape.required_members)
    return None


def limits(shape: Shape, *, required: bool | None) -> Limits:
    """Read a model: the limits of a text, of a list and its items, or of a number."""
    about = shape.metadata
    span = None
    if {"min", "max"} & about.keys():
        span = (about.get("min", 0), about.get("max"))
    if shape.type_name in {"integer", "long", "double", "float"}:
        return Limits(required, bounds=span)
    item = shape
    while isinstance(item, ListShape):
        item = item.member
    return Limits(
        required,
        pattern=item.metadata.get("pattern", "") if item.type_name == "string" else "",
        length=span,
        choices=tuple(getattr(item, "enum", ())),
        is_list=item is not shape,
    )


def used_types() -> Iterator[str]:
    """Yield CloudFormation's types that are somebody's counterpart."""
    yield from (each.cloudformation for each in COUNTERPARTS.values() if each.cloudformation)

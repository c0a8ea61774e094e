"""Reads a value of JSON as an annotation says. Imported by `objects` only.

An annotation is `str`, `int`, `float` (which takes an int), `bool`, `None`, `Any`, a `Literal`, an
enum (by value), `list`, `tuple`, `dict` with `str` keys, a class that `objects` reads, or a union
of these. Lists and dictionaries are copies that can be changed.

No local here has a `repr` that shows a value.
"""

import typing
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from itertools import repeat
from types import NoneType, UnionType
from typing import Any

from .fields import Fields, plain_at

READABLE = (
    "str, int, float, bool, None, Any, Literal, enums, list, tuple, dict with str keys, unions of"
    " these, dataclasses, NamedTuple, TypedDict, and annotated classes without a constructor"
)
put = dict.__setitem__

Error = tuple[str, str]
"""The path of a field, and what is wrong with it."""


class Place:
    """Where a value is, and the errors so far."""

    __slots__ = ("errors", "fields", "name", "path")

    def __init__(self, fields: Fields, name: Any, path: str, errors: list[Error]) -> None:
        self.fields = fields
        self.name = name
        self.path = path
        self.errors = errors

    @property
    def value(self) -> Any:
        """The value; kept out of locals."""
        return self.fields[self.name]

    def refuse(self, annotation: Any) -> None:
        """Note that the value is not what an annotation says."""
        self.errors.append((self.path, f"is not {named(annotation)}"))


Reader = Callable[[Place], Any]
"""Returns what an annotation makes of the value at a place, or notes an error."""
ReaderOf = Callable[[Any], Reader]


def reader(annotation: Any, object_reader: ReaderOf) -> Reader:
    """Return the reader of an annotation; `object_reader` makes those of other classes.

    Raises:
        TypeError: it cannot be read; the text names it.

    """

    def of(inner: Any) -> Reader:
        return reader(inner, object_reader)

    origin = typing.get_origin(annotation) or annotation
    for known, make in _GENERIC:
        if origin is known:
            return make(annotation, of)
    if not isinstance(annotation, type):
        raise TypeError(named(annotation))
    if annotation in _SCALARS:
        return _scalar(annotation)
    return _enum(annotation) if issubclass(annotation, Enum) else object_reader(annotation)


def named(annotation: Any) -> str:
    """Write an annotation as a person would."""
    if isinstance(annotation, type):
        return "None" if annotation is NoneType else annotation.__name__
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return " | ".join(map(named, typing.get_args(annotation)))
    return str(annotation).removeprefix("typing.")


_SCALARS = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    NoneType: (NoneType,),
}


def _scalar(kind: type) -> Reader:
    def read(place: Place) -> Any:
        return place.value if type(place.value) in _SCALARS[kind] else place.refuse(kind)

    return read


def _enum(kind: type[Enum]) -> Reader:
    def read(place: Place) -> Any:
        # ValueError is the enum's own; the others are of a `_missing_` that expects another type.
        with suppress(ValueError, AttributeError, LookupError, TypeError):
            made = Fields(member=kind(place.value))
            # An enum of numbers takes True for 1.
            if isinstance(made["member"].value, bool) == isinstance(place.value, bool):
                return made["member"]
        return place.refuse(kind)

    return read


def _any(_annotation: Any, _of: ReaderOf) -> Reader:
    def read(place: Place) -> Any:
        return plain_at(place.fields, place.name)

    return read


def _literal(annotation: Any, _of: ReaderOf) -> Reader:
    choices = typing.get_args(annotation)
    if not {type(choice) for choice in choices} <= {str, int, bool, NoneType}:
        raise TypeError(named(annotation))

    def read(place: Place) -> Any:
        for choice in choices:
            if type(choice) is type(place.value) and choice == place.value:
                return choice
        return place.refuse(annotation)

    return read


def _union(annotation: Any, of: ReaderOf) -> Reader:
    readers = [of(each) for each in typing.get_args(annotation)]

    def read(place: Place) -> Any:
        tried: list[list[Error]] = []
        for read_one in readers:
            attempt = Place(place.fields, place.name, place.path, [])
            made = Fields(object=read_one(attempt))
            if not attempt.errors:
                return made["object"]
            tried.append(attempt.errors)
        # One that fits the value, but not all that is inside of it, is the one that was meant.
        inside = [errors for errors in tried if place.path not in dict(errors)]
        if len(inside) != 1:
            return place.refuse(annotation)
        place.errors.extend(inside[0])
        return None

    return read


def _array(annotation: Any, of: ReaderOf) -> Reader:
    """Read a list, or a tuple of a type for all items or of one for each."""
    kind = typing.get_origin(annotation) or annotation
    items = typing.get_args(annotation) or (Any, ...)
    length = len(items) if kind is tuple and items[-1] is not ... else None
    readers = [of(item) for item in items if item is not ...]

    def read(place: Place) -> Any:
        if not isinstance(place.value, tuple) or length not in (None, len(place.value)):
            return place.refuse(annotation)
        numbered: Any = enumerate(place.value)
        values, found = Fields(numbered), Fields()
        each = readers if length else repeat(readers[0])
        for index, read_one in zip(values, each, strict=False):
            inner = Place(values, index, f"{place.path}[{index}]", place.errors)
            put(found, index, read_one(inner))
        return kind(found.values())

    return read


def _dictionary(annotation: Any, of: ReaderOf) -> Reader:
    names, values = typing.get_args(annotation) or (str, Any)
    if names is not str:
        raise TypeError(named(annotation))
    read_one = of(values)

    def read(place: Place) -> Any:
        if not isinstance(place.value, Fields):
            return place.refuse(annotation)
        found = Fields()
        for name in place.value:
            inner = Place(place.value, name, f"{place.path}.{name}", place.errors)
            put(found, name, read_one(inner))
        return dict(found)

    return read


_GENERIC: tuple[tuple[Any, Callable[[Any, ReaderOf], Reader]], ...] = (
    (Any, _any),
    (typing.Union, _union),
    (UnionType, _union),
    (typing.Literal, _literal),
    (list, _array),
    (tuple, _array),
    (dict, _dictionary),
)

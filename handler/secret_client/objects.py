"""Reads the fields of a secret as an object of a class. Imported by `Value.as_object` only.

A class is a dataclass, a NamedTuple, a TypedDict, or a plain class: one with annotations and
without a constructor, whose attributes are defaults. Fields that the class does not name are
ignored. What an annotation may be is in `annotations`.

No local here has a `repr` that shows a value, except for the repr of the class itself.
"""

import dataclasses
import typing
from functools import lru_cache
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

from .annotations import READABLE, Error, Place, Reader, named, put, reader
from .errors import InvalidValue
from .fields import Fields

if TYPE_CHECKING:
    from .value import Value


def as_object(value: "Value", kind: Any) -> Any:
    """Read the JSON object of a value as an object of a class.

    Raises:
        InvalidValue: names every field that is missing or of another type, and no value.
        TypeError: names the class, or every annotation that cannot be read.

    """
    errors: list[Error] = []
    made = Fields(object=_shape(kind).read(value.json, "", errors))
    if errors:
        listed = ", ".join(f"{path} {wrong}" for path, wrong in errors)
        raise InvalidValue(f"{value.name}: {listed}")
    return made["object"]


class _Shape:
    """What the objects of a class are made of."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self.members: dict[str, tuple[Reader, bool]] = {}
        """Name -> what reads it, and whether it must be there."""

    def read_at(self, place: Place) -> Any:
        if not isinstance(place.value, Fields):
            return place.refuse(self._kind)
        return self.read(place.value, f"{place.path}.", place.errors)

    def read(self, fields: Fields, prefix: str, errors: list[Error]) -> Any:
        found, before = Fields(), len(errors)
        for name, (read, is_required) in self.members.items():
            if name in fields:
                put(found, name, read(Place(fields, name, prefix + name, errors)))
            elif is_required:
                errors.append((prefix + name, "is missing"))
        return None if len(errors) > before else self._made(found)

    def _made(self, found: Fields) -> Any:
        if _takes_fields(self._kind):
            return self._kind(**found)
        made = Fields(object=object.__new__(self._kind))
        for name in found:
            object.__setattr__(made["object"], name, found[name])
        return made["object"]


@lru_cache
def _shape(kind: Any) -> _Shape:
    shapes = _Shapes()
    try:
        shape = shapes.of(kind)
    except TypeError as error:
        shapes.unreadable.append(str(error))
    if shapes.unreadable:
        raise TypeError(f"as_object cannot read {', '.join(shapes.unreadable)}; use {READABLE}")
    return shape


class _Shapes:
    """The shapes of a class and of all that its annotations name."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self._shapes: dict[type, _Shape] = {}

    def of(self, kind: Any) -> _Shape:
        """Return the shape of a class. Raises TypeError if it has none; notes its annotations."""
        if kind not in self._shapes:
            hints = _hints(kind)
            shape = self._shapes[kind] = _Shape(kind)  # its members may be of the same class
            for name, is_required in _names(kind, hints).items():
                try:
                    shape.members[name] = reader(hints[name], self._object_reader), is_required
                except TypeError as error:
                    self.unreadable.append(f"{kind.__name__}.{name}: {error}")
        return self._shapes[kind]

    def _object_reader(self, kind: type) -> Reader:
        return self.of(kind).read_at


def _hints(kind: Any) -> dict[str, Any]:
    """Return the annotations of a class; TypeError says why it cannot be read."""
    if not isinstance(kind, type):
        raise TypeError(f"{named(kind)}, which is not a class")
    if not _takes_fields(kind) and _has_constructor(kind):
        raise TypeError(
            f"{kind.__name__}, which has a constructor of its own: call it with `secret.json`"
        )
    try:
        hints = typing.get_type_hints(kind)
    except (AttributeError, NameError, SyntaxError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise TypeError(
            f"{kind.__name__}, whose annotations cannot be resolved ({why})"
        ) from error
    if not hints:
        raise TypeError(f"{kind.__name__}, which has no annotations")
    return hints


def _has_constructor(kind: Any) -> bool:
    return kind.__init__ is not object.__init__ or kind.__new__ is not object.__new__


def _takes_fields(kind: Any) -> bool:
    """Whether an object is made by calling the class with its fields."""
    return dataclasses.is_dataclass(kind) or typing.is_typeddict(kind) or _is_named_tuple(kind)


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_field_defaults")


def _names(kind: Any, hints: dict[str, Any]) -> dict[str, bool]:
    """Name what is read for a class, and say of each whether it must be there."""
    if dataclasses.is_dataclass(kind):
        only_init = [name for name, hint in hints.items() if _is_init_var(hint)]
        return dict.fromkeys(only_init, True) | {
            field.name: {field.default, field.default_factory} == {dataclasses.MISSING}
            for field in dataclasses.fields(kind)
            if field.init
        }
    if typing.is_typeddict(kind):
        exact = typing.get_type_hints(kind, include_extras=True)
        return {name: _is_required(name, exact[name], kind) for name in hints}
    if _is_named_tuple(kind):
        return {name: name not in kind._field_defaults for name in hints}
    return {
        # A slot is an attribute, too, but no default.
        name: isinstance(getattr(kind, name, _SLOT), MemberDescriptorType)
        for name, hint in hints.items()
        if typing.ClassVar not in (hint, typing.get_origin(hint))
    }


_SLOT = vars(Place)["name"]


def _is_init_var(hint: Any) -> bool:
    return hint is dataclasses.InitVar or isinstance(hint, dataclasses.InitVar)


def _is_required(name: str, hint: Any, kind: Any) -> bool:
    """Look at the annotation first: where it was text, its TypedDict did not know it."""
    if (origin := typing.get_origin(hint)) in (typing.Required, typing.NotRequired):
        return origin is typing.Required
    return name in kind.__required_keys__

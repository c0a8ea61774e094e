"""What of a request's parameters violates the shapes of its operation.

The sentences are those of the framework on which most of AWS's services are built.
"""
# ruff: noqa: ANN401 (a parameter is a value of any type, and botocore's models are untyped)

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["missing", "enum", "pattern", "length", "range"]

NOT_NULL = "Member must not be null"
_NUMBERS = ("integer", "long", "float", "double")
_CONTAINERS = ("structure", "list", "map")
# Java's classes of Unicode characters. `\w` has `_` too, as have all patterns with these classes.
_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


class Constraint(NamedTuple):
    """What a shape demands of a value."""

    kind: Kind
    text: str
    holds: Callable[[Any], bool]


class Violation(NamedTuple):
    """A parameter that violates a constraint."""

    kind: Kind
    path: str
    """As AWS writes it: `tags.1.member.tagKey`."""
    value: str | None
    """As AWS quotes it; None if it is missing, sensitive or binary."""
    constraint: str
    """As AWS writes it: `Member must have length less than or equal to 128`."""

    def __str__(self) -> str:
        """Return AWS's sentence."""
        quoted = "null " if self.kind == "missing" else ""
        if self.value is not None:
            quoted = f"'{self.value}' "
        return f"Value {quoted}at '{self.path}' failed to satisfy constraint: {self.constraint}"


def violations(shape: Any, value: Any, path: str = "") -> Iterator[Violation]:
    """Yield what violates the shape, at any depth. `value` is what `parameters.parse` returns."""
    for constraint in _constraints(shape):
        if not constraint.holds(value):
            yield Violation(constraint.kind, path, _quoted(shape, value), constraint.text)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            inner = f"{path}.{_lower(name)}" if path else _lower(name)
            if name in value:
                yield from violations(member, value[name], inner)
            elif name in shape.required_members:
                yield Violation("missing", inner, None, NOT_NULL)
    elif shape.type_name == "list":
        numbered = {str(number): item for number, item in enumerate(value, 1)}
        yield from _of_items(shape, value, path, shape.member, numbered)
    elif shape.type_name == "map":
        yield from _of_items(shape, value, path, shape.key, {key: key for key in value})
        yield from _of_items(shape, value, path, shape.value, value)


def too_long(parameter: str, text: str, characters: int) -> Violation:
    """Return the violation of a limit that is not in the model."""
    constraint = f"Member must have length less than or equal to {characters}"
    return Violation("length", _lower(parameter), text, constraint)


def _of_items(
    container: Any, value: Any, path: str, item_shape: Any, items: Mapping[str, Any]
) -> Iterator[Violation]:
    """Yield what violates the shape of items; of scalars all in one, with every constraint."""
    if item_shape.type_name in _CONTAINERS:
        for name, item in items.items():
            yield from violations(item_shape, item, f"{path}.{name}.member")
        return
    constraints = _constraints(item_shape)
    broken = [each.kind for item in items.values() for each in constraints if not each.holds(item)]
    if broken:
        what = "Member"
        if container.type_name == "map":
            what = "Map keys" if item_shape is container.key else "Map value"
        texts = ", ".join(each.text for each in constraints)
        text = f"{what} must satisfy constraint: [{texts}]"
        yield Violation(broken[0], path, _quoted(container, value), text)


@functools.cache
def _constraints(shape: Any) -> list[Constraint]:
    """Return what the shape itself demands, in the order in which AWS reports it."""
    rules = shape.metadata
    constraints = []
    if "max" in rules:
        constraints.append(_bound(shape, "less", lambda size, limit: size <= limit, "max"))
    if "min" in rules:
        constraints.append(_bound(shape, "greater", lambda size, limit: size >= limit, "min"))
    if "pattern" in rules:
        text = f"Member must satisfy regular expression pattern: {rules['pattern']}"
        constraints.append(Constraint("pattern", text, _matcher(rules["pattern"])))
    if "enum" in rules:
        text = f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]"
        constraints.append(Constraint("enum", text, frozenset(rules["enum"]).__contains__))
    return constraints


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return the check that a whole text matches, as in Java, where words and digits are ASCII."""
    flags = re.NOFLAG if r"\p{" in pattern else re.ASCII
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


def _bound(
    shape: Any, word: str, compare: Callable[[float, float], bool], name: str
) -> Constraint:
    limit = shape.metadata[name]
    if shape.type_name in _NUMBERS:
        text = f"Member must have value {word} than or equal to {limit}"
        # Text that is not a number is left to the service.
        return Constraint(
            "range", text, lambda value: isinstance(value, str) or compare(value, limit)
        )
    length = _length_of_blob if shape.type_name == "blob" else len
    text = f"Member must have length {word} than or equal to {limit}"
    return Constraint("length", text, lambda value: compare(length(value), limit))


def _length_of_blob(value: str | bytes) -> int:
    """Return the number of bytes; text is base64."""
    if isinstance(value, bytes):
        return len(value)
    return len(value) * 3 // 4 - value[-2:].count("=")


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _quoted(shape: Any, value: Any) -> str | None:
    """Write a value as Java does; None if something in it is sensitive or binary."""
    return None if _is_hidden(shape) else _written(shape, value)


@functools.cache
def _is_hidden(shape: Any, outer: frozenset[str] = frozenset()) -> bool:
    if shape.metadata.get("sensitive") or shape.type_name == "blob":
        return True
    if shape.name in outer:  # a shape that contains itself
        return False
    inner: list[Any] = []
    if shape.type_name == "structure":
        inner = list(shape.members.values())
    elif shape.type_name == "list":
        inner = [shape.member]
    elif shape.type_name == "map":
        inner = [shape.key, shape.value]
    return any(_is_hidden(each, outer | {shape.name}) for each in inner)


def _written(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        members = ", ".join(
            f"{_lower(name)}={_written(member, value[name]) if name in value else 'null'}"
            for name, member in shape.members.items()
        )
        return f"{shape.name}({members})"
    if shape.type_name == "list":
        return f"[{', '.join(_written(shape.member, item) for item in value)}]"
    if shape.type_name == "map":
        items = (f"{key}={_written(shape.value, item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    return str(value)

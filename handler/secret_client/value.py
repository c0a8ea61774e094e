"""What was read."""

from json import JSONDecoder
from types import MappingProxyType, MemberDescriptorType

from .errors import InvalidValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")

decode = JSONDecoder().decode


class Value:
    """What was read. Immutable, all the way down; `repr` shows everything but the value."""

    __slots__ = ("_binary", "_json", "_text", "arn", "name", "source", "stages", "version")

    _text: str | None
    _binary: bytes | None
    _json: "Mapping[str, Any] | None"
    name: str
    """Name of the secret or parameter."""
    arn: str
    version: str
    """Version id of a secret; version number of a parameter, as text."""
    stages: tuple[str, ...]
    """Staging labels of a secret's version; of a parameter, none."""
    source: str
    """`extension`, `sdk` or `replica:<region>`."""

    def __init__(  # noqa: PLR0913 (its fields)
        self,
        text: str | None,
        binary: bytes | None,
        *,
        name: str,
        arn: str,
        version: str,
        stages: tuple[str, ...],
        source: str,
    ) -> None:
        put = object.__setattr__
        put(self, "_text", text)
        put(self, "_binary", binary)
        put(self, "_json", None)
        put(self, "name", name)
        put(self, "arn", arn)
        put(self, "version", version)
        put(self, "stages", stages)
        put(self, "source", source)

    def __setattr__(self, name: str, value: object = None) -> None:
        raise AttributeError(f"a Value cannot be changed: {name}")

    __delattr__ = __setattr__

    def __repr__(self) -> str:
        return f"<Value of {self.name}, version {self.version}, from the {self.source}>"

    def __reduce__(self) -> str:
        raise TypeError("a Value is not to be pickled: it holds a secret")

    @property
    def text(self) -> str:
        """The value as text. Raises `InvalidValue` where it is binary."""
        if self._text is None:
            raise InvalidValue(f"{self.name}: the value is binary; read it as `binary`")
        return self._text

    @property
    def binary(self) -> bytes:
        """The value as bytes; text as UTF-8."""
        if self._binary is None:
            return self.text.encode()
        return self._binary

    @property
    def json(self) -> "Mapping[str, Any]":
        """The value, a JSON object, read-only: its lists are tuples. Parsed once.

        Raises:
            InvalidValue: it is not a JSON object.

        """
        if self._json is not None:
            return self._json
        try:
            frozen: Any = _frozen(decode(self.text))
        except (ValueError, RecursionError):
            frozen = None  # the decoding error holds the document
        if not isinstance(frozen, MappingProxyType):
            raise InvalidValue(f"{self.name}: the value is not a JSON object; read it as `text`")
        object.__setattr__(self, "_json", frozen)
        return frozen

    def as_object(self, kind: "type[T]") -> "T":
        """Read the JSON value as an object of a plain class with annotations.

        Annotations may be `str`, `int`, `float`, `bool`, `dict`, `list`, `Any` and
        unions of them with `|`, not `Optional` nor your own classes; inside of `dict` and
        `list` nothing is checked. A class attribute is a default. `__init__` is not called,
        and the object's `repr` is the class's own.

        Raises:
            InvalidValue: names every field that is missing or of another type, and no value.

        """
        annotations: dict[str, Any] = {}
        for base in reversed(kind.__mro__[:-1]):
            annotations |= getattr(base, "__annotations__", {})
        found, faults = {}, []
        for name, annotation in annotations.items():
            if name not in self.json:
                # A slot is an attribute, too, but no default.
                if isinstance(getattr(kind, name, _SLOT), MemberDescriptorType):
                    faults.append(f"{name} is missing")
                continue
            value = self.json[name]
            wanted = annotation.__name__ if isinstance(annotation, type) else str(annotation)
            if not _is_a(value, wanted):
                faults.append(f"{name} is not {wanted}")
            found[name] = value
        if faults:
            raise InvalidValue(f"{self.name}: {', '.join(faults)}")
        made = object.__new__(kind)
        for name, value in found.items():
            object.__setattr__(made, name, value)
        return made


def _frozen(value: "Any") -> "Any":
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return value


_SLOT = vars(Value)["name"]


def _is_a(value: object, wanted: str) -> bool:
    names: dict[type, str] = {MappingProxyType: "dict", tuple: "list"}
    kind = names.get(type(value), type(value).__name__).removesuffix("Type")
    while "[" in wanted:
        before, _, after = wanted.rpartition("[")
        wanted = before + after.partition("]")[2]
    allowed = {part.strip().removeprefix("typing.") for part in wanted.split("|")}
    return bool({kind, "Any", "float" if kind == "int" else kind} & allowed)

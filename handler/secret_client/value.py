"""What was read."""

from json import JSONDecoder

from .fields import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


decode = JSONDecoder().decode


# What `decode` calls in turn; the locals of its own frames hold the text.
_scan: "Callable[[str, int], tuple[Fields, int]]"
_scan = JSONDecoder(object_hook=Fields).scan_once  # type: ignore[attr-defined]
_WHITESPACE = " \t\n\r"  # of JSON


class Value:
    """What was read. Immutable, all the way down; `repr` shows everything but the value."""

    __slots__ = ("_binary", "_json", "_text", "arn", "name", "source", "stages", "version")

    _text: str | None
    _binary: bytes | None
    _json: Fields | None
    name: str
    """Name of the secret or parameter."""
    arn: str
    version: str
    """Version id of a secret; version number of a parameter, as text."""
    stages: tuple[str, ...]
    """Staging labels of a secret's version; empty for a parameter."""
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

    __getstate__ = __reduce__

    @property
    def text(self) -> str:
        """The value as text. Raises `InvalidValue` where it is binary."""
        if self._text is None:
            from .errors import InvalidValue

            raise InvalidValue(f"{self.name}: the value is binary; read it as `binary`")
        return self._text

    @property
    def binary(self) -> bytes:
        """The value as bytes; text as UTF-8."""
        if self._binary is None:
            return self.text.encode()
        return self._binary

    @property
    def json(self) -> Fields:
        """The value, a JSON object; parsed once. Binary is read as UTF-8.

        Raises:
            InvalidValue: says what it is instead, or where it is not JSON.

        """
        if self._json is None:
            fields = self._parsed()
            if fields is None:
                from .errors import InvalidValue
                from .json_errors import reason

                raise InvalidValue(f"{self.name}: {reason(self)}")
            object.__setattr__(self, "_json", fields)
            return fields
        return self._json

    def as_object(self, kind: "type[T]") -> "T":
        """Read the JSON object as a dataclass, NamedTuple, TypedDict or plain class.

        `objects` says which classes it reads, and `annotations` which annotations.

        Raises:
            InvalidValue: names every field that is missing or of another type, and no value.
            TypeError: the class or an annotation is of a kind that cannot be read.

        """
        from .objects import as_object

        return as_object(self, kind)  # type: ignore[no-any-return]

    # Whatever interrupts the following, no local of it has a `repr` that shows a value.

    def _document(self) -> str:
        """Return the text to parse as JSON; UnicodeDecodeError if it is binary."""
        if self._binary is not None and self._text is None:
            return self._binary.decode("utf-8-sig")
        return self.text.removeprefix("\ufeff")

    def _parsed(self) -> Fields | None:
        """Parse a JSON object; None if there is another value, which `json_errors` looks into."""
        try:
            if self._document().lstrip(_WHITESPACE)[:1] == "{":
                fields, end = _scan(self._document().strip(_WHITESPACE), 0)
                if end == len(self._document().strip(_WHITESPACE)):
                    _freeze(fields)
                    return fields
        except (ValueError, RecursionError, StopIteration):
            pass
        return None


def _freeze(fields: Fields) -> None:
    """Replace lists with tuples."""
    for name in fields:
        if isinstance(fields[name], Fields):
            _freeze(fields[name])
        elif isinstance(fields[name], list):
            numbered: Any = enumerate(fields[name])
            items = Fields(numbered)
            _freeze(items)
            dict.__setitem__(fields, name, tuple(items.values()))

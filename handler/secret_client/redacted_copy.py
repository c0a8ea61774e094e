"""Copies anything that a log record can carry, without the values in it."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import is_ as _is
from typing import Any

from .value_finder import REDACTED

# Replaces what contains itself, or is nested deeper than this.
OMITTED = "[...]"
_DEEPEST = 40


class RedactedCopy:
    """Copies what holds a value; what holds none is returned as it is. For one record.

    Args:
        redact: takes the values out of a text.

    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._depth = 0
        # By identity: what is found again, or contains itself, is copied once.
        self._copies: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        """Return a copy, or the value itself. Never raises."""
        if value is None or isinstance(value, bool):
            return value
        if type(value) is str:
            return self._redact(value)
        known = self._copies.get(id(value))
        if known is not None:
            return known[1]
        if self._depth == _DEEPEST:
            return OMITTED
        self._copies[id(value)] = value, OMITTED
        self._depth += 1
        try:
            copy = self._copy(value)
        except Exception:  # noqa: BLE001 (whatever a value's own methods raise)
            copy = _unreadable(value)
        finally:
            self._depth -= 1
        self._copies[id(value)] = value, copy
        return copy

    def _copy(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            return self._exception(value)
        if isinstance(value, int | float):
            # As JSON writes it, also an enum. A part of a number is a coincidence.
            kind: Any = int if isinstance(value, int) else float
            if self._redact(kind.__repr__(value)) == REDACTED:
                return REDACTED
            if type(value) is kind:
                return value
        copy = self._parts(value)
        if copy is not value or type(value) in (dict, list, tuple, set, frozenset, bytes):
            return copy
        text, shown = str(value), repr(value)
        return self._redact(text) if self._redact(shown) != shown else self._text(value, text)

    def _text(self, value: Any, text: str) -> Any:
        redacted = self._redact(text)
        return value if redacted == text else redacted

    def _parts(self, value: Any) -> Any:
        """Copy what has parts that hold a value, or else return it as it is."""
        if isinstance(value, str):
            return self._text(value, str.__str__(value))  # not by the method of a subclass
        if isinstance(value, bytes | bytearray | memoryview):
            copy = self._text(value, bytes(value).decode(errors="surrogateescape"))
            return value if copy is value else copy.encode(errors="surrogateescape")
        if isinstance(value, Mapping):
            return self._pairs(value, value.items())
        if hasattr(type(value), "__dataclass_fields__"):
            names = type(value).__dataclass_fields__
            return self._pairs(
                value, ((name, getattr(value, name)) for name in names if hasattr(value, name))
            )
        if isinstance(value, list | tuple | AbstractSet | deque):
            return self._items(value)
        return value

    def _items(self, value: Any) -> Any:
        items = list(value)
        copies = [self(item) for item in items]
        if all(map(_is, copies, items)):
            return value
        return getattr(value, "_make", tuple)(copies) if isinstance(value, tuple) else copies

    def _pairs(self, value: Any, pairs: Iterable[tuple[Any, Any]]) -> Any:
        before = [item for pair in pairs for item in pair]
        copies = [self(item) for item in before]
        if all(map(_is, copies, before)):
            return value
        return dict(zip(copies[::2], copies[1::2], strict=True))

    def _exception(self, error: BaseException) -> BaseException:
        """Copy an exception with those that it came from, if one of them holds a value.

        The copy's class has the name of the exception's, and its traceback is the same.
        """
        linked = [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            linked += error.exceptions
        texts, attributes = [str(error), repr(error)], vars(error)  # with its notes
        redacted = [self._redact(text) for text in texts]
        copies, redacted_attributes = [self(other) for other in linked], self(attributes)
        if (
            redacted == texts
            and redacted_attributes is attributes
            and all(map(_is, copies, linked))
        ):
            return error
        # A chain that is too long is cut off.
        cause, context, *inner = (
            copy if isinstance(copy, BaseException) else None for copy in copies
        )
        copy = _exception_like(error, redacted[0], [each for each in inner if each is not None])
        copy.__cause__, copy.__context__ = cause, context
        copy.__suppress_context__ = error.__suppress_context__
        if isinstance(redacted_attributes, dict):
            vars(copy).update(redacted_attributes)
        return copy


def _exception_like(error: BaseException, text: str, inner: list[BaseException]) -> BaseException:
    kind, base = type(error), BaseExceptionGroup if inner else Exception
    namespace = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__str__": lambda _: text,
    }
    made: Any = type(kind.__name__, (base,), namespace)
    copy: BaseException = made(text, inner) if inner else made(text)
    return copy.with_traceback(error.__traceback__)


def _unreadable(value: Any) -> Any:
    text = f"[{type(value).__name__} that cannot be redacted]"
    if isinstance(value, BaseException):
        return _exception_like(value, text, [])
    return text

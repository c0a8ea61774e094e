"""YAML as the Pulumi CLI reads it: PyYAML's grammar with the types of gopkg.in/yaml.v3.

PyYAML reads `22:30` as 1350 and `no` as false; the CLI reads both as text. Ported from decode.go
of https://github.com/go-yaml/yaml, v3.0.1.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, cast

import yaml
from yaml import events

from local.config import go_scalars

_PREFIX = "tag:yaml.org,2002:"
_TAGS: dict[type, str] = {
    bool: "bool",
    datetime: "timestamp",
    float: "float",
    int: "int",
    str: "str",
    type(None): "null",
}
_MERGE = (events.ScalarEvent, "<<")
# How many nodes of a document may come from aliases: all of up to _TINY, 99 % of _SMALL, 10 % of
# _LARGE.
_TINY, _SMALL, _LARGE = 1_000, 400_000, 4_000_000


class YamlError(ValueError):
    """Invalid YAML, or YAML that a stack file cannot use; the text has the line and no value."""

    def __init__(self, line: int, problem: str) -> None:
        """`line` counts from 1; 0 means unknown."""
        super().__init__(f"line {line}: {problem}" if line else problem)


class _Grammar(yaml.SafeLoader):
    """PyYAML's grammar without the escape of a slash, which the CLI rejects."""

    ESCAPE_REPLACEMENTS: ClassVar = {  # type: ignore[misc] # it is declared final
        key: text for key, text in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if key != "/"
    }


class OtherKey(str):
    """A map key that is a number, true or false, formatted as the CLI does."""

    __slots__ = ()


def load(source: bytes) -> object:
    """Read the first document; None if there is none.

    Keys of maps are text. As in the CLI, a number without a fraction is an int.

    Raises:
        YamlError: the CLI rejects it, or would silently change its meaning (a date, bytes).
        UnicodeError: it is not text.
        RecursionError: it is nested too deeply.

    """
    try:
        events_ = cast("Iterator[events.NodeEvent]", yaml.parse(source, _Grammar))
        return _Decoder(events_).document()
    except yaml.reader.ReaderError as error:
        if error.encoding != "unicode":  # PyYAML's name for text that it has decoded
            raise UnicodeError from None
        raise YamlError(0, "not YAML: a control character; write it as an escape") from None
    except yaml.MarkedYAMLError as error:
        # The message of the error quotes the line; its problem and position do not.
        mark = error.problem_mark or error.context_mark
        hint = "check the indentation, and put text with special characters in quotes"
        raise YamlError(
            mark.line + 1 if mark else 0, f"not YAML: {error.problem or 'syntax error'}; {hint}"
        ) from None


class _Decoder:
    """Builds values from PyYAML's parser events, which are still untyped."""

    def __init__(self, stream: Iterator[events.NodeEvent]) -> None:
        self._events = stream
        self._anchors: dict[str | None, tuple[object, int]] = {}
        """Name -> the value and its number of nodes; 0 while it is being read."""
        self._nodes = self._by_alias = 0

    def document(self) -> object:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), events.StreamEndEvent):
            return None
        value = self._value(next(self._events))
        next(self._events)  # the end of the document; an error may still come before it
        return value

    def _value(self, event: events.NodeEvent) -> object:
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        before, unread = self._nodes, (event, 0)
        self._nodes += 1
        self._anchors[event.anchor] = unread
        value: object
        if isinstance(event, events.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, events.SequenceStartEvent):
            value = [self._value(each) for each in self._until(events.SequenceEndEvent)]
        else:
            value = self._map()
        if self._anchors[event.anchor] is unread:  # unless a nested node has taken the name
            self._anchors[event.anchor] = (value, self._nodes - before)
        return value

    def _alias(self, event: events.AliasEvent) -> object:
        if event.anchor not in self._anchors:
            raise YamlError(_line(event), f"not YAML: there is no anchor &{event.anchor}")
        value, nodes = self._anchors[event.anchor]
        if not nodes:
            raise YamlError(_line(event), f"the alias *{event.anchor} is inside its own value")
        self._nodes += 1 + nodes
        self._by_alias += nodes
        share = 0.99 - 0.89 * min(1, max(0, (self._nodes - _SMALL) / (_LARGE - _SMALL)))
        if self._nodes > _TINY and self._by_alias > share * self._nodes:
            raise YamlError(_line(event), "the file's aliases expand to too much")
        return value

    def _until(self, end: type[events.Event]) -> Iterator[events.NodeEvent]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _map(self) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: list[dict[str, object]] = []
        lines: dict[tuple[type, str], int] = {}
        for event in self._until(events.MappingEndEvent):
            # Compared as written: 1 and "1" are the same key, 1 and 0x1 are different.
            text = event.value if isinstance(event, events.ScalarEvent) else event.anchor or ""
            written = (type(event), text)
            if written in lines:
                first = lines[written]
                raise YamlError(_line(event), f"the key {text!r} is already in line {first}")
            lines[written] = _line(event)
            if (
                written == _MERGE
            ):  # also in quotes: the CLI writes it without quotes and reads it again
                merged += self._merged(next(self._events))
            else:
                key = _key(self._value(event), _line(event))
                own[key] = self._value(next(self._events))
        for each in merged:
            own = {**each, **own}
        return own

    def _merged(self, event: events.NodeEvent) -> list[dict[str, object]]:
        value = self._value(event)
        maps = value if isinstance(event, events.SequenceStartEvent) else [value]
        if not all(isinstance(each, dict) for each in maps):  # type: ignore[attr-defined]
            raise YamlError(_line(event), "`<<` needs a map or a list of maps")
        return maps  # type: ignore[return-value]


def _line(event: events.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _key(value: object, line: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):  # includes bool
        return OtherKey(json.dumps(value))
    raise YamlError(line, "a key is neither text nor a whole number; put it in quotes")


def _scalar(event: events.ScalarEvent) -> object:
    try:
        event.value.encode()
    except UnicodeError:
        raise YamlError(
            _line(event), "a character is written as a surrogate pair; write the character itself"
        ) from None
    tag = (event.tag or "!").removeprefix(_PREFIX)
    if tag == "binary":
        return _binary(event)
    if (tag == "!" and event.style) or tag not in ("!", *_TAGS.values()):
        return event.value
    value = event.value if tag == "str" else go_scalars.plain(event.value)
    if tag == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if tag not in ("!", _TAGS[type(value)]):
        raise YamlError(_line(event), f"the value is not a valid !!{tag}")
    if isinstance(value, datetime):
        raise YamlError(_line(event), "Pulumi would add a time to this date; put it in quotes")
    if isinstance(value, float):
        return _float(value, _line(event))
    return value


def _float(value: float, line: int) -> float:
    if not math.isfinite(value):
        raise YamlError(line, "a number must be finite; put it in quotes, if it is text")
    if value.is_integer() and abs(value) < go_scalars.LEAST_WITH_EXPONENT:
        return int(Decimal(repr(value)))
    return value


def _binary(event: events.ScalarEvent) -> str:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", event.value), validate=True).decode()
    except ValueError:
        raise YamlError(_line(event), "!!binary must be base64 of text in UTF-8") from None

"""Keeps values out of logs, in functions that log what they work with."""

import json
from binascii import b2a_base64
from collections.abc import Iterator
from contextlib import suppress
from logging import LogRecord
from traceback import format_exception
from typing import Any

from .client import SecretClient
from .value import Value

# Looked at as the message and the traceback that they make.
_PARTS = {"msg", "args", "exc_info"}


class RedactValues:
    """A filter for `logging`: takes every value that a client has read out of a record.

    It belongs to the handlers of the root logger, which get the records of every logger; a
    logger's own filter sees no record of its children::

        for handler in logging.getLogger().handlers:
            handler.addFilter(RedactValues(client))

    Values shorter than six characters stay: words of a log would go with them.
    """

    def __init__(self, client: SecretClient) -> None:
        self._client = client
        self._seen: tuple[Value, ...] = ()
        self._words: list[str] = []

    def filter(self, record: LogRecord) -> bool:
        """Redact message, traceback, stack and whatever `extra` has added; keep the record."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 (whatever the arguments raise, logging would show them)
            message = f"{record.msg!r} {record.args!r}"
            record.msg, record.args = message, None
        redacted = self._redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info:
            text = record.exc_text or "".join(format_exception(*record.exc_info)).rstrip("\n")
            if self._redact(text) != text:
                # A formatter takes the text; one that looks at `exc_info` itself must find none.
                record.exc_text, record.exc_info = text, None
        for name, value in tuple(vars(record).items()):
            if name not in _PARTS:
                setattr(record, name, self._clean(value))
        return True

    def _clean(self, value: Any) -> Any:
        """Redact texts and numbers, also within lists and dictionaries, which JSON logs show."""
        if isinstance(value, dict):
            return {self._clean(key): self._clean(inner) for key, inner in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self._clean, value))
        text = str(value) if type(value) in (int, float) else value
        redacted = self._redact(text) if isinstance(text, str) else text
        return value if redacted == text else redacted

    def _redact(self, text: str) -> str:
        values = self._client.values_read()
        if values != self._seen:
            words = {word for value in values for word in _words(value) if len(word) >= 6}
            # Each as it is, and as JSON and `repr` would write it; the longest first.
            forms = {
                form
                for word in words
                for form in (
                    word,
                    json.dumps(word)[1:-1],
                    json.dumps(word, ensure_ascii=False)[1:-1],
                    repr(word)[1:-1],
                )
            }
            self._words, self._seen = sorted(forms, key=len, reverse=True), values
        for word in self._words:
            if word in text:
                text = text.replace(word, "[redacted]")
        return text


def _words(value: Value) -> Iterator[str]:
    if value._text is None:  # noqa: SLF001 (asked without an exception)
        yield repr(value.binary)[2:-1]
        yield b2a_base64(value.binary, newline=False).decode()
        yield value.binary.decode(errors="replace")
        return
    yield value.text
    with suppress(ValueError, RecursionError):
        yield from list(_strings(json.loads(value.text)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str | int | float):
        yield str(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)

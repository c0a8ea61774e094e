"""Keeps values out of logs: beside ``secret_client``, for functions that log what they work with.

Put it into the package where it is used; the reader itself needs it not.
"""

import json
from binascii import b2a_base64
from collections.abc import Iterator
from logging import LogRecord
from traceback import format_exception
from types import MappingProxyType
from typing import Any

from secret_client import InvalidValue, SecretClient, Value


class RedactValues:
    """A filter for ``logging``: takes every value that a client has read out of a record.

    ``logger.addFilter(RedactValues(client))``, or the same on a handler. Values shorter than six
    characters stay: words of a log would go with them.
    """

    def __init__(self, client: SecretClient) -> None:
        self._client = client
        self._seen: tuple[Value, ...] = ()
        self._words: list[str] = []

    def filter(self, record: LogRecord) -> bool:
        """Redact message, traceback and stack; keep the record."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 (whatever the arguments raise, logging would show them)
            message = f"{record.msg!r} {record.args!r}"
            record.msg, record.args = message, None
        redacted = self._redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info or record.exc_text:
            text = record.exc_text or ""
            if record.exc_info:
                text = text or "".join(format_exception(*record.exc_info)).rstrip("\n")
            redacted = self._redact(text)
            if redacted != text:
                # A formatter takes the text; one that looks at `exc_info` itself must find none.
                record.exc_text, record.exc_info = redacted, None
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)
        return True

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
    try:
        yield value.text
        yield from _strings(value.json)
    except InvalidValue:  # no JSON; or binary, which a log shows in one of these ways
        yield repr(value.binary)[2:-1]
        yield b2a_base64(value.binary, newline=False).decode()
        yield value.binary.decode(errors="replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str | int | float):
        yield str(value)
    elif isinstance(value, MappingProxyType):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _strings(inner)

"""The texts in which a value may be written: as it is, in parts, and as something encodes it."""

import json
from binascii import b2a_base64
from collections.abc import Collection, Iterator

from .errors import InvalidValue
from .value import Value


class _Object(list[tuple[str, object]]):
    """A JSON object as its pairs: of equal keys, every value counts."""


_decode = json.JSONDecoder(
    object_pairs_hook=_Object,
    parse_int=str,
    parse_float=lambda literal: (literal, str(float(literal))),  # as written, and as logged
    parse_constant=lambda _: None,
).decode


def forms(value: Value, plain_fields: Collection[str]) -> set[str]:
    """Return every text that shows the value or a part of it, without its backslashes.

    Each escape of JSON and of `repr`, at any depth, differs from the first one in nothing but
    the number of its backslashes. URL quoting and HTML are for the finder to undo.
    """
    try:
        text = value.text
    except InvalidValue:
        text = value.binary.decode(errors="surrogateescape")
    return {
        form.replace("\\", "") for word in set(_words(text, plain_fields)) for form in _forms(word)
    }


def _words(text: str, plain_fields: Collection[str]) -> Iterator[str]:
    """Take a value apart: texts and numbers in JSON, but for those of plain fields, and lines."""
    waiting: list[object] = [text]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Object):
            waiting += [
                inner
                for name, inner in item
                if name not in plain_fields or isinstance(inner, list)
            ]
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, str):
            document = _document(item)
            if document is not item:
                waiting.append(document)
            if not isinstance(document, list):
                yield item.strip()
                lines = item.splitlines()
                yield from (line.strip() for line in lines if not line.startswith("-----"))


def _document(text: str) -> object:
    """Return what JSON in a text holds, or else the text."""
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped.startswith(("{", "[", '"')):
        return text
    try:
        found: object = _decode(stripped)
    except (ValueError, RecursionError):
        return text
    return found


# How a quote is written within quotes, by SQL, CSV, YAML and shells; how a percent sign is, in a
# format or in a file of `configparser`.
_QUOTED = (("'", "''"), ('"', '""'), ("%", "%%"), ("'", "'\"'\"'"), ("'", "'\\''"))


def _forms(word: str) -> Iterator[str]:
    for text in (word, json.dumps(word, ensure_ascii=False)[1:-1], repr(word)[1:-1]):
        yield from (text, json.dumps(text)[1:-1])
        yield from (text.replace(mark, quoted) for mark, quoted in _QUOTED)
    yield word.replace(" ", "+")  # form encoding
    raw = _bytes(word)
    yield from (repr(raw)[2:-1], raw.decode(errors="replace"), raw.hex(), raw.hex().upper())
    for encoded in {raw, json.dumps(word)[1:-1].encode()}:
        for letters in _base64(encoded):
            yield letters
            yield letters.replace("+", "-").replace("/", "_")


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the letters that only these bytes decide, at the three offsets they can have."""
    for offset, start in enumerate((0, 2, 3)):
        letters = b2a_base64(bytes(offset) + raw, newline=False).decode()
        yield letters[start : (offset + len(raw)) * 8 // 6]
        yield letters[start:].rstrip("=")  # nothing follows
        yield letters[start:]


def _bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a pair, which JSON may hold
        return text.encode(errors="surrogatepass")

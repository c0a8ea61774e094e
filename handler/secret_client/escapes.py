"""Escapes that write one character as several: of JSON and `repr`, of URLs, and of HTML."""

import re
import sys
from collections.abc import Callable, Iterator

_HEX = "[0-9A-Fa-f]"
_ENTITIES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}


class Escape:
    """One kind of escape.

    Args:
        pattern: regular expression of an escaped character.
        unescaped: returns the character; what it does not know, as it is.

    """

    def __init__(self, pattern: str, unescaped: Callable[[str], str]) -> None:
        self._escaped = re.compile(pattern)
        self._each = re.compile(f"{pattern}|.", re.DOTALL)
        self._unescaped = unescaped

    def is_in(self, text: str) -> bool:
        """Whether a text has an escaped character."""
        return self._escaped.search(text) is not None

    def undone(self, text: str) -> str:
        """Return a text without escapes."""
        return self._escaped.sub(lambda found: self._unescaped(found[0]), text)

    def characters(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Yield each character of the text without escapes, with its start and end in the text."""
        for found in self._each.finditer(text):
            written = found[0]
            for character in self._unescaped(written) if len(written) > 1 else written:
                yield character, found.start(), found.end()


def _from_backslash(text: str) -> str:
    code = text.replace("\\", "")
    if code[0] == "u":  # or two of them, a surrogate pair
        return bytes.fromhex(code.replace("u", "")).decode("utf-16-be", "surrogatepass")
    return _character(int(code[1:], 16), text)


def _from_url(text: str) -> str:
    return bytes.fromhex(text.replace("%", "")).decode(errors="surrogateescape")


def _from_html(text: str) -> str:
    name = text[1:-1].lower()
    if name[0] != "#":
        return _ENTITIES.get(name, text)
    return _character(int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:]), text)


def _character(code: int, text: str) -> str:
    return chr(code) if code <= sys.maxunicode else text


ESCAPES = (
    Escape(
        rf"\\+u[Dd][89ABab]{_HEX}{{2}}\\+u[Dd][C-Fc-f]{_HEX}{{2}}"
        rf"|\\+(?:u{_HEX}{{4}}|x{_HEX}{{2}}|U{_HEX}{{8}})",
        _from_backslash,
    ),
    Escape(rf"%[C-Fc-f]{_HEX}(?:%[89ABab]{_HEX})+|%{_HEX}{{2}}", _from_url),
    Escape(rf"&(?:[A-Za-z]{{2,4}}|#[0-9]{{1,7}}|#[Xx]{_HEX}{{1,7}});", _from_html),
)

"""Finds values in text, also in text that something has escaped or quoted."""

import re
from collections.abc import Iterable

REDACTED = "[redacted]"
# What is shorter is not looked for: words of a log would go with it.
SHORTEST = 6
# Of a longer form, this much is compared. It bounds the memory, and finds values that are cut off.
_COMPARED = 1024
# How many escapes are undone after each other: URL quoting of HTML, say.
_DEPTH = 3

# One character, as URL quoting or HTML escapes it.
_ESCAPES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"%[C-F][0-9A-F](?:%[89AB][0-9A-F])+|%[0-9A-F]{2}",
        r"&(?:[A-Z]{2,4}|#X?[0-9A-F]{1,7});",
    )
)
_ENTITIES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}


class ValueFinder:
    """Finds forms of values, by a look-up for each character of a text, however many there are."""

    def __init__(self) -> None:
        # How a form begins -> what to compare, and how long the form is.
        self._forms: dict[str, frozenset[tuple[str, int]]] = {}

    def add(self, forms: Iterable[str]) -> None:
        """Look for these texts, too: forms of a value, without their backslashes."""
        for form in forms:
            if len(form) >= SHORTEST:
                compared = form[:_COMPARED], len(form)
                known = self._forms.get(form[:SHORTEST], frozenset())
                # Replaced, as another thread may look through it.
                self._forms[form[:SHORTEST]] = known | {compared}

    def redact(self, text: str) -> str:
        """Replace every form in a text."""
        if not self._forms:
            return text
        spans: list[tuple[int, int]] = []
        layers: list[tuple[str, tuple[re.Pattern[str], ...]]] = [(text, ())]
        for layer, undone in layers:
            found = self._find(layer.replace("\\", ""))
            if found:
                starts, ends = _places(text, undone)
                spans += [(starts[first], ends[last]) for first, last in found]
            if len(undone) < _DEPTH:
                layers += [
                    (escape.sub(_unescaped, layer), (*undone, escape))
                    for escape in _ESCAPES
                    if escape.search(layer)
                ]
        if not spans:
            return text
        parts, end = [], 0
        for start, stop in sorted(spans):
            if start >= end:
                parts += [text[end:start], REDACTED]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def _find(self, text: str) -> list[tuple[int, int]]:
        """Return the first and last character of each form in a text without backslashes."""
        known, last = self._forms, len(text) - 1
        found = []
        for place in [
            place for place in range(last - 4) if text[place : place + SHORTEST] in known
        ]:
            lengths = [
                length
                for compared, length in known[text[place : place + SHORTEST]]
                if text.startswith(compared, place)
            ]
            if lengths:
                found.append((place, min(place + max(lengths) - 1, last)))
        return found


def _places(text: str, undone: tuple[re.Pattern[str], ...]) -> tuple[list[int], list[int]]:
    """Return where each character of an unescaped text starts and ends in the text itself.

    Args:
        text: as it was logged.
        undone: the escapes that were undone, in order; after them, backslashes were dropped.

    """
    starts, ends = list(range(len(text))), list(range(1, len(text) + 1))
    for escape in undone:
        characters = [
            (unescaped, starts[found.start()], ends[found.end() - 1])
            for found in re.finditer(f"{escape.pattern}|.", text, re.IGNORECASE | re.DOTALL)
            for unescaped in _unescaped(found)
        ]
        text = "".join(character for character, _, _ in characters)
        starts, ends = [start for _, start, _ in characters], [end for _, _, end in characters]
    kept = [place for place, character in enumerate(text) if character != "\\"]
    # A character's backslashes belong to it.
    before = [0, *(place + 1 for place in kept)]
    return [starts[place] for place in before[:-1]], [ends[place] for place in kept]


def _unescaped(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) == 1:
        return text
    if text.startswith("%"):
        return bytes.fromhex(text.replace("%", "")).decode(errors="surrogateescape")
    name = text[1:-1].lower()
    if not name.startswith("#"):
        return _ENTITIES.get(name, text)
    try:
        return chr(int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:]))
    except (ValueError, OverflowError):  # unknown to HTML, too
        return text

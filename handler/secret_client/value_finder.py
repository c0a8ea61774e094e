"""Finds values in text, also in text that something has escaped or quoted."""

from collections.abc import Iterable

from .escapes import ESCAPES, Escape

REDACTED = "[redacted]"
# Shorter values are not searched for: they would also match ordinary words.
SHORTEST = 6
# Only this much of a longer form is compared: it limits memory, and finds values that are cut off.
_COMPARED = 1024
# How many nested escapes are undone: URL quoting of HTML, for example.
_DEPTH = 3


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
                # Replaced as a whole, because another thread may be reading it.
                self._forms[form[:SHORTEST]] = known | {compared}

    def redact(self, text: str) -> str:
        """Replace every form in a text."""
        if not self._forms:
            return text
        spans: list[tuple[int, int]] = []
        layers: list[tuple[str, tuple[Escape, ...]]] = [(text, ())]
        for layer, undone in layers:
            found = self._find(layer.replace("\\", ""))
            if found:
                starts, ends = _places(text, undone)
                spans += [(starts[first], ends[last]) for first, last in found]
            if len(undone) < _DEPTH:
                layers += [
                    (escape.undone(layer), (*undone, escape))
                    for escape in ESCAPES
                    if escape.is_in(layer)
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


def _places(text: str, undone: tuple[Escape, ...]) -> tuple[list[int], list[int]]:
    """Return where each character of an unescaped text starts and ends in the text itself.

    Args:
        text: as it was logged.
        undone: the escapes that were undone, in order; after them, backslashes were dropped.

    """
    starts, ends = list(range(len(text))), list(range(1, len(text) + 1))
    for escape in undone:
        characters = [
            (character, starts[start], ends[end - 1])
            for character, start, end in escape.characters(text)
        ]
        text = "".join(character for character, _, _ in characters)
        starts, ends = [start for _, start, _ in characters], [end for _, _, end in characters]
    kept = [place for place, character in enumerate(text) if character != "\\"]
    # A character's backslashes belong to it.
    before = [0, *(place + 1 for place in kept)]
    return [starts[place] for place in before[:-1]], [ends[place] for place in kept]

"""Filter patterns of CloudWatch Logs: terms, and properties of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html

Patterns for fields separated by spaces (`[ip, user, …]`) are not among them.
"""

import functools
import json
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

Matches = Callable[[Any], bool]

_TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<quoted>[^"]*)"|%(?P<regex>[^%]*)%|(?P<bare>\S+))')
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<operator>\(|\)|&&|\|\||!=|<=|>=|=|<|>)
      | (?P<selector>\$[\w\-.\[\]*]+)
      | (?P<words>NOT\s+EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE|EXISTS)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]*)%
      | (?P<bare>[^\s()=<>!&|"%]+)
    )""",
    re.VERBOSE,
)
_PART = re.compile(r"\[(\d+|\*)\]|([\w\-]+)")
_NUMBER = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS: dict[str, Callable[[list[Any]], bool]] = {
    "EXISTS": bool,
    "NOT EXISTS": operator.not_,
    "IS NULL": lambda values: any(value is None for value in values),
    "IS TRUE": lambda values: any(value is True for value in values),
    "IS FALSE": lambda values: any(value is False for value in values),
}


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a message matches. ValueError for what is no pattern."""
    pattern = pattern.strip()
    if not pattern.startswith("{"):
        return _terms(pattern)
    if not pattern.endswith("}"):
        raise ValueError("a pattern for JSON ends with }")
    matches = _Expression(pattern[1:-1]).parse()

    def message_matches(message: str) -> bool:
        document = json_object(message)
        return document is not None and matches(document)

    return message_matches


def json_object(message: str) -> dict[str, Any] | None:
    """Return the object that a message is; None for any other message."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(message)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def selected(document: Any, selector: str) -> list[Any]:  # noqa: ANN401 (any JSON)
    """Return what `$.a.b[0]` or `$.a[*].b` selects: nothing, one value, or many."""
    values = [document]
    for index, name in _PART.findall(selector[1:]):
        values = [inner for value in values for inner in _inner(value, index, name)]
    return values


def _inner(value: Any, index: str, name: str) -> Iterable[Any]:  # noqa: ANN401 (any JSON)
    if name:
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return []
    return value if index == "*" else value[int(index) :][:1]


def _terms(pattern: str) -> Callable[[str], bool]:
    """Match all plain terms and none with a minus; without either, any with a question mark."""
    groups: dict[str, list[re.Pattern[str]]] = {"": [], "-": [], "?": []}
    for term in _TERM.finditer(pattern):
        bare = term["bare"]
        if bare and not re.fullmatch(r"[\w*]+", bare):
            raise ValueError(f"Invalid character(s) in term '{bare}'")
        text = term["regex"] if term["regex"] is not None else re.escape(term["quoted"] or bare)
        groups[term["sign"]].append(re.compile(text.replace(r"\*", ".*") if bare else text))

    def matches(message: str) -> bool:
        if groups["?"] and not groups[""] and not groups["-"]:
            return any(term.search(message) for term in groups["?"])
        return all(term.search(message) for term in groups[""]) and not any(
            term.search(message) for term in groups["-"]
        )

    return matches


class _Expression:
    """The inside of the braces: comparisons, `&&` before `||`, parentheses."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        end, text = 0, text.rstrip()
        while end < len(text):
            token = _TOKEN.match(text, end)
            if token is None or token.lastgroup is None:
                raise ValueError(f"Invalid filter pattern at {text[end:]!r}")
            self.tokens.append((token.lastgroup, token[token.lastgroup]))
            end = token.end()
        self.tokens.reverse()  # the next one is the last

    def parse(self) -> Matches:
        """Return what tells whether a document matches."""
        matches = self._any()
        if self.tokens:
            raise ValueError(f"Invalid filter pattern at {self.tokens[-1][1]!r}")
        return matches

    def _next(self, *expected: str) -> tuple[str, str]:
        if not self.tokens or self.tokens[-1][0] not in expected:
            found = repr(self.tokens[-1][1]) if self.tokens else "the end"
            raise ValueError(f"Invalid filter pattern at {found}")
        return self.tokens.pop()

    def _skip(self, symbol: str) -> bool:
        found = bool(self.tokens) and self.tokens[-1] == ("operator", symbol)
        if found:
            self.tokens.pop()
        return found

    def _any(self) -> Matches:
        members = [self._all()]
        while self._skip("||"):
            members.append(self._all())
        return lambda document: any(member(document) for member in members)

    def _all(self) -> Matches:
        members = [self._one()]
        while self._skip("&&"):
            members.append(self._one())
        return lambda document: all(member(document) for member in members)

    def _one(self) -> Matches:
        if self._skip("("):
            matches = self._any()
            if not self._skip(")"):
                raise ValueError("Invalid filter pattern: a parenthesis stays open")
            return matches
        _, selector = self._next("selector")
        kind, found = self._next("operator", "words")
        if kind == "words":
            holds = _WORDS[" ".join(found.split())]
            return lambda document: holds(selected(document, selector))
        if found not in _NUMBER:
            raise ValueError(f"Invalid filter pattern at {found!r}")
        compares = _comparison(found, *self._next("quoted", "regex", "bare"))
        if found == "!=":  # also what is not there is not equal
            return lambda document: all(map(compares, selected(document, selector)))
        return lambda document: any(map(compares, selected(document, selector)))


def _comparison(symbol: str, kind: str, text: str) -> Matches:
    number = _number(text) if kind == "bare" else None
    if number is None and symbol not in ("=", "!="):
        raise ValueError(f"Invalid filter pattern: {symbol} compares numbers, not {text!r}")
    if kind == "regex":
        pattern = re.compile(text)
    else:
        text = re.sub(r"\\(.)", r"\1", text) if kind == "quoted" else text
        pattern = re.compile(r"\A" + re.escape(text).replace(r"\*", ".*") + r"\Z", re.DOTALL)

    def compares(value: Any) -> bool:  # noqa: ANN401 (any JSON)
        if isinstance(value, int | float) and not isinstance(value, bool) and number is not None:
            return bool(_NUMBER[symbol](value, number))
        if symbol not in ("=", "!="):
            return False
        shown = value if isinstance(value, str) else json.dumps(value)
        return (pattern.search(shown) is not None) == (symbol == "=")

    return compares


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

"""Values are redacted in whatever form Python's own encoders give them.

Each property has its control: decoded, the log without the filter is the text with the value.
"""

import ast
import base64
import html
import json
import re
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlencode

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from secret_client.redaction import RedactValues
from tests.scripted import Server
from tests.unit.redaction_support import TEXT, knowing, logged

CANARY = "pa\"ss\\w0rd/+=&<é' %41~"

Code = Callable[[str], str]


def lower_digits(text: str) -> str:
    return re.sub(r"%..", lambda found: found[0].lower(), quote(text))


def bytes_repr(text: str) -> str:
    return repr(text.encode())


def bytes_read(text: str) -> str:
    found: bytes = ast.literal_eval(text)
    return found.decode()


def then(*steps: Code) -> Code:
    def code(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return code


def ascii_json(text: str) -> str:
    return json.dumps({"k": [text]})


def json_read(text: str) -> str:
    found: str = json.loads(text)["k"][0]
    return found


def wide_json(text: str) -> str:
    return json.dumps({"k": [text]}, ensure_ascii=False)


def whole_quote(text: str) -> str:
    return quote(text, safe="")


def bare_quote(text: str) -> str:
    return quote(text, safe="!*'() ,;:@&=+$?")


def form(text: str) -> str:
    return urlencode({"k": text})


def form_read(text: str) -> str:
    return unquote_plus(text.removeprefix("k="))


def references(text: str) -> str:
    return "".join(f"&#{ord(each)};" if each in "\"'<>&é" else each for each in text)


def html_safe_json(text: str) -> str:
    """Write JSON as Django and Jinja do into a page."""
    escapes = {ord(each): f"\\u{ord(each):04X}" for each in "<>&'"}
    return json.dumps({"k": [text]}).translate(escapes)


def doubled(quote_mark: str) -> tuple[Code, Code]:
    """Write a quote as two, as SQL, CSV and YAML do."""
    two = quote_mark * 2
    return (
        lambda text: f"{quote_mark}{text.replace(quote_mark, two)}{quote_mark}",
        lambda text: text[1:-1].replace(two, quote_mark),
    )


def shell_read(text: str) -> str:
    (found,) = shlex.split(text)
    return found


def dashed(text: str) -> str:
    return json.dumps(text).replace("/", "\\/")


ENCODINGS: dict[str, tuple[Code, Code]] = {
    "as it is": (str, str),
    "JSON": (ascii_json, json_read),
    "JSON with letters of all languages": (wide_json, json_read),
    "JSON with escaped slashes": (dashed, json.loads),
    "JSON in JSON": (then(*[ascii_json] * 2), then(*[json_read] * 2)),
    "JSON, six times": (then(*[ascii_json] * 6), then(*[json_read] * 6)),
    "JSON of both kinds": (then(wide_json, ascii_json), then(json_read, json_read)),
    "JSON in a page": (html_safe_json, json_read),
    "JSON in a page, twice": (then(html_safe_json, html_safe_json), then(json_read, json_read)),
    "repr": (repr, ast.literal_eval),
    "repr in ASCII": (ascii, ast.literal_eval),
    "JSON of repr in ASCII": (then(ascii, ascii_json), then(json_read, ast.literal_eval)),
    "repr of repr": (then(repr, repr), then(ast.literal_eval, ast.literal_eval)),
    "repr of JSON": (then(ascii_json, repr), then(ast.literal_eval, json_read)),
    "JSON of repr": (then(repr, ascii_json), then(json_read, ast.literal_eval)),
    "bytes": (bytes_repr, bytes_read),
    "bytes of JSON": (then(ascii_json, bytes_repr), then(bytes_read, json_read)),
    "quote": (quote, unquote),
    "quote, all of it": (whole_quote, unquote),
    "quote, as encodeURI": (bare_quote, unquote),
    "quote, lower case": (lower_digits, unquote),
    "quote_plus": (quote_plus, unquote_plus),
    "form": (form, form_read),
    "quote, twice": (then(quote, quote), then(unquote, unquote)),
    "quote of JSON": (then(ascii_json, quote), then(unquote, json_read)),
    "JSON of quote": (then(quote, ascii_json), then(json_read, unquote)),
    "HTML": (html.escape, html.unescape),
    "HTML by numbers": (references, html.unescape),
    "HTML, twice": (then(html.escape, html.escape), then(html.unescape, html.unescape)),
    "HTML of JSON": (then(ascii_json, html.escape), then(html.unescape, json_read)),
    "JSON of HTML": (then(html.escape, ascii_json), then(json_read, html.unescape)),
    "HTML of JSON in a page": (then(html_safe_json, html.escape), then(html.unescape, json_read)),
    "SQL": doubled("'"),
    "CSV": doubled('"'),
    "shell": (shlex.quote, shell_read),
    "percent signs doubled": (
        lambda text: text.replace("%", "%%"),
        lambda text: text.replace("%%", "%"),
    ),
}


@pytest.fixture(scope="module")
def canary(served: Server) -> RedactValues:
    return knowing(served, json.dumps({"password": CANARY}))


def log(text: str, redact: RedactValues | None) -> str:
    (line,) = logged(lambda logger: logger.info("%s", text), redact, TEXT)
    return line.removeprefix("INFO ")


CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
# What encoders treat differently comes up often.
TEXTS = st.text(st.sampled_from("\"'\\/+=&<>%;: aé\U0001f511n") | CHARACTERS, max_size=40)


def is_one_word(value: str) -> bool:
    """Whether the value is neither JSON, nor blank at its ends, nor short but for backslashes.

    Nor does it repeat itself: of "é99999", the last digit in "\\u00e9" would begin "99999", too.
    """
    edges = value[:1] + value[-1:]
    return (
        len(value.replace("\\", "")) >= 6
        and not {*edges} & {*'\\{["'}
        and not any(map(str.isspace, edges))
        and not any(value.startswith(value[shift:]) for shift in range(1, min(9, len(value))))
    )


VALUES = TEXTS.filter(is_one_word)
# The backslashes before a value are redacted as a part of it.
BEFORE = TEXTS.filter(lambda text: not text.endswith("\\"))


def once(value: str, text: str) -> bool:
    """Whether a text has the value once, so that it is clear what is to be left of it."""
    value, text = value.replace("\\", ""), text.replace("\\", "")
    return sum(text.startswith(value, place) for place in range(len(text))) == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("around", [("", ""), ("user:", "@host"), ('{"a": "b%', '\\"}&amp;')])
def test_the_canary_is_redacted_in_each_encoding(
    canary: RedactValues, encoding: str, around: tuple[str, str]
) -> None:
    encode, decode = ENCODINGS[encoding]
    before, after = around
    text = encode(before + CANARY + after)
    assert decode(log(text, None)) == before + CANARY + after
    assert decode(log(text, canary)) == f"{before}[redacted]{after}"


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, before=BEFORE, after=TEXTS)
def test_any_value_is_redacted_in_each_encoding(
    served: Server, encoding: str, value: str, before: str, after: str
) -> None:
    encode, decode = ENCODINGS[encoding]
    assume(once(value, before + value + after))
    # The quotes around it would look like its own, doubled as SQL does.
    assume(value.strip("'\"") == value)
    text = encode(before + value + after)
    assert decode(log(text, None)) == before + value + after
    assert decode(log(text, knowing(served, value))) == f"{before}[redacted]{after}"


def plain_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def url_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def quoted_base64(raw: bytes) -> str:
    return json.dumps({"k": quote_plus(plain_base64(raw))})


DIGITS: dict[str, tuple[Callable[[bytes], str], int]] = {
    "base64": (plain_base64, 6),
    "base64url": (url_base64, 6),
    "hex": (bytes.hex, 4),
    "hex in capitals": (lambda raw: raw.hex().upper(), 4),
}
"""Encoder, and how many bits a letter stands for."""


@pytest.mark.parametrize("encoding", DIGITS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES | st.binary(min_size=6, max_size=40), before=TEXTS, after=TEXTS)
def test_any_value_is_redacted_in_base64_and_hex_also_of_more_than_it(
    served: Server, encoding: str, value: str | bytes, before: str, after: str
) -> None:
    encode, bits = DIGITS[encoding]
    raw = value if isinstance(value, bytes) else value.encode()
    assume(len(raw.strip()) == len(raw))
    assume(isinstance(value, str) or is_one_word(value.decode(errors="surrogateescape")))
    whole = before.encode() + raw + after.encode()
    assume(once(raw.decode("latin-1"), whole.decode("latin-1")))
    start = len(before.encode())
    # The letters that stand for nothing but the value.
    first, last = -(-start * 8 // bits), (start + len(raw)) * 8 // bits
    text = encode(whole)
    assert log(text, None)[first:last] == text[first:last]
    redacted = log(text, knowing(served, value))
    assert text[first:last] not in redacted
    assert redacted.startswith(text[: max(first - 1, 0)])


@pytest.mark.parametrize("user", ["", "u", "us", "app"])
def test_a_password_is_redacted_in_basic_authentication_and_in_json_in_base64(
    canary: RedactValues, user: str
) -> None:
    for text in (f"{user}:{CANARY}", json.dumps({"user": user, "password": CANARY})):
        plain = plain_base64(text.encode())
        for encoded in (plain, quote_plus(plain), json.dumps([plain])):
            control, redacted = log(f"Basic {encoded}", None), log(f"Basic {encoded}", canary)
            assert control == f"Basic {encoded}"
            assert "[redacted]" in redacted
            letters = re.sub(r"\[redacted\].*", "", redacted.removeprefix("Basic "))
            assert len(letters) <= len(text.rpartition(CANARY[:2])[0]) * 4 / 3 + 4


# --- parts of a value ----------------------------------------------------------------------------

KEY = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        *(plain_base64(bytes([line]) * 48) for line in range(8)),
        "c2hvcnQgbGFzdCBsaW5l",
        "-----END PRIVATE KEY-----",
        "",
    ]
)


LAYOUTS: dict[str, Code] = {
    "as it is": str,
    "stripped": str.strip,
    "CRLF": lambda key: key.replace("\n", "\r\n"),
    "indented": lambda key: key.replace("\n", "\n    "),
    "joined": lambda key: key.replace("\n", ""),
    "with spaces": lambda key: key.replace("\n", " "),
    "with \\n": lambda key: key.replace("\n", "\\n"),
    "from the fourth line": lambda key: "\n".join(key.splitlines()[3:]),
    "JSON": json.dumps,
    "repr": repr,
    "URL": quote,
    "HTML": lambda key: html.escape(key).replace("\n", "<br>"),
}


@pytest.mark.parametrize("value", [KEY, json.dumps({"private_key": KEY})], ids=["text", "JSON"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_line_of_a_key_is_redacted(served: Server, value: str, layout: str) -> None:
    shown = LAYOUTS[layout](KEY)
    control, redacted = log(shown, None), log(shown, knowing(served, value))
    lines = [line for line in KEY.splitlines() if not line.startswith("-----")]
    for line in lines[3:]:
        assert line in control or quote(line) in control
    for line in lines:
        assert line not in redacted
        assert quote(line) not in redacted


def test_other_keys_stay_readable(served: Server) -> None:
    text = "-----BEGIN PRIVATE KEY-----\nMIIBszCCAVmgAwIBAgI\n-----END PRIVATE KEY-----"
    assert log(text, knowing(served, KEY)) == text


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('{"p": "first-value", "p": "second-value"}', ["first-value", "second-value"]),
        (json.dumps({"a": json.dumps({"p": "inner-value"})}), ["inner-value"]),
        (json.dumps(json.dumps({"p": "inner-value"})), ["inner-value"]),
        ('"quoted-value"', ["quoted-value"]),
        ('\ufeff {"p": "marked-value"}', ["marked-value"]),
        ('["in-a-list", {"k": ["deep-in-a-list"]}]', ["in-a-list", "deep-in-a-list"]),
        ('{"n": 7.3519284E7, "m": -73519284}', ["7.3519284E7", "73519284.0", "-73519284"]),
        ('{"n": 1' + "0" * 5000 + "}", ["1" + "0" * 5000]),
        ("[" * 100_000 + '"broken-value"', ["[" * 100_000 + '"broken-value"']),
        ('{"p": "not-json-value"', ['{"p": "not-json-value"']),
        ("  stripped-value \n", ["stripped-value"]),
        ("user: app\n    password: in-a-line\n", ["password: in-a-line"]),
        ('{"p": "half \\ud83d of it"}', ["half \ud83d of it"]),
        ("x" * 5000, ["x" * 5000, "x" * 1024, "x" * 1100 + "…"]),
    ],
)
def test_each_part_of_a_value_is_redacted(served: Server, value: str, found: list[str]) -> None:
    redact = knowing(served, value)
    for part in found:
        assert part in log(f"it is {part}.", None)
        assert log(f"it is {part}.", redact).startswith("it is [redacted]")


def test_binary_values_are_redacted(served: Server) -> None:
    raw = b"binary\xff-value"
    redact = knowing(served, raw, b'{"p": "json-in-binary"}')
    for shown in (repr(raw), str(raw, errors="replace"), plain_base64(raw), raw.hex()):
        assert shown in log(f"it is {shown}.", None)
        assert shown not in log(f"it is {shown}.", redact)
    assert log("json-in-binary", redact) == "[redacted]"


@given(text=st.text(st.characters(exclude_characters="x")))
def test_a_text_without_a_value_stays_as_it_is(canary_of_x: RedactValues, text: str) -> None:
    assert log(text, canary_of_x) == log(text, None) == text


@pytest.fixture(scope="module")
def canary_of_x(served: Server) -> RedactValues:
    return knowing(served, "x" * 12)


@given(value=st.recursive(st.text() | st.integers() | st.floats(), st.lists, max_leaves=5))
def test_any_json_is_taken_apart(served: Server, value: Any) -> None:
    redact = knowing(served, json.dumps({"p": value, "q": CANARY}))
    assert redact.redact(CANARY) == "[redacted]"

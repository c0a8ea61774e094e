"""YAML means here what it means to the Pulumi CLI.

tests/engine/test_go_yaml.py puts the same tables to the CLI itself.
"""

from typing import Any

import pytest

from local.config.go_scalars import number
from local.config.go_yaml import OtherKey, YamlError, load

# (what follows `value:` in a stack's file, what it means).
VALUES: list[tuple[str, object]] = [
    *[(text, text) for text in ("22:30", "12:30:45", "4:30:00", "1:2", "190:20:30.15")],
    *[(text, text) for text in ("yes", "Yes", "no", "NO", "on", "On", "off", "OFF", "y", "N")],
    *[(text, True) for text in ("true", "True", "TRUE")],
    *[(text, False) for text in ("false", "False", "FALSE")],
    *[(text, text) for text in ("tRue", "nULL", "inf", "nan", "Infinity", ".", "+", "=")],
    *[(text, None) for text in ("", "~", "null", "Null", "NULL", "!!null ~")],
    *[("017", 15), ("0o17", 15), ("-0o17", -15), ("08", 8), ("09.5", 9.5), ("0o8", "0o8")],
    *[("0x1F", 31), ("0X1f", 31), ("-0x1F", -31), ("0x", "0x"), ("0b101", 5), ("0b2", "0b2")],
    *[("1_000", 1000), ("1_", 1), ("_1", "_1"), ("1_0.5", 10.5), ("1,000", "1,000")],
    *[("+5", 5), ("-0", 0), ("--1", "--1"), ("1.2.3", "1.2.3"), ("3.12", 3.12), ("3.10", 3.1)],
    *[("1e3", 1000), ("1E3", 1000), ("12e03", 12_000), ("1e", "1e"), ("1.5e3", 1500)],
    *[(".5", 0.5), ("-.5", -0.5), (".5e3", 500), (".1_0", 0.1), ("3.", 3), ("1.0", 1)],
    *[("-0.0", 0), ("0.1", 0.1), ("0.00001", 0.00001), ("1e-7", 1e-7), ("1e-400", 0)],
    *[("1e20", 10**20), ("1e21", 1e21), ("1e400", "1e400"), ("1234567.0", 1_234_567)],
    *[("18446744073709551616", 18446744073709552000), ("9" * 5000, "9" * 5000)],
    *[("2024-13-01", "2024-13-01"), ("2024-02-30", "2024-02-30"), ("24-01-01", "24-01-01")],
    *[("2024-01-01T10:00:00", "2024-01-01T10:00:00"), ("'2024-01-01'", "2024-01-01")],
    *[("!!str 5", "5"), ("!!str yes", "yes"), ("!!str", ""), ("!!str 2024-01-01", "2024-01-01")],
    *[("!!int '3'", 3), ("!!float 3", 3), ("!!bool true", True), ("! '12'", "12"), ("! 12", 12)],
    *[("!mine 12", "12"), ("!mine {a: 1}", {"a": 1}), ("!!set {a, b}", {"a": None, "b": None})],
    *[("!!binary eA==", "x"), ("!!binary 'w6k='", "é"), ("!!merge x", "x"), ("<<", "<<")],
    *[("'22'", "22"), ('"yes"', "yes"), ("|\n      1\n      2\n", "1\n2\n"), (">-\n      7", "7")],
    *[('"\\t\\x41\\u00e9\\N"', "\tAé\x85"), ("it's", "it's"), ("a # b", "a"), ("a#b", "a#b")],
    # Keys.
    ("{on: 1, no: 2, y: 3, 22:30: 4}", {"on": 1, "no": 2, "y": 3, "22:30": 4}),
    ("{7: 1, 0x1F: 2, 1e3: 3, true: 4}", {"7": 1, "31": 2, "1000": 3, "true": 4}),
    ('{"a":1, b: , "c": }', {"a": 1, "b": None, "c": None}),
    ("\n      ? k\n      : v", {"k": "v"}),
    # Anchors and merges.
    ("{a: &x [1, {b: 2}], c: *x}", {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
    ("[&x 1, &x 2, *x]", [1, 2, 2]),
    ("&x [&x 1, *x]", [1, 1]),
    ("[&k a, {*k : 1}]", ["a", {"a": 1}]),
    ("{<<: {a: 1, b: 2}, b: 3}", {"a": 1, "b": 3}),
    ("{b: 3, <<: {a: 1, b: 2}}", {"a": 1, "b": 3}),
    ("{<<: [{a: 1}, {a: 2, b: 2}], c: 3}", {"a": 1, "b": 2, "c": 3}),
    ("[&x {a: 1, <<: {b: 2}}, {<<: *x, b: 3}]", [{"a": 1, "b": 2}, {"a": 1, "b": 3}]),
    ("{'<<': {a: 1}, b: 2}", {"a": 1, "b": 2}),
]

# (the same, what the error says); the CLI refuses all of them.
REFUSED: list[tuple[str, str]] = [
    (".inf", "a number must be finite"),
    ("[-.INF]", "a number must be finite"),
    (".nan", "a number must be finite"),
    ("!!int x", "the value is not a valid !!int"),
    ("!!bool yes", "the value is not a valid !!bool"),
    ("!!null x", "the value is not a valid !!null"),
    ("!!timestamp x", "the value is not a valid !!timestamp"),
    ("!!binary x", "!!binary must be base64 of text in UTF-8"),
    ("!!binary é", "!!binary must be base64 of text in UTF-8"),
    ("{a: 1, a: 2}", "the key 'a' is already in line 2"),
    ("{1: 1, '1': 2}", "the key '1' is already in line 2"),
    ("\n      <<: {a: 1}\n      <<: {b: 1}", "line 4: the key '<<' is already in line 3"),
    ("{[a]: 1}", "a key is neither text nor a whole number"),
    ("{<<: 7}", "`<<` needs a map or a list of maps"),
    ("{<<: [[]]}", "`<<` needs a map or a list of maps"),
    ("[&x [{}], {<<: *x}]", "`<<` needs a map or a list of maps"),
    ("&x [*x]", r"the alias \*x is inside its own value"),
    ("*x", "not YAML: there is no anchor &x"),
    ("[1", "not YAML: expected ',' or ']'"),
    ("a: b", "not YAML: mapping values are not allowed here; check the indentation"),
    ("@x", "not YAML: found character '@' that cannot start any token"),
    ('"\\/"', "not YAML: found unknown escape character '/'"),
    ('"\\uD83D\\uDE00"', "a character is written as a surrogate pair"),
    ("a\x07b", "not YAML: a control character"),
    (
        "\n      a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"      {key}: &{key} [{', '.join(9 * [f'*{chr(ord(key) - 1)}'])}]\n"
            for key in "bcdefg"
        ),
        "the file's aliases expand to too much",
    ),
]

# (the same, what the error says, what the CLI makes of it, which nobody means).
REFUSED_HERE: list[tuple[str, str, Any]] = [
    ("2024-01-01", "Pulumi would add a time to this date", "2024-01-01 00:00:00 +0000 UTC"),
    ("[2024-1-1]", "Pulumi would add a time to this date", ["2024-01-01 00:00:00 +0000 UTC"]),
    ("2024-01-01T10:00:00Z", "Pulumi would add a time", "2024-01-01 10:00:00 +0000 UTC"),
    ("2024-01-01t1:2:3+02:00", "Pulumi would add a time", "2024-01-01 01:02:03 +0200 +0200"),
    ("2024-01-01 10:00:00.5", "Pulumi would add a time", "2024-01-01 10:00:00.5 +0000 UTC"),
    ("!!timestamp '0000-02-29'", "Pulumi would add a time", "0000-02-29 00:00:00 +0000 UTC"),
    ("{2024-01-01: x}", "Pulumi would add a time", {"2024-01-01 00:00:00 +0000 UTC": "x"}),
    ("{~: x}", "a key is neither text nor a whole number", {"<nil>": "x"}),
    ("{0.5: x}", "a key is neither text nor a whole number", {"0.5": "x"}),
    ("!!binary /w==", "!!binary must be base64 of text in UTF-8", "\ufffd"),
    ("a\t", "not YAML: found character", "a"),
]


def value(text: str) -> object:
    read = load(f"config:\n  value: {text}\n".encode())
    assert isinstance(read, dict)
    return read["config"]["value"]


@pytest.mark.parametrize(("text", "meant"), VALUES)
def test_a_value_means_what_it_means_to_the_cli(text: str, meant: object) -> None:
    read = value(text)
    assert read == meant
    assert type(read) is type(meant)


@pytest.mark.parametrize(
    ("text", "message"), [*REFUSED, *((text, message) for text, message, _ in REFUSED_HERE)]
)
def test_what_the_cli_refuses_or_spoils_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=rf"^(line \d+: )?{message}"):
        value(text)


def test_a_key_that_is_no_text_is_known() -> None:
    read = load(b"{7: 1, true: 2, '8': 3}")
    assert isinstance(read, dict)
    assert [type(key) for key in read] == [OtherKey, OtherKey, str]


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        (b"", None),
        (b"# nothing\n", None),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        ("a: é\n".encode("utf-16"), {"a": "é"}),
        (b"a: 1\r\nb: |\r\n  x\r\n\r\n  y\r\n", {"a": 1, "b": "x\n\ny\n"}),
        (b"a: 1\n---\nb: 2\n", {"a": 1}),
        (b"%YAML 1.1\n---\na: yes\n...\n", {"a": "yes"}),
    ],
)
def test_a_file_is_read_as_the_cli_reads_it(source: bytes, meant: object) -> None:
    assert load(source) == meant


def test_bytes_that_are_no_text_are_told_from_yaml() -> None:
    with pytest.raises(UnicodeError):
        load(b"a: \xe9\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (1e-5, "0.00001"), (1e-7, "1e-7"), (1e-10, "1e-10"), (1e21, "1e+21")],
)
def test_a_number_is_written_as_go_writes_it(value: float, text: str) -> None:
    assert number(value) == text
    assert number(-value) == f"-{text}"

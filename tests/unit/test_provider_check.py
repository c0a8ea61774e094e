"""What a check fills in and refuses, on a type that has one input of each kind."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from local.provider.check import checked
from local.provider.resource import TAGS, AutoName, Input, Properties, Resource
from local.provider.wire import UNKNOWN


class Everything(Resource):
    type = "aws:test/everything:Everything"
    inputs: ClassVar = {
        "name": Input(computed=True, auto_name=AutoName(20, "prefix/")),
        "lower": Input(auto_name=AutoName(lower=True)),
        "required": Input(required=True),
        "default": Input(default=0),
        "off": Input(default=False),
        "pattern": Input(pattern="[a-z]+"),
        "word": Input(pattern=r"\w+"),
        "text": Input(length=(2, 4)),
        "list": Input(length=(1, 2), pattern="[a-z]+"),
        "number": Input(bounds=(7, 30), also=(0,)),
        "choice": Input(choices=("a", "b")),
        "arn": Input(arn=True),
        "arns": Input(arn=True),
        "json": Input(json=True),
        "map": Input(fields={"inner": Input(required=True, bounds=(1, 2))}),
        "maps": Input(length=(0, 2), fields={"inner": Input(required=True, bounds=(1, 2))}),
        "tags": TAGS,
    }

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        if inputs.get("text") == inputs.get("pattern", object()):
            yield "text", "is the pattern"


class Together(Resource):
    type = "aws:test/together:Together"
    inputs: ClassVar = {key: Input(default=1 if key == "e" else None) for key in "abcdef"}
    one_of = (("a", "b"),)
    at_least_one_of = (("c", "d"),)
    conflicts = (("a", "d"), ("e", "f"))
    needs = (("c", "f"),)


class Sensitive(Resource):
    type = "aws:test/sensitive:Sensitive"
    inputs: ClassVar = {
        "text": Input(
            sensitive=True,
            pattern="a",
            length=(1, 2),
            choices=("a",),
            arn=True,
            json=True,
        ),
        "number": Input(sensitive=True, bounds=(1, 2)),
        "list": Input(sensitive=True, pattern="a"),
        "maps": Input(fields={"inner": Input(sensitive=True, choices=("a",))}),
    }


VALID = {"required": "value"}
ARN = "arn:aws:sns:us-east-1:123456789012:topic"


def failures(given: Properties, type_: type[Resource] = Everything) -> list[tuple[str, str]]:
    return checked(type_(), "name", given, {}, "0123456")[1]


def inputs(given: Properties, previous: Properties | None = None, suffix: str = "0") -> Properties:
    return checked(Everything(), "Name", VALID | given, previous or {}, suffix)[0]


def test_defaults_are_filled_in_and_listed() -> None:
    assert inputs({"off": None}) == {
        "required": "value",
        "name": "prefix/Name-0",
        "lower": "name-0",
        "default": 0,
        "off": False,
        "__defaults": ["name", "lower", "default", "off"],
    }
    filled = inputs({"default": 5, "name": "mine", "off": True})
    assert (filled["default"], filled["name"], filled["off"]) == (5, "mine", True)
    assert filled["__defaults"] == ["lower"]


def test_an_automatic_name_stays_and_a_given_one_does_not() -> None:
    first = inputs({}, suffix="1")
    assert inputs({}, first, "2")["name"] == "prefix/Name-1"
    assert inputs({}, {**first, "__defaults": []}, "2")["name"] == "prefix/Name-2"
    again = inputs(first, first, "2")
    assert again["__defaults"] == []  # all were given


def test_an_automatic_name_that_is_too_long_is_refused() -> None:
    most = "n" * (20 - len("-0123456"))  # the prefix does not count
    given, refused = checked(Everything(), most, VALID, {}, "0123456")
    assert refused == []
    _, refused = checked(Everything(), f"{most}n", VALID, {}, "0123456")
    assert refused == [
        ("name", f"would be '{most}n-0123456', 21 characters; at most 20 are allowed")
    ]
    _, refused = checked(Everything(), f"{most}n", VALID, given, "0123456")
    assert refused == []


@pytest.mark.parametrize(
    "given",
    [
        {"pattern": "abc"},
        {"text": "ab"},
        {"text": "abcd"},
        {"list": ["a", "b"]},
        {"number": 7},
        {"number": 30},
        {"number": "30"},
        {"number": 0},
        {"choice": "b"},
        {"arn": ARN},
        {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        {"arn": "arn:aws:s3:::bucket"},
        {"arns": [ARN, ARN]},
        {"arns": []},
        {"json": '{"a": 1}'},
        {"map": {"inner": 1}},
        {"maps": [{"inner": 1}, {"inner": 2}]},
        {"tags": {"a": "b"}},
        {"__defaults": ["off"]},
        {"pattern": UNKNOWN, "text": UNKNOWN, "list": UNKNOWN, "number": UNKNOWN},
        {"list": ["A", UNKNOWN]},
        {"map": UNKNOWN, "maps": [UNKNOWN], "tags": UNKNOWN},
        {"map": {"inner": UNKNOWN}},
    ],
)
def test_what_is_allowed_or_unknown_is_not_refused(given: Properties) -> None:
    assert failures(VALID | given) == []


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"required": None}, "required", "is required"),
        ({"another": 1}, "another", "is not an input of this resource"),
        ({"another": UNKNOWN}, "another", "is not an input of this resource"),
        ({"pattern": "abC"}, "pattern", "must match [a-z]+, got 'abC'"),
        ({"pattern": "abc\n"}, "pattern", "must match [a-z]+, got 'abc\\n'"),
        ({"pattern": 5}, "pattern", "must match [a-z]+, got 5"),
        ({"word": "größe"}, "word", r"must match \w+, got 'größe'"),
        ({"text": "a"}, "text", "must have 2 to 4 characters, has 1"),
        ({"text": "abcde"}, "text", "must have 2 to 4 characters, has 5"),
        ({"text": 7}, "text", "must have 2 to 4 characters, has 1"),
        ({"list": []}, "list", "must have 1 to 2 items, has 0"),
        ({"list": ["a"] * 3}, "list", "must have 1 to 2 items, has 3"),
        ({"list": ["a", "B"]}, "list", "must match [a-z]+, got 'B'"),
        ({"number": 6}, "number", "must be 0 or 7 to 30, got 6"),
        ({"number": 31}, "number", "must be 0 or 7 to 30, got 31"),
        ({"number": "many"}, "number", "must be 0 or 7 to 30, got 'many'"),
        ({"number": {}}, "number", "must be 0 or 7 to 30, got {}"),
        ({"choice": "c"}, "choice", "must be one of a, b, got 'c'"),
        ({"arn": "topic"}, "arn", "must be an ARN, got 'topic'"),
        ({"arn": "arn:aws:sns:us-east-1:123:topic"}, "arn", None),
        ({"arn": f"an {ARN}"}, "arn", None),
        ({"arns": [ARN, "topic"]}, "arns", "must be an ARN, got 'topic'"),
        ({"json": "{"}, "json", "must be JSON"),
        ({"map": {}}, "map.inner", "is required"),
        ({"map": {"inner": 3}}, "map.inner", "must be 1 to 2, got 3"),
        ({"map": {"inner": 1, "b": 2}}, "map.b", "is not an input of this resource"),
        ({"maps": [{"inner": 1}, {}]}, "maps[1].inner", "is required"),
        ({"maps": [{"inner": 3}, UNKNOWN]}, "maps[0].inner", "must be 1 to 2, got 3"),
        ({"maps": [{"inner": 1}] * 3}, "maps", "must have 0 to 2 items, has 3"),
        ({"text": "abc", "pattern": "abc"}, "text", "is the pattern"),
    ],
)
def test_every_kind_of_refusal_names_its_input_and_what_is_allowed(
    given: Properties, path: str, reason: str | None
) -> None:
    [(found, why)] = failures(VALID | given)
    assert found == path
    assert why == (reason or f"must be an ARN, got {given[path]!r}")


def test_all_refusals_are_told_at_once() -> None:
    found = failures({"pattern": "A", "text": "a", "another": 1})
    assert sorted(path for path, _ in found) == ["another", "pattern", "required", "text"]


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"a": 1, "c": 1, "f": 1}, []),
        ({"b": 1, "d": 1}, []),
        ({"a": UNKNOWN, "c": 1, "f": UNKNOWN}, []),
        ({"d": 1}, [("a", "exactly one of a, b must be set, got none")]),
        (
            {"a": 1, "b": UNKNOWN, "c": 1, "f": 1},
            [("a", "exactly one of a, b must be set, got ['a', 'b']")],
        ),
        ({"a": 1}, [("c", "one of c, d must be set")]),
        ({"a": 1, "d": 1}, [("a", "cannot be set together with d")]),
        ({"a": 1, "c": 1}, [("c", "can be set only together with f")]),
        ({"b": 1, "d": 1, "e": 2, "f": 1}, [("e", "cannot be set together with f")]),
        # A default is not given.
        ({"b": 1, "d": 1, "f": 1}, []),
    ],
)
def test_what_goes_together_is_checked(given: Properties, refused: list[tuple[str, str]]) -> None:
    assert failures(given, Together) == refused


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        ({"text": "canary"}, 5),
        ({"text": 31337}, 5),
        ({"text": {"canary": "canary"}}, 6),
        ({"number": "canary"}, 1),
        ({"number": 31337}, 2),
        ({"list": ["canary", "a", "canary"]}, 2),
        ({"maps": [{"inner": "canary"}]}, 1),
    ],
)
def test_no_refusal_shows_a_sensitive_value(given: Any, refusals: int) -> None:
    found = failures(given, Sensitive)
    assert len(found) == refusals
    shown = json.dumps(found)
    assert "canary" not in shown
    assert "31337" not in shown


def test_a_sensitive_value_that_is_no_text_is_refused() -> None:
    assert ("text", "must be a string, got [secret]") in failures({"text": 5}, Sensitive)
    # The control: what is not sensitive is shown.
    assert failures(VALID | {"choice": "canary"})[0][1].endswith("got 'canary'")

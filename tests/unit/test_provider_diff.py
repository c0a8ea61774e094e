"""What differs from what is recorded, on a type that has one input of each kind."""

import json
from typing import ClassVar

import pytest

from local.provider import forms
from local.provider.diff import Difference, all_tags, difference, recorded, refreshed
from local.provider.resource import REGION, TAGS, AutoName, Input, Properties, Resource
from local.provider.wire import UNKNOWN

SIGNATURE = "4dabf18193072939515e22adb298388d"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


class Everything(Resource):
    type = "aws:test/everything:Everything"
    inputs: ClassVar = {
        "name": Input(computed=True, replaces=True, auto_name=AutoName()),
        "region": REGION,
        "plain": Input(),
        "chosen": Input(computed=True),
        "fixed": Input(replaces=True),
        "policy": Input(form=forms.policy),
        "set": Input(form=forms.unordered),
        "code": Input(),
        "map": Input(
            fields={
                "inner": Input(default=1),
                "chosen": Input(computed=True),
                "policy": Input(form=forms.policy),
            }
        ),
        "maps": Input(fields={"inner": Input(default=1), "chosen": Input(computed=True)}),
        "tags": TAGS,
    }
    outputs = ("arn",)


class First(Everything):
    deletes_first = True


class Picky(Everything):
    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        del state
        return changed if inputs.get("plain") == "replace" else set()


def changed(
    state: Properties,
    wanted: Properties,
    default_tags: dict[str, str] | None = None,
) -> set[str]:
    return set(difference(Everything(), state, wanted, default_tags or {}).changed)


def policy(*actions: str) -> str:
    return json.dumps({"Statement": {"Effect": "Allow", "Action": actions}})


def archive(hash_: str, **content: object) -> Properties:
    return {SIGNATURE: ARCHIVE, "hash": hash_, **content}


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"plain": "a"}, {"plain": "a"}),
        ({"plain": ""}, {}),
        ({}, {"plain": []}),
        ({"arn": "a", "another": 1}, {}),
        ({"chosen": "by AWS"}, {}),
        ({"region": "us-east-1"}, {}),
        ({"policy": policy("a", "b")}, {"policy": policy("b", "a")}),
        ({"set": ["a", "b"]}, {"set": ["b", "a"]}),
        ({"code": archive("one")}, {"code": archive("one", assets={"a": {}})}),
        ({"map": {"inner": 1, "chosen": "by AWS"}}, {"map": {"inner": 1}}),
        ({"map": {"inner": 1}}, {"map": {}}),
        ({"maps": [{"chosen": "by AWS"}, {}]}, {"maps": [{"inner": 1}, {}]}),
        ({"maps": []}, {}),
    ],
)
def test_what_means_the_same_does_not_differ(state: Properties, wanted: Properties) -> None:
    assert changed(state, wanted) == set()


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"plain": "a"}, {"plain": "b"}),
        ({"plain": "a"}, {}),
        ({}, {"plain": "a"}),
        ({}, {"plain": 0}),
        ({"plain": ["a", "b"]}, {"plain": ["b", "a"]}),
        ({"plain": "a"}, {"plain": UNKNOWN}),
        ({"plain": {"a": UNKNOWN}}, {"plain": {"a": UNKNOWN}}),
        ({"chosen": "by AWS"}, {"chosen": "a"}),
        ({"policy": policy("a")}, {"policy": policy("b")}),
        ({"set": ["a"]}, {"set": ["a", "a"]}),
        ({"code": archive("one", assets={"a": {}})}, {"code": archive("two", assets={"a": {}})}),
        ({"map": {"inner": 2}}, {"map": {}}),
        ({"map": {"chosen": "by AWS"}}, {"map": {"chosen": "a"}}),
        ({"maps": [{"chosen": "by AWS"}]}, {"maps": [{}, {}]}),
        ({"maps": [{"inner": 2}]}, {"maps": [{"inner": 3}]}),
    ],
)
def test_what_means_something_else_differs(state: Properties, wanted: Properties) -> None:
    assert changed(state, wanted) == state.keys() | wanted.keys()


@pytest.mark.parametrize(
    ("state", "wanted", "default_tags", "differs"),
    [
        ({}, {}, {}, False),
        ({"tagsAll": {"a": "1"}}, {"tags": {"a": "1"}}, {}, False),
        ({"tagsAll": {"a": "1"}}, {}, {"a": "1"}, False),
        ({"tagsAll": {"a": "2"}}, {"tags": {"a": "2"}}, {"a": "1"}, False),
        ({"tagsAll": {"a": "1", "b": "2"}}, {"tags": {"a": "1"}}, {}, True),
        ({"tagsAll": {"a": ""}}, {}, {}, True),
        ({"tagsAll": {"a": "1"}}, {"tags": {"a": "1"}}, {"b": "2"}, True),
        ({"tagsAll": {"a": "1"}}, {"tags": {"a": UNKNOWN}}, {}, True),
        ({"tagsAll": {"a": UNKNOWN}}, {"tags": {"a": UNKNOWN}}, {}, True),
        ({"tagsAll": {"a": "1"}}, {"tags": UNKNOWN}, {"b": "2"}, True),
    ],
)
def test_tags_are_compared_with_those_of_the_provider(
    state: Properties, wanted: Properties, default_tags: dict[str, str], *, differs: bool
) -> None:
    assert changed(state, wanted, default_tags) == ({"tags"} if differs else set())


def test_own_tags_win_over_those_of_the_provider() -> None:
    assert all_tags({"a": "own"}, {"a": "1", "b": "2"}) == {"a": "own", "b": "2"}
    assert all_tags(None, {"b": "2"}) == {"b": "2"}
    assert all_tags(UNKNOWN, {"b": "2"}) == UNKNOWN


def test_only_a_change_of_what_replaces_replaces() -> None:
    state = {"plain": "a", "fixed": "a", "name": "n"}
    found = difference(Everything(), state, {"plain": "b", "fixed": "a", "name": "n"}, {})
    assert found == Difference(frozenset({"plain"}), frozenset(), delete_first=False)
    found = difference(Everything(), state, {"plain": "b", "fixed": "b", "name": "n"}, {})
    assert (set(found.changed), set(found.replaces)) == ({"plain", "fixed"}, {"fixed"})


def test_a_type_says_itself_what_replaces() -> None:
    for value, replaces in (("other", set[str]()), ("replace", {"plain", "fixed"})):
        found = difference(Picky(), {}, {"plain": value, "fixed": "b"}, {})
        assert (set(found.changed), set(found.replaces)) == ({"plain", "fixed"}, replaces)


@pytest.mark.parametrize(
    ("type_", "wanted", "first"),
    [
        (Everything, {"name": "n", "fixed": "b"}, True),
        (Everything, {"name": "n", "fixed": "b", "__defaults": ["name"]}, False),
        (Everything, {"name": "other", "fixed": "b"}, False),
        (Everything, {"name": "n", "fixed": "a", "plain": "b"}, False),
        (First, {"name": "other", "fixed": "b"}, True),
        (First, {"name": "n", "fixed": "a", "plain": "b"}, False),
    ],
)
def test_the_old_one_goes_first_if_the_new_one_would_have_its_name(
    type_: type[Resource], wanted: Properties, *, first: bool
) -> None:
    assert difference(type_(), {"name": "n", "fixed": "a"}, wanted, {}).delete_first == first


def test_the_recorded_text_stays_while_it_means_the_same() -> None:
    previous = {
        "policy": policy("a", "b"),
        "set": ["b", "a"],
        "plain": "a",
        "map": {"policy": policy("a", "b")},
        "unread": "kept",
        "__defaults": ["name"],
    }
    read = {
        "policy": policy("b", "a"),
        "set": ["a", "b"],
        "plain": "b",
        "map": {"policy": policy("b", "a"), "chosen": "by AWS"},
        "arn": "a",
    }
    assert recorded(Everything(), previous, read) == {
        "policy": policy("a", "b"),
        "set": ["b", "a"],
        "plain": "b",
        "map": {"policy": policy("a", "b"), "chosen": "by AWS"},
        "unread": "kept",
        "arn": "a",
    }
    other = read | {"policy": policy("c"), "set": []}
    assert recorded(Everything(), previous, other)["policy"] == policy("c")
    assert recorded(Everything(), previous, other)["set"] == []


@pytest.mark.parametrize(
    ("given", "read", "inputs"),
    [
        ({"plain": "a"}, {"plain": "b", "chosen": "by AWS", "arn": "x"}, {"plain": "b"}),
        ({"plain": "a"}, {}, {"plain": "a"}),
        ({"__defaults": ["name"], "name": "a"}, {}, {"__defaults": ["name"], "name": "a"}),
        ({"map": {"inner": 2}}, {"map": {"inner": 3, "chosen": "c"}}, {"map": {"inner": 3}}),
        ({"map": {"chosen": "a"}}, {"map": {"inner": 1, "chosen": "b"}}, {"map": {"chosen": "b"}}),
        ({"map": {}}, {"map": {"inner": 2, "policy": ""}}, {"map": {"inner": 2}}),
        ({"map": {"inner": 2}}, {"map": None}, {"map": None}),
        (
            {"maps": [{"inner": 2}, {"chosen": "a"}]},
            {"maps": [{"inner": 3, "chosen": "c"}, {"inner": 1, "chosen": "a"}]},
            {"maps": [{"inner": 3}, {"chosen": "a"}]},
        ),
        (
            {"maps": [{"chosen": "a"}]},
            {"maps": [{"inner": 3, "chosen": "c"}, {"inner": 4, "chosen": "a"}]},
            {"maps": [{"inner": 3}, {"inner": 4}]},
        ),
    ],
)  # fmt: skip
def test_what_aws_chose_is_no_input_after_a_refresh(
    given: Properties, read: Properties, inputs: Properties
) -> None:
    assert refreshed(Everything(), given, read) == inputs

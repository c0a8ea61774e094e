"""Which values are equal for AWS's provider.

The policies are those that its library's own tests compare, and more of the kind:
https://github.com/hashicorp/awspolicyequivalence
"""

import json
from typing import Any

import pytest

from local.provider import forms

ROLE = "arn:aws:iam::123456789012:role/one"
OTHER_ROLE = "arn:aws:iam::123456789012:role/two"
ROOT = "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, ""),
        (None, []),
        (None, {}),
        (None, False),
        (None, {"a": None, "b": {"c": []}}),
        ({"a": 1, "b": ""}, {"a": 1}),
        ([{"a": False, "b": "c"}], [{"b": "c"}]),
        (True, "true"),
    ],
)
def test_what_is_empty_is_the_same_as_nothing(one: object, other: object) -> None:
    assert forms.default(one) == forms.default(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, 0),
        (None, 0.0),
        (None, True),
        (None, "false"),
        (None, [None]),
        (0, 1),
        (1, "1"),
        (1, True),
        (["a", "b"], ["b", "a"]),
        ({"a": 0}, {}),
    ],
)
def test_what_is_not_empty_is_something(one: object, other: object) -> None:
    assert forms.default(one) != forms.default(other)


def test_of_an_unordered_list_only_the_order_does_not_count() -> None:
    one = [{"b": 1, "a": ""}, {"c": [1, 2]}, "x"]
    assert forms.unordered(one) == forms.unordered(["x", {"c": [1, 2]}, {"b": 1}])
    assert forms.unordered(one) != forms.unordered(["x", {"c": [2, 1]}, {"b": 1}])
    assert forms.unordered(["a", "a"]) != forms.unordered(["a"])
    assert forms.unordered([]) == forms.unordered(None)
    assert forms.unordered("text") == "text"


def test_of_a_json_document_blanks_and_the_order_of_keys_do_not_count() -> None:
    assert forms.document('{"a": [1, 2], "b": 3}') == forms.document('{"b":3,"a":[1,2]}')
    assert forms.document('{"a": [1, 2]}') != forms.document('{"a": [2, 1]}')
    assert forms.document('{"a": 1}') != forms.document('{"a": "1"}')
    assert forms.document("") == forms.document(None)
    assert forms.document("no JSON") == "no JSON"


def policy(**changes: Any) -> str:
    """Write a policy of one statement; a key with a small letter is the document's."""
    statement = {"Effect": "Allow", "Action": ["a:A", "b:B"], "Resource": "*"}
    document: dict[str, Any] = {"Version": "2012-10-17"}
    for key, value in changes.items():
        (document if key in ("Version", "Id") else statement)[key] = value
    statement = {key: value for key, value in statement.items() if value is not None}
    document = {key: value for key, value in document.items() if value is not None}
    return json.dumps({**document, "Statement": [statement]})


def of(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ONE = {"Sid": "one", "Effect": "Allow", "Action": "a:A", "Resource": "*"}
TWO = {"Sid": "two", "Effect": "Deny", "Action": "b:B", "Resource": "*"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "{}"),
        (None, "{}"),
        ("[]", ""),
        (policy(), json.dumps(json.loads(policy()), indent=2, sort_keys=True)),
        (policy(Action=["a:A"]), policy(Action="a:A")),
        (policy(Action=["a:A", "b:B"]), policy(Action=["b:B", "a:A"])),
        (policy(NotAction=["a:A"]), policy(NotAction="a:A")),
        (policy(Resource=["a", "b"]), policy(Resource=["b", "a"])),
        (policy(NotResource=["a", "b"]), policy(NotResource=["b", "a"])),
        (policy(Effect="Allow"), policy(Effect="allow")),
        (policy(Sid=""), policy()),
        (policy(Id=""), policy()),
        (policy(Action=[]), policy(Action=None)),
        (policy(Principal={"Service": "a"}), policy(Principal={"Service": ["a"]})),
        (
            policy(Principal={"AWS": [ROLE, OTHER_ROLE]}),
            policy(Principal={"AWS": [OTHER_ROLE, ROLE]}),
        ),
        (policy(Principal={"AWS": "123456789012"}), policy(Principal={"AWS": [ROOT]})),
        (policy(NotPrincipal={"AWS": "123456789012"}), policy(NotPrincipal={"AWS": ROOT})),
        (policy(Principal={"AWS": []}), policy()),
        (policy(Principal={"AWS": [], "Service": []}), policy(Principal={})),
        # Texts are not compared.
        (policy(Principal="*"), policy()),
        (policy(Principal="123456789012"), policy(Principal=ROOT)),
        (
            policy(Condition={"Bool": {"a": True}}),
            policy(Condition={"Bool": {"a": "true"}}),
        ),
        (
            policy(Condition={"NumericEquals": {"a": [100.01, 2]}}),
            policy(Condition={"NumericEquals": {"a": ["2", "100.01"]}}),
        ),
        (
            policy(Condition={"StringLike": {"a": "x", "b": "y"}, "Null": {"c": "true"}}),
            policy(Condition={"Null": {"c": ["true"]}, "StringLike": {"b": ["y"], "a": ["x"]}}),
        ),
        (of(ONE, TWO), of(TWO, ONE)),
        (of(ONE), json.dumps({"Version": "2012-10-17", "Statement": ONE})),
    ],
)
def test_policies_that_mean_the_same_are_equal(one: str, other: str) -> None:
    assert forms.policy(one) == forms.policy(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", policy()),
        (policy(), policy(Version="2008-10-17")),
        (policy(Version=None), policy(Version="2008-10-17")),
        (policy(), policy(Id="id")),
        (policy(), policy(Sid="sid")),
        (policy(), policy(Effect="Deny")),
        (policy(), policy(Action="a:A")),
        (policy(Action="a:A"), policy(Action="a:a")),
        (policy(Action="a:A"), policy(Action=None, NotAction="a:A")),
        (policy(Action=["a:A", "a:A"]), policy(Action="a:A")),
        (policy(), policy(Resource=["*", "a"])),
        (policy(Principal={"AWS": ROLE}), policy(Principal={"AWS": OTHER_ROLE})),
        (policy(Principal={"AWS": ROLE}), policy(Principal={"Service": ROLE})),
        (policy(Principal={"AWS": ROLE}), policy(NotPrincipal={"AWS": ROLE})),
        (policy(Principal={"AWS": ROOT}), policy(Principal={"AWS": "210987654321"})),
        (policy(Principal={"AWS": "*"}), policy(Principal="*")),
        (policy(Principal={"AWS": ROLE}), policy(Principal="*")),
        (policy(Principal={"AWS": ROLE}), policy()),
        (policy(Condition={}), policy()),
        (
            policy(Condition={"StringEquals": {"a": "x"}}),
            policy(Condition={"StringLike": {"a": "x"}}),
        ),
        (
            policy(Condition={"StringEquals": {"a": "x"}}),
            policy(Condition={"StringEquals": {"A": "x"}}),
        ),
        (
            policy(Condition={"StringEquals": {"a": "x"}}),
            policy(Condition={"StringEquals": {"a": ["x", "y"]}}),
        ),
        (
            policy(Condition={"StringEquals": {"a": "x"}}),
            policy(Condition={"StringEquals": {"a": "x", "b": "y"}}),
        ),
        (of(ONE), of(ONE, TWO)),
        (of(ONE, TWO), of(ONE, {**TWO, "Action": "a:A"})),
    ],
)
def test_policies_that_mean_something_else_are_not(one: str, other: str) -> None:
    assert forms.policy(one) != forms.policy(other)


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[1]",
        '{"Statement": 42}',
        '{"Statement": [42, null]}',
        policy(Condition=["a"]),
        policy(Condition={"Bool": "a"}),
        policy(Principal=[42]),
        policy(Resource=[[42]]),
    ],
)
def test_what_is_no_policy_is_equal_to_itself_only(text: str) -> None:
    assert forms.policy(text) == forms.policy(text)
    assert forms.policy(text) != forms.policy(of(ONE))

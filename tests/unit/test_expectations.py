"""What a function's answer must contain."""

from typing import Any

import pytest

from local.expectations import unmet

ANSWER = {"statusCode": 200, "body": '{"items": [{"id": 1, "name": "a"}], "next": null}'}


@pytest.mark.parametrize(
    "expected",
    [
        None,
        {},
        {"statusCode": 200},
        {"body": {"items": [{"id": 1}]}},
        {"body": {"next": None}},
        {"body": ANSWER["body"]},
    ],
)
def test_an_answer_may_have_more_than_is_expected(expected: dict[str, Any] | None) -> None:
    assert list(unmet(ANSWER, expected)) == []


@pytest.mark.parametrize(
    ("answer", "expected", "differences"),
    [
        (ANSWER, {"statusCode": 201}, ["statusCode must be 201, got 200"]),
        (ANSWER, {"headers": {}}, ["headers is missing"]),
        (ANSWER, {"body": {"items": []}}, ['body.items must be [], got [{"id": 1, "name": "a"}]']),
        (ANSWER, {"body": {"items": [{"id": 2}]}}, ["body.items[0].id must be 2, got 1"]),
        (
            ANSWER,
            {"statusCode": "200", "body": {"next": False}},
            ["statusCode must be 200, got 200", "body.next must be false, got null"],
        ),
        ({"ok": 1}, {"ok": True}, ["ok must be true, got 1"]),
        ("text", {"ok": True}, ['the response must be {"ok": true}, got text']),
        (None, {"ok": True}, ['the response must be {"ok": true}, got null']),
        ({"body": "{"}, {"body": {"a": 1}}, ['body must be {"a": 1}, got {']),
        ({"statusCode": 500, "body": "failed"}, None, ["status 500: failed"]),
        ({"statusCode": 404}, None, ["status 404: null"]),
        (
            {"statusCode": 500, "body": "failed"},
            {"statusCode": 200},
            ["statusCode must be 200, got 500", "the body is failed"],
        ),
    ],
)
def test_each_difference_is_named(
    answer: object, expected: dict[str, Any] | None, differences: list[str]
) -> None:
    assert list(unmet(answer, expected)) == differences


def test_a_status_of_an_error_may_be_what_is_expected() -> None:
    assert list(unmet({"statusCode": 404}, {"statusCode": 404})) == []


def test_a_long_value_is_cut() -> None:
    (difference,) = unmet({"text": "x" * 1000}, {"text": "y"})
    assert len(difference) < 300
    assert difference.endswith("x…")

"""What the provider refuses of rules and targets, and what it takes to import a target."""

from typing import Any
from unittest.mock import Mock

import pytest

from local.provider.events import EventTarget
from local.provider.provider import check
from local.provider.resource import RejectedError

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ARN = "arn:aws:sqs:us-east-1:123456789012:queue"


@pytest.mark.parametrize(
    ("type_", "given", "path", "reason"),
    [
        (RULE, {}, "eventPattern", "one of eventPattern, scheduleExpression"),
        (RULE, {"eventPattern": "{"}, "eventPattern", "must be JSON"),
        (RULE, {"eventPattern": "{}", "name": "a/b"}, "name", "must match"),
        (RULE, {"eventPattern": "{}", "state": "ON"}, "state", "must be one of ENABLED"),
        (RULE, {"eventPattern": "{}", "eventBusName": "a b"}, "eventBusName", "must match"),
        (TARGET, {"rule": "a", "arn": "queue"}, "arn", "must be an ARN"),
        (TARGET, {"rule": "a b", "arn": ARN}, "rule", "must match"),
        (TARGET, {"rule": "a", "arn": ARN, "targetId": "a" * 65}, "targetId", "1 to 64"),
    ],
)
def test_what_the_provider_refuses_is_refused(
    type_: str, given: dict[str, Any], path: str, reason: str
) -> None:
    [(found, why)] = check(type_, "name", given)[1]
    assert found == path
    assert reason in why


@pytest.mark.parametrize(("length", "refused"), [(56, False), (57, True)])
def test_the_automatic_name_of_a_rule_has_at_most_64_characters(
    length: int, *, refused: bool
) -> None:
    inputs, failures = check(RULE, "r" * length, {"eventPattern": "{}"}, suffix="0123456")
    assert inputs["name"] == f"{'r' * length}-0123456"
    assert any("at most 64" in why for _, why in failures) == refused


BUS_ARN = "arn:aws:events:us-east-1:123456789012:event-bus/bus"


@pytest.mark.parametrize(
    ("given", "bus", "id_"),
    [
        ("rule/target", "default", "rule-target"),
        ("bus/rule/target", "bus", "bus-rule-target"),
        (f"{BUS_ARN}/rule/target", BUS_ARN, f"{BUS_ARN}-rule-target"),
    ],
)
def test_a_target_is_imported_by_its_rule_and_its_id(given: str, bus: str, id_: str) -> None:
    told = {"eventBusName": bus, "rule": "rule", "targetId": "target"}
    assert EventTarget().imported(Mock(), given) == (id_, told)


@pytest.mark.parametrize("given", ["rule-target", "rule/", "/target", "bus//target"])
def test_a_target_is_imported_by_no_other_id(given: str) -> None:
    with pytest.raises(RejectedError, match="must be rule/target or bus/rule/target"):
        EventTarget().imported(Mock(), given)


def test_a_target_that_is_refused_in_an_answer_is_refused() -> None:
    entry = {"TargetId": "target", "ErrorCode": "Code", "ErrorMessage": "why"}
    session = Mock()
    session.client.return_value.put_targets.return_value = {"FailedEntries": [entry]}
    given = {"rule": "rule", "targetId": "target", "eventBusName": "default", "arn": ARN}
    with pytest.raises(RejectedError, match="target: Code: why"):
        EventTarget().create(session, given)

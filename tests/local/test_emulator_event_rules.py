"""Rules, targets and entries that EventBridge refuses, and the text that a target gets.

What is compared was recorded from AWS or is in its documentation: each row names its source.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.inbox import Inbox, allow
from tests.local.reference import Refusal, answer_to, assert_refused

REGION = "us-east-1"
EVENTS = "events.amazonaws.com"
RULE = "refused"
TRANSFORM = (
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html"
)
QUOTAS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
PUT_RULE = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"
TEST = "localstack events/test_events.py::TestEvents::"


def target(number: int = 1, **options: object) -> dict[str, Any]:
    arn = f"arn:aws:sqs:{REGION}:123456789012:queue"
    return {"Id": f"t{number}", "Arn": arn, **options}


def targets(*wanted: dict[str, Any]) -> dict[str, Any]:
    return {"Rule": RULE, "Targets": list(wanted)}


def transformer(template: str, **paths: str) -> dict[str, Any]:
    return {"InputPathsMap": paths, "InputTemplate": template}


REFUSALS = {
    "a rate of 1 minutes": Refusal(
        "PutRule",
        {"Name": RULE, "ScheduleExpression": "rate(1 minutes)"},
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
        "localstack events/test_events_schedule.py::TestScheduleRate::"
        "test_put_rule_with_invalid_schedule_rate",
    ),
    "a schedule on another bus": Refusal(
        "PutRule",
        {"Name": RULE, "EventBusName": "<bus>", "ScheduleExpression": "rate(1 minute)"},
        "ValidationException",
        "ScheduleExpression is supported only on the default event bus.",
        "localstack events/test_events_schedule.py::TestScheduleRate::"
        "tests_put_rule_with_schedule_custom_event_bus",
    ),
    "neither a pattern nor a schedule": Refusal(
        "PutRule", {"Name": "untriggered"}, "ValidationException", None, PUT_RULE
    ),
    "a rule with targets": Refusal(
        "DeleteRule",
        {"Name": RULE},
        "ValidationException",
        "Rule can't be deleted since it has targets.",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html",
    ),
    "six targets": Refusal(
        "PutTargets",
        targets(*map(target, range(6))),
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
        "https://github.com/aws-cloudformation/cfn-lint/issues/306",
    ),
    "a sixth target": Refusal(
        "PutTargets",
        targets(*map(target, range(1, 6))),
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
        QUOTAS,
    ),
    "a target in another region": Refusal(
        "PutTargets",
        targets({"Id": "t1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:queue"}),
        "ValidationException",
        None,
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html",
    ),
    "a pattern of 2,060 characters": Refusal(
        "PutRule",
        {"Name": RULE, "EventPattern": '{"source": ["%s"]}' % ("a" * 2044)},
        "LimitExceededException",
        None,
        QUOTAS,
    ),
    "two inputs": Refusal(
        "PutTargets",
        targets(target(Input="{}", InputPath="$.detail")),
        "ValidationException",
        "Only one of Input, InputPath, or InputTransformer must be provided for target t1.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
        "aws-properties-events-rule-target.html",
    ),
    "a placeholder that is not defined": Refusal(
        "PutTargets",
        targets(target(InputTransformer=transformer('{"a": <b>, "c": <d>}', b="$.detail.b"))),
        "ValidationException",
        "InputTemplate for target t1 contains invalid placeholder d.",
        TRANSFORM,
    ),
}


@pytest.fixture
def events(aws: EmbeddedAws) -> Any:
    return aws.client("events", REGION)


@pytest.fixture
def rule(events: Any) -> Iterator[None]:
    """Make the rule of the table, with one target."""
    events.put_rule(Name=RULE, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=RULE, Targets=[target(0)])
    yield
    events.remove_targets(Rule=RULE, Ids=["t0"])
    events.delete_rule(Name=RULE)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.usefixtures("rule")
def test_eventbridge_answers_as_recorded(
    aws: EmbeddedAws, events: Any, unique: str, refusal: Refusal
) -> None:
    events.create_event_bus(Name=unique)
    assert_refused(aws, "events", refusal, bus=unique)
    events.delete_event_bus(Name=unique)


def test_a_target_is_replaced_and_not_counted_twice(events: Any, unique: str) -> None:
    events.put_rule(Name=unique, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=unique, Targets=[target(number) for number in range(5)])
    events.put_targets(Rule=unique, Targets=[target(4, Input="{}")])

    found = events.list_targets_by_rule(Rule=unique)["Targets"]
    assert [each["Id"] for each in found] == ["t0", "t1", "t2", "t3", "t4"]
    assert found[4]["Input"] == "{}"


COMPLETE = {"Source": "test", "DetailType": "test", "Detail": "{}"}
MALFORMED = ("MalformedDetail", "Detail is malformed.")


def missing(name: str) -> tuple[str, str]:
    return (
        "InvalidArgument",
        f"Parameter {name} is not valid. Reason: {name} is a required argument.",
    )


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        # Each is of the test of that name in localstack events/test_events.py::TestEvents.
        ({"Source": ""}, missing("Source")),  # test_put_events_without_source
        ({"DetailType": ""}, missing("DetailType")),  # test_put_event_without_detail_type
        ({"Detail": ""}, missing("Detail")),  # test_put_event_without_detail
        ({"Detail": "no"}, MALFORMED),  # test_put_event_malformed_detail[STRING]
        ({"Detail": "[]"}, MALFORMED),  # test_put_event_malformed_detail[ARRAY]
        ({"Detail": '"{}"'}, MALFORMED),  # test_put_event_malformed_detail[SERIALIZED_STRING]
        ({"Detail": '{"a": '}, MALFORMED),  # test_put_event_malformed_detail[MALFORMED_JSON]
    ],
)
def test_an_entry_fails_alone(
    aws: EmbeddedAws, entry: dict[str, str], error: tuple[str, str]
) -> None:
    wrong = {name: value for name, value in (COMPLETE | entry).items() if value}

    answer = answer_to(aws, "events", "PutEvents", {"Entries": [wrong, COMPLETE]})

    code, message = error
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0] == {"ErrorCode": code, "ErrorMessage": message}
    assert "EventId" in answer["Entries"][1]


def test_entries_have_a_size(aws: EmbeddedAws) -> None:
    # localstack events/test_events.py::TestEvents::test_put_event_with_too_big_detail
    refusal = Refusal(
        "PutEvents",
        {"Entries": [COMPLETE | {"Detail": json.dumps({"a": "a" * 1024 * 1024})}]},
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
        f"{TEST}test_put_event_with_too_big_detail",
    )
    assert_refused(aws, "events", refusal)


def received(queues: Any, url: str) -> str:
    """Return the body of the next message."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if messages := queues.receive_message(QueueUrl=url).get("Messages"):
            body: str = messages[0]["Body"]
            return body
        time.sleep(0.05)
    raise AssertionError("no message in 60 s")


def test_a_queue_gets_compact_json_with_the_time_of_the_entry(
    aws: EmbeddedAws, events: Any, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    # localstack events/test_events.py::TestEvents::test_put_events_time
    queues = aws.client("sqs", REGION)
    policy = allow(EVENTS, "sqs:SendMessage")
    url = queues.create_queue(QueueName=unique, Attributes={"Policy": policy})["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{aws.account_id}:{unique}"
    events.put_rule(Name=unique, EventPattern=json.dumps({"source": [unique]}))
    events.put_targets(Rule=unique, Targets=[{"Id": "queue", "Arn": arn}])
    entry = COMPLETE | {"Source": unique, "Detail": '{"a": "ö"}', "Time": 1700000000}
    events.put_events(Entries=[entry])

    body = received(queues, url)
    event = json.loads(body)
    assert body == (
        f'{{"version":"0","id":"{event["id"]}","detail-type":"test","source":"{unique}",'
        f'"account":"{aws.account_id}","time":"2023-11-14T22:13:20Z","region":"{REGION}",'
        '"resources":[],"detail":{"a":"ö"}}'
    )


def test_a_template_writes_an_object_without_blanks_and_a_topic_gets_no_subject(
    aws: EmbeddedAws, events: Any, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    inbox = Inbox(aws, REGION, Policy=allow(EVENTS, "sns:Publish"))
    queues = aws.client("sqs", REGION)
    events.put_rule(Name=unique, EventPattern=json.dumps({"source": [unique]}))
    template = '{"text": "got <detail>", "detail": <detail>}'
    targeted = {
        "Id": "topic",
        "Arn": inbox.topic_arn,
        "InputTransformer": transformer(template, detail="$.detail"),
    }
    events.put_targets(Rule=unique, Targets=[targeted])
    events.put_events(
        Entries=[COMPLETE | {"Source": unique, "Detail": json.dumps({"a": 1, "b": 2})}]
    )

    name = inbox.queue_arn.rpartition(":")[2]
    envelope = json.loads(received(queues, queues.get_queue_url(QueueName=name)["QueueUrl"]))
    assert envelope["Message"] == '{"text": "got {a:1,b:2}", "detail": {"a":1,"b":2}}'
    assert "Subject" not in envelope


def test_a_template_that_does_not_make_json_is_a_failed_invocation(
    aws: EmbeddedAws, events: Any, unique: str
) -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    inbox = Inbox(aws, REGION, Policy=allow(EVENTS, "sns:Publish"))
    events.put_rule(Name=unique, EventPattern=json.dumps({"source": [unique]}))
    targeted = {
        "Id": "topic",
        "Arn": inbox.topic_arn,
        "InputTransformer": transformer('{"text": "<text>"}', text="$.detail.text"),
    }
    events.put_targets(Rule=unique, Targets=[targeted])
    for text in ('"', "fine"):
        events.put_events(
            Entries=[COMPLETE | {"Source": unique, "Detail": json.dumps({"text": text})}]
        )

    assert inbox.wait_for(lambda _: True)[0] == {"text": "fine"}
    assert inbox.is_empty()

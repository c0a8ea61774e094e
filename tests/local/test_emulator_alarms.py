"""Alarms that CloudWatch refuses, and what it sends about those that it has.

What is compared was recorded from AWS or is in its documentation: each row names its source.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from local.aws import EmbeddedAws
from tests.inbox import Inbox
from tests.local.reference import Refusal, assert_refused, send

REGION = "us-east-1"
PUT_METRIC_ALARM = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
)
RECORDED = "localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::"
ALARM = {
    "AlarmName": "refused",
    "Namespace": "refused",
    "MetricName": "metric",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 2,
    "ComparisonOperator": "GreaterThanThreshold",
}

Make = Callable[..., dict[str, Any]]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ALARM.items() if name not in names}


def refused(
    parameters: dict[str, Any], message: str | None = None, source: str = PUT_METRIC_ALARM
) -> Refusal:
    return Refusal("PutMetricAlarm", parameters, "ValidationError", message, source)


REFUSALS = {
    "no statistic": refused(without("Statistic")),
    "no period": refused(without("Period")),
    "no threshold": refused(without("Threshold")),
    "no namespace": refused(without("Namespace")),
    "two statistics": refused({**ALARM, "ExtendedStatistic": "p99"}),
    "more datapoints than periods": refused(
        {**ALARM, "DatapointsToAlarm": 15},
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        "https://github.com/hashicorp/terraform/issues/24070",
    ),
    "more than a day": refused({**ALARM, "EvaluationPeriods": 1441}),
    "more than a week": refused({**ALARM, "Period": 3600, "EvaluationPeriods": 169}),
    "an action that is not an ARN": refused({**ALARM, "AlarmActions": ["nope"]}),
    "an action in another region": refused(
        {**ALARM, "OKActions": ["arn:aws:sns:eu-west-1:123456789012:topic"]},
        "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
        "https://github.com/hashicorp/terraform/issues/7371",
    ),
    "a composite alarm's action": Refusal(
        "PutCompositeAlarm",
        {"AlarmName": "refused", "AlarmRule": "TRUE", "AlarmActions": ["nope"]},
        "ValidationError",
        None,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html",
    ),
    "an unknown state": Refusal(
        "SetAlarmState",
        {"AlarmName": "missing", "StateValue": "INVALID", "StateReason": "test"},
        "ValidationError",
        "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy "
        "constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
        f"{RECORDED}test_set_alarm_invalid_input",
    ),
    "an unknown alarm": Refusal(
        "SetAlarmState",
        {"AlarmName": "missing", "StateValue": "OK", "StateReason": "test"},
        "ResourceNotFound",
        None,
        f"{RECORDED}test_set_alarm_invalid_input",
        404,
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_cloudwatch_answers_as_recorded(aws: EmbeddedAws, refusal: Refusal) -> None:
    assert_refused(aws, "cloudwatch", refusal)


@pytest.fixture
def cloudwatch(aws: EmbeddedAws) -> Any:
    return aws.client("cloudwatch", REGION)


@pytest.fixture
def make_alarm(cloudwatch: Any, unique: str) -> Iterator[Make]:
    """Return the function that makes an alarm and describes it."""

    def make(**options: object) -> dict[str, Any]:
        cloudwatch.put_metric_alarm(
            **{**ALARM, "AlarmName": unique, "Namespace": unique, **options}
        )
        return described(cloudwatch, unique)

    yield make
    cloudwatch.delete_alarms(AlarmNames=[unique])


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    alarm: dict[str, Any] = found[0]
    return alarm


def test_the_longest_window_that_aws_allows_is_kept(make_alarm: Make) -> None:
    assert make_alarm(EvaluationPeriods=1440)["EvaluationPeriods"] == 1440
    assert make_alarm(Period=86_400, EvaluationPeriods=7)["EvaluationPeriods"] == 7


def test_an_alarm_comes_over_the_query_protocol(
    aws: EmbeddedAws, cloudwatch: Any, unique: str
) -> None:
    form = {
        "Action": "PutMetricAlarm",
        "Version": "2010-08-01",
        **ALARM,
        "AlarmName": unique,
        "TreatMissingData": "notBreaching",
        "InsufficientDataActions.member.1": f"arn:aws:sns:{REGION}:{aws.account_id}:topic",
        "Dimensions.member.1.Name": "FunctionName",
        "Dimensions.member.1.Value": "orders",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    answer = send(aws, "monitoring", urlencode(form), headers)
    wrong = send(aws, "monitoring", urlencode({**form, "Period": 15}), headers)

    assert answer.status == 200, answer.body
    assert b"<PutMetricAlarmResponse" in answer.body
    alarm = described(cloudwatch, unique)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "orders"}]
    assert alarm["InsufficientDataActions"] == [form["InsufficientDataActions.member.1"]]
    assert "Unit" not in alarm
    assert wrong.status == 400
    assert b"<Code>ValidationError</Code>" in wrong.body


def test_only_what_was_given_is_described(make_alarm: Make) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_describe_minimal_metric_alarm
    assert set(make_alarm()) == {
        *("ActionsEnabled", "AlarmActions", "AlarmArn", "AlarmConfigurationUpdatedTimestamp"),
        *("AlarmName", "ComparisonOperator", "Dimensions", "EvaluationPeriods"),
        *("InsufficientDataActions", "MetricName", "Namespace", "OKActions", "Period"),
        *("StateReason", "StateTransitionedTimestamp", "StateUpdatedTimestamp", "StateValue"),
        *("Statistic", "Threshold"),
    }


def test_a_topic_gets_the_message_of_aws(
    aws: EmbeddedAws, cloudwatch: Any, make_alarm: Make, unique: str
) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_enable_disable_alarm_actions
    inbox = Inbox(aws, REGION)
    alarm = make_alarm(
        AlarmDescription="testing cloudwatch alarms",
        AlarmActions=[inbox.topic_arn],
        OKActions=[inbox.topic_arn],
        Dimensions=[{"Name": "InstanceId", "Value": "abc"}],
        Unit="Seconds",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=unique, StateValue="ALARM", StateReason="testing alarm")

    message, _ = inbox.wait_for(lambda message: message["NewStateValue"] == "ALARM")
    dates = {
        name: message.pop(name)
        for name in ("AlarmConfigurationUpdatedTimestamp", "StateChangeTime")
    }
    assert all(date.endswith("+0000") for date in dates.values())
    assert message == {
        "AWSAccountId": aws.account_id,
        "AlarmActions": [inbox.topic_arn],
        "AlarmArn": alarm["AlarmArn"],
        "AlarmDescription": "testing cloudwatch alarms",
        "AlarmName": unique,
        "InsufficientDataActions": [],
        "NewStateReason": "testing alarm",
        "NewStateValue": "ALARM",
        "OKActions": [inbox.topic_arn],
        "OldStateValue": "INSUFFICIENT_DATA",
        "Region": "US East (N. Virginia)",
        "Trigger": {
            "ComparisonOperator": "GreaterThanThreshold",
            "Dimensions": [{"name": "InstanceId", "value": "abc"}],
            "EvaluateLowSampleCountPercentile": "",
            "EvaluationPeriods": 1,
            "MetricName": "metric",
            "Namespace": unique,
            "Period": 60,
            "Statistic": "AVERAGE",
            "StatisticType": "Statistic",
            "Threshold": 2.0,
            "TreatMissingData": "ignore",
            "Unit": "Seconds",
        },
    }
    assert "StateReasonData" not in described(cloudwatch, unique)


def test_a_topic_hears_which_child_of_a_composite_alarm_it_was(
    aws: EmbeddedAws, cloudwatch: Any, make_alarm: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
    inbox = Inbox(aws, REGION)
    child = make_alarm(TreatMissingData="ignore")
    cloudwatch.put_composite_alarm(
        AlarmName=f"{unique}-all",
        AlarmRule=f"ALARM({unique})",
        AlarmActions=[inbox.topic_arn],
    )
    cloudwatch.set_alarm_state(AlarmName=unique, StateValue="ALARM", StateReason="testing alarm")

    message, _ = inbox.wait_for(lambda message: message["NewStateValue"] == "ALARM")
    cloudwatch.delete_alarms(AlarmNames=[f"{unique}-all"])
    assert "Trigger" not in message
    assert message["AlarmRule"] == f"ALARM({unique})"
    (triggering,) = message["TriggeringChildren"]
    assert triggering["Arn"] == child["AlarmArn"]
    assert triggering["State"]["Value"] == "ALARM"


def test_a_new_alarm_of_the_name_of_a_deleted_one_has_no_previous_state(
    aws: EmbeddedAws, cloudwatch: Any, make_alarm: Make, unique: str
) -> None:
    inbox = Inbox(aws, REGION)
    inbox.receive_events(unique, {"source": ["aws.cloudwatch"], "detail": {"alarmName": [unique]}})
    for reason in ("of the deleted one", "of the new one"):
        make_alarm(TreatMissingData="ignore")
        for value in ("INSUFFICIENT_DATA", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName=unique, StateValue=value, StateReason=reason)
        event, _ = inbox.wait_for(lambda event: event["detail"]["state"]["value"] == "ALARM")
        assert event["detail"]["previousState"]["reason"] in (
            reason,
            "Unchecked: Initial alarm creation",
        )
        cloudwatch.set_alarm_state(
            AlarmName=unique, StateValue="INSUFFICIENT_DATA", StateReason=reason
        )
        cloudwatch.delete_alarms(AlarmNames=[unique])


def test_an_event_says_what_the_alarm_watches_and_why_it_was_in_its_previous_state(
    aws: EmbeddedAws, cloudwatch: Any, make_alarm: Make, unique: str
) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_alarm_lambda_target
    inbox = Inbox(aws, REGION)
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [unique]}}
    inbox.receive_events(unique, pattern)
    make_alarm(AlarmDescription="described", TreatMissingData="ignore")
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=unique, StateValue=state, StateReason=f"set {state}")

    event, _ = inbox.wait_for(lambda event: event["detail"]["state"]["value"] == "OK")
    first, _ = inbox.wait_for(lambda event: event["detail"]["state"]["value"] == "ALARM")
    detail = event["detail"]
    (query,) = detail["configuration"].pop("metrics")
    assert query.pop("id")
    assert query == {
        "metricStat": {
            "metric": {"namespace": unique, "name": "metric", "dimensions": {}},
            "period": 60,
            "stat": "Average",
        },
        "returnData": True,
    }
    assert detail["configuration"] == {"description": "described"}
    assert detail["previousState"].pop("timestamp").endswith("+0000")
    assert detail["previousState"] == {"value": "ALARM", "reason": "set ALARM"}
    assert first["detail"]["previousState"]["reason"] == "Unchecked: Initial alarm creation"


def test_the_history_has_the_reasons_of_both_states(
    cloudwatch: Any, make_alarm: Make, unique: str
) -> None:
    # localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_put_metric_alarm
    make_alarm(TreatMissingData="ignore")
    cloudwatch.set_alarm_state(AlarmName=unique, StateValue="ALARM", StateReason="testing alarm")

    (item,) = cloudwatch.describe_alarm_history(AlarmName=unique, HistoryItemType="StateUpdate")[
        "AlarmHistoryItems"
    ]
    assert item["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert json.loads(item["HistoryData"]) == {
        "version": "1.0",
        "oldState": {
            "stateValue": "INSUFFICIENT_DATA",
            "stateReason": "Unchecked: Initial alarm creation",
        },
        "newState": {"stateValue": "ALARM", "stateReason": "testing alarm"},
    }

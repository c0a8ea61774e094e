"""Alarms, as CloudWatch documents their evaluation and their actions.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.emulator.cloudwatch.alarms import Missing, next_state
from tests.inbox import Inbox, allow
from tests.local.reference import send

REGION = "us-east-1"
WAIT_SECONDS = 60
CLOUDWATCH = "cloudwatch.amazonaws.com"

Make = Callable[..., Any]


def points(drawn: str) -> list[bool | None]:
    """Read what AWS's tables draw: X breaching, 0 not breaching, - missing."""
    return [{"X": True, "0": False, "-": None}[point] for point in drawn.split()]


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html:
# the states by missing, ignore, breaching, notBreaching; "retain" is the current state.
THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "- - - - 0": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", "retain", "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", "retain", "ALARM", "OK"),
}
MISSING: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("required", "drawn", "missing", "state"),
    [
        (required, drawn, missing, state)
        for required, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for drawn, states in table.items()
        for missing, state in zip(MISSING, states, strict=True)
    ],
)
def test_the_state_follows_the_tables_of_missing_data(
    required: int, drawn: str, missing: Missing, state: str
) -> None:
    found = {
        next_state(
            points(drawn),
            evaluation_periods=3,
            datapoints_to_alarm=required,
            missing=missing,
            current=current,
        )
        for current in ("OK", "ALARM")
    }

    assert found == ({"OK", "ALARM"} if state == "retain" else {state})


@pytest.fixture
def publish(aws: EmbeddedAws, unique: str) -> Make:
    """Return the function that publishes a value, `age` seconds old, to the test's metric."""

    def put(value: float, age: float = 0, unit: str = "None", **dimensions: str) -> None:
        datum = {
            "MetricName": "metric",
            "Value": value,
            "Unit": unit,
            "Timestamp": datetime.now(UTC) - timedelta(seconds=age),
            "Dimensions": [{"Name": key, "Value": each} for key, each in dimensions.items()],
        }
        aws.client("cloudwatch", REGION).put_metric_data(Namespace=unique, MetricData=[datum])

    return put


@pytest.fixture
def make_alarm(aws: EmbeddedAws, unique: str) -> Make:
    """Return the function that makes an alarm: over 0 in a single period of 10 s."""

    def make(name: str = "", **options: object) -> str:
        alarm = {
            "AlarmName": unique + name,
            "Namespace": unique,
            "MetricName": "metric",
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        } | options
        aws.client("cloudwatch", REGION).put_metric_alarm(
            **{key: value for key, value in alarm.items() if value is not None}
        )
        return unique + name

    return make


@pytest.fixture
def describe(aws: EmbeddedAws) -> Make:
    def alarm(name: str) -> Any:
        found = aws.client("cloudwatch", REGION).describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (described,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return described

    return alarm


@pytest.fixture
def becomes(describe: Make) -> Make:
    """Return the function that waits for a state, and fails when it does not come."""

    def wait(name: str, state: str) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        while describe(name)["StateValue"] != state:
            assert time.monotonic() < deadline, describe(name)
            time.sleep(0.05)
        return True

    return wait


def test_an_alarm_watches_the_metric_with_exactly_its_dimensions(
    publish: Make, make_alarm: Make, becomes: Make, describe: Make
) -> None:
    mine = [{"Name": "FunctionName", "Value": "mine"}]
    alarm = make_alarm(Dimensions=mine)
    without = make_alarm("-without")
    publish(1, FunctionName="other")
    publish(1, FunctionName="mine", Resource="mine:live")
    assert becomes(alarm, "OK")

    publish(1, FunctionName="mine")

    assert becomes(alarm, "ALARM")
    assert describe(without)["StateValue"] == "OK"


def test_an_alarm_returns_to_ok_and_tells_both_times(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, becomes: Make
) -> None:
    inbox = Inbox(aws, REGION)
    alarm = make_alarm(AlarmActions=[inbox.topic_arn], OKActions=[inbox.topic_arn])
    assert becomes(alarm, "OK")

    publish(1, age=5)

    fired, _ = inbox.wait_for(lambda message: message["NewStateValue"] == "ALARM")
    recovered, seconds = inbox.wait_for(lambda message: message["OldStateValue"] == "ALARM")
    assert fired["AlarmName"] == recovered["AlarmName"] == alarm
    assert recovered["NewStateValue"] == "OK"
    assert seconds < 30  # of them five until the point is too old


@pytest.fixture
def fail(aws: EmbeddedAws, make_function: Make) -> Make:
    """Return the function that fails an invocation of the function it is given, or makes one."""

    def invoke(function: str = "") -> str:
        name: str = function or make_function(FAILING)
        if function:
            aws.client("lambda", REGION).invoke(FunctionName=function)
        return name

    return invoke


@pytest.mark.parametrize("metric", ["of its own", "of a service"])
def test_an_alarm_follows_its_data_at_once(
    publish: Make, make_alarm: Make, becomes: Make, fail: Make, metric: str
) -> None:
    alarms = {}
    for index in range(6):
        name = fail() if metric == "of a service" else str(index)
        errors = {"Namespace": "AWS/Lambda", "MetricName": "Errors"}
        alarms[name] = make_alarm(
            f"-{index}",
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            **(errors if metric == "of a service" else {}),
        )
    for alarm in alarms.values():
        assert becomes(alarm, "OK")
    seconds = []
    for name, alarm in alarms.items():
        started = time.monotonic()
        if metric == "of a service":
            fail(name)
        else:
            publish(1, FunctionName=name)
        assert becomes(alarm, "ALARM")
        seconds.append(time.monotonic() - started)

    # All alarms are looked at once a second anyway. Without this, each of them but the first would
    # have taken the second that had begun when the previous one went off; a busy machine delays
    # some of them.
    assert min(seconds[1:]) < 0.7


def test_as_many_periods_as_asked_for_breach_before_it_alarms(
    publish: Make, make_alarm: Make, becomes: Make, describe: Make
) -> None:
    alarm = make_alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    publish(1, age=21)
    publish(0, age=11)
    assert becomes(alarm, "OK")
    assert describe(alarm)["DatapointsToAlarm"] == 2

    publish(1)

    assert becomes(alarm, "ALARM")


def test_older_periods_than_asked_for_do_not_count(
    publish: Make, make_alarm: Make, becomes: Make
) -> None:
    publish(1, age=11)

    assert becomes(make_alarm(), "OK")
    assert becomes(make_alarm("-longer", Period=30), "ALARM")


@pytest.mark.parametrize(
    ("missing", "state"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")],
)
def test_an_alarm_without_data_treats_it_as_it_was_told(
    make_alarm: Make, becomes: Make, missing: str, state: str
) -> None:
    assert becomes(make_alarm(TreatMissingData=missing), state)


def test_an_alarm_that_ignores_missing_data_stays_as_it_is(
    publish: Make, make_alarm: Make, becomes: Make, describe: Make
) -> None:
    alarm, other = make_alarm(TreatMissingData="ignore"), make_alarm("-other")
    publish(1, age=5)
    assert becomes(alarm, "ALARM")
    assert becomes(other, "ALARM")
    assert becomes(other, "OK")

    assert describe(alarm)["StateValue"] == "ALARM"


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"Statistic": "Average", "Threshold": 4}, "OK"),
        ({"Statistic": "Average", "Threshold": 3}, "ALARM"),
        ({"Statistic": "Maximum", "Threshold": 9}, "ALARM"),
        ({"Statistic": "Minimum", "Threshold": 1}, "OK"),
        ({"Statistic": "SampleCount", "Threshold": 4}, "ALARM"),
        ({"Statistic": None, "ExtendedStatistic": "p50", "Threshold": 1}, "OK"),
        ({"Statistic": None, "ExtendedStatistic": "p99", "Threshold": 9}, "ALARM"),
    ],
)
def test_an_alarm_computes_its_statistic(
    publish: Make, make_alarm: Make, becomes: Make, options: Any, state: str
) -> None:
    for value in (1, 1, 1, 1, 12):
        publish(value)

    assert becomes(make_alarm(**options), state)


def test_an_alarm_with_a_unit_watches_this_unit(
    publish: Make, make_alarm: Make, becomes: Make
) -> None:
    publish(1, unit="Seconds")

    assert becomes(make_alarm(Unit="Count"), "OK")
    assert becomes(make_alarm("-seconds", Unit="Seconds"), "ALARM")


def test_a_composite_alarm_follows_its_children(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, becomes: Make, unique: str
) -> None:
    inbox = Inbox(aws, REGION)
    child = make_alarm()
    aws.client("cloudwatch", REGION).put_composite_alarm(
        AlarmName=f"{unique}-all",
        AlarmRule=f'ALARM("{child}")',
        AlarmActions=[inbox.topic_arn],
        OKActions=[inbox.topic_arn],
    )
    publish(1, age=5)

    assert becomes(f"{unique}-all", "ALARM")
    assert becomes(f"{unique}-all", "OK")
    inbox.wait_for(lambda message: message["NewStateValue"] == "ALARM")


def test_an_alarm_is_described_as_it_was_made(
    make_alarm: Make, describe: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    metric = {"Namespace": unique, "MetricName": "metric", "Dimensions": []}
    queries = [
        {
            "Id": "m1",
            "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"},
            "ReturnData": True,
        },
        {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)", "ReturnData": True},
    ]
    single = ("Namespace", "MetricName", "Statistic", "Period", "Threshold")
    alarm = make_alarm(
        Metrics=queries,
        ThresholdMetricId="band",
        ComparisonOperator="GreaterThanUpperThreshold",
        **dict.fromkeys(single),
    )
    described = describe(alarm)

    assert described["Metrics"] == queries
    assert described["ThresholdMetricId"] == "band"
    assert not set(single) & set(described)
    assert "Metrics" not in describe(make_alarm("-single"))
    for wrong in (
        {"Metrics": queries},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"Period": 15},
    ):
        with pytest.raises(ClientError, match="ValidationError"):
            make_alarm("-wrong", **wrong)


def test_anomaly_detectors_are_kept_until_they_are_deleted(aws: EmbeddedAws, unique: str) -> None:
    cloudwatch = aws.client("cloudwatch", REGION)
    metric = {"Namespace": unique, "MetricName": "metric", "Stat": "Sum"}
    detector = {"SingleMetricAnomalyDetector": metric}
    cloudwatch.put_anomaly_detector(**detector, Configuration={"MetricTimezone": "UTC"})

    (found,) = cloudwatch.describe_anomaly_detectors(Namespace=unique)["AnomalyDetectors"]
    assert found["SingleMetricAnomalyDetector"] == metric
    assert found["Configuration"] == {"MetricTimezone": "UTC"}

    cloudwatch.delete_anomaly_detector(**detector)
    assert not cloudwatch.describe_anomaly_detectors(Namespace=unique)["AnomalyDetectors"]


def test_a_state_change_is_an_event(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, unique: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    inbox = Inbox(aws, REGION)
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [unique]}}
    inbox.receive_events(unique, pattern)
    make_alarm()
    publish(1)

    event, _ = inbox.wait_for(lambda event: event["detail"]["state"]["value"] == "ALARM")
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"][0].endswith(f":alarm:{unique}")


HANDLER = """
def handler(event, context):
    print("got", event["alarmData"]["state"]["value"])
"""
LOGGING = {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}


def test_an_alarm_invokes_a_function_that_lets_it(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, make_function: Make, becomes: Make
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    closed, opened = (make_function(HANDLER, LOGGING) for _ in range(2))
    functions = aws.client("lambda", REGION)
    arns = [
        functions.get_function_configuration(FunctionName=name)["FunctionArn"]
        for name in (closed, opened)
    ]
    functions.add_permission(
        FunctionName=opened,
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
    )
    alarm = make_alarm(AlarmActions=arns)
    publish(1)

    assert becomes(alarm, "ALARM")
    lines = _lines(aws, f"/aws/lambda/{opened}")
    assert any("got ALARM" in line for line in lines)
    assert not aws.client("logs", REGION).describe_log_groups(
        logGroupNamePrefix=f"/aws/lambda/{closed}"
    )["logGroups"]


def _lines(aws: EmbeddedAws, group: str) -> list[str]:
    logs, deadline = aws.client("logs", REGION), time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return [
                event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]
            ]
        time.sleep(0.05)
    return []


def _actions(aws: EmbeddedAws, alarm: str) -> list[str]:
    history = aws.client("cloudwatch", REGION).describe_alarm_history(
        AlarmName=alarm, HistoryItemType="Action"
    )["AlarmHistoryItems"]
    return [item["HistorySummary"] for item in history]


def test_a_topic_whose_policy_leaves_alarms_out_hears_nothing(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, becomes: Make
) -> None:
    closed = Inbox(aws, REGION, Policy=allow("events.amazonaws.com", "sns:Publish"))
    opened = Inbox(aws, REGION, Policy=allow(CLOUDWATCH, "sns:Publish"))
    alarm = make_alarm(AlarmActions=[closed.topic_arn, opened.topic_arn])
    publish(1)

    assert becomes(alarm, "ALARM")
    opened.wait_for(lambda message: message["AlarmName"] == alarm)
    assert closed.is_empty()
    assert f"Failed to execute action {closed.topic_arn}" in _actions(aws, alarm)


def test_an_alarm_publishes_to_an_encrypted_topic_only_with_the_key(
    aws: EmbeddedAws, publish: Make, make_alarm: Make, becomes: Make
) -> None:
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    account = {"AWS": f"arn:aws:iam::{aws.account_id}:root"}
    administrators = {
        "Effect": "Allow",
        "Principal": account,
        "Action": "kms:*",
        "Resource": "*",
    }
    alarms = json.loads(allow(CLOUDWATCH, "kms:*"))["Statement"]
    kms, inboxes = aws.client("kms", REGION), []
    for statements in ([administrators], [administrators, *alarms]):
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = kms.create_key(Policy=document)["KeyMetadata"]["KeyId"]
        inboxes.append(Inbox(aws, REGION, KmsMasterKeyId=key))
    inboxes.append(Inbox(aws, REGION, KmsMasterKeyId="alias/aws/sns"))
    alarm = make_alarm(AlarmActions=[inbox.topic_arn for inbox in inboxes])
    publish(1)

    assert becomes(alarm, "ALARM")
    closed, opened, of_aws = inboxes
    opened.wait_for(lambda message: message["AlarmName"] == alarm)
    assert closed.is_empty()
    assert of_aws.is_empty()


FAILING = """
def handler(event, context):
    raise ValueError("no")
"""


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_a_failing_invocation_is_an_error_of_its_function(
    aws: EmbeddedAws, make_function: Make, make_alarm: Make, becomes: Make, kind: str
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    function = make_function(FAILING)
    by_name = [{"Name": "FunctionName", "Value": function}]
    by_resource = [*by_name, {"Name": "Resource", "Value": function}]
    names = [
        make_alarm(f"-{index}", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=each)
        for index, each in enumerate((by_name, by_resource))
    ]
    aws.client("lambda", REGION).invoke(FunctionName=function, InvocationType=kind)

    assert all(becomes(name, "ALARM") for name in names)


def _published(aws: EmbeddedAws, function: str, *metrics: str) -> dict[str, list[Any]]:
    """Return (sample count, sum) of the function's metrics in the last hour, if there are any."""
    now = datetime.now(UTC)
    return {
        metric: [
            (point["SampleCount"], point["Sum"])
            for point in aws.client("cloudwatch", REGION).get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": function}],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(minutes=1),
                Period=3600,
                Statistics=["SampleCount", "Sum"],
            )["Datapoints"]
        ]
        for metric in metrics
    }


def test_a_throttled_invocation_is_a_throttle_and_no_invocation(
    aws: EmbeddedAws, make_function: Make
) -> None:
    function, functions = make_function(FAILING), aws.client("lambda", REGION)
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        functions.invoke(FunctionName=function)

    retried = 2  # the client's own attempts
    assert _published(aws, function, "Invocations", "Errors", "Throttles") == {
        "Invocations": [],
        "Errors": [],
        "Throttles": [(retried, retried)],
    }


def test_every_invocation_of_a_second_counts(aws: EmbeddedAws, make_function: Make) -> None:
    function, functions = make_function(FAILING), aws.client("lambda", REGION)
    for _ in range(50):
        functions.invoke(FunctionName=function)

    assert _published(aws, function, "Invocations", "Errors", "Throttles") == {
        "Invocations": [(50, 50)],
        "Errors": [(50, 50)],
        "Throttles": [(50, 0)],
    }
    ((samples, milliseconds),) = _published(aws, function, "Duration")["Duration"]
    assert samples == 50
    assert milliseconds > 0


def test_an_alarm_on_metric_math_has_no_threshold_of_nothing_in_xml(
    aws: EmbeddedAws, unique: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    metric = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    aws.client("cloudwatch", REGION).put_metric_alarm(
        AlarmName=unique,
        ComparisonOperator="GreaterThanUpperThreshold",
        EvaluationPeriods=1,
        ThresholdMetricId="band",
        Metrics=[
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1)"},
            {"Id": "m1", "MetricStat": metric},
        ],
    )
    form = {"content-type": "application/x-www-form-urlencoded"}
    form["host"] = aws.endpoint_url.removeprefix("http://")
    query = f"Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1={unique}"
    answer = send(aws, "monitoring", query, form)
    assert f"<AlarmName>{unique}</AlarmName>".encode() in answer.body
    assert b"<Threshold>" not in answer.body

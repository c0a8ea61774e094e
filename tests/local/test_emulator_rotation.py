import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"
SERVICE = "secretsmanager.amazonaws.com"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
OUTCOMES = ("RotationSucceeded", "RotationFailed", "TestRotationSucceeded", "TestRotationFailed")
TIMEOUT_SECONDS = 60

# It says what it was called with; what it must not do stands in its environment.
ROTATOR = """
import json, os, boto3
client = boto3.client("secretsmanager")

def handler(event, context):
    print(json.dumps(event))
    secret, token = {"SecretId": event["SecretId"]}, event["ClientRequestToken"]
    if event["Step"] == os.environ.get("FAILS_AT"):
        raise RuntimeError("as asked for")
    if event["Step"] == os.environ.get("IDLE_AT"):
        return
    if event["Step"] == "createSecret":
        try:
            client.get_secret_value(**secret, VersionId=token, VersionStage="AWSPENDING")
        except client.exceptions.ResourceNotFoundException:
            client.put_secret_value(
                **secret,
                ClientRequestToken=token,
                SecretString="new",
                VersionStages=["AWSPENDING"],
            )
    elif event["Step"] == "testSecret":
        pending = client.get_secret_value(**secret, VersionId=token, VersionStage="AWSPENDING")
        print(json.dumps({"tested": pending["SecretString"]}))
    elif event["Step"] == "finishSecret":
        current = client.get_secret_value(**secret)["VersionId"]
        client.update_secret_version_stage(
            **secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=token,
            RemoveFromVersionId=current,
        )
"""

Make = Callable[..., Any]


class Rotated(NamedTuple):
    """A secret with the value `old` and the function that rotates it."""

    aws: EmbeddedAws
    arn: str
    function: str

    @property
    def secrets(self) -> Any:
        return self.aws.client("secretsmanager", REGION)

    @property
    def functions(self) -> Any:
        return self.aws.client("lambda", REGION)

    @property
    def function_arn(self) -> str:
        config = self.functions.get_function_configuration(FunctionName=self.function)
        return str(config["FunctionArn"])

    def rotate(self, **request: object) -> Any:
        given = {"SecretId": self.arn, "RotationLambdaARN": self.function_arn} | request
        return self.secrets.rotate_secret(**given)

    def permit(self, **options: str) -> None:
        self.functions.add_permission(
            **{
                "FunctionName": self.function,
                "StatementId": f"statement-{uuid.uuid4().hex}",
                "Action": "lambda:InvokeFunction",
                "Principal": SERVICE,
            }
            | options
        )

    def behave(self, **environment: str) -> None:
        self.functions.update_function_configuration(
            FunctionName=self.function, Environment={"Variables": environment}
        )
        self.functions.get_waiter("function_updated_v2").wait(
            FunctionName=self.function, WaiterConfig={"Delay": 0.02}
        )

    def described(self) -> Any:
        return self.secrets.describe_secret(SecretId=self.arn)

    def value(self, **version: str) -> Any:
        return self.secrets.get_secret_value(SecretId=self.arn, **version)["SecretString"]

    def stages(self, version_id: str) -> list[str]:
        return sorted(self.described()["VersionIdsToStages"].get(version_id, []))

    def events(self, *names: str) -> list[Any]:
        """Return the events of rotation about this secret that CloudTrail has, oldest first."""
        found = []
        for name in names:
            attributes = [{"AttributeKey": "EventName", "AttributeValue": name}]
            records = self.aws.client("cloudtrail", REGION).lookup_events(
                LookupAttributes=attributes
            )["Events"]
            events = [json.loads(record["CloudTrailEvent"]) for record in reversed(records)]
            found += [e for e in events if e["additionalEventData"]["SecretId"] == self.arn]
        return found

    def outcome(self) -> str:
        """Wait for the end of the first rotation, and name it."""
        wait_until(lambda: bool(self.events(*OUTCOMES)))
        (event,) = self.events(*OUTCOMES)
        return str(event["eventName"])

    def lines(self) -> list[Any]:
        """Return what the function printed, as far as it is JSON."""
        logs, group = self.aws.client("logs", REGION), f"/aws/lambda/{self.function}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [json.loads(e["message"]) for e in events if e["message"].startswith("{")]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def unpermitted(aws: EmbeddedAws, make_function: Make, unique: str) -> Rotated:
    secret = aws.client("secretsmanager", REGION).create_secret(Name=unique, SecretString="old")
    function = make_function(ROTATOR, {"Action": ["logs:*", "secretsmanager:*"]})
    return Rotated(aws, secret["ARN"], function)


@pytest.fixture
def rotated(aws: EmbeddedAws, unpermitted: Rotated) -> Rotated:
    unpermitted.permit(SourceAccount=aws.account_id, SourceArn=unpermitted.arn)
    return unpermitted


def test_a_rotation_runs_the_four_steps_through_the_function(rotated: Rotated) -> None:
    old = rotated.secrets.get_secret_value(SecretId=rotated.arn)["VersionId"]

    answer = rotated.rotate(RotationRules={"AutomaticallyAfterDays": 30})

    assert rotated.outcome() == "RotationSucceeded"
    new = answer["VersionId"]
    assert rotated.value() == "new"
    assert "AWSCURRENT" in rotated.stages(new)
    assert rotated.stages(old) == ["AWSPREVIOUS"]
    calls = [line for line in rotated.lines() if "Step" in line]
    assert [call["Step"] for call in calls] == STEPS
    assert {call["SecretId"] for call in calls} == {rotated.arn}
    assert {call["ClientRequestToken"] for call in calls} == {new}
    assert all(call["RotationToken"] for call in calls)


def test_the_version_has_no_value_until_the_function_puts_one(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="createSecret")
    token = rotated.rotate()["VersionId"]
    assert rotated.outcome() == "RotationFailed"

    assert rotated.stages(token) == ["AWSPENDING"]
    for version in ({"VersionId": token}, {"VersionStage": "AWSPENDING"}):
        with pytest.raises(rotated.secrets.exceptions.ResourceNotFoundException, match="value"):
            rotated.value(**version)
    put = {"ClientRequestToken": token, "VersionStages": ["AWSPENDING"]}
    for _ in range(2):
        rotated.secrets.put_secret_value(SecretId=rotated.arn, SecretString="mine", **put)
    with pytest.raises(rotated.secrets.exceptions.ResourceExistsException):
        rotated.secrets.put_secret_value(SecretId=rotated.arn, SecretString="other", **put)
    assert rotated.value(VersionStage="AWSPENDING") == "mine"
    assert rotated.value() == "old"


def test_the_version_that_a_rotation_makes_is_the_newest(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="createSecret")
    current = rotated.secrets.put_secret_value(SecretId=rotated.arn, SecretString="newer")
    token = rotated.rotate()["VersionId"]
    assert rotated.outcome() == "RotationFailed"

    listed = rotated.secrets.list_secret_version_ids(SecretId=rotated.arn)["Versions"]
    newest_first = [each["VersionId"] for each in listed]
    assert newest_first[:2] == [token, current["VersionId"]]
    assert listed[0]["CreatedDate"] > listed[1]["CreatedDate"]


def test_a_failed_step_is_the_last_and_leaves_awspending(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="setSecret")

    token = rotated.rotate()["VersionId"]

    assert rotated.outcome() == "RotationFailed"
    assert [line["Step"] for line in rotated.lines() if "Step" in line] == STEPS[:2]
    assert rotated.stages(token) == ["AWSPENDING"]
    assert "LastRotatedDate" not in rotated.described()
    with pytest.raises(
        rotated.secrets.exceptions.InvalidRequestException,
        match=r"A previous rotation isn't complete\. That rotation will be reattempted\.",
    ):
        rotated.rotate()


@pytest.mark.parametrize("step", ["createSecret", "finishSecret"])
def test_a_step_that_did_not_do_its_work_has_failed(rotated: Rotated, step: str) -> None:
    rotated.behave(IDLE_AT=step)

    token = rotated.rotate()["VersionId"]

    assert rotated.outcome() == "RotationFailed"
    assert [line["Step"] for line in rotated.lines() if "Step" in line][-1] == step
    assert rotated.stages(token) == ["AWSPENDING"]
    assert rotated.value() == "old"


def test_the_same_token_goes_on_with_a_failed_rotation(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="finishSecret")
    token = rotated.rotate()["VersionId"]
    assert rotated.outcome() == "RotationFailed"

    rotated.behave()
    assert rotated.rotate(ClientRequestToken=token)["VersionId"] == token

    wait_until(lambda: bool(rotated.events("RotationSucceeded")))
    assert "AWSCURRENT" in rotated.stages(token)
    lines = len(rotated.lines())
    assert rotated.rotate(ClientRequestToken=token)["VersionId"] == token
    rotated.rotate()  # would be refused if the first were running again
    wait_until(lambda: len(rotated.events("RotationSucceeded")) == 2)
    assert len(rotated.lines()) == lines + 5
    assert len(rotated.events("RotationStarted")) == 3


def test_not_now_tests_the_current_value_and_leaves_no_version(rotated: Rotated) -> None:
    before = rotated.described()["VersionIdsToStages"]

    rotated.rotate(RotateImmediately=False, RotationRules={"AutomaticallyAfterDays": 1})

    assert rotated.outcome() == "TestRotationSucceeded"
    step, tested = rotated.lines()
    assert step["Step"] == "testSecret"
    assert tested == {"tested": "old"}
    assert rotated.described()["VersionIdsToStages"] == before
    versions = rotated.secrets.list_secret_version_ids(
        SecretId=rotated.arn, IncludeDeprecated=True
    )["Versions"]
    assert len(versions) == 1
    assert "LastRotatedDate" not in rotated.described()


def test_a_failed_test_may_be_told_to_leave_awspending_on_an_empty_version(
    aws: EmbeddedAws, rotated: Rotated
) -> None:
    aws.leave_pending_after_failed_tests(rotated.arn)
    rotated.rotate(RotateImmediately=False)
    wait_until(lambda: bool(rotated.events("TestRotationSucceeded")))
    assert list(rotated.described()["VersionIdsToStages"].values()) == [["AWSCURRENT"]]

    rotated.behave(FAILS_AT="testSecret")
    token = rotated.rotate(RotateImmediately=False)["VersionId"]
    wait_until(lambda: bool(rotated.events("TestRotationFailed")))
    assert rotated.stages(token) == ["AWSPENDING"]
    with pytest.raises(rotated.secrets.exceptions.ResourceNotFoundException, match="value"):
        rotated.value(VersionStage="AWSPENDING")
    with pytest.raises(
        rotated.secrets.exceptions.InvalidRequestException, match="previous rotation"
    ):
        rotated.rotate()


@pytest.mark.parametrize("immediately", [True, False])
def test_a_function_that_cannot_be_started_is_a_failed_rotation(
    rotated: Rotated, *, immediately: bool
) -> None:
    """A file that is a folder, too, cannot be unpacked."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app", "a file")
        archive.writestr("app/handler.py", "a file in a folder of that name")
    rotated.functions.update_function_code(
        FunctionName=rotated.function, ZipFile=package.getvalue()
    )
    rotated.functions.get_waiter("function_updated_v2").wait(
        FunctionName=rotated.function, WaiterConfig={"Delay": 0.02}
    )
    token = rotated.rotate(RotateImmediately=immediately)["VersionId"]
    assert rotated.outcome() == ("RotationFailed" if immediately else "TestRotationFailed")
    assert rotated.stages(token) == (["AWSPENDING"] if immediately else [])
    named = f"please report it: {rotated.function_arn} could not be invoked (NotADirectoryError"
    assert any(named in notice for notice in rotated.aws.notices)


def test_a_failed_test_leaves_no_version_either(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="testSecret")

    rotated.rotate(RotateImmediately=False)

    assert rotated.outcome() == "TestRotationFailed"
    assert list(rotated.described()["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    assert rotated.described()["RotationEnabled"]


def test_cloudtrail_tells_of_a_rotation_as_of_the_service_s_own_doing(rotated: Rotated) -> None:
    rotated.rotate()
    assert rotated.outcome() == "RotationSucceeded"

    events = rotated.events("RotationStarted", "RotationSucceeded", "RotationFailed")
    assert [event["eventName"] for event in events] == ["RotationStarted", "RotationSucceeded"]
    for event in events:
        assert event["eventType"] == "AwsServiceEvent"
        assert event["eventSource"] == event["userIdentity"]["invokedBy"] == SERVICE
        assert event["requestParameters"] is None
        assert event["additionalEventData"] == {"SecretId": rotated.arn}


def _refused(rotated: Rotated, match: str, **request: object) -> None:
    with pytest.raises(ClientError, match=match) as refused:
        rotated.rotate(**request)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    described = rotated.described()
    assert described.keys().isdisjoint({"RotationEnabled", "RotationLambdaARN", "RotationRules"})
    assert rotated.value() == "old"


CANNOT_INVOKE = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
    f"grants access to the principal {SERVICE}."
)


@pytest.mark.parametrize(
    "permission",
    [
        None,
        {"Principal": "events.amazonaws.com"},
        {"Action": "lambda:GetFunction"},
        {"SourceAccount": "210987654321"},
        {"SourceArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:another-AbCdEf"},
    ],
    ids=["none", "principal", "action", "account", "secret"],
)
def test_a_function_that_secrets_manager_may_not_invoke_is_refused(
    unpermitted: Rotated, permission: dict[str, str] | None
) -> None:
    if permission:
        unpermitted.permit(**permission)

    _refused(unpermitted, CANNOT_INVOKE)


def test_a_function_that_does_not_exist_is_refused(rotated: Rotated) -> None:
    _refused(rotated, CANNOT_INVOKE, RotationLambdaARN=f"{rotated.function_arn}-not")


def test_a_permission_withdrawn_fails_the_next_rotation(rotated: Rotated) -> None:
    rotated.rotate(RotateImmediately=False)
    assert rotated.outcome() == "TestRotationSucceeded"
    policy = json.loads(rotated.functions.get_policy(FunctionName=rotated.function)["Policy"])
    rotated.functions.remove_permission(
        FunctionName=rotated.function, StatementId=policy["Statement"][0]["Sid"]
    )

    with pytest.raises(ClientError, match=CANNOT_INVOKE):
        rotated.secrets.rotate_secret(SecretId=rotated.arn)


def test_the_caller_needs_to_be_allowed_to_invoke_the_function(
    rotated: Rotated, make_role: Make, client_of: Make
) -> None:
    rotate = {"Action": "secretsmanager:RotateSecret", "Resource": rotated.arn}
    invoke = {"Action": "lambda:InvokeFunction", "Resource": rotated.function_arn}
    request = {"SecretId": rotated.arn, "RotationLambdaARN": rotated.function_arn}

    for statement, missing in ((rotate, "lambda:InvokeFunction"), (invoke, "RotateSecret")):
        caller = client_of("secretsmanager", make_role(statement))
        with pytest.raises(ClientError, match=f"not authorized to perform: .*{missing}") as error:
            caller.rotate_secret(**request)
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    client_of("secretsmanager", make_role(rotate, invoke)).rotate_secret(**request)
    assert rotated.outcome() == "RotationSucceeded"


def test_the_first_rotation_needs_a_function(rotated: Rotated) -> None:
    with pytest.raises(
        rotated.secrets.exceptions.InvalidRequestException, match="No Lambda rotation function ARN"
    ):
        rotated.secrets.rotate_secret(SecretId=rotated.arn)


def test_a_deleted_secret_and_a_replica_do_not_rotate(rotated: Rotated) -> None:
    refused = rotated.secrets.exceptions.InvalidRequestException
    rotated.secrets.replicate_secret_to_regions(
        SecretId=rotated.arn, AddReplicaRegions=[{"Region": "eu-west-1"}]
    )
    replica = rotated.arn.replace(REGION, "eu-west-1")
    other = rotated.aws.client("secretsmanager", "eu-west-1")
    for call in (other.rotate_secret, other.cancel_rotate_secret):
        with pytest.raises(other.exceptions.InvalidParameterException, match="replica"):
            call(SecretId=replica)
    rotated.secrets.remove_regions_from_replication(
        SecretId=rotated.arn, RemoveReplicaRegions=["eu-west-1"]
    )
    rotated.secrets.delete_secret(SecretId=rotated.arn)
    with pytest.raises(refused, match="marked for deletion"):
        rotated.rotate()
    with pytest.raises(refused, match="marked for deletion"):
        rotated.secrets.cancel_rotate_secret(SecretId=rotated.arn)


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}, "both"),
        ({"ScheduleExpression": "rate(3 hours)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "rate(1000 days)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "cron(5 4 ? * SUN *)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "cron(0 4 * * SUN *)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "cron(0 4 ? * SUN 2030)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "cron(0 4 ? * MON#9 *)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "every Sunday"}, "ScheduleExpression"),
        ({"AutomaticallyAfterDays": 1, "Duration": "25h"}, "Duration"),
        ({"AutomaticallyAfterDays": 1, "Duration": "0h"}, "Duration"),
    ],
)
def test_rules_that_aws_does_not_know_are_refused(
    rotated: Rotated, rules: dict[str, object], fault: str
) -> None:
    with pytest.raises(rotated.secrets.exceptions.InvalidParameterException, match=fault):
        rotated.rotate(RotationRules=rules)
    assert "RotationRules" not in rotated.described()


def test_a_token_has_at_most_64_characters(rotated: Rotated) -> None:
    with pytest.raises(ClientError, match="clientRequestToken"):
        rotated.rotate(ClientRequestToken="t" * 65)


def test_a_description_tells_the_rules_and_the_dates(rotated: Rotated) -> None:
    assert "RotationEnabled" not in rotated.described()
    rules = {"AutomaticallyAfterDays": 30}

    rotated.rotate(RotationRules=rules)

    assert rotated.outcome() == "RotationSucceeded"
    described = rotated.described()
    assert described["RotationEnabled"]
    assert described["RotationLambdaARN"] == rotated.function_arn
    assert described["RotationRules"] == rules
    last = described["LastRotatedDate"].astimezone(UTC)
    assert abs(datetime.now(UTC) - last) < timedelta(minutes=1)
    due = last.replace(hour=23, minute=59, second=59, microsecond=0) + timedelta(days=30)
    assert described["NextRotationDate"] == due


@pytest.mark.parametrize(
    ("rules", "weekday", "hour"),
    [
        ({"ScheduleExpression": "cron(0 4 ? * SUN *)"}, 6, 23),
        ({"ScheduleExpression": "cron(0 4 ? * SUN *)", "Duration": "3h"}, 6, 7),
        ({"ScheduleExpression": "rate(7 days)", "Duration": "3h"}, None, 3),
        ({"ScheduleExpression": "cron(0 8/12 * * ? *)"}, None, (9, 21)),
        ({"ScheduleExpression": "cron(0 /8 * * ? *)"}, None, (1, 9, 17)),
    ],
)
def test_the_next_rotation_is_due_when_its_window_closes(
    rotated: Rotated, rules: dict[str, str], weekday: int | None, hour: int | tuple[int, int]
) -> None:
    rotated.rotate(RotationRules=rules, RotateImmediately=False)

    due = rotated.described()["NextRotationDate"].astimezone(UTC)
    assert timedelta() < due - datetime.now(UTC) < timedelta(days=8)
    assert due.hour == hour if isinstance(hour, int) else due.hour in hour
    assert weekday in (None, due.weekday())


def test_a_cancelled_rotation_starts_no_further_step(rotated: Rotated) -> None:
    rotated.behave(FAILS_AT="testSecret")
    token = rotated.rotate(RotationRules={"AutomaticallyAfterDays": 30})["VersionId"]
    assert rotated.outcome() == "RotationFailed"

    answer = rotated.secrets.cancel_rotate_secret(SecretId=rotated.arn)

    assert (answer["ARN"], answer["VersionId"]) == (rotated.arn, token)
    described = rotated.described()
    assert described["RotationEnabled"] is False
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert described.keys().isdisjoint({"NextRotationDate", "LastRotatedDate"})
    assert rotated.stages(token) == ["AWSPENDING"]
    assert rotated.value() == "old"


WAITS_FOR_THE_CANCELLATION = """
import json, time, boto3
client = boto3.client("secretsmanager")

def handler(event, context):
    print(json.dumps(event))
    while event["Step"] == "createSecret":
        client.get_secret_value(SecretId=event["SecretId"])
        if not client.describe_secret(SecretId=event["SecretId"])["RotationEnabled"]:
            client.put_secret_value(
                SecretId=event["SecretId"],
                ClientRequestToken=event["ClientRequestToken"],
                SecretString="new",
                VersionStages=["AWSPENDING"],
            )
            break
        time.sleep(0.02)
"""


def test_a_rotation_cancelled_in_the_middle_goes_no_further(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    arn = aws.client("secretsmanager", REGION).create_secret(Name=unique, SecretString="old")[
        "ARN"
    ]
    function = make_function(
        WAITS_FOR_THE_CANCELLATION, {"Action": ["logs:*", "secretsmanager:*"]}
    )
    rotated = Rotated(aws, arn, function)
    rotated.permit()

    token = rotated.rotate()["VersionId"]  # the answer comes while the step waits
    wait_until(lambda: "LastAccessedDate" in rotated.described())  # the step has begun
    rotated.rotate(ClientRequestToken=token)  # which changes nothing
    rotated.secrets.cancel_rotate_secret(SecretId=arn)

    wait_until(lambda: len(rotated.lines()) == 1)
    invoke(function, {"Step": "asked for by the test"})  # after what would follow
    assert [line["Step"] for line in rotated.lines()] == ["createSecret", "asked for by the test"]
    assert rotated.stages(token) == ["AWSPENDING"]
    assert [e["eventName"] for e in rotated.events("RotationStarted", *OUTCOMES)] == [
        "RotationStarted"
    ]


@pytest.mark.parametrize("write", ["put_secret_value", "update_secret"])
def test_a_value_put_by_hand_abandons_the_rotation(rotated: Rotated, write: str) -> None:
    rotated.behave(FAILS_AT="setSecret")
    token = rotated.rotate()["VersionId"]
    assert rotated.outcome() == "RotationFailed"

    getattr(rotated.secrets, write)(SecretId=rotated.arn, SecretString="by hand")

    assert rotated.stages(token) == []
    assert len(rotated.events("RotationAbandoned")) == 1
    rotated.behave()
    rotated.rotate()
    wait_until(lambda: bool(rotated.events("RotationSucceeded")))
    assert rotated.value() == "new"
    assert rotated.value(VersionStage="AWSPREVIOUS") == "by hand"


def test_a_label_moves_to_the_version_that_is_put_with_it(rotated: Rotated) -> None:
    put = {"SecretId": rotated.arn, "VersionStages": ["blue"]}
    first = rotated.secrets.put_secret_value(**put, SecretString="1")["VersionId"]
    second = rotated.secrets.put_secret_value(**put, SecretString="2")["VersionId"]

    assert rotated.stages(first) == []
    assert rotated.stages(second) == ["blue"]
    assert rotated.value(VersionStage="blue") == "2"
    answer = rotated.secrets.put_secret_value(
        SecretId=rotated.arn, SecretString="3", VersionStages=["AWSCURRENT", "blue"]
    )
    assert sorted(answer["VersionStages"]) == ["AWSCURRENT", "blue"]
    assert rotated.stages(second) == []
    repeated = rotated.secrets.put_secret_value(**put, SecretString="2", ClientRequestToken=second)
    assert repeated["VersionStages"] == []
    assert rotated.value(VersionStage="blue") == "3"


def test_a_version_without_a_label_is_listed_as_deprecated_only(rotated: Rotated) -> None:
    put = {"SecretId": rotated.arn, "VersionStages": ["blue"]}
    first = rotated.secrets.put_secret_value(**put, SecretString="1")["VersionId"]
    rotated.secrets.put_secret_value(**put, SecretString="2")

    def listed(**options: bool) -> set[str]:
        answer = rotated.secrets.list_secret_version_ids(SecretId=rotated.arn, **options)
        return {version["VersionId"] for version in answer["Versions"]}

    assert first not in listed()
    assert listed(IncludeDeprecated=True) - listed() == {first}


def test_a_label_is_moved_only_from_the_version_named(rotated: Rotated) -> None:
    move = rotated.secrets.update_secret_version_stage
    refused = rotated.secrets.exceptions.InvalidParameterException
    old = rotated.secrets.get_secret_value(SecretId=rotated.arn)["VersionId"]
    new, third = (
        rotated.secrets.put_secret_value(
            SecretId=rotated.arn, SecretString=label, VersionStages=[label]
        )["VersionId"]
        for label in ("blue", "green")
    )
    current = {"SecretId": rotated.arn, "VersionStage": "AWSCURRENT"}

    for removal in ({}, {"RemoveFromVersionId": third}):
        with pytest.raises(refused, match=old):
            move(**current, MoveToVersionId=new, **removal)
    with pytest.raises(refused, match="can't be completely removed"):
        move(**current, RemoveFromVersionId=old)
    assert rotated.stages(old) == ["AWSCURRENT"]

    move(**current, MoveToVersionId=new, RemoveFromVersionId=old)
    assert rotated.stages(old) == ["AWSPREVIOUS"]
    assert rotated.stages(new) == ["AWSCURRENT", "blue"]

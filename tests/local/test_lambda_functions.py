"""Functions, versions, aliases and policies are what AWS recorded them to be.

The facts are from the snapshots of LocalStack's tests, which were recorded from AWS:
https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_
"""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.local.function_support import OWN_RUNTIME, REGION, Functions, zipped
from tests.local.reference import send

ECHO = "def handler(event, context):\n    return event\n"
VERSION = "def handler(event, context):\n    return context.function_version\n"
ARN = "def handler(event, context):\n    return context.invoked_function_arn\n"
WAIT = {"Delay": 0.02}

# test_lambda_api.py::TestLambdaFunction::test_function_lifecycle
REASON = "The function is being created."


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


def update(functions: Functions, name: str, **changes: object) -> dict[str, Any]:
    config: dict[str, Any] = functions.client.update_function_configuration(
        FunctionName=name, **changes
    )
    return config


def settle(functions: Functions, name: str) -> None:
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)


def created(functions: Functions, **options: object) -> dict[str, Any]:
    """Create a function and return the answer, without waiting."""
    config = functions.config(functions.make(ECHO))
    answer: dict[str, Any] = functions.client.create_function(
        FunctionName=f"{config['FunctionName']}-{time.monotonic_ns()}"[-64:],
        Role=config["Role"],
        Runtime=OWN_RUNTIME,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
        **options,
    )
    return answer


def refused(call: Callable[..., Any], **request: object) -> Any:
    """Return the error of a request; None if it was accepted."""
    try:
        call(**request)
    except ClientError as error:
        return error.response["Error"]
    return None


# --- states --------------------------------------------------------------------------------------


def test_a_function_is_pending_and_then_active_under_another_revision(
    functions: Functions,
) -> None:
    before = created(functions)
    assert (before["State"], before["StateReasonCode"]) == ("Pending", "Creating")
    assert before["StateReason"] == REASON
    assert "LastUpdateStatus" not in before

    name = before["FunctionName"]
    functions.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)

    after = functions.config(name)
    assert (after["State"], after["LastUpdateStatus"]) == ("Active", "Successful")
    assert not {"StateReason", "StateReasonCode", "LastUpdateStatusReason"} & after.keys()
    assert after["RevisionId"] != before["RevisionId"]


@pytest.mark.parametrize("what", ["code", "configuration"])
def test_a_function_stays_active_while_it_is_updated(functions: Functions, what: str) -> None:
    name = functions.make(ECHO)
    if what == "code":
        answer = functions.client.update_function_code(
            FunctionName=name, ZipFile=zipped({"app.py": VERSION})
        )
    else:
        answer = update(functions, name, Timeout=9)

    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    assert answer["LastUpdateStatusReason"] == REASON
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    settle(functions, name)
    after = functions.config(name)
    assert after["LastUpdateStatus"] == "Successful"
    assert after["RevisionId"] != answer["RevisionId"]


def test_a_change_during_an_update_is_refused(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    name = functions.make(ECHO)
    changes: list[Callable[[], Any]] = [
        lambda: update(functions, name, Timeout=9),
        lambda: functions.client.update_function_code(
            FunctionName=name, ZipFile=zipped({"app.py": VERSION})
        ),
        lambda: functions.client.publish_version(FunctionName=name),
    ]
    for change in changes:
        for _ in range(50):  # until one is fast enough
            update(functions, name, Timeout=8)
            error = refused(lambda change=change: change())
            settle(functions, name)
            if error:
                break
        assert error["Code"] == "ResourceConflictException"
        arn = functions.config(name)["FunctionArn"]
        assert error["Message"] == (
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: {arn}"
        )


def test_a_pending_function_is_not_invoked(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    for _ in range(50):  # until one is fast enough
        name = created(functions)["FunctionName"]
        if error := refused(functions.client.invoke, FunctionName=name):
            break
    assert error["Code"] == "ResourceConflictException"
    assert error["Message"].endswith("in the following state: Pending")
    functions.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert functions.invoke(name, 1) == (1, False)


def test_a_stale_revision_is_refused_after_the_update_has_ended(functions: Functions) -> None:
    name = functions.make(ECHO)
    stale = update(functions, name, Timeout=9)["RevisionId"]
    settle(functions, name)

    error = refused(
        functions.client.update_function_configuration,
        FunctionName=name,
        Timeout=8,
        RevisionId=stale,
    )

    assert error["Code"] == "PreconditionFailedException"
    assert functions.config(name)["Timeout"] == 9


# --- the answers ---------------------------------------------------------------------------------


def test_a_configuration_has_no_empty_members(aws: EmbeddedAws, functions: Functions) -> None:
    name = functions.make(ECHO, Environment={"Variables": {"KEY": "b"}})
    sent = {"host": aws.endpoint_url.removeprefix("http://")}
    answer = send(aws, "lambda", "", sent, method="GET", path=f"/2015-03-31/functions/{name}")

    function = json.loads(answer.body)
    absent = {"Layers", "VpcConfig", "KMSKeyArn", "StateReason", "LastUpdateStatusReason"}
    assert not absent & function["Configuration"].keys()
    assert "Tags" not in function
    version = function["Configuration"]["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert version.startswith(f"arn:aws:lambda:{REGION}::runtime:")


def test_an_error_names_its_type_and_its_message_as_its_shape_does(aws: EmbeddedAws) -> None:
    sent = {"host": aws.endpoint_url.removeprefix("http://")}

    def error(method: str, path: str) -> dict[str, Any]:
        path = f"/2015-03-31/functions/{path}"
        return dict(json.loads(send(aws, "lambda", "", sent, method=method, path=path).body))

    missing = error("GET", "missing")
    assert missing["Type"] == "User"
    assert missing["Message"].startswith("Function not found")
    assert "message" not in missing
    invalid = error("DELETE", "missing?Qualifier=%24LATEST")
    assert (invalid["Type"], "message" in invalid) == ("User", True)


@pytest.mark.parametrize(
    "name", ["url-shortener", "my-urls", "event-invoke-config", "provisioned-concurrency"]
)
def test_a_name_is_not_taken_for_an_operation(functions: Functions, name: str) -> None:
    config = functions.config(functions.make(ECHO))
    functions.client.create_function(
        FunctionName=name,
        Role=config["Role"],
        Runtime=OWN_RUNTIME,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )
    functions.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    assert functions.invoke(name, "echo") == ("echo", False)
    functions.client.delete_function(FunctionName=name)
    assert refused(functions.client.get_function, FunctionName=name)


@pytest.mark.parametrize(
    "form", ["{name}", "{account}:function:{name}", "{arn}", "function:{name}"]
)
def test_a_function_is_found_by_every_form_of_its_name(
    aws: EmbeddedAws, functions: Functions, form: str
) -> None:
    name = functions.make(ECHO)
    arn = functions.config(name)["FunctionArn"]
    reference = form.format(name=name, account=aws.account_id, arn=arn)
    assert update(functions, reference, Description=form)["FunctionArn"] == arn


def test_a_function_that_is_created_by_its_arn_has_the_name_in_it(
    aws: EmbeddedAws, functions: Functions
) -> None:
    config = functions.config(functions.make(ECHO))
    name = f"{config['FunctionName']}-arn"
    arn = f"arn:aws:lambda:{REGION}:{aws.account_id}:function:{name}"
    answer = functions.client.create_function(
        FunctionName=arn,
        Role=config["Role"],
        Runtime=OWN_RUNTIME,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )
    assert (answer["FunctionName"], answer["FunctionArn"]) == (name, arn)


@pytest.mark.parametrize("kind", ["function", "layer"])
def test_a_package_is_downloaded_by_its_url_and_by_no_other(
    functions: Functions, kind: str
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
    name, content = functions.make(ECHO), zipped({"app.py": ECHO})
    if kind == "function":
        url = functions.client.get_function(FunctionName=name)["Code"]["Location"]
    else:
        functions.client.publish_layer_version(LayerName=name, Content={"ZipFile": content})
        layer = functions.client.get_layer_version(LayerName=name, VersionNumber=1)
        url = layer["Content"]["Location"]

    with urllib.request.urlopen(url) as answer:  # noqa: S310 (of the emulator)
        assert answer.read() == content
    for other in (url.partition("?")[0], url[:-1] + ("0" if url[-1] != "0" else "1")):
        with pytest.raises(urllib.error.HTTPError, match="403") as error:
            urllib.request.urlopen(other)  # noqa: S310 (of the emulator)
        error.value.close()


# --- versions and aliases ------------------------------------------------------------------------


def test_every_version_has_its_own_arn(functions: Functions) -> None:
    # test_lambda.py::TestLambdaVersions::test_lambda_versions_with_code_changes
    name = functions.make(ECHO, Publish=True)
    arn = functions.config(name)["FunctionArn"]
    published = functions.client.update_function_code(
        FunctionName=name, ZipFile=zipped({"app.py": VERSION}), Publish=True
    )
    assert (published["FunctionArn"], published["Version"]) == (f"{arn}:2", "2")
    assert (published["State"], published["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in published
    functions.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    versions = functions.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["FunctionArn"] for each in versions] == [f"{arn}:$LATEST", f"{arn}:1", f"{arn}:2"]
    for qualifier in ("1", "2", "live", "$LATEST"):
        function = functions.client.get_function(FunctionName=name, Qualifier=qualifier)
        assert function["Configuration"]["FunctionArn"] == f"{arn}:{qualifier}"
    assert functions.config(name)["FunctionArn"] == arn
    settle(functions, name)
    assert functions.client.publish_version(FunctionName=name)["Version"] == "2"  # unchanged


def test_a_version_or_an_alias_that_is_not_there_is_deleted_without_an_error(
    functions: Functions,
) -> None:
    name = functions.make(ECHO)
    for answer in (
        functions.client.delete_alias(FunctionName=name, Name="missing"),
        functions.client.delete_function(FunctionName=name, Qualifier="1234"),
    ):
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.invoke(name, 1) == (1, False)


def versions_of(functions: Functions, source: str = VERSION) -> str:
    """Make a function with the versions 1 and 2."""
    name = functions.make(source, Publish=True)
    update(functions, name, Description="changed")
    settle(functions, name)
    assert functions.client.publish_version(FunctionName=name)["Version"] == "2"
    return name


def test_aliases_and_functions_are_listed_by_version(functions: Functions) -> None:
    name, client = versions_of(functions), functions.client
    for alias, version in (("one", "1"), ("two", "2"), ("also-two", "2")):
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)

    listed = client.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert {each["Name"] for each in listed} == {"two", "also-two"}
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    found = [each for page in pages for each in page["Functions"] if each["FunctionName"] == name]
    assert [each["Version"] for each in found] == ["$LATEST", "1", "2"]
    # test_lambda_api.py::TestLambdaFunction::test_list_functions
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & found[0].keys()


def test_the_weights_of_an_alias_divide_its_invocations(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    name, client = versions_of(functions), functions.client
    client.create_alias(
        FunctionName=name,
        Name="both",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    found = {}
    for _ in range(60):  # all of one kind once in 2^59 runs
        answer = client.invoke(FunctionName=name, Qualifier="both")
        found[answer["ExecutedVersion"]] = json.loads(answer["Payload"].read())
    assert found == {"1": "1", "2": "2"}


def test_a_function_is_given_the_arn_that_it_was_invoked_by(functions: Functions) -> None:
    # test_lambda.py::TestLambdaAliases::test_lambda_alias_moving
    name = versions_of(functions, ARN)
    arn = functions.config(name)["FunctionArn"]
    functions.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("1", "live", "1"):  # in one environment
        assert functions.invoke(f"{name}:{qualifier}").payload == f"{arn}:{qualifier}"


# --- policies ------------------------------------------------------------------------------------


def test_a_function_its_versions_and_aliases_have_policies_of_their_own(
    functions: Functions,
) -> None:
    # test_lambda_api.py::TestLambdaPermissions::test_lambda_permission_fn_versioning
    name, client = versions_of(functions), functions.client
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    statement = {
        "FunctionName": name,
        "StatementId": "s",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
    }
    qualifiers: list[dict[str, str]] = [{}, {"Qualifier": "1"}, {"Qualifier": "live"}]
    for qualifier in qualifiers:
        client.add_permission(**statement, **qualifier)

    def resources(**qualifier: str) -> list[str]:
        policy = client.get_policy(FunctionName=name, **qualifier)["Policy"]
        return [each["Resource"] for each in json.loads(policy)["Statement"]]

    arn = functions.config(name)["FunctionArn"]
    assert resources() == [arn]
    assert resources(Qualifier="live") == [f"{arn}:live"]
    client.remove_permission(FunctionName=name, StatementId="s")
    assert resources(Qualifier="1") == [f"{arn}:1"]
    assert refused(client.get_policy, FunctionName=name)["Code"] == "ResourceNotFoundException"


def test_an_account_as_principal_becomes_its_root(aws: EmbeddedAws, functions: Functions) -> None:
    # test_lambda_api.py::TestLambdaPermissions::test_add_lambda_permission_fields
    answer = functions.client.add_permission(
        FunctionName=functions.make(ECHO),
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal=aws.account_id,
    )
    principal = json.loads(answer["Statement"])["Principal"]
    assert principal == {"AWS": f"arn:aws:iam::{aws.account_id}:root"}


def test_a_policy_takes_no_more_statements_than_it_has_room_for(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    # The text is in https://github.com/adobe/helix-deploy/issues/24.
    name, client = functions.make(ECHO), functions.client
    added = 0

    def add(number: int) -> None:
        client.add_permission(
            FunctionName=name,
            StatementId=f"{number:0100}",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=f"arn:aws:events:us-east-1:123456789012:rule/{number:0200}",
        )

    with contextlib.suppress(client.exceptions.PolicyLengthExceededException):
        for number in range(100):
            add(number)
            added += 1
    policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    assert len(policy["Statement"]) == added
    assert 20_480 - 700 < len(json.dumps(policy, separators=(",", ":"))) <= 20_480
    told = r"The final policy size \(2\d{4}\) is bigger than the limit \(20480\)\."
    with pytest.raises(client.exceptions.PolicyLengthExceededException, match=told):
        add(added)


@pytest.mark.parametrize("permitted", ["function", "alias"])
def test_a_permission_on_another_qualifier_does_not_let_a_rule_invoke(
    aws: EmbeddedAws, functions: Functions, permitted: str
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases-permissions.html
    name, client = functions.make(ECHO, Publish=True), functions.client
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        **({} if permitted == "function" else {"Qualifier": "live"}),
    )
    events, arn = aws.client("events", REGION), functions.config(name)["FunctionArn"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": f"{arn}:live"}])
    events.put_events(Entries=[{"Source": name, "DetailType": "d", "Detail": "{}"}])

    logs, group = aws.client("logs", REGION), f"/aws/lambda/{name}"
    deadline = time.monotonic() + (20 if permitted == "alias" else 0.5)
    invoked = False
    while not invoked and time.monotonic() < deadline:
        invoked = bool(logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])
        time.sleep(0.02)
    events.remove_targets(Rule=name, Ids=["t"])
    events.delete_rule(Name=name)
    assert invoked is (permitted == "alias")


# --- concurrency ---------------------------------------------------------------------------------


def test_a_reservation_of_nothing_holds_for_versions_and_aliases(functions: Functions) -> None:
    # test_lambda.py::TestLambdaConcurrency::test_reserved_concurrency
    name, client = functions.make(ECHO, Publish=True), functions.client
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for function in (name, f"{name}:1", f"{name}:live"):
        error = refused(client.invoke, FunctionName=function)
        assert (error["Code"], error["Message"]) == ("TooManyRequestsException", "Rate Exceeded.")
    client.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(f"{name}:live", 1) == (1, False)


def test_the_account_has_lambdas_default_quota(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    limits = functions.client.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == 1000

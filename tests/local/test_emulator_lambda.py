import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"
LOGS = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]}
HANDLER = "def handler(event, context):\n    return event\n"
PRINT = "def handler(event, context):\n    print('line of', event)\n"

Make = Callable[..., Any]


def test_a_silent_invocation_does_not_wait_for_lines(make_function: Make, invoke: Make) -> None:
    function = make_function(HANDLER)
    invoke(function)

    def seconds() -> float:
        started = time.perf_counter()
        invoke(function)
        return time.perf_counter() - started

    # With the wait, each would take 50 ms and more; without, about 5, if the machine has time.
    assert any(seconds() < 0.045 for _ in range(200))


def test_each_invocation_logs_its_own_lines_to_the_last(
    aws: EmbeddedAws, make_function: Make
) -> None:
    source = """
import sys
print("initialised")
def handler(event, context):
    for n in range(event):
        print(f"line {n} of {event}")
    print("no newline", end="")
"""
    function = make_function(source)

    def tail(event: int) -> str:
        response = aws.client("lambda", REGION).invoke(
            FunctionName=function, Payload=str(event), LogType="Tail"
        )
        response["Payload"].close()
        return base64.b64decode(response["LogResult"]).decode()

    first, second = tail(40), tail(3)
    assert "line 39 of 40" in first
    assert first.splitlines()[-3] == "no newline"
    assert "end of invocation" not in first
    assert [line for line in second.splitlines() if line.startswith("line")] == [
        "line 0 of 3",
        "line 1 of 3",
        "line 2 of 3",
    ]


def test_credentials_of_a_role_do_not_follow_from_arns(
    aws: EmbeddedAws, make_function: Make, invoke: Make
) -> None:
    function = make_function(
        "import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']\n"
    )
    config = aws.client("lambda", REGION).get_function(FunctionName=function)["Configuration"]
    guess = hashlib.sha256(f"{config['FunctionArn']}:{config['Role']}".encode()).hexdigest()

    used = invoke(function)

    assert used.startswith("ASIA")
    assert used != f"ASIA{guess[:16].upper()}"


def test_a_function_acts_as_its_role_and_no_more(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    aws.client("secretsmanager", REGION).create_secret(Name=unique, SecretString="value")
    source = """
import boto3
def handler(event, context):
    client = boto3.client("secretsmanager")
    return client.get_secret_value(SecretId=event)["SecretString"]
"""

    reader = make_function(source, {"Action": "secretsmanager:GetSecretValue"})
    stranger = make_function(source)

    assert invoke(reader, unique) == "value"
    assert "AccessDeniedException" in invoke(stranger, unique)["errorMessage"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("socket.create_connection(('192.0.2.1', 443), 1)", "192.0.2.1"),
        ("socket.create_connection(('2001:db8::1', 443), 1)", "2001:db8::1"),
        ("socket.getaddrinfo('example.com', 443)", "example.com"),
        ("socket.gethostbyname('example.com')", "example.com"),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))", "192.0.2.1"),
    ],
    ids=["connect", "connect-ipv6", "getaddrinfo", "gethostbyname", "sendto"],
)
def test_a_handler_reaches_nothing_off_this_machine(
    make_function: Make, invoke: Make, code: str, told: str
) -> None:
    function = make_function(f"import socket\ndef handler(event, context):\n    {code}\n")

    assert f"'{told}' is not on loopback" in invoke(function)["errorMessage"]


LAYER = "arn:aws:lambda:{region}:177933569100:layer:AWS-Parameters-and-Secrets:{version}"


@pytest.fixture(scope="module")
def aws_with_layers() -> Iterator[EmbeddedAws]:
    regions_and_versions = (("us-east-1", 4), ("us-east-1", 12), ("eu-west-1", 7))
    layers = [LAYER.format(region=region, version=v) for region, v in regions_and_versions]
    with EmbeddedAws(layers=layers) as embedded:
        yield embedded


@pytest.mark.parametrize(("region", "version"), [("us-east-1", 12), ("eu-west-1", 7)])
def test_a_layer_exists_in_exactly_the_version_asked_for(
    aws_with_layers: EmbeddedAws, region: str, version: int
) -> None:
    functions = aws_with_layers.client("lambda", region)
    arn = LAYER.format(region=region, version=version)

    layer = functions.get_layer_version_by_arn(Arn=arn)
    assert (layer["LayerVersionArn"], layer["Version"]) == (arn, version)
    assert layer["Content"]["CodeSize"] > 0
    with pytest.raises(ClientError, match="AccessDeniedException"):
        functions.get_layer_version_by_arn(Arn=LAYER.format(region=region, version=version - 1))


@pytest.mark.parametrize(
    "layer",
    [
        "arn:aws:lambda:us-east-1:345057560386:layer:Nobody-Published-It:4",
        "arn:aws:lambda:us-east-1:177933569100:layer:AWS-Parameters-and-Secrets-Extension:1",
    ],
)
def test_a_layer_that_nobody_published_is_refused_like_one_nobody_shared(
    make_function: Make, layer: str
) -> None:
    with pytest.raises(ClientError, match=f"lambda:GetLayerVersion on resource: {layer}") as error:
        make_function(HANDLER, Layers=[layer])
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_layer_of_this_account_that_nobody_published_is_refused(
    aws: EmbeddedAws, make_function: Make
) -> None:
    layer = f"arn:aws:lambda:{REGION}:{aws.account_id}:layer:nobody-published-it:4"

    with pytest.raises(ClientError, match="does not exist"):
        make_function(HANDLER, Layers=[layer])


def test_environment_variables_have_at_most_4_kb(aws: EmbeddedAws, make_function: Make) -> None:
    def of_size(size: int) -> dict[str, Any]:
        return {"Variables": {"NAME": "x" * (size - len('{"NAME":""}'))}}

    function = make_function(HANDLER, Environment=of_size(4_096))

    update = aws.client("lambda", REGION).update_function_configuration
    writes: list[Make] = [
        lambda: make_function(HANDLER, Environment=of_size(4_097)),
        lambda: update(FunctionName=function, Environment=of_size(4_097)),
    ]
    for write in writes:
        with pytest.raises(ClientError, match="exceeded the 4KB limit") as error:
            write()
        assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
        assert "xxx" not in str(error.value)


@pytest.mark.parametrize("trusted", ["ec2.amazonaws.com", "edgelambda.amazonaws.com", None])
def test_a_role_that_lambda_may_not_assume_is_refused(
    aws: EmbeddedAws, make_function: Make, make_role: Make, trusted: str | None
) -> None:
    role = f"arn:aws:iam::{aws.account_id}:role/nobody-made-it"
    if trusted:
        role = make_role(principal={"Service": trusted})
    function = make_function(HANDLER)
    update = aws.client("lambda", REGION).update_function_configuration

    writes: list[Make] = [
        lambda: make_function(HANDLER, Role=role),
        lambda: update(FunctionName=function, Role=role),
    ]
    for write in writes:
        with pytest.raises(ClientError, match="cannot be assumed by Lambda") as error:
            write()
        assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"


def _lines(aws: EmbeddedAws, function: str) -> list[str]:
    logs = aws.client("logs", REGION)
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    messages = [event["message"].removesuffix("\n") for event in events]
    return [message for message in messages if message.startswith("line of")]


@pytest.mark.parametrize("missing", ["logs:CreateLogStream", "logs:PutLogEvents", None])
def test_lines_reach_the_log_group_only_with_both_permissions(
    aws: EmbeddedAws, make_function: Make, invoke: Make, missing: str | None
) -> None:
    granted = [action for action in LOGS["Action"] if action != missing]
    function = make_function(PRINT, {"Action": granted})
    aws.client("logs", REGION).create_log_group(logGroupName=f"/aws/lambda/{function}")

    invoke(function, 1)

    assert _lines(aws, function) == ([] if missing else ["line of 1"])


def test_a_permission_on_the_function_s_own_log_group_is_enough(
    aws: EmbeddedAws, make_function: Make, make_role: Make, invoke: Make
) -> None:
    logs = aws.client("logs", REGION)
    principal = {"Service": "lambda.amazonaws.com"}
    role = make_role(
        LOGS | {"Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/other:*"}, principal=principal
    )
    stranger = make_function(PRINT, Role=role)
    logs.create_log_group(logGroupName=f"/aws/lambda/{stranger}")
    group = f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:/aws/lambda/{stranger}"

    invoke(stranger, 1)
    assert _lines(aws, stranger) == []

    aws.client("iam", REGION).put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="own",
        PolicyDocument=json.dumps(
            {"Statement": [LOGS | {"Effect": "Allow", "Resource": f"{group}:*"}]}
        ),
    )
    invoke(stranger, 2)
    assert _lines(aws, stranger) == ["line of 2"]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_log_group_is_made_only_by_a_role_that_may(
    aws: EmbeddedAws, make_function: Make, invoke: Make, *, allowed: bool
) -> None:
    function = make_function(PRINT, LOGS, *([{"Action": "logs:CreateLogGroup"}] * allowed))

    invoke(function, 1)

    groups = aws.client("logs", REGION).describe_log_groups(
        logGroupNamePrefix=f"/aws/lambda/{function}"
    )["logGroups"]
    assert len(groups) == allowed


def test_a_function_that_did_not_change_is_not_published_again(
    aws: EmbeddedAws, make_function: Make
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    functions, function = aws.client("lambda", REGION), make_function(HANDLER, Publish=True)

    again = functions.publish_version(FunctionName=function)
    assert again["Version"] == "1"
    assert again["FunctionArn"].endswith(f":function:{function}:1")

    functions.update_function_configuration(FunctionName=function, MemorySize=256)
    functions.get_waiter("function_updated_v2").wait(
        FunctionName=function, WaiterConfig={"Delay": 0.02}
    )
    assert functions.publish_version(FunctionName=function)["Version"] == "2"


@pytest.mark.parametrize(
    ("given", "levels"),
    [({"LogFormat": "Text"}, {}), ({"LogFormat": "JSON"}, {"INFO"}), ({"LogGroup": "/a"}, {})],
)
def test_what_a_logging_config_leaves_out_is_chosen(
    aws: EmbeddedAws, make_function: Make, given: dict[str, str], levels: set[str]
) -> None:
    functions, function = aws.client("lambda", REGION), make_function(HANDLER)

    updated = functions.update_function_configuration(FunctionName=function, LoggingConfig=given)
    for config in (updated, functions.get_function(FunctionName=function)["Configuration"]):
        told = config["LoggingConfig"]
        chosen = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function}", **given}
        assert {key: told[key] for key in chosen} == chosen
        assert {told[key] for key in told.keys() - chosen.keys()} == set(levels)


def test_an_update_of_a_logging_config_keeps_what_it_does_not_name(
    aws: EmbeddedAws, make_function: Make
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    functions = aws.client("lambda", REGION)
    own = {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "LogGroup": "/own"}
    function = make_function(HANDLER, LoggingConfig=own)

    def update(**given: str) -> dict[str, str]:
        answer = functions.update_function_configuration(
            FunctionName=function, LoggingConfig=given
        )
        functions.get_waiter("function_updated_v2").wait(
            FunctionName=function, WaiterConfig={"Delay": 0.02}
        )
        return dict(answer["LoggingConfig"])

    assert update(SystemLogLevel="WARN") == own | {"SystemLogLevel": "WARN"}
    assert update(LogFormat="Text") == {"LogFormat": "Text", "LogGroup": "/own"}


def test_a_hundred_executions_stay_unreserved(aws: EmbeddedAws, make_function: Make) -> None:
    functions = aws.client("lambda", REGION)
    one, other = make_function(HANDLER), make_function(HANDLER)

    def reserve(function: str, executions: int) -> None:
        functions.put_function_concurrency(
            FunctionName=function, ReservedConcurrentExecutions=executions
        )

    reserve(one, 800)
    reserve(other, 100)
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]") as error:
        reserve(other, 101)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
    reserve(one, 799)
    reserve(other, 101)
    functions.delete_function_concurrency(FunctionName=one)
    functions.delete_function_concurrency(FunctionName=other)

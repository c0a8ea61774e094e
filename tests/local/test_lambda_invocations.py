"""An invocation answers, logs and identifies itself as AWS recorded it.

The facts are from the snapshots of LocalStack's tests, which were recorded from AWS, and from the
pages that are named:
https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_
"""

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.local.function_support import OWN_RUNTIME, REGION, Functions
from tests.local.test_emulator_runtimes import NODE, needs_node

ID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
MS = r"\d+\.\d\d ms"
REPORT = rf"REPORT RequestId: {ID}\tDuration: {MS}\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
REPORT += r"\tMax Memory Used: \d+ MB\t"
FAILS = """
class CustomException(Exception): ...

def handler(event, context):
    raise CustomException("some error occurred")
"""


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


def logged(aws: EmbeddedAws, name: str) -> list[str]:
    """Return the messages of a function's log, in order."""
    pages = aws.client("logs", REGION).get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/lambda/{name}")
    return [event["message"] for page in found for event in page["events"]]


def invoke(functions: Functions, name: str, event: object = None, **options: str) -> Any:
    answer = functions.client.invoke(FunctionName=name, Payload=json.dumps(event), **options)
    answer["payload"] = answer["Payload"].read()
    return answer


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


# --- identity ------------------------------------------------------------------------------------


def test_one_request_id_is_in_the_answer_the_context_and_the_log(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # test_lambda.py::TestRequestIdHandling::test_request_id_invoke
    source = """
import logging
def handler(event, context):
    logging.getLogger().warning("RequestId log message")
    return context.aws_request_id
"""
    name = functions.make(source)
    answer = invoke(functions, name)

    request_id = answer["ResponseMetadata"]["RequestId"]
    assert json.loads(answer["payload"]) == request_id
    _, start, line, end, report = logged(aws, name)
    assert start == f"START RequestId: {request_id} Version: $LATEST\n"
    assert re.fullmatch(
        rf"\[WARNING\]\t[\d-]+T[\d:]+\.\d{{3}}Z\t{request_id}\tRequestId log message\n", line
    )
    assert end == f"END RequestId: {request_id}\n"
    assert report.startswith(f"REPORT RequestId: {request_id}\t")


def test_the_tries_of_an_asynchronous_invocation_have_one_request_id(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # test_lambda.py::TestRequestIdHandling::test_request_id_async_invoke_with_retry
    name = functions.make(FAILS)
    answer = invoke(functions, name, InvocationType="Event")

    assert (answer["StatusCode"], answer["payload"]) == (202, b"")
    assert "ExecutedVersion" not in answer
    groups = aws.client("logs", REGION).describe_log_groups
    wait_for(lambda: groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"])
    ends = wait_for(
        lambda: [x for x in logged(aws, name) if x.startswith("END")][1:] and logged(aws, name)
    )
    found = {line for line in ends if line.startswith("END")}
    assert found == {f"END RequestId: {answer['ResponseMetadata']['RequestId']}\n"}


def test_a_dry_run_answers_nothing(functions: Functions) -> None:
    # test_lambda.py::TestLambdaFeatures::test_invocation_type_dry_run
    answer = invoke(functions, functions.make(FAILS), InvocationType="DryRun")
    assert (answer["StatusCode"], answer["payload"]) == (204, b"")
    assert "ExecutedVersion" not in answer


def test_the_log_stream_of_the_context_is_the_one_that_is_written(
    aws: EmbeddedAws, functions: Functions
) -> None:
    name = functions.make("def handler(event, context):\n    return context.log_stream_name\n")
    streams = {functions.invoke(name).payload for _ in range(2)}  # of one environment

    found = aws.client("logs", REGION).describe_log_streams(logGroupName=f"/aws/lambda/{name}")
    assert {each["logStreamName"] for each in found["logStreams"]} == streams
    assert len(streams) == 1


# --- the log as text -----------------------------------------------------------------------------


def test_a_failure_is_one_event_between_those_of_lambda(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # test_lambda.py::TestLambdaFeatures::test_invocation_type_event_error
    name = functions.make(FAILS)
    for _ in range(2):
        functions.invoke(name)

    init, *events = logged(aws, name)
    version = OWN_RUNTIME.removeprefix("python")
    assert init.startswith(f"INIT_START Runtime Version: python:{version}\tRuntime Version ARN: ")
    assert init.endswith("\n")
    first, second = events[:4], events[4:]
    for start, error, end, report in (first, second):
        assert re.fullmatch(rf"START RequestId: {ID} Version: \$LATEST\n", start)
        head, trace, frame, source = error.split("\n")
        assert head == "[ERROR] CustomException: some error occurred"
        assert trace == "Traceback (most recent call last):"
        assert re.fullmatch('\xa0\xa0File ".*app.py", line 5, in handler', frame)
        assert source == '\xa0\xa0\xa0\xa0raise CustomException("some error occurred")'
        assert re.fullmatch(rf"END RequestId: {ID}\n", end)
        assert report.startswith("REPORT")
    assert re.fullmatch(rf"{REPORT}Init Duration: {MS}\t\n", first[3])
    assert re.fullmatch(rf"{REPORT}\n", second[3])


def test_the_figures_of_a_report_are_measured(aws: EmbeddedAws, functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    source = """
import time
time.sleep(0.3)
def handler(event, context):
    used = bytearray(100 * 2**20)
    time.sleep(0.2)
    return len(used)
"""
    name = functions.make(source, MemorySize=512)
    for _ in range(2):
        functions.invoke(name)

    reports = [line for line in logged(aws, name) if line.startswith("REPORT")]
    numbers = [[float(each) for each in re.findall(r": ([\d.]+) (?:ms|MB)", x)] for x in reports]
    duration, billed, size, used, init = numbers[0]
    assert 200 <= duration < 60_000
    assert 300 <= init < 60_000
    assert duration + init <= billed <= duration + init + 1
    assert size == 512
    if used:  # Linux
        assert 100 <= used < 512
    duration, billed, *_ = numbers[1]
    assert duration <= billed <= duration + 1


def test_a_record_of_several_lines_is_one_event_and_a_printed_line_one_each(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # https://github.com/aws/aws-lambda-python-runtime-interface-client
    source = r"""
import logging
def handler(event, context):
    print("printed\rwith a return\nand another line")
    logging.getLogger().error("logged\nin two lines")
    print("no newline", end="")
"""
    name = functions.make(source)
    functions.invoke(name)

    _, _, first, second, record, last, *_ = logged(aws, name)
    assert (first, second) == ("printed\rwith a return\n", "and another line\n")
    assert record.endswith("\tlogged\nin two lines\n")
    assert last == "no newline"


@pytest.mark.parametrize(
    ("source", "kind", "status"),
    [
        ("    import os\n    os._exit(3)", "Runtime.ExitError", "Status: error"),
        ("    import time\n    time.sleep(30)", "Task timed out", "Status: timeout"),
    ],
    ids=["exit", "timeout"],
)
def test_an_invocation_that_has_no_answer_is_one_event_and_in_the_report(
    aws: EmbeddedAws, functions: Functions, source: str, kind: str, status: str
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    name = functions.make(f"def handler(event, context):\n{source}\n", Timeout=1)
    request_id = invoke(functions, name)["ResponseMetadata"]["RequestId"]

    _, _, event, _, report = logged(aws, name)
    assert kind in event
    assert request_id in event
    assert f"\t{status}\t" in report
    if kind == "Task timed out":
        assert event.endswith(f"Z {request_id} Task timed out after 1.00 seconds\n\n")
        assert re.search(r"\tDuration: 1\d\d\d\.\d\d ms", report)


def test_the_tail_is_the_end_of_the_whole_log(functions: Functions) -> None:
    # test_lambda.py::TestLambdaFeatures::test_invocation_with_logs; API_Invoke: 4 KB
    name = functions.make(
        "def handler(event, context):\n    print('x' * event, end='')\n", MemorySize=128
    )

    def tail(size: int) -> str:
        answer = invoke(functions, name, size, LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()

    start, line, end, report = tail(3).splitlines()
    assert (start[:5], line, end[:3], report[:6]) == ("START", "xxx", "END", "REPORT")
    longer = tail(10_000)
    assert len(longer) == 4096
    assert longer.startswith("xxx")
    assert "REPORT RequestId" in longer
    assert "LogResult" not in invoke(functions, name, 1)


def test_an_error_at_import_is_answered_and_logged_once(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # test_lambda.py::TestLambdaErrors::test_lambda_runtime_error
    name = functions.make("raise Exception('Runtime startup fails')\n")
    payload, is_error = functions.invoke(name)

    assert is_error
    assert payload["errorType"] == "Exception"
    assert payload["errorMessage"] == "Runtime startup fails"
    assert payload["requestId"] == ""
    assert payload["stackTrace"][0].startswith('  File "')
    assert "in import_module" in payload["stackTrace"][0]
    assert "app.py" in payload["stackTrace"][-1]
    errors = [line for line in logged(aws, name) if "Runtime startup fails" in line]
    assert len(errors) == 1
    assert errors[0].startswith("[ERROR] Exception: Runtime startup fails\n")


def test_an_error_of_the_handler_is_answered_with_its_request(functions: Functions) -> None:
    # test_lambda.py::TestLambdaErrors::test_lambda_handler_error
    answer = invoke(functions, functions.make(FAILS))

    payload = json.loads(answer["payload"])
    assert payload.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert payload["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"


def test_a_response_of_more_than_6_mb_is_an_error(functions: Functions) -> None:
    # test_lambda.py::TestLambdaBaseFeatures::test_lambda_too_large_response
    name = functions.make("def handler(event, context):\n    return 'x' * event\n")
    assert not functions.invoke(name, 6_291_556 - 2).is_error

    assert functions.invoke(name, 6_291_556 - 1) == (
        {
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            "(6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        },
        True,
    )


# --- the log as JSON -----------------------------------------------------------------------------

# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
JSON_SOURCE = """
import logging
logger = logging.getLogger("orders")
def handler(event, context):
    logger.debug("below the level")
    logger.info("an order", extra={"order": 7})
    print("printed")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("divided")
    if event:
        raise KeyError("a key")
"""


def test_with_json_lambda_and_the_runtime_write_objects(
    aws: EmbeddedAws, functions: Functions
) -> None:
    name = functions.make(JSON_SOURCE, LoggingConfig={"LogFormat": "JSON"})
    request_id = invoke(functions, name)["ResponseMetadata"]["RequestId"]

    messages = logged(aws, name)
    assert "printed\n" in messages  # as it is
    init, start, info, error, report = [json.loads(x) for x in messages if x.startswith("{")]
    kinds = [each["type"] for each in (init, start, report)]
    assert kinds == ["platform.initStart", "platform.start", "platform.report"]
    assert start["record"] == {"requestId": request_id, "version": "$LATEST"}
    metrics = report["record"]["metrics"]
    assert report["record"]["status"] == "success"
    assert metrics.keys() == {
        *("durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB"),
        "initDurationMs",
    }
    assert re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}Z", info.pop("timestamp"))
    assert info == {
        "level": "INFO",
        "message": "an order",
        "logger": "orders",
        "requestId": request_id,
        "order": 7,
    }
    assert (error["errorType"], error["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert error["stackTrace"]
    assert ":handler:" in error["location"]


def test_with_json_an_error_is_an_object_and_a_failure_in_the_report(
    aws: EmbeddedAws, functions: Functions
) -> None:
    levels = {"ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"}
    name = functions.make(JSON_SOURCE, LoggingConfig={"LogFormat": "JSON", **levels})
    functions.invoke(name)
    answer = invoke(functions, name, "fail", LogType="Tail")
    assert '"divided"' in base64.b64decode(answer["LogResult"]).decode()

    found = [json.loads(line) for line in logged(aws, name) if line.startswith("{")]
    divided, again, failure, report = found  # nothing below the levels
    assert divided["message"] == again["message"] == "divided"
    assert (failure["level"], failure["errorType"]) == ("ERROR", "KeyError")
    assert failure["stackTrace"]
    assert report["type"] == "platform.report"
    assert report["record"]["status"] == "error"


@needs_node
def test_node_writes_one_event_for_each_call_of_the_console(
    aws: EmbeddedAws, functions: Functions
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
    source = "exports.handler = async () => { console.warn('two\\nlines'); console.debug('d'); };"
    name = functions.make({"index.js": source}, **NODE)
    functions.invoke(name)
    _, _, warning, debug, *_ = logged(aws, name)
    assert warning.endswith("\tWARN\ttwo\nlines\n")
    assert debug.endswith("\tDEBUG\td\n")

    logging = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
    name = functions.make({"index.js": source}, LoggingConfig=logging, **NODE)
    functions.invoke(name)
    (entry,) = [json.loads(x) for x in logged(aws, name) if '"level"' in x]
    assert (entry["level"], entry["message"]) == ("WARN", "two\nlines")
    assert re.fullmatch(ID, entry["requestId"])


# --- the environment -----------------------------------------------------------------------------

# test_lambda.py::TestLambdaBehavior::test_lambda_init_environment, for python3.14
RECORDED = {
    *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_EXECUTION_ENV", "AWS_DEFAULT_REGION", "TZ", "PATH"),
    *("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION", "PWD", "_HANDLER", "LAMBDA_TASK_ROOT", "LANG"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_RUNTIME_API", "SHLVL"),
    *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "LAMBDA_RUNTIME_DIR", "_AWS_XRAY_DAEMON_ADDRESS"),
    *("AWS_XRAY_DAEMON_ADDRESS", "AWS_ACCESS_KEY_ID", "LD_LIBRARY_PATH", "LC_CTYPE"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_SESSION_TOKEN"),
    *("AWS_XRAY_CONTEXT_MISSING", "_AWS_XRAY_DAEMON_PORT", "PYTHONPATH", "_X_AMZN_TRACE_ID"),
}
# They replace Lambda's network, and its private /tmp and home.
ADDED = {"AWS_ENDPOINT_URL", "AWS_DISABLE_HOST_PREFIX_INJECTION", "HOME", "TMPDIR"}


def test_a_function_has_lambdas_environment_variables(functions: Functions) -> None:
    name = functions.make("import os\ndef handler(event, context):\n    return dict(os.environ)\n")
    found = functions.invoke(name).payload

    assert found.keys() - ADDED == RECORDED
    fixed = {
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
        "LC_CTYPE": "C.UTF-8",
        "PWD": found["LAMBDA_TASK_ROOT"],
        "PYTHONPATH": found["LAMBDA_RUNTIME_DIR"],
        "SHLVL": "0",
        "_HANDLER": "app.handler",
    }
    assert {key: found[key] for key in fixed} == fixed
    trace = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"
    assert re.fullmatch(trace, found["_X_AMZN_TRACE_ID"])


def test_a_wrapper_script_starts_the_runtime(functions: Functions) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    source = "import os\ndef handler(event, context):\n    return os.environ.get('WRAPPED')\n"
    files = {"app.py": source, "wrap": '#!/bin/sh\nWRAPPED=yes exec "$@"\n'}

    def answer(script: str) -> Any:
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": script}
        return functions.answer(files, Environment={"Variables": variables})

    # test_lambda.py::TestLambdaErrors::test_lambda_runtime_wrapper_not_found
    payload, is_error = answer("/opt/missing")
    assert is_error
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Runtime exited with error: exit status 127")
    assert answer("/var/task/wrap").payload == "yes"

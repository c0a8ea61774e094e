"""A function sees what Lambda would give it, and answers as Lambda's runtimes answer."""

import os
import shutil
import time
from pathlib import Path

import pytest

from local.aws import EmbeddedAws
from tests.local.function_support import OWN_RUNTIME, REGION, Functions, zipped
from tools import pythons

ANSWERS_PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"


@pytest.fixture(scope="module")
def functions(aws: EmbeddedAws) -> Functions:
    return Functions(aws)


# --- modules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module", ["yaml", "pg8000", "cryptography", "pulumi", "ministack", "rich", "pip", "infra"]
)
def test_a_module_that_is_not_in_the_package_is_missing_as_on_aws(
    functions: Functions, module: str
) -> None:
    __import__(module)  # the deployer has it

    payload, is_error = functions.answer(f"import {module}\ndef handler(event, context): ...\n")

    assert is_error
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["errorMessage"] == f"Unable to import module 'app': No module named '{module}'"


def test_the_libraries_of_lambdas_runtime_are_there(functions: Functions) -> None:
    libraries = "boto3, botocore, s3transfer, jmespath, dateutil, six, urllib3"
    source = f"import {libraries}\ndef handler(event, context):\n    return boto3.__version__\n"

    assert not functions.answer(source).is_error


def test_what_the_deployer_has_on_pythonpath_is_not_the_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deployers.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with EmbeddedAws() as aws:
        payload, _ = Functions(aws).answer("import deployers\ndef handler(event, context): ...\n")
        assert payload["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.parametrize("name", ["local", "loopback", "python_host"])
def test_a_function_may_call_its_modules_what_it_likes(functions: Functions, name: str) -> None:
    source = f"import {name}\ndef handler(event, context):\n    return {name}.VALUE\n"

    assert functions.answer({"app.py": source, f"{name}.py": "VALUE = 1\n"}) == (1, False)


def test_layers_are_searched_after_the_package_and_later_ones_win(
    aws: EmbeddedAws, functions: Functions
) -> None:
    def publish(files: dict[str, str]) -> str:
        layer = aws.client("lambda", REGION).publish_layer_version(
            LayerName=f"layer-{time.monotonic_ns()}", Content={"ZipFile": zipped(files)}
        )
        return str(layer["LayerVersionArn"])

    site_packages = f"python/lib/{OWN_RUNTIME}/site-packages"
    layers = [
        publish({"python/both.py": "V = 'first'\n", "python/app_too.py": "V = 'layer'\n"}),
        publish(
            {
                "python/both.py": "V = 'second'\n",
                f"{site_packages}/installed.py": "V = 'site'\n",
                f"{site_packages}/more.pth": "import os; os.environ['PTH'] = 'ran'\n",
            }
        ),
    ]
    source = """
import os, app_too, both, installed
def handler(event, context):
    return [app_too.V, both.V, installed.V, os.environ["PTH"]]
"""
    files = {"app.py": source, "app_too.py": "V = 'package'\n"}

    answer = functions.answer(files, Layers=layers)

    assert answer.payload == ["package", "second", "site", "ran"]


# --- what Python answers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        ("", "app.handler", "HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("", "other.handler", "ImportModuleError", "No module named 'other'"),
        ("", "handler", "MalformedHandlerName", "Bad handler 'handler'"),
        ("def", "app.handler", "UserCodeSyntaxError", "Syntax error in module 'app': invalid"),
        ("def handler(e, c):\n    return {1}", "app.handler", "MarshalError", "set is not JSON"),
        ("import os\nos._exit(3)", "app.handler", "ExitError", "exited with error: exit status 3"),
        ("import os\nos.kill(os.getpid(), 9)", "app.handler", "ExitError", "signal: killed"),
        ("def handler(e, c):\n    exit(0)", "app.handler", "ExitError", "without providing a rea"),
    ],
)
def test_an_error_of_the_runtime_has_the_type_that_aws_gives_it(
    functions: Functions, source: str, handler: str, kind: str, message: str
) -> None:
    payload, is_error = functions.answer(source, Handler=handler)

    assert is_error
    assert payload["errorType"] == f"Runtime.{kind}"
    assert message in payload["errorMessage"]


def test_a_handler_that_raises_is_answered_with_its_error_and_invoked_again(
    functions: Functions,
) -> None:
    source = "import os\nclass Late(Exception): ...\ndef handler(event, context):\n"
    source += "    if event: raise Late('too late')\n    return os.getpid()\n"
    function = functions.make(source)
    before = functions.invoke(function)

    payload, is_error = functions.invoke(function, "raise")

    assert is_error
    assert (payload["errorType"], payload["errorMessage"]) == ("Late", "too late")
    (frame,) = payload["stackTrace"]
    assert "app.py" in frame
    assert "line 4, in handler" in frame
    assert functions.invoke(function) == before  # the same process: it stays warm


def test_a_handler_that_takes_too_long_times_out_and_its_process_is_gone(
    functions: Functions,
) -> None:
    source = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n"
    function = functions.make(source + "    return os.getpid()\n", Timeout=1)
    pid = functions.invoke(function, 0).payload

    payload, is_error = functions.invoke(function, 30)

    assert is_error
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert functions.invoke(function, 0).payload != pid


def test_a_handler_is_given_lambdas_context_and_environment(functions: Functions) -> None:
    source = """
import os
def handler(event, context):
    names = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
             "aws_request_id", "log_group_name", "log_stream_name")
    found = {name: getattr(context, name) for name in names}
    return found | {"left": context.get_remaining_time_in_millis(), "environ": dict(os.environ)}
"""
    name = functions.make(source, MemorySize=256)
    found = functions.invoke(name).payload

    assert found["function_name"] == name
    assert found["function_version"] == "$LATEST"
    assert found["invoked_function_arn"] == functions.config(name)["FunctionArn"]
    assert found["memory_limit_in_mb"] == "256"
    assert found["log_group_name"] == f"/aws/lambda/{name}"
    assert len(found["aws_request_id"]) == 36
    assert 0 < found["left"] <= 60_000
    expected = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{OWN_RUNTIME}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": REGION,
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
    assert {key: found["environ"][key] for key in expected} == expected


def test_a_logger_needs_no_handler_as_on_aws(aws: EmbeddedAws, functions: Functions) -> None:
    source = """
import logging
logger = logging.getLogger("app")
logger.setLevel("INFO")
def handler(event, context):
    logger.info("an event of %s", event)
    logging.getLogger("other").info("below the root logger's level")
    return context.aws_request_id
"""
    name = functions.make(source)
    request = functions.invoke(name, "mine").payload

    logs = aws.client("logs", REGION).filter_log_events(logGroupName=f"/aws/lambda/{name}")
    (line,) = (event["message"] for event in logs["events"] if "[INFO]" in event["message"])
    assert line.startswith("[INFO]\t20")
    assert line.endswith(f"Z\t{request}\tan event of mine\n")


def test_what_a_function_prints_is_not_taken_for_a_reply(functions: Functions) -> None:
    source = """
import os, subprocess
os.write(1, b'{"ready": false}\\n')
def handler(event, context):
    os.write(1, b'{"result": "forged"}\\n')
    subprocess.run(["echo", '{"result": "forged"}'], check=True)
    os.write(2, b"\\xff not UTF-8\\n")
    return "own"
"""
    assert functions.answer(source) == ("own", False)


def test_a_function_of_a_container_image_is_not_invoked(functions: Functions) -> None:
    image = {"ImageUri": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/repository:1"}
    payload, is_error = functions.answer(
        "", PackageType="Image", Code=image, Runtime=None, Handler=None
    )

    assert is_error
    assert payload["errorType"] == "EmbeddedAws.NotInvoked"
    assert payload["errorMessage"].endswith("the embedded AWS lacks containers")


HOOKS = """
def get_before_snapshot():
    return [(print, (f"before {n}",), {}) for n in (1, 2)]
def get_after_restore():
    return [(print, (f"after {n}",), {}) for n in (1, 2)]
"""


def test_a_published_version_with_snapstart_is_initialised_and_its_hooks_are_called(
    aws: EmbeddedAws, functions: Functions
) -> None:
    files = {"app.py": "print('init')\ndef handler(e, c): ...\n", "snapshot_restore_py.py": HOOKS}
    options = {"Runtime": "python3.13", "SnapStart": {"ApplyOn": "PublishedVersions"}}
    name = functions.make(files, **options)
    broken = functions.make("raise OSError('at init')", **options)

    states = {}
    for each in (name, broken):
        version = functions.client.publish_version(FunctionName=each)["Version"]
        while (config := functions.config(f"{each}:{version}"))["State"] == "Pending":
            time.sleep(0.02)
        states[each] = config["State"], config.get("StateReason", "")

    assert states == {name: ("Active", ""), broken: ("Failed", "at init")}
    functions.invoke(f"{name}:1")
    logs = aws.client("logs", REGION).filter_log_events(logGroupName=f"/aws/lambda/{name}")
    printed = [event["message"] for event in logs["events"][1:6]]  # after INIT_START
    assert printed == ["init\n", "before 2\n", "before 1\n", "after 1\n", "after 2\n"]


# --- interpreters --------------------------------------------------------------------------------


def test_the_interpreter_of_the_runtime_runs_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    version = "3.12" if OWN_RUNTIME != "python3.12" else "3.13"
    python = pythons.find(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    monkeypatch.setenv("PATH", str(python.parent), prepend=os.pathsep)
    source = """
import sys, boto3
def handler(event, context):
    return [*sys.version_info[:2], boto3.client("sts").get_caller_identity()["Account"]]
"""
    with EmbeddedAws() as aws:
        answer = Functions(aws).answer(source, Runtime=f"python{version}")

        assert answer.payload == [*map(int, version.split(".")), aws.account_id]
        (notice,) = aws.notices[-1:]
        assert notice.startswith(f"python{version} functions run in Python {version}.")


@pytest.fixture
def only_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("shim", [None, "#!/bin/sh\nexit 127\n", "#!/bin/sh\necho 3.12.0\n"])
def test_without_it_the_emulators_own_does_and_a_notice_says_so_once(
    only_programs: Path, shim: str | None
) -> None:
    runtime = "python3.12" if OWN_RUNTIME != "python3.12" else "python3.13"
    if shim:
        (only_programs / runtime).write_text(shim)
        (only_programs / runtime).chmod(0o755)
    with EmbeddedAws() as aws:
        functions = Functions(aws)
        for _ in range(2):
            source = (
                "import sys\ndef handler(e, c):\n    return 'python%d.%d' % sys.version_info[:2]"
            )
            assert functions.answer(source, Runtime=runtime) == (OWN_RUNTIME, False)

        (notice,) = (each for each in aws.notices if each.startswith(runtime))
        assert f"because no working `{runtime}` is on the PATH" in notice


@pytest.mark.parametrize(
    ("runtime", "missing"),
    [
        ("java21", "Java runtime with AWS's runtime interface client"),
        ("dotnet8", ".NET"),
        ("ruby3.4", "Ruby"),
        ("provided.al2023", "Lambda's Runtime API"),
        ("nodejs22.x", "`node` on the PATH"),
    ],
)
def test_a_function_without_an_interpreter_is_deployed_and_says_what_is_missing(
    only_programs: Path, runtime: str, missing: str
) -> None:
    assert only_programs.is_dir()
    with EmbeddedAws() as aws:
        functions = Functions(aws)
        name = functions.make({"bootstrap": "#!/bin/sh\n"}, Runtime=runtime)
        config = functions.config(name)
        assert (config["State"], config["Runtime"]) == ("Active", runtime)

        payload, is_error = functions.invoke(name)

        assert is_error
        assert payload["errorType"] == "EmbeddedAws.NotInvoked"
        assert payload["errorMessage"].startswith(f"{runtime} functions are deployed, not invoked")
        assert missing in payload["errorMessage"]
        assert payload["errorMessage"] in aws.notices
        assert aws.missing_interpreter(runtime) == payload["errorMessage"]
        assert aws.missing_interpreter(OWN_RUNTIME) is None


# --- Node ----------------------------------------------------------------------------------------

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
NODE = {"Runtime": "nodejs22.x", "Handler": "index.handler"}
ASYNC = "async (event, context) => ({ event, request: context.awsRequestId.length })"
CALLBACK = "(event, context, callback) => { setTimeout(() => callback(null, event), 5); }"


@needs_node
@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"index.js": f"exports.handler = {ASYNC};"}, {}, {"event": "e", "request": 36}),
        ({"index.cjs": f"exports.handler = {ASYNC};"}, {}, {"event": "e", "request": 36}),
        ({"index.mjs": f"export const handler = {ASYNC};"}, {}, {"event": "e", "request": 36}),
        (
            {"index.js": f"export const handler = {ASYNC};", "package.json": '{"type": "module"}'},
            {},
            {"event": "e", "request": 36},
        ),
        ({"index.js": f"exports.handler = {CALLBACK}"}, {}, "e"),
        ({"index.js": "exports.handler = () => {};"}, {}, None),
        ({"index.js": "exports.handler = async () => {};"}, {}, None),
        ({"src/a.js": "exports.b = { c: async () => 1 };"}, {"Handler": "src/a.b.c"}, 1),
        (
            {
                "index.mjs": "import { v } from 'lib'; export const handler = async () => v;",
                "node_modules/lib/package.json": '{"type": "module", "main": "m.js"}',
                "node_modules/lib/m.js": "export const v = 'packaged';",
            },
            {},
            "packaged",
        ),
        ({"index.js": "exports.handler = async () => process.env.NAME;"}, {"Environment": {
            "Variables": {"NAME": "b"}}}, "b"),
        (
            {"index.js": "exports.handler = (e, context) => context.succeed('done');"},
            {},
            "done",
        ),
        (
            {
                "index.js": "exports.handler = (event, context, callback) => {"
                " context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 9);"
                " callback(null, context.getRemainingTimeInMillis() > 1000); };"
            },
            {},
            True,
        ),
    ],
)  # fmt: skip
def test_node_runs_handlers_of_every_kind(
    functions: Functions, files: dict[str, str], options: dict[str, str], expected: object
) -> None:
    assert functions.answer(files, "e", **NODE | options) == (expected, False)


@needs_node
@pytest.mark.parametrize("folder", ["nodejs/node_modules", "nodejs/node22/node_modules"])
def test_node_finds_the_packages_of_its_layers(
    aws: EmbeddedAws, functions: Functions, folder: str
) -> None:
    layer = aws.client("lambda", REGION).publish_layer_version(
        LayerName=f"layer-{time.monotonic_ns()}",
        Content={"ZipFile": zipped({f"{folder}/lib/index.js": "module.exports = 'layer';"})},
    )
    source = "exports.handler = async () => require('lib');"
    answer = functions.answer({"index.js": source}, Layers=[layer["LayerVersionArn"]], **NODE)
    assert answer == ("layer", False)


@needs_node
@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('no'); };", "TypeError", "no"),
        ("exports.handler = () => { throw new Error('no'); };", "Error", "no"),
        ("exports.handler = (e, c, done) => done(new RangeError('no'));", "RangeError", "no"),
        ("exports.handler = async () => { throw 'text'; };", "string", "text"),
        ("exports.handler = async () => 1n;", "Runtime.MarshalError", "BigInt"),
        ("exports.other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined"),
        ("require('missing-module');", "Runtime.ImportModuleError", "'missing-module'"),
        ("exports.handler = ;", "Runtime.UserCodeSyntaxError", "Unexpected token"),
        ("throw new EvalError('at import');", "EvalError", "at import"),
        ("require('@aws-sdk/client-sts');", "Runtime.ImportModuleError", "put it into the pack"),
        ("exports.handler = () => process.exit(2);", "Runtime.ExitError", "exit status 2"),
        (
            "exports.handler = () => new Promise(() => Promise.reject(new Error('lost')));",
            "Runtime.UnhandledPromiseRejection",
            "lost",
        ),
    ],
)
def test_an_error_of_node_is_answered_as_aws_answers_it(
    functions: Functions, source: str, kind: str, message: str
) -> None:
    payload, is_error = functions.answer({"index.js": source}, **NODE)

    assert is_error
    assert payload["errorType"] == kind
    assert message in payload["errorMessage"]


@needs_node
def test_node_answers_with_a_trace_logs_with_the_request_and_stays_warm(
    aws: EmbeddedAws, functions: Functions
) -> None:
    source = """
exports.handler = async (event, context) => {
  console.log("an event of %s", event);
  if (event === "fail") throw new Error("failed");
  return [process.pid, context.awsRequestId, context.functionName];
};
"""
    name = functions.make({"index.js": source}, **NODE)
    first = functions.invoke(name, "first").payload
    failed = functions.invoke(name, "fail").payload
    last = functions.invoke(name, "last").payload

    assert failed["trace"][0] == "Error: failed"
    assert any("index.js:4" in line for line in failed["trace"])
    assert first[0] == last[0]
    assert first[2] == name
    logs = aws.client("logs", REGION).filter_log_events(logGroupName=f"/aws/lambda/{name}")
    lines = [event["message"] for event in logs["events"]]
    assert any(line.endswith(f"Z\t{last[1]}\tINFO\tan event of last\n") for line in lines)

# ruff: noqa: E501 (a table reads by its rows)
"""What `functions`, `function`, `internalFunctions` and `roles` may say, and what they become."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.config.functions import internal_functions
from tests.unit.test_settings import DATABASE, VALID, faults, read

APP: dict[str, Any] = {"code": "handler/app.py", "handler": "app.lambda_handler"}
TWO = {"secrets": {"database": DATABASE, "stripe": {"generate": {"key": {}}}}}
LAYER = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:7"


def orders(**keys: object) -> dict[str, Any]:
    return {**VALID, **TWO, "functions": {"orders": {**APP, **keys}}}


def test_one_secret_and_one_function_take_little() -> None:
    (function,) = read(orders(secrets=["stripe"])).functions.values()
    assert (function.name, function.section) == ("orders", "functions.orders")
    assert function.settings.secrets == ["stripe"]
    assert not function.has_first_outputs


def test_without_functions_there_is_the_reader_with_every_secret() -> None:
    (reader,) = read({**VALID, **TWO}).functions.values()
    assert (reader.name, reader.section, reader.log_group) == ("reader", "function", "reader")
    assert reader.settings.secrets == ["database", "stripe"]
    assert reader.has_first_outputs


def test_the_reader_is_narrowed_by_its_secrets() -> None:
    narrowed = read({**VALID, **TWO, "function": {"secret": "stripe", "secrets": ["stripe"]}})
    assert narrowed.functions["reader"].settings.secrets == ["stripe"]


def test_a_function_that_replaces_the_reader_keeps_its_log_group() -> None:
    (function,) = read(orders(replaces="function")).functions.values()
    assert (function.log_group, function.earlier_name) == ("reader", "reader")
    assert function.has_first_outputs


def test_a_functions_extension_settings_are_in_the_place_of_the_stacks() -> None:
    stack = {"extension": {"secretsTtlSeconds": 10, "logLevel": "debug"}}
    environment = read({**orders(extension={"secretsTtlSeconds": 20}), **stack})
    args = environment.functions["orders"].extension_args()
    assert (args["secrets_ttl_seconds"], args["log_level"]) == (20, "debug")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("python3.13", "arm64", 30)),
        ({"function": {"runtime": "python3.12", "logRetentionDays": 365}}, ("python3.12", "arm64", 365)),
        (orders(runtime="python3.12", logRetentionDays=365), ("python3.13", "arm64", 30)),
        (orders(replaces="function", runtime="python3.12", architecture="x86_64"), ("python3.12", "x86_64", 30)),
        ({"internalFunctions": {"runtime": "python3.11", "logRetentionDays": 7}}, ("python3.11", "arm64", 7)),
    ],
)  # fmt: skip
def test_internal_functions_run_as_the_first_one_unless_it_is_set(
    config: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    found = internal_functions(read({**VALID, **config}).settings)
    assert tuple(found.values()) == expected


@pytest.mark.parametrize(
    "keys",
    [
        {"layers": [LAYER]},
        {"environment": {"LOG_LEVEL": "info", "TOKEN_URL": "https://example.com/token"}},
        {"role": {"permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary", "path": "/apps/", "policyArns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]}},
        {"network": {"subnetIds": []}},
        {"network": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}},
        {"codeSigningConfigArn": "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0"},
        {"environmentKey": "arn:aws:kms:us-east-1:123456789012:key/1234abcd"},
        {"deadLetterQueue": "arn:aws:sqs:us-east-1:123456789012:failed"},
        {"options": {"snapStart": {"applyOn": "PublishedVersions"}, "ephemeralStorage": {"size": 1024}}},
        {"options": {"loggingConfig": {"logFormat": "JSON"}}},
    ],
)  # fmt: skip
def test_what_lambda_takes_is_accepted(keys: dict[str, Any]) -> None:
    assert read(orders(**keys)).functions


@pytest.mark.parametrize(
    ("runtime", "handler", "file"),
    [
        ("nodejs22.x", "index.handler", "index.mjs"),
        ("java21", "com.example.Handler::handle", "lib/handler.jar"),
        ("provided.al2023", "bootstrap", "bootstrap"),
        ("dotnet8", "Orders::Orders.Function::Handle", "Orders.dll"),
        ("ruby3.4", "orders.handle", "orders.rb"),
    ],
)
def test_any_runtime_is_accepted(runtime: str, handler: str, file: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("export const handler = async () => 1;\n", encoding="utf-8")
    path.chmod(0o755)
    environment = read(orders(runtime=runtime, handler=handler, code=str(tmp_path)))
    assert list(environment.packages["orders"]) == [file]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, "must be a JSON file, got '{}': No such file or directory"),
        ('{\n"a" "s3cr3t"}', "must be a JSON file, but '{}' is not JSON (see line 2)"),
    ],
)
def test_an_event_is_a_file_of_json(event: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    if event is not None:
        path.write_text(event, encoding="utf-8")
    (found,) = faults(orders(event=str(path)))
    assert f"functions.orders.event {message.format(path)}" in found
    assert "s3cr3t" not in found


def test_the_errors_of_every_functions_code_come_at_once() -> None:
    functions = {
        "orders": {**APP, "code": "services/ordrs"},
        "mail": {**APP, "handler": "app.handle", "requirements": "none.txt"},
        "other": {**APP, "expect": {"statusCode": 200}},
    }
    found = "\n".join(faults({**VALID, "functions": functions}))
    for line in (
        "functions.orders.code must be a folder, a file or a .zip, got 'services/ordrs'",
        "functions.mail.handler",
        "functions.mail.requirements",
        "functions.other.expect describes the answer to `event`, which is not set",
    ):
        assert line in found, found


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (orders(secrets=["database", "nope"]), "functions.orders.secrets must be one of database, stripe, got 'nope'"),
        (orders(secrets=["stripe", "stripe"]), "functions.orders.secrets lists 'stripe' 2 times; keep one"),
        (orders(parameters=["level"]), "functions.orders.parameters lists 'level', but the stack has no `parameters`"),
        (orders(runtime="python"), "functions.orders.runtime must be a Lambda runtime such as python3.13 or nodejs22.x, got 'python'"),
        (orders(handlr="x"), "functions.orders.handlr is an unknown key; allowed keys:"),
        ({**VALID, "functions": {"orders": {"handler": "a.b"}}}, "functions.orders.code is missing"),
        (orders(environment={"AWS_REGION": "x"}), "functions.orders.environment.AWS_REGION is reserved by Lambda"),
        (orders(environment={"SECRETS_MANAGER_TTL": "1"}), "functions.orders.environment.SECRETS_MANAGER_TTL is set by this program"),
        (orders(environment={"1x": "1"}), "functions.orders.environment.1x must have at least 2 characters: a letter, then letters"),
        (orders(environment={"API_KEY": "s3cr3t"}), "functions.orders.environment.API_KEY appears to contain a secret in plain text (not shown)"),
        (orders(environment={"LEVEL": 1}), "functions.orders.environment.LEVEL must be text, got a value that is not shown; put it in quotes"),
        (orders(layers=["x"]), "functions.orders.layers[0] must be the ARN of a layer version, got 'x'"),
        (orders(layers=[LAYER.replace("us-east-1", "eu-west-1")]), "functions.orders.layers[0] must be a layer in aws:region 'us-east-1', got one in 'eu-west-1'"),
        (orders(layers=[LAYER] * 5), "functions.orders.layers must list at most 4"),
        (orders(layers=[LAYER] * 2), f"functions.orders.layers lists {LAYER!r} 2 times; keep one"),
        (orders(role={"policyArns": ["arn:aws:iam::aws:policy/n"] * 2}), "functions.orders.role.policyArns lists 'arn:aws:iam::aws:policy/n' 2 times; keep one"),
        (orders(environment={"TEXT": "x" * 4000}), "functions.orders.environment must have at most 4096 bytes including the variables that this program sets, got 4"),
        (orders(telemetry=True, runtime="nodejs22.x", code="docs", handler="app.handler"), "functions.orders.telemetry must be false with nodejs22.x, because only the Python client has metrics"),
        (orders(code="."), "functions.orders.code must not contain the project's own folder, got '.'; name a folder inside it"),
        (orders(include=["handler/../.."]), "functions.orders.include must not contain the project's own folder, got 'handler/../..'"),
        ({**VALID, "functions": {"reader": {**APP, "replaces": "function"}}}, "functions.reader.replaces is not needed, because a function named reader always replaces `function`; remove the line"),
        (orders(role={"policyArns": [f"arn:aws:iam::aws:policy/{n}" for n in range(9)]}), "functions.orders.role.policyArns must list at most 8"),
        (orders(role={"path": "apps"}), "functions.orders.role.path must be a path such as /apps/, got 'apps'"),
        (orders(deadLetterQueue="arn:aws:s3:::bucket"), "functions.orders.deadLetterQueue must be the ARN of an SQS queue or an SNS topic"),
        (orders(network={"subnetIds": ["subnet-1"]}), "functions.orders.network.securityGroupIds is empty, but `subnetIds` is set; add one"),
        (orders(options={"memorySize": 1}), "functions.orders.options.memorySize is set by this program; use `memoryMb`"),
        (orders(options={"imageUri": "x"}), "functions.orders.options.imageUri is set by this program; a container image has no layers"),
        (orders(options={"snapstart": {}}), "functions.orders.options.snapstart is an unknown argument of aws.lambda.Function; allowed:"),
        (orders(timeoutSeconds=2), "extension.secretsTimeoutMillis must be less than functions.orders.timeoutSeconds (2 s), got 2000"),
        (orders(timeoutSeconds=2, extension={"secretsTimeoutMillis": 3000, "parametersTimeoutMillis": 1}), "functions.orders.extension.secretsTimeoutMillis must be less than functions.orders.timeoutSeconds (2 s), got 3000"),
        ({**orders(), "function": {"memoryMb": 512}}, "function cannot be combined with `functions`; move it there, under the name `reader`"),
        ({**VALID, "functions": {"a b": APP}}, "functions.a b must have 1 to 40 letters"),
        ({**VALID, "functions": {"seeder": APP}}, "functions.seeder is reserved for the function that generates initial values"),
        ({**VALID, "functions": {"reader": APP, "orders": {**APP, "replaces": "function"}}}, "functions.reader would get the name of functions.orders, which replaces `function`; rename it"),
        ({**VALID, "functions": {"a": {**APP, "replaces": "function"}, "b": {**APP, "replaces": "function"}}}, "functions.b.replaces is 'function', but functions.a replaces it already; remove one of the two lines"),
        ({**VALID, "functions": {each: {**APP, "options": {"name": "shop"}} for each in ("a", "b")}}, "functions.b.options.name is 'shop', which functions.a also has; choose another name"),
        ({**VALID, **TWO, "function": {"secrets": ["stripe"]}}, "function.secret must be one of function.secrets, got 'database'"),
        ({**VALID, "roles": {"permissionsBoundary": "x"}}, "roles.permissionsBoundary must be an ARN, got 'x'"),
        ({**VALID, "internalFunctions": {"runtime": "nodejs22.x"}}, "internalFunctions.runtime must be one of python3.11"),
    ],
)  # fmt: skip
def test_one_error_is_one_line_that_names_key_and_remedy(
    config: dict[str, Any], line: str
) -> None:
    found = faults(config)
    assert len([each for each in found if line in each]) == 1, found
    assert "s3cr3t" not in "".join(found)


def test_as_large_an_environment_is_accepted_as_lambda_takes() -> None:
    (line,) = faults(orders(environment={"TEXT": "x" * 4096}))
    most = 4096 - (int(re.search(r"got (\d+)", line)[1]) - 4096)  # type: ignore[index]
    read(orders(environment={"TEXT": "x" * most}))
    assert "got 4097;" in faults(orders(environment={"TEXT": "x" * (most + 1)}))[0]


def test_a_rotation_functions_name_is_taken() -> None:
    rotated = {"generate": {"key": {}}, "rotation": {"strategy": "random"}}
    secrets = {"session": rotated}
    (found,) = faults({"secrets": secrets, "functions": {"session-rotation": APP}})
    assert "is reserved for the function that rotates session" in found


def test_a_wrong_key_hides_no_other_and_no_rule_judges_the_default_in_its_place() -> None:
    function = {"telemetry": "yes", "logRetentionDays": 365, "secret": "nope", "runtim": "x"}
    strict = {
        "protection": "strict",
        "function": function,
        "exemptions": {
            "telemetry": {"reason": "It is quiet.", "owner": "platform", "expires": "9999-12-31"}
        },
    }
    found = [each.split(" ")[0].partition(":")[2] for each in faults({**VALID, **strict})]
    own = [each for each in found if each.startswith(("function", "exemptions"))]
    assert sorted(own) == [
        "function.reservedConcurrency",
        "function.runtim",
        "function.secret",
        "function.telemetry",
    ]


def test_a_wrong_length_hides_no_plain_password() -> None:
    secret = {"fields": {"password": "x"}, "generate": {"pw": {"length": 3}}}
    found = faults({"secrets": {"database": secret}})
    assert any("secrets.database.generate.pw.length must be 8 to 4096" in each for each in found)
    assert any(
        "secrets.database.fields.password appears to contain a secret in plain text" in each
        for each in found
    )


def test_a_wrong_memory_makes_no_error_of_the_architectures_layer() -> None:
    layer = "arn:aws:lambda:us-east-1:177933569100:layer:AWS-Parameters-and-Secrets-Lambda-Extension:99"
    function = {"architecture": "x86_64", "memoryMb": 64}
    (found,) = faults({**VALID, "function": function, "extension": {"layerArn": layer}})
    assert "function.memoryMb must be 128 to 10240, got 64" in found


def test_a_variables_value_is_never_shown() -> None:
    for environment in ({"DB_PASSWORD": 12345678}, "DB_PASSWORD=12345678"):
        found = "".join(faults(orders(environment=environment)))
        assert "functions.orders.environment" in found
        assert "12345678" not in found


@pytest.mark.parametrize(
    "variable", ["AWS_LAMBDA_EXEC_WRAPPER", "AWS_RETRY_MODE", "AWS_STS_REGIONAL_ENDPOINTS"]
)
def test_a_variable_of_the_sdks_is_not_reserved(variable: str) -> None:
    assert read(orders(environment={variable: "x"}))


@pytest.mark.parametrize("section", [{"a": {}}, {"a": None}, None, [], {"a": {"handler": "x.y"}}])
def test_without_a_function_that_can_be_read_none_is_judged_in_its_place(section: object) -> None:
    found = faults({"secrets": {"db": DATABASE}, "functions": section})
    assert found
    assert all(":functions" in line for line in found), found


def test_a_wrong_function_hides_no_error_of_another() -> None:
    functions = {"a": {}, "b": {**APP, "secrets": ["nope"]}}
    found = "\n".join(faults({**VALID, "functions": functions}))
    for line in ("functions.a.code is missing", "functions.a.handler is missing", "got 'nope'"):
        assert line in found, found


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"options": {"name": [1]}}, "functions.orders.options.name must be text"),
        ({"options": {"name": "team/orders"}}, "functions.orders.options.name must be 1 to 64 letters, digits, - and _, got 'team/orders'"),
        ({"options": {"name": "x" * 65}}, f"functions.orders.options.name must be 1 to 64 letters, digits, - and _, got '{'x' * 65}'"),
        ({"options": {"loggingConfig": None}}, "functions.orders.options.loggingConfig must be a map"),
        ({"include": [""]}, "functions.orders.include.0 must not be empty"),
        ({"code": ""}, "functions.orders.code must not be empty"),
        ({"handler": ""}, "functions.orders.handler must not be empty"),
    ],
)  # fmt: skip
def test_an_odd_value_is_an_error_and_no_traceback(keys: dict[str, Any], line: str) -> None:
    assert any(line in each for each in faults(orders(**keys)))


def test_two_functions_whose_policies_would_share_a_name_are_refused() -> None:
    (found,) = faults({**VALID, "functions": {"api": APP, "api-secure": APP}})
    assert (
        "functions.api-secure would have policies with the same names as those of functions.api"
        in found
    )


def test_a_reader_on_an_older_python_does_not_take_the_internal_functions_along() -> None:
    functions = {"reader": {**APP, "runtime": "python3.10"}}
    assert internal_functions(read({**VALID, "functions": functions}).settings)["runtime"] == (
        "python3.13"
    )

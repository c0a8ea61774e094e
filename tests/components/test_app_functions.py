"""Functions of one's own: what each has, and that it takes all of what Lambda takes."""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
from pydantic.alias_generators import to_camel

from infra.aws import function_options
from infra.components.extension_function import ExtensionFunction, ExtensionFunctionArgs
from infra.components.reader_role import ReaderRole, ReaderRoleArgs
from local.config import project
from local.engines.built_in import BuiltInEngine, Registration
from tests.components.test_components import FUNCTION_ARGS, ROLE_ARGS, secret_arns
from tests.recording import ACCOUNT, PROJECT, ROOT, Recording, by_type, made, only, planned

APP: dict[str, Any] = {"code": "handler/app.py", "handler": "app.lambda_handler"}
ORDERS = {**APP, "secrets": ["database"], "parameters": ["level"]}
MAIL = {**APP, "secrets": ["session"], "memoryMb": 1024, "telemetry": True}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
FUNCTION = "function:Function"


def shop(**changes: object) -> BuiltInEngine:
    """Plan dev with two functions in the place of its own."""
    functions = {"functions": {"orders": ORDERS, "mail": MAIL}}
    parameters = {"parameters": {"level": {"value": "info"}, "other": {"value": "x"}}}
    return planned("dev", **{"function": {}, **functions, **parameters, **changes})


def named(engine: BuiltInEngine, name: str, type_: str = "lambda") -> Registration:
    (found,) = [
        each
        for each in engine.registrations
        if each.name == name and each.type.startswith(f"aws:{type_}/")
    ]
    return found


def statements(registrations: list[Registration], prefix: str) -> dict[str, Any]:
    """Return the statements of every policy of a function's role, by Sid."""
    policies = [each for each in registrations if each.type.endswith(("Policy", "RolePolicy"))]
    return {
        statement["Sid"]: statement
        for each in policies
        if each.name.startswith(f"{prefix}-")
        for statement in json.loads(each.inputs["policy"])["Statement"]
    }


def test_a_role_reads_what_its_function_names_and_nothing_else() -> None:
    found = statements(shop().registrations, "orders")
    (secret,) = found["ReadSecrets"]["Resource"]
    assert f":secret:{PROJECT}/dev/database" in secret
    (parameter,) = found["ReadParameters"]["Resource"]
    assert parameter.endswith(f":parameter/{PROJECT}/dev/level")
    mail = statements(shop().registrations, "mail")
    assert "ReadParameters" not in mail
    assert f":secret:{PROJECT}/dev/session" in mail["ReadSecrets"]["Resource"][0]


def test_each_function_has_its_own_group_alias_and_variables() -> None:
    engine = shop()
    for name in ("orders", "mail"):
        assert (
            named(engine, f"{name}-logs", "cloudwatch").inputs["name"]
            == f"/aws/lambda/{PROJECT}-dev-{name}"
        )
        assert named(engine, f"{name}-live").inputs["name"] == "live"
    variables = named(engine, "orders-function").inputs["environment"]["variables"]
    assert variables["SECRET_NAME"] == f"{PROJECT}/dev/database"
    assert variables["PARAMETER_PREFIX"] == f"/{PROJECT}/dev/"
    assert (
        "PARAMETER_PREFIX" not in named(engine, "mail-function").inputs["environment"]["variables"]
    )
    assert set(engine.outputs["functions"]) == {"orders", "mail"}
    assert not {"function_arn", "role_arn"} & engine.outputs.keys()


def test_every_function_has_alarms_of_its_own_and_a_row_of_the_dashboard() -> None:
    watched = {"monitoring": {"enabled": True}, "audit": {"trail": "own"}}
    engine = shop(**watched)
    alarms = engine.outputs["alarm_names"]
    assert alarms["orders-function-errors"] == f"{PROJECT}-dev-orders-function-errors"
    assert {"mail-function-slow", "mail-failed-retrievals", "denied-reads"} <= alarms.keys()
    assert "orders-failed-retrievals" not in alarms  # its client prints no metrics
    logs = {
        alarm.name: alarm.inputs["alarmDescription"]
        for alarm in by_type(engine.registrations, "metricAlarm:MetricAlarm")
    }
    assert f"/aws/lambda/{PROJECT}-dev-mail" in logs["monitoring-mail-function-errors"]
    body = json.loads(only(engine.registrations, "Dashboard").inputs["dashboardBody"])
    titles = [each["properties"]["title"] for each in body["widgets"]]
    assert {"orders: Is it healthy?", "mail: Does it get its secrets?"} <= set(titles)
    for row in {each["y"] for each in body["widgets"]}:
        widths = [each["width"] for each in body["widgets"] if each["y"] == row]
        assert sum(widths) <= 24


def test_a_function_alone_has_the_alarms_names_of_always() -> None:
    watched = {"monitoring": {"enabled": True}, "audit": {"trail": "own"}}
    moved = {"functions": {"orders": {**ORDERS, "replaces": "function", "telemetry": True}}}
    alarms = shop(**watched, **moved).outputs["alarm_names"]
    assert {"function-errors", "failovers"} <= alarms.keys()


def test_what_every_role_has_is_on_every_role_and_a_functions_own_is_in_its_place() -> None:
    own = {**ORDERS, "role": {"path": "/shop/", "policyArns": ["arn:aws:iam::aws:policy/X"]}}
    engine = shop(
        functions={"orders": own, "mail": MAIL},
        roles={"permissionsBoundary": BOUNDARY, "path": "/apps/"},
        audit={"trail": "own"},
    )
    roles = by_type(engine.registrations, "iam/role:Role")
    assert {each.inputs.get("permissionsBoundary") for each in roles} == {BOUNDARY}
    paths = {each.name: each.inputs["path"] for each in roles}
    assert paths.pop("orders-role") == "/shop/"
    assert set(paths.values()) == {"/apps/"}
    assert (
        named(engine, "orders-managed-1", "iam").inputs["policyArn"] == "arn:aws:iam::aws:policy/X"
    )


def test_a_function_may_be_in_another_network_than_the_stack_or_in_none() -> None:
    network = {
        "subnetIds": ["subnet-a", "subnet-b"],
        "securityGroupIds": ["sg-a"],
        "egress": "nat",
    }
    elsewhere = {"subnetIds": ["subnet-c"], "securityGroupIds": ["sg-c"]}
    engine = shop(
        functions={
            "orders": {**ORDERS, "network": elsewhere},
            "mail": {**MAIL, "network": {"subnetIds": []}},
            "other": APP,
        },
        network=network,
    )
    assert named(engine, "orders-function").inputs["vpcConfig"]["subnetIds"] == ["subnet-c"]
    assert "vpcConfig" not in named(engine, "mail-function").inputs
    assert named(engine, "other-function").inputs["vpcConfig"]["subnetIds"] == [
        "subnet-a",
        "subnet-b",
    ]
    assert "UseNetwork" not in statements(engine.registrations, "mail")
    assert "UseNetwork" in statements(engine.registrations, "other")


@pytest.mark.parametrize("queue", ["sqs", "sns"])
def test_a_dead_letter_queue_is_granted(queue: str) -> None:
    arn = f"arn:aws:{queue}:us-east-1:{ACCOUNT}:failed"
    engine = shop(functions={"orders": {**ORDERS, "deadLetterQueue": arn}})
    assert named(engine, "orders-function").inputs["deadLetterConfig"] == {"targetArn": arn}
    granted = statements(engine.registrations, "orders")["SendDeadLetters"]
    assert granted["Resource"] == arn
    assert granted["Action"] == {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}[queue]


def test_what_else_lambda_has_is_passed_on_unchanged() -> None:
    options: dict[str, Any] = {
        "snapStart": {"applyOn": "PublishedVersions"},
        "ephemeralStorage": {"size": 1024},
        "fileSystemConfig": {
            "arn": f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point/fsap-1",
            "localMountPath": "/mnt/x",
        },
        "loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "WARN"},
        "tenancyConfig": {"tenantIsolationMode": "PER_TENANT"},
        "durableConfig": {"executionTimeout": 60},
    }
    function = only(
        made(lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "options": options})), FUNCTION
    ).inputs
    group = FUNCTION_ARGS["log_group_name"]
    logging = {**options.pop("loggingConfig"), "logGroup": group}
    assert {key: function[key] for key in options} == options
    assert function["loggingConfig"] == logging


def test_a_component_refuses_an_option_that_is_unknown() -> None:
    with pytest.raises(ValueError, match="unknown options: memorySize; allowed: capacityProvider"):
        made(lambda: ExtensionFunction("f", {**FUNCTION_ARGS, "options": {"memorySize": 1}}))


def test_every_argument_of_the_provider_is_set_here_or_passed_on() -> None:
    provided = set(inspect.signature(aws.lambda_.FunctionArgs).parameters)
    known = {*function_options.OWN, *function_options.PASSED}
    assert {to_camel(each) for each in provided} == known
    assert not set(function_options.OWN) & set(function_options.PASSED)


def test_any_runtime_gets_layer_and_settings_as_pythons_do() -> None:
    node: ExtensionFunctionArgs = {
        **FUNCTION_ARGS,
        "runtime": "nodejs22.x",
        "handler": "index.handler",
    }
    layers = ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"]
    registered = made(lambda: ExtensionFunction("f", {**node, "layer_arns": layers}))
    function = only(registered, FUNCTION).inputs
    assert function["layers"] == [FUNCTION_ARGS["layer_arn"], *layers]
    assert function["environment"]["variables"]["SECRETS_MANAGER_TTL"] == "300"
    with pytest.raises(ValueError, match=r"must be a Lambda runtime such as .*, got 'node'"):
        made(lambda: ExtensionFunction("f", {**node, "runtime": "node"}))


def test_existing_secrets_are_read_each_under_its_key() -> None:
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-{{}}-AbCdEf"
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
    existing = {arn.format(1): None, arn.format(2): key}
    own: ReaderRoleArgs = {
        **ROLE_ARGS,
        "existing_secrets": existing,
        "secret_arns": secret_arns(1),
    }
    found = statements(made(lambda: ReaderRole("r", own)), "r")
    assert found["ReadExistingSecrets"]["Resource"] == sorted(existing)
    assert found["DecryptExistingSecrets1"]["Resource"] == key
    context = found["DecryptExistingSecrets1"]["Condition"]["StringLike"]
    assert context["kms:EncryptionContext:SecretARN"] == ["arn:*:secret:rds!db-2-AbCdEf"]


MINIMAL = """\
config:
  aws:region: us-east-1
  secrets:
    stripe: {from: external}
  functions:
    orders:
      code: handler/app.py
      handler: app.lambda_handler
      secrets: [stripe]
"""


def test_one_secret_and_one_function_take_under_twenty_lines(tmp_path: Path) -> None:
    assert len(MINIMAL.splitlines()) < 20
    (tmp_path / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    (tmp_path / "Pulumi.mine.yaml").write_text(MINIMAL, encoding="utf-8")
    engine = BuiltInEngine(Recording())
    engine.run(replace(project.load(tmp_path, "mine"), program=ROOT / "__main__.py"))
    assert len(by_type(engine.registrations, "secret:Secret")) == 1
    assert set(engine.outputs["functions"]) == {"orders"}


def test_a_role_may_describe_its_secrets_only_if_asked_to() -> None:
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-1-AbCdEf"
    own: ReaderRoleArgs = {
        **ROLE_ARGS,
        "existing_secrets": {arn: None},
        "secret_arns": secret_arns(1),
    }
    read, describe = "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"
    for asked, actions in ((False, read), (True, [describe, read])):
        found = statements(made(lambda: ReaderRole("r", {**own, "describe_secrets": asked})), "r")  # noqa: B023 (called at once)
        assert found["ReadSecrets"]["Action"] == actions
        assert found["ReadExistingSecrets"]["Action"] == actions


def test_config_says_which_function_may_describe_its_secrets() -> None:
    functions = {"orders": {**ORDERS, "describeSecrets": True}, "mail": MAIL}
    registrations = shop(functions=functions).registrations
    asked = statements(registrations, "orders")["ReadSecrets"]["Action"]
    assert asked == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert statements(registrations, "mail")["ReadSecrets"]["Action"] == asked[1]

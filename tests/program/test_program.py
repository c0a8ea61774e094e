"""The program itself, unchanged, under each stack's file."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import app_functions
from infra.aws.layers import extension_layer_arn
from infra.aws.limits import ROTATION_STRATEGIES
from local import deployment
from local.engines.built_in import BuiltInEngine, Preview
from tests.recording import PROJECT, ROOT, Recording, by_type, only, planned, stack

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
every_stack = pytest.mark.parametrize("name", STACKS)
# Resources of each stack: a change here is a change of what people pay for.
RESOURCES = {"dev": 25, "staging": 42, "prod": 150}
OUTPUTS = {
    "exemptions",
    "function_alias_arn",
    "function_arn",
    "function_name",
    "functions",
    "key_alias",
    "key_arn",
    "layer_arn",
    "log_group_name",
    "monthly_cost",
    "parameter_arns",
    "protection",
    "read_policy_arns",
    "replica_key_arns",
    "role_arn",
    "rotation_function_arns",
    "secret_arns",
}


OF_PROD = {"alarm_names", "alarm_topic_arn", "dashboard_name", "trail_arn"}


def test_there_is_a_file_for_each_environment() -> None:
    assert set(STACKS) == set(RESOURCES)


@every_stack
def test_each_stack_makes_exactly_its_resources(name: str) -> None:
    assert len(planned(name).registrations) == RESOURCES[name]


@every_stack
def test_a_preview_plans_what_a_deployment_makes(name: str) -> None:
    engine = deployment.preview(stack(name))
    made = sorted(each.urn for each in planned(name).registrations)
    assert sorted(each.urn for each in engine.registrations) == made


@every_stack
def test_outputs_are_the_documented_ones(name: str) -> None:
    engine = planned(name)
    assert set(engine.outputs) == OUTPUTS | (OF_PROD if name == "prod" else set())
    assert engine.secret_outputs == set()
    secrets = json.loads(stack(name).config[f"{PROJECT}:secrets"])
    assert set(engine.outputs["secret_arns"]) == set(secrets)


@every_stack
def test_every_resource_belongs_to_a_component(name: str) -> None:
    for each in planned(name).registrations:
        if each.custom:
            assert "lambda-secrets:index:" in each.parent


@every_stack
def test_secrets_are_named_after_project_stack_and_logical_name(name: str) -> None:
    for each in by_type(planned(name).registrations, "secret:Secret"):
        assert re.fullmatch(rf"{PROJECT}/{name}/[a-z]+", each.inputs["name"])


@every_stack
def test_function_learns_names_and_never_a_value(name: str) -> None:
    reader = next(
        each
        for each in by_type(planned(name).registrations, "function:Function")
        if each.name == "reader-function"
    )
    variables = reader.inputs["environment"]["variables"]
    assert variables["SECRET_NAME"] == f"{PROJECT}/{name}/database"
    assert variables["SECRET_PREFIX"] == f"{PROJECT}/{name}/"
    # Lambda allows 4 KB in all; names of secrets do not add to it.
    assert len(json.dumps(variables)) < 1024


@every_stack
def test_everything_is_tagged_with_project_and_environment(name: str) -> None:
    for each in planned(name).registrations:
        if "tags" in each.inputs:
            assert each.inputs["tags"]["Project"] == PROJECT
            assert each.inputs["tags"]["Environment"] == name


@pytest.mark.parametrize(
    ("name", "recovery", "retention", "tracing"),
    [("dev", 0, 7, "PassThrough"), ("staging", 7, 30, "Active"), ("prod", 30, 365, "Active")],
)
def test_environments_differ_by_their_file_only(
    name: str, recovery: int, retention: int, tracing: str
) -> None:
    registrations = planned(name).registrations
    secrets = by_type(registrations, "secret:Secret")
    groups = by_type(registrations, "logGroup:LogGroup")
    functions = by_type(registrations, "function:Function")
    assert {each.inputs["recoveryWindowInDays"] for each in secrets} == {recovery}
    assert {each.inputs["retentionInDays"] for each in groups} == {retention}
    assert tracing in [each.inputs.get("tracingConfig", {}).get("mode") for each in functions]


def test_a_value_from_config_is_in_the_state_encrypted_only() -> None:
    changed = stack(
        "dev",
        secrets={"database": {"from": "config"}},
        secretValues={"database": {"host": "h", "password": "s3cr3t-canary"}},
    )
    engine = BuiltInEngine(Recording())
    engine.run(replace(changed, secret_keys=(f"{PROJECT}:secretValues",)))
    version = only(engine.registrations, "secretVersion:SecretVersion")
    assert json.loads(version.inputs["secretString"])["password"] == "s3cr3t-canary"
    assert "s3cr3t-canary" not in engine.state()
    assert "[secret]" in engine.state()


def test_every_key_of_config_reaches_a_resource() -> None:
    """All of them with a value that is no default, looked for among what AWS is asked for."""
    engine = planned(
        "dev",
        secrets={
            "database": {
                "description": "told",
                "fields": {"host": "told-host"},
                "generate": {
                    "password": {
                        "length": 41,
                        "excludeCharacters": "told-out",
                        "excludeLowercase": True,
                        "excludeUppercase": True,
                        "excludeNumbers": True,
                        "requireEachIncludedType": False,
                    },
                    "pin": {"excludePunctuation": True},
                },
                "recoveryWindowDays": 8,
            },
            "other": {"from": "external"},
        },
        function={
            "secret": "other",
            "runtime": "python3.12",
            "architecture": "x86_64",
            "memoryMb": 1234,
            "timeoutSeconds": 56,
            "reservedConcurrency": 7,
            "logRetentionDays": 400,
            "tracing": True,
            "telemetry": True,
        },
        maxStalenessSeconds=100,
        extension={
            "cacheEnabled": False,
            "cacheSize": 11,
            "secretsTtlSeconds": 12,
            "parametersTtlSeconds": 13,
            "secretsTimeoutMillis": 14,
            "parametersTimeoutMillis": 15,
            "maxConnections": 16,
            "httpPort": 4017,
            "logLevel": "warn",
            "layerArn": "arn:aws:lambda:us-east-1:999999999999:layer:told:18",
        },
        key={"rotationPeriodDays": 99, "deletionWindowDays": 19},
        recoveryWindowDays=9,
        tags={"Told": "tag"},
    )
    made = engine.registrations
    key = only(made, "key:Key").inputs
    assert (key["rotationPeriodInDays"], key["deletionWindowInDays"]) == (99, 19)
    secrets = {each.name: each.inputs for each in by_type(made, "secret:Secret")}
    assert secrets["database-secret"]["description"] == "told"
    assert secrets["database-secret"]["recoveryWindowInDays"] == 8
    assert secrets["other-secret"]["recoveryWindowInDays"] == 9
    seed = json.loads(only(made, "invocation:Invocation").inputs["input"])
    assert seed["Fields"] == {"host": "told-host"}
    assert seed["Generate"]["password"] == {
        "length": 41,
        "excludeCharacters": "told-out",
        "excludeLowercase": True,
        "excludeUppercase": True,
        "excludeNumbers": True,
        "excludePunctuation": False,
        "requireEachIncludedType": False,
    }
    assert seed["Generate"]["pin"]["excludePunctuation"] is True
    for function in by_type(made, "function:Function"):
        assert function.inputs["runtime"] == "python3.12"
        assert function.inputs["architectures"] == ["x86_64"]
    reader = next(e.inputs for e in by_type(made, "function:Function") if "reader" in e.name)
    assert "secret_client/telemetry.py" in reader["code"].assets
    assert reader["memorySize"] == 1234
    assert reader["timeout"] == 56
    assert reader["reservedConcurrentExecutions"] == 7
    assert reader["tracingConfig"] == {"mode": "Active"}
    assert reader["layers"] == ["arn:aws:lambda:us-east-1:999999999999:layer:told:18"]
    assert reader["environment"]["variables"] == {
        "SECRET_NAME": f"{PROJECT}/dev/other",
        "SECRET_PREFIX": f"{PROJECT}/dev/",
        "SECRETS_CACHE_SECONDS": "100",
        "SECRETS_TELEMETRY": "true",
        "PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED": "FALSE",
        "PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE": "11",
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "4017",
        "PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL": "WARN",
        "PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS": "16",
        "SECRETS_MANAGER_TTL": "12",
        "SECRETS_MANAGER_TIMEOUT_MILLIS": "14",
        "SSM_PARAMETER_STORE_TTL": "13",
        "SSM_PARAMETER_STORE_TIMEOUT_MILLIS": "15",
    }
    assert {e.inputs["retentionInDays"] for e in by_type(made, "logGroup:LogGroup")} == {400}
    assert {e.inputs["tags"]["Told"] for e in made if "tags" in e.inputs} == {"tag"}


@pytest.mark.parametrize(
    ("staleness", "extension", "there", "here"),
    [
        (300, {}, "150", "150"),
        (61, {}, "30", "31"),
        (3600, {}, "300", "3300"),
        (1, {}, "0", "1"),
        (0, {}, "0", "0"),
        (300, {"secretsTtlSeconds": 300, "parametersTtlSeconds": 300}, "300", "0"),
        (300, {"secretsTtlSeconds": 0, "parametersTtlSeconds": 0}, "0", "300"),
        (300, {"parametersTtlSeconds": 200}, "150", "100"),
        (300, {"cacheEnabled": False}, "150", "300"),
        (300, {"cacheSize": 0}, "150", "300"),
    ],
)
def test_staleness_is_split_between_the_extension_and_the_client(
    staleness: int, extension: dict[str, object], there: str, here: str
) -> None:
    made = planned("dev", maxStalenessSeconds=staleness, extension=extension).registrations
    reader = next(each.inputs for each in made if each.name == "reader-function")
    variables = reader["environment"]["variables"]
    assert (variables["SECRETS_MANAGER_TTL"], variables["SECRETS_CACHE_SECONDS"]) == (there, here)


def test_layer_is_that_of_the_stacks_region_and_architecture() -> None:
    changed = stack("dev", function={"architecture": "x86_64"})
    changed = replace(changed, config={**changed.config, "aws:region": "eu-west-1"})
    engine = BuiltInEngine(Recording())
    engine.run(changed)
    assert engine.outputs["layer_arn"] == extension_layer_arn("eu-west-1", "x86_64")


@every_stack
def test_function_is_made_when_secrets_have_their_values(name: str) -> None:
    made = [each.name for each in planned(name).registrations]
    seeded = max(
        made.index(each) for each in made if each in {"seeder-database", "seeder-session"}
    )
    assert seeded < made.index("reader-function")


def test_an_external_secret_gets_no_value_and_no_seed() -> None:
    engine = planned("dev", secrets={"database": {"from": "external"}})
    assert by_type(engine.registrations, "secretVersion:SecretVersion") == []
    assert by_type(engine.registrations, "invocation:Invocation") == []


def test_without_a_secret_to_seed_there_is_no_seeder() -> None:
    engine = planned("dev", secrets={"database": {"from": "external"}})
    assert [each for each in engine.registrations if each.name.startswith("seeder")] == []


def test_program_makes_no_resource_of_its_own() -> None:
    source = (ROOT / "__main__.py").read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.])aws\.(\w+)", source) == ["get_caller_identity"]


def test_stack_files_hold_no_encrypted_and_no_plain_secret_value() -> None:
    for path in Path(ROOT).glob("Pulumi.*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert "secure:" not in text
        assert "secretValues" not in text
        assert "encryptionsalt" not in text


def test_every_key_of_rotation_network_and_database_reaches_a_resource() -> None:
    fields = {"host": "h", "username": "u"}
    engine = planned(
        "dev",
        secrets={
            "database": {
                "fields": fields,
                "generate": {"password": {"length": 41}},
                "rotation": {
                    "strategy": "alternatingUsers",
                    "adminSecret": "admin",
                    "schedule": "cron(0 4 ? * SUN *)",
                    "windowHours": 3,
                    "rotateImmediately": True,
                },
            },
            "admin": {
                "from": "external",
                "rotation": {"strategy": "singleUser", "everyDays": 90},
            },
            "key": {
                "generate": {"key": {}},
                "rotation": {"strategy": "random", "overlapHours": 2},
            },
        },
        function={"handler": "query"},
        network={
            "subnetIds": ["subnet-1", "subnet-2"],
            "securityGroupIds": ["sg-1"],
            "egress": "nat",
        },
        database={"caBundle": "handler/app.py"},
    )
    made = engine.registrations
    rotations = {
        e.name: e.inputs for e in by_type(made, "secretRotation:SecretRotation") if e.custom
    }
    database = rotations["database-rotation-rotation"]
    assert database["rotationRules"] == {
        "scheduleExpression": "cron(0 4 ? * SUN *)",
        "duration": "3h",
    }
    assert database["rotateImmediately"] is True
    admin = rotations["admin-rotation-rotation"]
    assert admin["rotationRules"] == {"automaticallyAfterDays": 90}
    assert admin["rotateImmediately"] is False
    functions = {e.name: e.inputs for e in by_type(made, "function:Function")}
    variables = {
        name: functions[f"{name}-rotation-function"]["environment"]["variables"]
        for name in ("database", "admin", "key")
    }
    assert variables["database"]["STRATEGY"] == "alternatingUsers"
    assert f":secret:{PROJECT}/dev/admin-" in variables["database"]["ADMIN_SECRET_ARN"]
    assert json.loads(variables["database"]["GENERATE"])["password"]["length"] == 41
    assert json.loads(variables["admin"]["GENERATE"])["password"]["length"] == 32
    assert variables["key"]["OVERLAP_SECONDS"] == "7200"
    reader = functions["reader-function"]
    assert reader["handler"] == "query.lambda_handler"
    for function in (reader, functions["database-rotation-function"]):
        assert function["vpcConfig"] == {
            "subnetIds": ["subnet-1", "subnet-2"],
            "securityGroupIds": ["sg-1"],
        }
        assert Path(function["code"].assets["ca-bundle.pem"].path).name == "app.py"
        assert "pg8000/native.py" in function["code"].assets
    assert "pg8000/native.py" not in functions["key-rotation-function"]["code"].assets


# Imports the engine that the function's variables name, out of its package alone.
_MAKE_ENGINE = """
import sys, types
sys.path.insert(0, sys.argv[1])
import rotation
secret = types.SimpleNamespace(arn="", rules={"password": {}}, known=list, current_and=list)
print(type(rotation._engine(secret, 0)).__module__)
"""


@pytest.mark.parametrize("strategy", ROTATION_STRATEGIES)
def test_the_package_of_a_rotation_holds_its_engine(strategy: str, tmp_path: Path) -> None:
    admin = {"adminSecret": "boss"} if strategy == "alternatingUsers" else {}
    secret = {
        "fields": {"host": "h", "username": "u"},
        "generate": {"password": {}},
        "rotation": {"strategy": strategy, **admin},
    }
    made = planned("dev", secrets={"database": secret, "boss": {"from": "external"}})
    functions = {e.name: e.inputs for e in by_type(made.registrations, "function:Function")}
    function = functions["database-rotation-function"]
    for name, asset in function["code"].assets.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(asset.path).read_bytes())

    found = subprocess.run(  # noqa: S603 (this Python, the text above)
        [sys.executable, "-I", "-c", _MAKE_ENGINE, str(tmp_path)],
        env=function["environment"]["variables"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.startswith("rotation_"), found.stderr


def test_the_administrators_secret_is_none_of_the_functions() -> None:
    engine = planned("prod")
    granted = [e.inputs["policy"] for e in by_type(engine.registrations, "policy:Policy")]
    read = [text for text in granted if '"ReadSecrets"' in text]
    assert read
    assert not [text for text in read if "prod/admin" in text]


@every_stack
def test_a_rotation_waits_for_the_first_value(name: str) -> None:
    order = [each.urn for each in planned(name).registrations]
    seeded = [n for n, urn in enumerate(order) if "invocation:Invocation" in urn]
    rotating = [n for n, urn in enumerate(order) if "secretRotation:SecretRotation" in urn]
    assert not rotating or max(seeded) < min(rotating)


@pytest.mark.parametrize(
    ("organization", "preview", "asked"),
    [
        ("organization", False, [("readStackResourceOutputs", "dev")]),
        ("organization", True, [("readStackOutputs", "dev")]),  # has none: never deployed
        ("acme", True, [("readStackResourceOutputs", f"acme/{PROJECT}/dev")]),
    ],
)
def test_the_state_is_asked_for_by_the_name_that_its_backend_knows(
    monkeypatch: pytest.MonkeyPatch,
    organization: str,
    *,
    preview: bool,
    asked: list[tuple[str, str]],
) -> None:
    found: list[tuple[str, str]] = []

    class Asked(BuiltInEngine):
        def Invoke(self, request: Any) -> Any:  # noqa: N802 (the engine's interface)
            prefix, _, function = request.tok.rpartition(":")
            if prefix == "pulumi:pulumi":
                found.append((function, *dict(request.args).values()))
            return super().Invoke(request)

    monkeypatch.setattr(pulumi, "get_organization", lambda: organization)
    engine = Asked(Preview() if preview else Recording())
    engine.run(stack("dev"))
    assert found == asked


def test_the_roles_of_functions_outlive_the_network_interfaces() -> None:
    """Lambda deletes its interfaces with these roles, and the security group waits for that."""
    made = {each.urn: each for each in planned("prod").registrations}

    def before(urn: str) -> frozenset[str]:
        needed = made[urn].dependencies & made.keys()
        return needed.union(*map(before, needed))

    (group,) = (each.urn for each in made.values() if each.name == "network-functions")
    in_vpc = {
        each.parent
        for each in by_type(list(made.values()), "rolePolicy:RolePolicy")
        if "CreateNetworkInterface" in each.inputs["policy"]
    }
    access = {
        each.urn for each in made.values() if each.parent in in_vpc and "aws:iam/role" in each.type
    }
    roles = {made[urn].name for urn in access if made[urn].type == "aws:iam/role:Role"}
    assert roles == {
        "reader-role",
        "admin-rotation-role",
        "database-rotation-role",
        "session-rotation-role",
    }
    assert access <= before(group)


@pytest.mark.timeout(60)
def test_a_program_that_fails_before_the_roles_exist_does_not_wait_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class RefusedError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise RefusedError

    monkeypatch.setattr(app_functions, "reader_roles", refuse)
    with pytest.raises(RefusedError):
        planned("prod", maxStalenessSeconds=60)

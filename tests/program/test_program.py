"""The program itself, unchanged, under each stack's file."""

import json
import re
from pathlib import Path

import pytest

from local.engine import Engine, Preview
from tests.recording import ROOT, Recording, by_type, only, planned, stack

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
every_stack = pytest.mark.parametrize("name", STACKS)
# Resources of each stack: a change here is a change of what people pay for.
RESOURCES = {"dev": 25, "staging": 26, "prod": 28}
OUTPUTS = {
    "function_alias_arn",
    "function_arn",
    "function_name",
    "key_alias",
    "key_arn",
    "layer_arn",
    "log_group_name",
    "role_arn",
    "secret_arns",
}


def test_there_is_a_file_for_each_environment() -> None:
    assert set(STACKS) == set(RESOURCES)


@every_stack
def test_each_stack_makes_exactly_its_resources(name: str) -> None:
    assert len(planned(name).registrations) == RESOURCES[name]


@every_stack
def test_a_preview_plans_what_a_deployment_makes(name: str) -> None:
    engine = Engine(Preview())
    engine.run(stack(name))
    made = sorted(each.urn for each in planned(name).registrations)
    assert sorted(each.urn for each in engine.registrations) == made


@every_stack
def test_outputs_are_the_documented_ones(name: str) -> None:
    engine = planned(name)
    assert set(engine.outputs) == OUTPUTS
    assert engine.secret_outputs == set()
    secrets = json.loads(stack(name).config["lambda-secrets:secrets"])
    assert set(engine.outputs["secret_arns"]) == set(secrets)


@every_stack
def test_every_resource_belongs_to_a_component(name: str) -> None:
    for each in planned(name).registrations:
        if each.custom:
            assert "lambda-secrets:index:" in each.parent


@every_stack
def test_secrets_are_named_after_project_stack_and_logical_name(name: str) -> None:
    for each in by_type(planned(name).registrations, "secret:Secret"):
        assert re.fullmatch(rf"lambda-secrets/{name}/[a-z]+", each.inputs["name"])


@every_stack
def test_function_learns_names_and_never_a_value(name: str) -> None:
    reader = next(
        each
        for each in by_type(planned(name).registrations, "function:Function")
        if each.name == "reader-function"
    )
    variables = reader.inputs["environment"]["variables"]
    assert variables["SECRET_NAME"] == f"lambda-secrets/{name}/database"
    assert variables["SECRET_PREFIX"] == f"lambda-secrets/{name}/"
    # Lambda allows 4 KB in all; names of secrets do not add to it.
    assert len(json.dumps(variables)) < 1024


@every_stack
def test_everything_is_tagged_with_project_and_environment(name: str) -> None:
    for each in planned(name).registrations:
        if "tags" in each.inputs:
            assert each.inputs["tags"]["Project"] == "lambda-secrets"
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
    engine = Engine(Recording())
    engine.run(type(changed)(**{**vars(changed), "secret_keys": ("lambda-secrets:secretValues",)}))
    version = only(engine.registrations, "secretVersion:SecretVersion")
    assert json.loads(version.inputs["secretString"])["password"] == "s3cr3t-canary"
    assert "s3cr3t-canary" not in engine.state()
    assert "[secret]" in engine.state()


def test_an_external_secret_gets_no_value_and_no_seed() -> None:
    engine = planned("dev", secrets={"database": {"from": "external"}})
    assert by_type(engine.registrations, "secretVersion:SecretVersion") == []
    assert by_type(engine.registrations, "invocation:Invocation") == []


def test_without_a_secret_to_seed_there_is_no_seeder() -> None:
    engine = planned("dev", secrets={"database": {"from": "external"}})
    assert [each for each in engine.registrations if each.name.startswith("seeder")] == []


def test_program_makes_no_resource_of_its_own() -> None:
    source = (ROOT / "__main__.py").read_text(encoding="utf-8")
    assert re.findall(r"\baws\.(\w+)", source) == ["get_caller_identity"]


def test_stack_files_hold_no_encrypted_and_no_plain_secret_value() -> None:
    for path in Path(ROOT).glob("Pulumi.*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert "secure:" not in text
        assert "secretValues" not in text
        assert "encryptionsalt" not in text

# ruff: noqa: E501 (a table reads by its rows)
"""What AWS refuses of project's and stack's names is said at preview, with where to change it."""

import json

import botocore.session
import pytest

from infra.alarms import incidents
from infra.aws import limits
from infra.config.rules import names as name_rules
from infra.config.settings import SettingsError, load
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.recording import PROJECT, ROOT, Recording

LONG = "x" * 100


def broken(
    name: str, stack: str, *, has_trail: bool = False, has_parameters: bool = False
) -> list[str]:
    has = {"has_trail": has_trail, "has_parameters": has_parameters}
    return list(name_rules.errors(name, stack, **has))


@pytest.mark.parametrize(
    ("name", "stack"),
    [(PROJECT, "prod"), ("a", "b"), ("My_App-2", "PR-12"), ("jaws", "aws"), ("AWSome", "dev")],
)
@pytest.mark.parametrize("has_trail", [True, False])
def test_names_that_aws_takes_pass(name: str, stack: str, *, has_trail: bool) -> None:
    assert broken(name, stack, has_trail=has_trail) == []


CHANGE = "change `name` in Pulumi.yaml"


@pytest.mark.parametrize(
    ("name", "stack", "rule", "remedy"),
    [
        ("my.app", "dev", "the project name 'my.app' may contain only letters, digits, - and _", CHANGE),
        ("shop", "pr.12", "stack 'pr.12' may contain only letters, digits, - and _", "rename the stack"),
        ("awsome", "dev", "the project name 'awsome' must not start with aws, because KMS reserves such aliases", CHANGE),
    ],
)  # fmt: skip
def test_what_an_alias_cannot_hold_is_refused(
    name: str, stack: str, rule: str, remedy: str
) -> None:
    assert broken(name, stack) == [f"{rule}; {remedy}"]


@pytest.mark.parametrize("name", ["ssm-tools", "SSM", "AWSome"])
def test_what_a_parameter_cannot_begin_with_is_refused_with_parameters_only(name: str) -> None:
    assert broken(name, "dev") == []
    (told,) = broken(name, "dev", has_parameters=True)
    assert told == (
        f"the project name {name!r} must not start with aws or ssm, because Parameter Store"
        f" reserves such names, and `parameters` begin with it; {CHANGE}"
    )
    assert len(broken("aws-tools", "dev", has_parameters=True)) == 1


def test_a_reserved_project_is_named_once_and_no_parameter() -> None:
    parameters = {"a": {"value": "x"}, "b": {"value": "x"}}
    config = {"ssm-tools:parameters": json.dumps(parameters), "aws:region": "us-east-1"}
    stack = project.Stack(ROOT, "ssm-tools", "dev", config, (), ())
    with pytest.raises(SettingsError) as error:
        BuiltInEngine(Recording()).run(stack, lambda: (load(), None)[1])
    assert [each for each in error.value.errors if "ssm-tools'" in each] == error.value.errors[:1]
    assert not any("becomes a name" in each for each in error.value.errors)


@pytest.mark.parametrize("name", ["x_", "_x", "-x", "x-", "a--b", "a_-b", "a__b"])
def test_what_a_trail_cannot_hold_is_refused_with_a_trail_only(name: str) -> None:
    rule = "must start and end with a letter or digit, without two adjacent - or _"
    (of_project,) = broken(name, "dev", has_trail=True)
    (of_stack,) = broken("shop", name, has_trail=True)
    assert of_project == (
        f"the project name {name!r} {rule}, because `audit.trail: own` names the trail after it;"
        " change `name` in Pulumi.yaml"
    )
    assert of_stack == (
        f"stack {name!r} {rule}, because `audit.trail: own` names the trail after it; rename the stack"
    )
    assert broken(name, name) == []


def test_a_trails_name_has_128_characters_at_most() -> None:
    assert broken(LONG, "x" * 27, has_trail=True) == []
    assert broken(LONG, LONG) == []
    (told,) = broken(LONG, "x" * 28, has_trail=True)
    assert told == (
        f"the trail name '{LONG}-{'x' * 28}' (`audit.trail: own`) must have at most 128"
        " characters, got 129; change `name` in Pulumi.yaml, or rename the stack"
    )


def test_the_longest_names_fit_whatever_else_is_named_after_them() -> None:
    session = botocore.session.get_session()
    alias = session.get_service_model("kms").shape_for("AliasNameType").metadata["max"]
    assert len(f"alias/{LONG}/{LONG}-alarms") <= alias
    alarms = incidents.descriptions(incidents.LogLocations("", "", "", ""))
    assert len(f"{LONG}-{LONG}-{max(alarms, key=len)}") <= limits.ALARM_NAME_LENGTH  # no function
    assert max(incidents.OF_FUNCTIONS, key=len) == "function-throttles"


def test_names_are_refused_with_all_else_and_only_that_is_in_the_stacks_file() -> None:
    keys = {"audit": {"trail": "own"}, "secrets": {"x": {"from": "external"}}, "typo": 1}
    config = {f"my--app.:{key}": json.dumps(value) for key, value in keys.items()}
    config["aws:region"] = "us-east-1"
    stack = project.Stack(ROOT, "my--app.", "dev_", config, (), ())
    with pytest.raises(SettingsError) as error:
        BuiltInEngine(Recording()).run(stack, lambda: (load(), None)[1])
    of_project, of_stack, *rest = error.value.errors
    assert of_project.startswith("the project name 'my--app.' may contain only letters")
    assert of_stack.startswith("stack 'dev_' must start and end with")
    assert len(rest) == 2  # the key, and function.secret
    assert all(each.endswith("; fix it in Pulumi.dev_.yaml") for each in rest)


@pytest.mark.parametrize("name", ["aws", "pulumi"])
def test_a_project_with_a_namespace_of_pulumis_is_refused_once(name: str) -> None:
    stack = project.Stack(ROOT, name, "dev", {}, (), ())
    with pytest.raises(SettingsError) as error:
        BuiltInEngine(Recording()).run(stack, lambda: (load(), None)[1])
    assert len(error.value.errors) == 1

"""Hundreds of secrets: everything is planned, and nothing exceeds what one object of AWS holds."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.large import config_file, watched
from infra.aws import limits
from infra.config import seeding
from infra.config.environment import Environment
from infra.config.schema import Settings
from local.config.project import load
from local.engines.built_in import BuiltInEngine, Registration
from tests.recording import ROOT, Recording, by_type
from tests.unit.test_settings import faults, read

FILTERS_IN_A_LOG_GROUP = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
METRICS_IN_DASHBOARD = 2_500
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
FUNCTION_POLICY = 20_480
# A statement of it with the longest names, without the ARN of what calls.
_STATEMENT = 520
RANDOM: dict[str, Any] = {"generate": {"key": {}}}


@pytest.mark.parametrize(
    ("secrets", "rotating", "functions", "in_group"),
    [
        (30, 18, 2, 0),
        (30, 30, 2, 24),
        pytest.param(500, 300, 20, 0, marks=pytest.mark.exhaustive),
        pytest.param(500, 480, 20, 24, marks=pytest.mark.exhaustive),
    ],
)
def test_no_object_of_aws_is_too_small(
    secrets: int, rotating: int, functions: int, in_group: int
) -> None:
    engine = BuiltInEngine(Recording())
    engine.run(watched(secrets, rotating, functions, in_group))
    made = engine.registrations
    assert len(by_type(made, "secretsmanager/secret:Secret")) == secrets
    assert len(by_type(made, "secretRotation:SecretRotation")) == rotating
    assert excesses(made) == []


def test_the_config_file_of_such_a_stack_is_the_stack(tmp_path: Path) -> None:
    """`make up-large` deploys what the tests and benchmarks are about."""
    stack, file = watched(30, 18, 2, 24), tmp_path / "large.yaml"
    file.write_text(config_file(stack), encoding="utf-8")
    assert {key: _parsed(text) for key, text in load(ROOT, "dev", file).config.items()} == {
        key: _parsed(text) for key, text in stack.config.items()
    }


def _parsed(text: str) -> object:
    """Return config as the program reads it, whatever its spaces."""
    return json.loads(text) if text.startswith(("{", "[")) else text


def test_what_is_too_large_is_found() -> None:
    """The control."""
    role = {"role": "r", "policy": "x" * 10_241}
    policy = registered("aws:iam/rolePolicy:RolePolicy", role)
    assert excesses([policy]) == ["inline policies of r: 10241"]
    attached = [registered("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "r"})]
    assert excesses(attached * 11) == ["policies of r: 11"]
    counted = {"logGroupName": "g", "pattern": "x" * 1_025}
    filters = [registered("aws:cloudwatch/logMetricFilter:LogMetricFilter", counted)] * 101
    assert len(excesses(filters)) == 101 + 1
    called = {"function": "f", "sourceArn": "x" * 100}
    callers = [registered("aws:lambda/permission:Permission", called)] * 34
    assert excesses(callers) == ["callers of f: 21080"]
    rule = {"alarmRule": " OR ".join(["ALARM(x)"] * 101)}
    assert excesses([registered("aws:cloudwatch/compositeAlarm:CompositeAlarm", rule)])
    shown = [{"properties": {"alarms": ["a"] * 101}}]
    shown += [{"properties": {"metrics": ["m"] * 501}} for _ in range(5)]
    dashboard = {"dashboardBody": json.dumps({"widgets": shown})}
    assert excesses([registered("aws:cloudwatch/dashboard:Dashboard", dashboard)]) == [
        "alarms of widget 0: 101",
        *(f"metrics of widget {number}: 501" for number in range(1, 6)),
        "metrics of the dashboard: 2505",
    ]


def registered(type_: str, inputs: dict[str, Any]) -> Registration:
    return Registration("urn", type_, "name", "", True, inputs, set(), frozenset())  # noqa: FBT003


def excesses(made: list[Registration]) -> list[str]:
    """Name each object that is larger than AWS allows, with its size."""
    sizes = _of_dashboards(made)
    inline: defaultdict[str, int] = defaultdict(int)
    attached: Counter[str] = Counter()
    filters: Counter[str] = Counter()
    callers: Counter[str] = Counter()
    for number, each in enumerate(made):
        inputs, what = each.inputs, f"{each.name} {number}"
        match each.type.rpartition(":")[2]:
            case "RolePolicy":
                inline[inputs["role"]] += len(inputs["policy"])
            case "RolePolicyAttachment":
                attached[inputs["role"]] += 1
            case "Policy":
                sizes[what] = (len(inputs["policy"]), limits.MANAGED_POLICY_CHARACTERS)
            case "SecretPolicy" if each.custom:
                sizes[what] = (len(inputs["policy"]), limits.RESOURCE_POLICY_CHARACTERS)
            case "Permission":
                callers[inputs["function"]] += _STATEMENT + len(inputs["sourceArn"])
            case "LogMetricFilter":
                filters[inputs["logGroupName"]] += 1
                sizes[what] = (len(inputs["pattern"]), limits.FILTER_PATTERN_LENGTH)
            case "CompositeAlarm":
                children = inputs["alarmRule"].count("ALARM(")
                sizes[what] = (children, limits.ALARMS_IN_COMPOSITE)
                sizes[f"rule of {what}"] = (len(inputs["alarmRule"]), 10_240)
            case "Function":
                variables = (inputs.get("environment") or {}).get("variables") or {}
                text = json.dumps(variables, separators=(",", ":"))
                sizes[what] = (len(text.encode()), limits.ENVIRONMENT_BYTES)
    sizes |= {
        f"inline policies of {role}": (size, limits.INLINE_POLICY_CHARACTERS)
        for role, size in inline.items()
    }
    sizes |= {
        f"policies of {role}": (count, limits.MANAGED_POLICIES_PER_ROLE)
        for role, count in attached.items()
    }
    sizes |= {
        f"filters of {group}": (count, FILTERS_IN_A_LOG_GROUP) for group, count in filters.items()
    }
    sizes |= {f"callers of {name}": (size, FUNCTION_POLICY) for name, size in callers.items()}
    return [f"{what}: {size}" for what, (size, most) in sizes.items() if size > most]


def _of_dashboards(made: list[Registration]) -> dict[str, tuple[int, int]]:
    sizes = {}
    for each in by_type(made, "cloudwatch/dashboard:Dashboard"):
        widgets = json.loads(each.inputs["dashboardBody"])["widgets"]
        metrics = 0
        for number, properties in enumerate(widget["properties"] for widget in widgets):
            alarms, shown = (len(properties.get(kind, ())) for kind in ("alarms", "metrics"))
            sizes[f"alarms of widget {number}"] = (alarms, limits.ALARMS_IN_WIDGET)
            sizes[f"metrics of widget {number}"] = (shown, limits.METRICS_IN_WIDGET)
            metrics += shown
        sizes["metrics of the dashboard"] = (metrics, METRICS_IN_DASHBOARD)
    return sizes


def test_seeders_share_what_is_generated_and_few_secrets_have_one() -> None:
    def of(count: int) -> Environment:
        secrets = {f"service-{number:04}-api-credentials-v1": RANDOM for number in range(count)}
        settings = Settings.model_validate({"secrets": secrets})
        return Environment("app", "prod", "us-east-1", settings, {}, "2026-11-27")

    assert len(seeding.parts(of(100))) == 1
    env = of(500)
    parts = seeding.parts(env)
    assert len(parts) > 1
    assert Counter(name for part in parts for name in part.secrets) == Counter([*env.seeds()])
    assert [seeding.seeder(number) for number in (1, 2, 3)] == ["seeder", "seeder-2", "seeder-3"]
    assert seeding.parts(of(0)) == []


def test_a_function_that_may_read_too_much_is_refused_at_preview() -> None:
    names = [f"service-{number:04}-api-credentials-v1" for number in range(300)]
    secrets = dict.fromkeys(names, RANDOM)
    code = {"code": "handler/app.py", "handler": "app.lambda_handler"}
    functions = {"reader": {**code, "secrets": names}}
    (fault,) = faults({"secrets": secrets, "functions": functions})
    assert re.search(r"functions.reader.secrets needs 1\d policies to read all of them", fault)
    assert "IAM allows 10 per role; list fewer secrets, give them shorter names, or" in fault
    halves = {
        "first": {**code, "secrets": names[:150]},
        "second": {**code, "secrets": names[150:]},
    }
    assert read({"secrets": secrets, "functions": halves})


def test_a_name_of_another_seeder_is_reserved() -> None:
    code = {"code": "handler/app.py", "handler": "app.lambda_handler"}
    (fault,) = faults({"secrets": {"a": RANDOM}, "functions": {"seeder-2": code}})
    assert "functions.seeder-2 is reserved for the function that generates" in fault

"""Secrets join and leave a rotation group while they rotate under traffic."""

from dataclasses import replace

import pytest

from local import deployment
from local.config.project import Stack, load
from local.deployment import Deployment, with_local_config
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine, Step
from local.lifecycle.patches import patched
from local.proofs import traffic
from local.proofs.role_access import READ, read_as
from tests.engine.cli import needs_cli
from tests.engine.test_drift_jobs import Rotations
from tests.recording import ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

SCHEDULE = "aws:secretsmanager/secretRotation:SecretRotation"
GROUPS = {"keys": {"session", "second-key"}, "users": {"database", "second-user"}}


def alone() -> Stack:
    """Return staging with two keys and two users of a server, each with its own function."""
    staging = load(ROOT, "staging")
    database = staging.section("secrets")["database"]
    user = {**database, "fields": {**database["fields"], "username": "second"}}
    key = {"generate": {"key": {}}, "rotation": {"strategy": "random", "everyDays": 30}}
    user["rotation"] = {"strategy": "singleUser", "everyDays": 30}
    same = {"rotation": {"strategy": "singleUser", "adminSecret": None}}
    return patched(
        staging, {"secrets": {"database": same, "second-key": key, "second-user": user}}
    )


def grouped(stack: Stack) -> Stack:
    secrets = {
        name: {"rotation": {"group": group}} for group, names in GROUPS.items() for name in names
    }
    return patched(stack, {"secrets": secrets})


def up(engine: PulumiEngine, stack: Stack, made: Deployment) -> tuple[list[Step], Deployment]:
    engine.configure(with_local_config(stack))
    steps = engine.up()
    return steps, replace(made, stack=with_local_config(stack), record=engine.record())


def functions(made: Deployment) -> dict[str, str]:
    """Ask Secrets Manager for the function of each secret that rotates."""
    client, found = made.client("secretsmanager"), {}
    for name in made.rotating:
        described = client.describe_secret(SecretId=made.outputs["secret_arns"][name])
        assert described["RotationEnabled"], name
        found[name] = described["RotationLambdaARN"]
    assert found == made.outputs["rotation_function_arns"]
    return found


def role_of(made: Deployment, function: str) -> str:
    found = made.client("lambda").get_function_configuration(FunctionName=function)
    return str(found["Role"])


def test_secrets_join_and_leave_groups_and_keep_rotating(pulumi: Cli) -> None:
    stack = alone()
    layers = deployment.layer_arns(deployment.preview(stack))
    with deployment.account(stack, layers) as account, PulumiEngine(pulumi) as engine:
        made = deployment.deploy(account.stack, account.aws, server=account.server, pulumi=engine)
        own = functions(made)
        assert len(set(own.values())) == len(own) == 4

        rotations = Rotations(made)
        with traffic.Traffic(*traffic.callers(made, 2)) as calls:
            calls.wait_for_every_caller()
            rotations.start()
            joined, made = up(engine, grouped(account.stack), made)
            shared, role_reads = functions(made), {}
            for group, names in GROUPS.items():
                assert len({shared[name] for name in names}) == 1
                role_reads[group] = read_by_role(made, next(iter(names)))
            before = len(rotations.versions)
            calls.wait_for_requests(5)
            left, made = up(engine, account.stack, made)
            rotations.stop()

        assert role_reads == GROUPS
        for steps in (joined, left):
            assert {each.operation for each in steps if each.type == SCHEDULE} == {"update"}
        assert not set(functions(made).values()) & set(shared.values())
        assert rotations.errors == []
        assert len(rotations.versions) > before > 0
        assert not calls.failures
        assert engine.preview() == []


def test_groups_shrink_grow_and_change_their_name(pulumi: Cli) -> None:
    """Every secret keeps its value, rotates afterwards, and no role reads more than its group."""
    stack = grouped(alone())
    layers = deployment.layer_arns(deployment.preview(stack))
    changes: list[tuple[dict[str, str | None], dict[str, set[str]]]] = [
        ({"second-key": None}, {"keys": {"session"}}),
        ({"session": "signing"}, {"signing": {"session"}}),
        ({"second-key": "signing"}, {"signing": {"session", "second-key"}}),
        ({"second-user": "others"}, {"users": {"database"}, "others": {"second-user"}}),
    ]
    with deployment.account(stack, layers) as account, PulumiEngine(pulumi) as engine:
        made = deployment.deploy(account.stack, account.aws, server=account.server, pulumi=engine)
        wanted = account.stack
        for moved, groups in changes:
            patch = {name: {"rotation": {"group": group}} for name, group in moved.items()}
            wanted = patched(wanted, {"secrets": patch})
            before = versions(made)
            steps, made = up(engine, wanted, made)
            assert {each.operation for each in steps if each.type == SCHEDULE} == {"update"}
            assert versions(made) == before
            for names in groups.values():
                assert read_by_role(made, next(iter(names))) == names
            assert engine.preview() == []
            for name in made.rotating:
                traffic.rotate(made, made.outputs["secret_arns"][name])

        # A secret that no longer rotates leaves its group, which goes on.
        wanted = patched(wanted, {"secrets": {"second-key": {"rotation": None}}})
        steps, made = up(engine, wanted, made)
        assert [each.name for each in steps if each.type == SCHEDULE] == [
            "second-key-rotation-rotation"
        ]
        assert read_by_role(made, "session") == {"session"}
        traffic.rotate(made, made.outputs["secret_arns"]["session"])


def versions(made: Deployment) -> dict[str, str]:
    client, arns = made.client("secretsmanager"), made.outputs["secret_arns"]
    return {name: client.get_secret_value(SecretId=arn)["VersionId"] for name, arn in arns.items()}


def read_by_role(made: Deployment, secret: str) -> set[str]:
    """Return the secrets that the role of the function that rotates one can read."""
    arns = made.outputs["secret_arns"]
    role = role_of(made, made.outputs["rotation_function_arns"][secret])
    read = read_as(made.client, role, list(arns.values()))
    return {name for name, arn in arns.items() if read[arn] == READ}

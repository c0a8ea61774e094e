"""What the program makes of existing secrets and readers, under a stack file with a network."""

import json
from collections.abc import Mapping
from typing import Any

from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.recording import ACCOUNT, PROJECT, ROOT, Recording, by_type, only

REGION, AWAY = "us-east-1", "us-west-2"
OTHER = "210987654321"


def arn(name: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"


def key(account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:kms:{region}:{account}:key/0a1b2c3d-{account}"


EXISTING = {
    "own": {"existing": arn("own/api"), "keyArn": key()},
    "prefixed": {"existing": arn(f"{PROJECT}/test/more")},
    "theirs": {"existing": arn("their/api", OTHER), "keyArn": key(OTHER)},
    "away": {"existing": arn("own/api", region=AWAY), "keyArn": key(region=AWAY)},
}


def planned(**changes: Any) -> BuiltInEngine:
    sections = {
        "secrets": {"session": {"generate": {"key": {}}}, **EXISTING},
        "function": {"secret": "session", "secrets": ["session", *EXISTING]},
        **changes,
    }
    stack = project.Stack(ROOT, PROJECT, "test", {"aws:region": REGION}, (), ())
    engine = BuiltInEngine(Recording())
    engine.run(stack.changed(**sections))
    return engine


def statements(inputs: Mapping[str, Any], field: str = "policy") -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(inputs[field])["Statement"]}


def test_the_endpoint_lets_through_the_existing_secrets_of_its_region() -> None:
    network = {
        "subnetIds": ["subnet-a", "subnet-b"],
        "vpcId": "vpc-0123456789abcdef0",
        "egress": "endpoints",
        "securityGroupIds": ["sg-1"],
    }
    endpoint = only(planned(network=network).registrations, "VpcEndpoint")
    assert statements(endpoint.inputs)["ExistingSecrets"]["Resource"] == sorted(
        EXISTING[name]["existing"] for name in ("own", "prefixed", "theirs")
    )


def test_alarms_are_about_the_existing_secrets_of_this_account_and_region() -> None:
    function = {"secret": "session", "secrets": ["session", *EXISTING], "telemetry": True}
    watched = {"audit": {"trail": "own"}, "monitoring": {"enabled": True}}
    made = planned(function=function, **watched).registrations
    patterns = " ".join(each.inputs["pattern"] for each in by_type(made, "LogMetricFilter"))
    assert ":secret:own/api-AbCdEf" in patterns
    assert key().rpartition("/")[2] in patterns
    # One with the prefix of the environment's own is among those.
    assert f"{PROJECT}/test/more" not in patterns
    assert "their/api" not in patterns
    assert OTHER not in patterns
    (query,) = (
        each["properties"]["query"]
        for each in json.loads(only(made, ":Dashboard").inputs["dashboardBody"])["widgets"]
        if each["properties"]["title"] == "Who reads?"
    )
    assert r"(own\/api)" in query


def test_a_role_reads_existing_secrets_each_under_its_own_key() -> None:
    made = planned().registrations
    (inline,) = (each for each in by_type(made, "RolePolicy") if "existing" in each.name)
    found = statements(inline.inputs)
    assert found.pop("ReadExistingSecrets")["Resource"] == sorted(
        each["existing"] for each in EXISTING.values()
    )
    context = "kms:EncryptionContext:SecretARN"
    assert {
        each["Resource"]: each["Condition"]["StringLike"][context] for each in found.values()
    } == {
        key(): ["arn:*:secret:own/api-AbCdEf"],
        key(OTHER): ["arn:*:secret:their/api-AbCdEf"],
        key(region=AWAY): ["arn:*:secret:own/api-AbCdEf"],
    }


def test_only_what_a_reader_of_another_account_reads_is_shared_with_it() -> None:
    role = f"arn:aws:iam::{OTHER}:role/reporting"
    secrets: dict[str, Any] = {name: {"generate": {"key": {}}} for name in ("a", "b")}
    engine = planned(
        secrets=secrets,
        function={"secret": "a", "secrets": ["a"]},
        readers={"reporting": {"role": role, "secrets": ["a"]}},
    )
    (policy,) = by_type(engine.registrations, "secretPolicy:SecretPolicy")
    (grant,) = statements(policy.inputs).values()
    assert grant["Principal"] == {"AWS": [role]}
    decrypt = statements(only(engine.registrations, "key:Key").inputs)["DecryptForReader1"]
    assert decrypt["Principal"] == {"AWS": role}
    assert decrypt["Condition"]["StringLike"]["kms:EncryptionContext:SecretARN"] == [
        f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:{PROJECT}/test/a-??????"
    ]
    assert engine.outputs["read_policy_arns"].keys() == {"reader"}

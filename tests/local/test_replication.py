"""A stack with replicas, deployed: each under its region's key, and read by the role there too."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.deployment import Deployment
from local.proofs import role_access
from tests.recording import PROJECT, planned, stack

AWAY, ELSEWHERE = "us-west-2", "eu-west-1"


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    secrets = json.loads(stack("dev").config[f"{PROJECT}:secrets"])
    secrets["session"]["rotation"] = {"strategy": "random"}
    with deployment.running(stack("dev", replicaRegions=[AWAY], secrets=secrets)) as made:
        yield made


def read_in(made: Deployment, region: str, role: str, *secret_ids: str) -> dict[str, str]:
    return role_access.read_as(lambda service: made.aws.client(service, region), role, secret_ids)


def names(made: Deployment) -> list[str]:
    secrets = made.client("secretsmanager").list_secrets()["SecretList"]
    return [secret["Name"] for secret in secrets]


def test_each_region_costs_a_key_and_its_alias() -> None:
    def types(regions: list[str]) -> list[str]:
        return sorted(each.type for each in planned("dev", replicaRegions=regions).registrations)

    more = types([AWAY, ELSEWHERE])
    for each in types([]):
        more.remove(each)
    assert more == 2 * ["aws:kms/alias:Alias"] + 2 * ["aws:kms/key:Key"] + 2 * [
        "lambda-secrets:index:EncryptionKey"
    ]


def test_every_secret_is_replicated_under_the_key_of_the_region(deployed: Deployment) -> None:
    secrets, kms = deployed.client("secretsmanager"), deployed.aws.client("kms", AWAY)
    key = kms.describe_key(KeyId=f"alias/{PROJECT}/dev")["KeyMetadata"]
    assert key["MultiRegion"] is False
    assert f":{AWAY}:" in key["Arn"]
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    for name in names(deployed):
        (status,) = secrets.describe_secret(SecretId=name)["ReplicationStatus"]
        assert (status["Region"], status["Status"]) == (AWAY, "InSync")
        assert status["KmsKeyId"] == key["Arn"]


def test_what_the_seeder_wrote_at_home_is_read_from_the_replica(deployed: Deployment) -> None:
    away = deployed.aws.client("secretsmanager", AWAY)
    for name in names(deployed):
        replica = away.get_secret_value(SecretId=name)["SecretString"]
        assert replica == deployed.secret_text(name)


def test_the_role_reads_the_replicas_and_nothing_else_there(deployed: Deployment) -> None:
    away = deployed.aws.client("secretsmanager", AWAY)
    away.create_secret(Name=f"{PROJECT}/dev/other", SecretString="x")
    role = deployed.outputs["role_arn"]
    outcomes = read_in(deployed, AWAY, role, *names(deployed), f"{PROJECT}/dev/other")
    other = outcomes.pop(f"{PROJECT}/dev/other")
    assert set(outcomes.values()) == {role_access.READ}
    assert "secretsmanager:GetSecretValue" in other


def test_the_role_reads_no_replica_in_a_region_of_nobodys_choice(deployed: Deployment) -> None:
    secrets, (name, *_) = deployed.client("secretsmanager"), names(deployed)
    asked = [{"Region": ELSEWHERE}]  # under AWS's own key, which stops nobody
    secrets.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=asked)
    try:
        (outcome,) = read_in(deployed, ELSEWHERE, deployed.outputs["role_arn"], name).values()
    finally:
        secrets.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=[ELSEWHERE])
    assert "AccessDeniedException" in outcome


def test_without_the_grant_for_the_regions_key_the_role_is_refused_there_only(
    deployed: Deployment,
) -> None:
    home_key, role = deployed.outputs["key_arn"], deployed.outputs["role_arn"]

    def without_the_other_key(statement: dict[str, Any]) -> bool:
        if home_key in statement["Resource"]:
            statement["Resource"] = home_key
        return True

    with role_access.role_copy(deployed.client, role, without_the_other_key) as copy:
        (at_home,) = read_in(deployed, deployed.stack.region, copy, names(deployed)[0]).values()
        (there,) = read_in(deployed, AWAY, copy, names(deployed)[0]).values()
    assert at_home == role_access.READ
    assert "Access to KMS is not allowed" in there


def test_what_a_rotation_writes_is_read_from_the_replica(deployed: Deployment) -> None:
    secrets, name = deployed.client("secretsmanager"), f"{PROJECT}/dev/session"
    before = deployed.secret_text(name)
    deadline = time.monotonic() + 60
    # What is tried when a rotation is set up has a version of its own for a moment.
    while len(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    secrets.rotate_secret(SecretId=name)
    while deployed.secret_text(name) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    away = deployed.aws.client("secretsmanager", AWAY)
    assert away.get_secret_value(SecretId=name)["SecretString"] == deployed.secret_text(name)
    (status,) = secrets.describe_secret(SecretId=name)["ReplicationStatus"]
    assert status["Status"] == "InSync"


def test_a_replica_is_out_of_the_seeders_reach(deployed: Deployment) -> None:
    (seeder,) = {
        role["Arn"]
        for role in deployed.client("iam").list_roles()["Roles"]
        if "-seeder-role-" in role["RoleName"]
    }
    (outcome,) = read_in(deployed, AWAY, seeder, names(deployed)[0]).values()
    assert "AccessDeniedException" in outcome


def test_the_function_knows_the_regions_and_reads_at_home(deployed: Deployment) -> None:
    assert deployed.functions["reader"].environment["SECRETS_REPLICA_REGIONS"] == AWAY
    assert deployed.functions["reader"].invoke().body["message"].endswith("the extension")

import json
from typing import Any

import pytest

from local.provider.provider import DeploymentError, HalfMadeError
from tests.provider.specimen import World
from tests.provider.specimens import secretsmanager as specimens

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"


def test_a_secret_in_its_recovery_window_is_gone_and_its_name_taken(world: World) -> None:
    inputs = world.checked(SECRET, "specimen", name="window")
    id_, state = world.provider.create(SECRET, "specimen", inputs)

    world.provider.delete(SECRET, "specimen", id_, state)

    described = world.client("secretsmanager").describe_secret(SecretId=id_)
    assert "DeletedDate" in described
    assert world.provider.read(SECRET, "specimen", id_, state) is None
    with pytest.raises(DeploymentError, match="scheduled for deletion"):
        world.provider.create(SECRET, "specimen", inputs)


def test_a_secret_whose_policy_is_refused_is_kept(world: World) -> None:
    inputs = world.checked(
        SECRET, "specimen", name="half", policy='["no policy"]', recoveryWindowInDays=0
    )

    with pytest.raises(HalfMadeError, match="MalformedPolicyDocument") as refused:
        world.provider.create(SECRET, "specimen", inputs)

    assert refused.value.state["name"] == "half"
    world.provider.delete(SECRET, "specimen", refused.value.id, refused.value.state)


def test_a_policy_of_its_own_resource_is_no_difference_of_the_secret(world: World) -> None:
    arn = specimens.secret(world)
    state = world.make(SECRET, "a-secret")
    world.make(POLICY, "policy", secretArn=arn, policy=specimens.policy(world))

    refreshed = world.provider.read(SECRET, "a-secret", arn, state)

    assert refreshed is not None
    assert json.loads(refreshed["policy"]) == json.loads(specimens.policy(world))
    inputs = world.checked(SECRET, "specimen", name=state["name"], recoveryWindowInDays=0)
    assert world.provider.diff(SECRET, refreshed, inputs).changed == set()


def test_replicas_that_leave_the_program_are_removed(world: World) -> None:
    # Since https://github.com/hashicorp/terraform-provider-aws/pull/39235
    inputs = world.checked(
        SECRET,
        "specimen",
        name="replicated",
        recoveryWindowInDays=0,
        replicas=specimens.replicas(world),
    )
    id_, state = world.provider.create(SECRET, "specimen", inputs)
    without = {key: value for key, value in inputs.items() if key != "replicas"}
    assert world.provider.diff(SECRET, state, without).changed == {"replicas"}
    state = world.provider.update(SECRET, "specimen", id_, state, without)
    secret = world.client("secretsmanager").describe_secret(SecretId=id_)
    assert secret.get("ReplicationStatus", []) == []
    world.provider.delete(SECRET, "specimen", id_, state)


def test_a_newer_value_put_by_hand_is_no_difference(world: World) -> None:
    arn = specimens.secret(world)
    inputs = world.checked(VERSION, "specimen", secretId=arn, secretString="one")
    id_, state = world.provider.create(VERSION, "specimen", inputs)

    world.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="by hand")

    refreshed = world.provider.read(VERSION, "specimen", id_, state)
    assert refreshed is not None
    assert refreshed["versionStages"] == ["AWSPREVIOUS"]
    assert world.provider.diff(VERSION, refreshed, inputs).changed == set()


def test_a_value_that_is_deleted_stays_the_current_one(world: World) -> None:
    arn = specimens.secret(world)
    inputs = world.checked(VERSION, "specimen", secretId=arn, secretString="one")
    id_, state = world.provider.create(VERSION, "specimen", inputs)

    world.provider.delete(VERSION, "specimen", id_, state)

    value = world.client("secretsmanager").get_secret_value(SecretId=arn)
    assert value["SecretString"] == "one"


def test_rotate_immediately_alone_rotates_nothing(world: World) -> None:
    arn = specimens.secret_with_value(world)
    inputs = world.checked(
        ROTATION,
        "specimen",
        secretId=arn,
        rotationLambdaArn=specimens.rotator(world),
        rotateImmediately=False,
        rotationRules={"automaticallyAfterDays": 30},
    )
    id_, state = world.provider.create(ROTATION, "specimen", inputs)

    def calls() -> int:
        attributes = [{"AttributeKey": "EventName", "AttributeValue": "RotateSecret"}]
        found = world.client("cloudtrail").lookup_events(LookupAttributes=attributes)["Events"]
        return sum(arn in each["CloudTrailEvent"] for each in found)

    assert calls() == 1
    wanted = inputs | {"rotateImmediately": True}
    state = world.provider.update(ROTATION, "specimen", id_, state, wanted)
    assert calls() == 1
    wanted |= {"rotationRules": {"automaticallyAfterDays": 31}}
    world.provider.update(ROTATION, "specimen", id_, state, wanted)
    assert calls() > 1


@pytest.mark.parametrize(
    ("type_", "inputs", "path"),
    [
        (SECRET, {"name": "a secret"}, "name"),
        (SECRET, {"name": "a" * 513}, "name"),
        (SECRET, {"recoveryWindowInDays": 6}, "recoveryWindowInDays"),
        (SECRET, {"policy": "{"}, "policy"),
        (SECRET, {"replicas": [{"kmsKeyId": "a"}]}, "replicas[0].region"),
        (POLICY, {"secretArn": "a", "policy": "{}"}, "secretArn"),
        (ROTATION, {"secretId": "a"}, "rotationRules"),
        (ROTATION, {"secretId": "a", "rotationRules": {"duration": "3h"}}, "rotationRules"),
        (
            ROTATION,
            {
                "secretId": "a",
                "rotationEnabled": False,
                "rotationRules": {"automaticallyAfterDays": 1},
            },
            "rotationRules",
        ),
        (
            ROTATION,
            {"secretId": "a", "rotationRules": {"automaticallyAfterDays": 1001}},
            "rotationRules.automaticallyAfterDays",
        ),
    ],
)
def test_a_preview_refuses(world: World, type_: str, inputs: dict[str, Any], path: str) -> None:
    assert [key for key, _ in world.provider.check(type_, "name", inputs)[1]] == [path]

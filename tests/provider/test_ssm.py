import json
from typing import Any

import pytest

from local.provider.wire import UNKNOWN
from tests.provider.specimen import World

PARAMETER = "aws:ssm/parameter:Parameter"


def _made(world: World, **inputs: Any) -> dict[str, Any]:
    return world.make(PARAMETER, "parameter", name="/a/parameter", **inputs)


def test_a_plain_value_changed_by_hand_is_seen_and_stays_the_plain_one(world: World) -> None:
    state = _made(world, type="String", insecureValue="one")
    assert state["value"] is None

    world.client("ssm").put_parameter(Name="/a/parameter", Value="two", Overwrite=True)

    read = world.provider.read(PARAMETER, "parameter", state["id"], state)
    assert read is not None
    assert (read["insecureValue"], read["value"], read["version"]) == ("two", None, 2)


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [("Advanced", "Standard", True), ("Standard", "Advanced", False)],
)
def test_only_a_lower_tier_makes_another_parameter(
    world: World, old: str, new: str, *, replaced: bool
) -> None:
    state = _made(world, type="String", value="one", tier=old)
    found = world.provider.diff(PARAMETER, state, state | {"tier": new})
    assert found.changed == {"tier"}
    assert bool(found.replaces) == found.delete_first == replaced


def test_the_tier_that_aws_chooses_is_no_difference(world: World) -> None:
    state = _made(world, type="String", value="one", tier="Intelligent-Tiering")
    assert world.provider.diff(PARAMETER, state, state).changed == set()


def test_a_secure_string_takes_no_plain_value(world: World) -> None:
    given = {"name": "/a", "type": "SecureString", "insecureValue": "shown"}
    _, failures = world.provider.check(PARAMETER, "parameter", given)
    assert [path for path, _ in failures] == ["insecureValue"]


def test_a_new_value_keeps_the_key_that_the_program_does_not_name(world: World) -> None:
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    state = _made(world, type="SecureString", value="one", keyId=key)
    inputs = {k: state[k] for k in ("name", "type", "tier")} | {"value": "two"}

    updated = world.provider.update(PARAMETER, "parameter", state["id"], state, inputs)

    assert (updated["value"], updated["keyId"]) == ("two", key)


def test_a_preview_does_not_know_the_version_of_a_new_value(world: World) -> None:
    state = _made(world, type="String", value="one")
    planned = world.provider.updated(PARAMETER, state, state | {"value": "two"})
    assert planned["version"] == UNKNOWN
    planned = world.provider.updated(PARAMETER, state, state | {"allowedPattern": ".*"})
    assert planned["version"] == 1


def test_no_refusal_shows_the_value(world: World) -> None:
    given = {"name": "/a", "type": "Secret", "value": "a secret", "insecureValue": "a secret"}
    _, failures = world.provider.check(PARAMETER, "parameter", given)
    assert {path for path, _ in failures} == {"type", "insecureValue"}
    assert "a secret" not in json.dumps(failures)

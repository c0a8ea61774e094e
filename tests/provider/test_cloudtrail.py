"""What the contract does not try of a trail: its selectors."""

from typing import Any

import pytest

from local.provider.provider import DeploymentError, HalfMadeError
from tests.provider.specimen import World
from tests.provider.specimens.s3 import bucket

TRAIL = "aws:cloudtrail/trail:Trail"
ADVANCED = [
    {
        "name": "secrets",
        "fieldSelectors": [
            {"field": "eventCategory", "equals": ["Management"]},
            {"field": "eventSource", "notStartsWiths": ["kms"], "notEndsWiths": ["x", "y"]},
        ],
    }
]


def checked(world: World, **given: Any) -> dict[str, Any]:
    return world.checked(TRAIL, "trail", **{"s3BucketName": "a-bucket", **given})


def trail(world: World, **given: Any) -> dict[str, Any]:
    return world.make(TRAIL, "trail", s3BucketName=bucket(world), **given)


def test_advanced_selectors_are_read_back_and_cannot_be_taken_away(world: World) -> None:
    state = trail(world, advancedEventSelectors=ADVANCED)
    given = {"name": state["name"], "s3BucketName": state["s3BucketName"]}
    told = {key: each for key, each in state.items() if key != "advancedEventSelectors"}
    read = world.provider.read(TRAIL, "trail", state["id"], told)
    assert read is not None
    inputs = checked(world, **given, advancedEventSelectors=ADVANCED)
    assert not world.provider.diff(TRAIL, read, inputs).changed

    with pytest.raises(DeploymentError, match="InvalidEventSelectorsException"):
        world.provider.update(TRAIL, "trail", state["id"], state, checked(world, **given))


def test_the_default_selector_is_not_told_and_no_difference(world: World) -> None:
    selectors = [{"readWriteType": "All", "includeManagementEvents": True}]
    state = trail(world, eventSelectors=selectors)
    given = {"name": state["name"], "s3BucketName": state["s3BucketName"]}
    read = world.provider.read(TRAIL, "trail", state["id"], state)
    assert read is not None
    inputs = checked(world, **given, eventSelectors=selectors)
    assert not world.provider.diff(TRAIL, read, inputs).changed
    found = world.provider.find(TRAIL, "trail", state["id"])
    assert found is not None
    assert "eventSelectors" not in found[1]


def test_a_trail_that_somebody_narrowed_or_stopped_is_seen(world: World) -> None:
    state = trail(world)
    cloudtrail = world.client("cloudtrail")
    cloudtrail.stop_logging(Name=state["id"])
    cloudtrail.put_event_selectors(
        TrailName=state["id"], EventSelectors=[{"ReadWriteType": "WriteOnly"}]
    )
    read = world.provider.read(TRAIL, "trail", state["id"], state)
    assert read is not None
    inputs = checked(world, name=state["name"], s3BucketName=state["s3BucketName"])
    assert world.provider.diff(TRAIL, read, inputs).changed == {"enableLogging", "eventSelectors"}
    world.provider.update(TRAIL, "trail", state["id"], read, inputs)
    assert cloudtrail.get_trail_status(Name=state["id"])["IsLogging"]
    (selector,) = cloudtrail.get_event_selectors(TrailName=state["id"])["EventSelectors"]
    assert selector["ReadWriteType"] == "All"


def test_a_trail_whose_selectors_are_refused_is_half_made(world: World) -> None:
    nowhere = [{"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}]
    inputs = checked(world, s3BucketName=bucket(world))
    inputs |= {"eventSelectors": [{}] * 6, "advancedEventSelectors": nowhere}
    with pytest.raises(HalfMadeError, match="InvalidEventSelectorsException") as refused:
        world.provider.create(TRAIL, "trail", inputs)
    assert refused.value.state["enableLogging"] is True
    world.provider.delete(TRAIL, "trail", refused.value.id, refused.value.state)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "ab"}, "name"),
        ({"kmsKeyId": "alias/key"}, "kmsKeyId"),
        ({"cloudWatchLogsRoleArn": "role"}, "cloudWatchLogsRoleArn"),
        ({"eventSelectors": [{}] * 6}, "eventSelectors"),
        ({"eventSelectors": [{"readWriteType": "Both"}]}, "eventSelectors[0].readWriteType"),
        ({"eventSelectors": [{}], "advancedEventSelectors": ADVANCED}, "eventSelectors"),
        ({"insightSelectors": [{"insightType": "Any"}]}, "insightSelectors[0].insightType"),
    ],
)
def test_the_preview_refuses(world: World, given: dict[str, Any], path: str) -> None:
    refused = world.provider.check(TRAIL, "trail", {"s3BucketName": "a-bucket", **given})[1]
    assert [each for each, _ in refused] == [path]

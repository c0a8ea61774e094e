"""What SNS's resources do beyond the contract of all types."""

from typing import Any

import pytest

from local.provider import sns
from local.provider.provider import HalfMadeError
from tests.provider.specimen import World
from tests.provider.specimens.sns import topic

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


def given(world: World, endpoint: str, **inputs: Any) -> dict[str, Any]:
    protocol = "https" if "://" in endpoint else "email"
    about = {"topic": topic(world), "protocol": protocol, "endpoint": endpoint}
    return world.checked(SUBSCRIPTION, "s", **{**about, **inputs})


def test_mail_that_nobody_confirmed_outlives_its_deletion(world: World) -> None:
    inputs = given(world, "ops@example.com")
    id_, state = world.provider.create(SUBSCRIPTION, "s", inputs)
    assert state["pendingConfirmation"] is True

    world.provider.delete(SUBSCRIPTION, "s", id_, state)

    assert world.provider.read(SUBSCRIPTION, "s", id_, state)


def test_a_url_that_confirms_by_itself_and_does_not_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "_CONFIRMED_WITHIN_SECONDS", 0.2)
    inputs = given(world, "https://127.0.0.1:1/", endpointAutoConfirms=True)

    with pytest.raises(HalfMadeError, match="still pending") as error:
        world.provider.create(SUBSCRIPTION, "s", inputs)

    assert error.value.state["pendingConfirmation"] is True


def test_a_url_with_a_password_is_subscribed_again_by_each_up(world: World) -> None:
    inputs = given(world, "https://user:hidden@127.0.0.1:1/")
    id_, state = world.provider.create(SUBSCRIPTION, "s", inputs)

    read = world.provider.read(SUBSCRIPTION, "s", id_, state)

    assert read is not None
    assert world.provider.diff(SUBSCRIPTION, read, inputs).replaces == {"endpoint"}


@pytest.mark.parametrize(
    ("name", "is_fifo", "refused"),
    [
        ("a", False, []),
        ("a.fifo", True, []),
        ("a", True, ["name"]),
        ("a.fifo", False, ["name"]),
        ("a b", False, ["name"]),
    ],
)
def test_the_name_of_a_topic_says_whether_it_keeps_an_order(
    world: World, name: str, refused: list[str], *, is_fifo: bool
) -> None:
    _, failures = world.provider.check(
        "aws:sns/topic:Topic", "t", {"name": name, "fifoTopic": is_fifo}
    )
    assert [path for path, _ in failures] == refused

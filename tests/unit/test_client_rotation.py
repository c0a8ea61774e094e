"""The retrieval client while a secret is rotated."""

from types import SimpleNamespace

import pytest

from secret_client import AccessDenied, SecretClient, SecretNotFound, Throttled, Unavailable, Value
from tests import scripted
from tests.scripted import Aws, Clock, Server
from tests.unit.client_support import BROKEN, CHECK, DOWN, left


class Refused(Exception):  # noqa: N818 (as the client names its own)
    """The database's words for: wrong password."""


class Rotated:
    """A service that takes certain passwords only."""

    def __init__(self, *right: str) -> None:
        self.right = right
        self.tried: list[str] = []

    def log_in(self, value: Value) -> str:
        self.tried.append(value.text)
        if value.text not in self.right:
            raise Refused(value.version)
        return f"with {value.text}"


def is_refused(error: Exception) -> bool:
    return isinstance(error, Refused)


@pytest.fixture
def rotating(extension: Server, aws: Aws) -> SecretClient:
    """v1 in the extension's cache, v2 current, v3 pending."""
    extension.script(scripted.secret("v1", VersionId="1"))
    current, pending = scripted.aws_secret("v2", "2"), scripted.aws_secret("v3", "3")
    aws.script(scripted.by_stage(AWSCURRENT=current, AWSPENDING=pending))
    return SecretClient(make_client=aws.client)


@pytest.mark.parametrize(
    ("right", "tried"), [("v1", ["v1"]), ("v2", ["v1", "v2"]), ("v3", ["v1", "v2", "v3"])]
)
def test_credentials_are_tried_as_cached_as_current_and_as_pending(
    rotating: SecretClient, right: str, tried: list[str]
) -> None:
    service = Rotated(right)
    used = rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert (used, service.tried) == (f"with {right}", tried)


def test_credentials_that_helped_once_come_first_the_next_time(rotating: SecretClient) -> None:
    rotating.with_fresh_credentials("s", Rotated("v2").log_in, is_refused)
    service = Rotated("v2")
    rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v2"]


def test_when_nothing_helps_the_last_refusal_is_raised(rotating: SecretClient) -> None:
    service = Rotated()
    with pytest.raises(Refused, match=r"^3$"):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1", "v2", "v3"]


def test_a_version_that_was_refused_is_not_tried_again(rotating: SecretClient, aws: Aws) -> None:
    aws.script(scripted.aws_secret("v1", "1"))
    service = Rotated()
    with pytest.raises(Refused, match=r"^1$"):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1"]


def test_another_error_of_the_use_passes_through_at_once(rotating: SecretClient, aws: Aws) -> None:
    def use(_: Value) -> None:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        rotating.with_fresh_credentials("s", use, is_refused)
    assert aws.requests == []


def test_when_nothing_can_be_read_that_is_the_error(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error("AccessDeniedException", "no"))
    service = Rotated()
    with pytest.raises(AccessDenied):
        rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == []


def test_a_first_read_that_nobody_answered_is_tried_once_more(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN, scripted.secret("v1", VersionId="1"))
    aws.script(DOWN)
    service = Rotated("v1")
    used = rotating.with_fresh_credentials("s", service.log_in, is_refused, context=left(60))
    assert used == "with v1"
    assert (len(extension.requests), len(aws.requests)) == (2, 1)


def test_a_first_read_without_a_context_has_no_second_try(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN)
    with pytest.raises(Unavailable):
        rotating.get_secret("s")
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_later_read_is_tried_once_more_when_the_cached_value_is_too_old(
    rotating: SecretClient, aws: Aws, extension: Server, clock: Clock
) -> None:
    rotating.get_secret("s")
    extension.script(BROKEN, scripted.secret("v1", VersionId="1"))
    aws.script(DOWN)
    clock.move(300)
    assert rotating.get_secret("s", context=left(60)).text == "v1"
    assert (len(extension.requests), len(aws.requests)) == (2, 1)


def test_a_later_read_that_a_cached_value_serves_is_not_tried_again(
    rotating: SecretClient, aws: Aws, extension: Server, clock: Clock
) -> None:
    value = rotating.get_secret("s")
    extension.script(BROKEN)
    aws.script(DOWN)
    clock.move(120)
    assert rotating.get_secret("s", context=left(60)) is value
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_refresh_that_nobody_answered_is_not_tried_again(
    rotating: SecretClient, aws: Aws
) -> None:
    aws.script(DOWN)
    with pytest.raises(Unavailable):
        rotating.get_secret("s", refresh=True, context=left(60))
    assert len(aws.requests) == 1


def test_a_first_read_of_a_parameter_is_tried_once_more_too(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN, scripted.parameter())
    aws.script(DOWN)
    assert rotating.get_parameter("/p", context=left(60)).source == "extension"
    assert (len(extension.requests), len(aws.requests)) == (2, 1)


def test_a_first_read_that_nobody_answers_is_tried_four_times(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN, scripted.aws_error("KMSInternalException"))
    service = Rotated()
    with pytest.raises(Unavailable, match=r"AWS answered 503") as raised:
        rotating.with_fresh_credentials("s", service.log_in, is_refused, context=left(60))
    assert len(raised.value.__notes__) == 3
    assert all("KMSInternalException" in note for note in raised.value.__notes__)
    assert (service.tried, len(extension.requests), len(aws.requests)) == ([], 4, 4)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_first_read_that_was_answered_is_not_tried_again(
    rotating: SecretClient, aws: Aws, extension: Server, code: str
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error(code))
    with pytest.raises((AccessDenied, Throttled)):
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=left(60))
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_a_first_read_is_not_tried_again_without_time_left(
    rotating: SecretClient, aws: Aws, extension: Server
) -> None:
    extension.script(BROKEN)
    aws.script(DOWN)
    times = iter([60_000, 0])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(times))
    with pytest.raises(Unavailable, match=r"AWS answered 503"):
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=context)
    assert (len(extension.requests), len(aws.requests)) == (1, 1)


def test_when_nothing_newer_can_be_read_the_refusal_is_the_error(
    rotating: SecretClient, aws: Aws
) -> None:
    aws.script(scripted.aws_error("ResourceNotFoundException", "no"))
    with pytest.raises(Refused) as raised:
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused)
    assert str(raised.value) == "1"
    assert set(raised.value.__notes__) == {f"s: ResourceNotFoundException: no; {CHECK}"}


def test_a_rotation_that_ends_between_two_reads_is_not_noticed(
    rotating: SecretClient, aws: Aws
) -> None:
    """AWSCURRENT is read as v1 still, then the rotation ends, and nothing is pending any more."""
    missing = scripted.aws_error("ResourceNotFoundException")
    aws.script(scripted.aws_secret("v1", "1"), missing, scripted.aws_secret("v2", "2"))
    service = Rotated("v2")
    assert rotating.with_fresh_credentials("s", service.log_in, is_refused) == "with v2"
    assert service.tried == ["v1", "v2"]


def test_every_read_for_a_use_is_bound_by_the_context(rotating: SecretClient) -> None:
    asked = []

    def remaining() -> int:
        asked.append(1)
        return 60_000

    context = SimpleNamespace(get_remaining_time_in_millis=remaining)
    with pytest.raises(Refused):
        rotating.with_fresh_credentials("s", Rotated().log_in, is_refused, context=context)
    assert len(asked) == 4


def test_pending_is_tried_when_current_cannot_be_read(rotating: SecretClient, aws: Aws) -> None:
    aws.script(
        scripted.by_stage(
            AWSCURRENT=scripted.aws_error("ThrottlingException"),
            AWSPENDING=scripted.aws_secret("v3", "3"),
        )
    )
    service = Rotated("v3")
    rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert service.tried == ["v1", "v3"]


def test_what_is_refused_again_and_again_is_not_asked_for_each_time(
    rotating: SecretClient, aws: Aws, clock: Clock
) -> None:
    service = Rotated()
    for _ in range(100):
        with pytest.raises(Refused):
            rotating.with_fresh_credentials("s", service.log_in, is_refused)
    assert len(aws.requests) == 9, "three in each of the first three"
    clock.move(6)
    service.right = ("v2",)
    assert rotating.with_fresh_credentials("s", service.log_in, is_refused) == "with v2"
    service.right = ("v3",)
    assert rotating.with_fresh_credentials("s", service.log_in, is_refused) == "with v3"


def test_a_secret_that_is_missing_again_and_again_is_not_asked_for_each_time(
    extension: Server, aws: Aws, clock: Clock
) -> None:
    extension.script(BROKEN)
    aws.script(scripted.aws_error("ResourceNotFoundException", "no"))
    client = SecretClient(make_client=aws.client)
    for _ in range(100):
        with pytest.raises(SecretNotFound):
            client.get_secret("s")
    assert len(aws.requests) == 3
    extension.script(scripted.secret("here"))
    clock.move(6)
    assert client.get_secret("s").text == "here"

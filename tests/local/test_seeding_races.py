"""A seeding and whoever else writes the secret at the same time: nobody's write is lost.

Each rival acts right before the first call of a seeding, before the second, and so on, which is
every point where it can come between; then, in a thread of its own, whenever it does. It
succeeds, or gets an error. What a write that succeeded has put is there in the end.
"""

import itertools
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

import seed
import seed_versions
from tests.local import rotation_support, seeding_support
from tests.local.rotation_support import Crash
from tests.local.seeding_support import Before, End, Seeded, Seeding, undisturbed

idle_function = rotation_support.idle_function
seeding, seeded_prefix = seeding_support.seeding, seeding_support.seeded_prefix

RACES = pytest.mark.parametrize(
    "races",
    [10, pytest.param(1000, marks=[pytest.mark.exhaustive, pytest.mark.timeout(900)])],
)


class Rival:
    """Acts on a secret; `lost` says afterwards whether what it did is undone."""

    first: ClassVar[dict[str, Any] | None] = {"host": "h", "password": "first"}
    """The secret's value at the beginning."""
    patience = 3.0
    """Seconds that a seeding waits for what it does to pass."""

    def __init__(self, secret: Seeded, function_arn: str) -> None:
        self.secret, self.function_arn = secret, function_arn
        self.refused = False

    def __call__(self) -> None:
        try:
            self.act()
        except (seed.SeedError, ClientError):
            self.refused = True

    def act(self) -> None:
        raise NotImplementedError

    def lost(self) -> bool:
        raise NotImplementedError


class AnotherSeeding(Rival):
    """A second deployment, of another field."""

    def act(self) -> None:
        self.secret.seed({"another": 1})

    def lost(self) -> bool:
        return not self.refused and self.secret.value().get("another") != 1


class AnotherFirstSeeding(Rival):
    """A second deployment, which generates the same password."""

    first = None

    def act(self) -> None:
        self.secret.seed({"another": 1}, {"password": {}})
        self.made = self.secret.value()["password"]

    def lost(self) -> bool:
        value = self.secret.value()
        return not self.refused and (value["password"] != self.made or value.get("another") != 1)


class Operator(Rival):
    """Somebody who puts a value by hand."""

    def act(self) -> None:
        self.note = uuid.uuid4().hex
        self.secret.put({**self.first, "note": self.note} if self.first else {"note": self.note})

    def lost(self) -> bool:
        return self.secret.value().get("note") != self.note


class FirstOperator(Operator):
    """Somebody who puts the first value by hand."""

    first = None


class Rotation(Rival):
    """A rotation begins, and makes the value that follows; the last step comes afterwards."""

    patience = 0.05  # nobody ends the rotation meanwhile

    def act(self) -> None:
        token = self.secret.begin_rotation(self.function_arn)
        self.current = self.secret.version("AWSCURRENT")
        self.made = {**self.secret.value(), "password": "rotated"}
        self.secret.put(self.made, ClientRequestToken=token, VersionStages=["AWSPENDING"])
        self.token = token

    def lost(self) -> bool:
        if self.refused:
            return False
        if self.secret.version("AWSPENDING") != self.token:
            return True  # abandoned
        try:
            self.secret.move(
                "AWSCURRENT", MoveToVersionId=self.token, RemoveFromVersionId=self.current
            )
        except ClientError:
            return True  # the value is of a version that is current no more
        return self.secret.value() != self.made


every_rival = pytest.mark.parametrize(
    "kind", [AnotherSeeding, AnotherFirstSeeding, Operator, FirstOperator, Rotation]
)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "_RETRY_SECONDS", 0.01)


def seed_near(rival: Rival, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Seed the rival's secret; return whether that was not refused."""
    monkeypatch.setattr(seed, "_WAIT_SECONDS", rival.patience)
    try:
        rival.secret.seed({"host": "new"}, {"password": {}})
    except seed.SeedError:
        return False
    return True


@every_rival
def test_whoever_comes_between_two_calls_of_a_seeding_loses_nothing(
    seeding: Seeding, idle_function: str, kind: type[Rival], monkeypatch: pytest.MonkeyPatch
) -> None:
    for call in itertools.count(1):
        rival = kind(seeding.secret(kind.first), idle_function)

        def act(rival: Rival = rival) -> None:
            monkeypatch.setattr(seed, "_WAIT_SECONDS", 0.0)  # the seeding waits for the rival
            rival()

        before = Before(call, act)
        seeding.watch(before)
        done = seed_near(rival, monkeypatch)
        if not before.happened:
            break
        host = rival.secret.value().get("host")
        assert not rival.lost(), call
        assert done or isinstance(rival, Rotation), call
        # An operator replaces the whole value, and may do so last.
        assert host == "new" or not done or isinstance(rival, Operator), call
    assert call > 3


@RACES
@every_rival
def test_nothing_is_lost_when_a_seeding_and_another_run_at_the_same_time(
    seeding: Seeding,
    idle_function: str,
    kind: type[Rival],
    races: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = 0
    for _ in range(races):
        rival = kind(seeding.secret(kind.first), idle_function)
        start = threading.Barrier(2)

        def act(rival: Rival = rival, start: threading.Barrier = start) -> None:
            start.wait()
            rival()

        other = threading.Thread(target=act)
        other.start()
        start.wait()
        done = seed_near(rival, monkeypatch)
        other.join()
        assert done or isinstance(rival, Rotation)
        lost += rival.lost()
    assert lost == 0


# --- what a seeding, or a test of a rotation, leaves behind --------------------------------------


@pytest.fixture
def minute_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return the function after which everything that was left behind is old enough."""
    return lambda: monkeypatch.setattr(seed_versions, "_ABANDONED_AFTER", timedelta(seconds=-1))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_next_seeding_goes_on_where_one_has_ended_at_any_call(
    seeding: Seeding, idle_function: str, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    for call in itertools.count(1):
        secret = seeding.secret({"host": "h", "password": "first"})
        seeding.watch(End(call, after=after))
        try:
            secret.seed({"host": "new"})
        except Crash:
            pass
        else:
            break
        seeding.watch(undisturbed)
        assert secret.value()["password"] == "first"
        with monkeypatch.context() as later:
            later.setattr(seed_versions, "_ABANDONED_AFTER", timedelta(seconds=-1))
            secret.seed({"host": "newer"})
        assert secret.value() == {"host": "newer", "password": "first"}
        secret.begin_rotation(idle_function)
        labels = secret.labels()
        assert sorted(label for each in labels.values() for label in each) == [
            "AWSCURRENT",
            "AWSPENDING",
            "AWSPREVIOUS",
        ]
    assert call > 6


def test_a_seeding_that_may_still_run_is_waited_for(
    seeding: Seeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "_WAIT_SECONDS", 0.0)
    secret = seeding.secret({"host": "h"})
    own = secret.put({"host": "x"}, ClientRequestToken="seeding-" + "0" * 32, VersionStages=["X"])
    secret.move("AWSPENDING", MoveToVersionId=own)
    with pytest.raises(seed.RotationUnderWay):
        secret.seed({"host": "new"})
    assert secret.version("AWSPENDING") == own


def test_an_empty_pending_version_blocks_no_seeding_after_a_minute(
    seeding: Seeding,
    idle_function: str,
    minute_later: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AWS may leave one when a rotation fails, or the test of one at the first deployment."""
    monkeypatch.setattr(seed, "_WAIT_SECONDS", 0.0)
    secret = seeding.secret({"host": "h"})
    token = secret.begin_rotation(idle_function)
    with pytest.raises(seed.RotationUnderWay):
        secret.seed({"host": "new"})
    assert secret.version("AWSPENDING") == token
    minute_later()
    secret.seed({"host": "new"})
    assert secret.value() == {"host": "new"}
    secret.begin_rotation(idle_function)  # which is refused where AWSPENDING is left


def test_a_pending_version_with_a_value_is_never_taken_for_abandoned(
    seeding: Seeding,
    idle_function: str,
    minute_later: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seed, "_WAIT_SECONDS", 0.0)
    secret = seeding.secret({"host": "h"})
    token = secret.begin_rotation(idle_function)
    secret.put({"host": "h"}, ClientRequestToken=token, VersionStages=["AWSPENDING"])
    minute_later()
    with pytest.raises(seed.RotationUnderWay):
        secret.seed({"host": "new"})
    assert secret.version("AWSPENDING") == token


def test_awspending_of_a_rotation_that_has_ended_blocks_no_seeding(seeding: Seeding) -> None:
    secret = seeding.secret({"host": "h"})
    secret.move("AWSPENDING", MoveToVersionId=secret.version("AWSCURRENT"))
    secret.seed({"host": "new"})
    assert secret.value() == {"host": "new"}
    assert secret.version("AWSPENDING") is None

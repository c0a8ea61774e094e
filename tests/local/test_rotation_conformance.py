"""The four steps, in this process, of every strategy: on the embedded AWS and a real PostgreSQL.

The secret's own function does nothing but fail, so that a rotation stays at its beginning: a
version with AWSPENDING and no value. The steps are then taken by the handler that is deployed,
with the credentials of a role, and of an admin of the database that is no superuser. The suite
runs on each PostgreSQL of this machine: the one of every other test, and, in `make test-all`, all
that `postgres_versions` finds.

"Nothing is lost" means, after whatever happened: AWSCURRENT works; for a single user, whose one
password has to change before AWSCURRENT can move, AWSCURRENT or AWSPENDING does.
"""

import itertools
import json
import string
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from pg8000.native import Connection, identifier

import rotation_engine
from infra.aws.limits import ROTATION_STRATEGIES
from tests.local import rotation_support
from tests.local.rotation_support import (
    STEPS,
    Crash,
    Rotated,
    World,
    at_once,
    breaks_off,
    on_the_server,
    refused,
    secret_of,
    set_password,
)
from tests.scripted import told

world, server, admin = rotation_support.world, rotation_support.server, rotation_support.admin
idle_function, prefix = rotation_support.idle_function, rotation_support.prefix
role_client = rotation_support.role_client
postgres = rotation_support.each_postgres

PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
every_strategy = pytest.mark.parametrize("strategy", ROTATION_STRATEGIES)


# --- a rotation ----------------------------------------------------------------------------------


@every_strategy
def test_a_rotation_makes_a_new_value_that_works(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps()
    rotated.assert_rotated(rotated.first)


@every_strategy
def test_every_rotation_follows_the_one_before(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for _ in range(3):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


@every_strategy
def test_every_step_may_be_repeated(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for step in STEPS:
        rotated.steps(step, step)
    rotated.assert_rotated(rotated.first)
    rotated.steps()  # all of it is done
    rotated.assert_rotated(rotated.first)


@pytest.mark.exhaustive
def test_a_server_that_loses_the_role_of_a_clone_is_refused_before_anything_is_made(
    world: World,
) -> None:
    if world.keeps_roles:
        pytest.skip("this server keeps it")
    world.keeps_roles = True  # so that the secret is made nevertheless
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    refused(rotated, "setSecret", r"^PostgreSQL \S+ does not keep .* 16\.6, .* or use singleUser;")
    assert rotated.works(rotated.first)
    assert not world.server.run(
        "SELECT FROM pg_roles WHERE rolname = :role", role=f"{rotated.first['username']}_clone"
    )


# --- crashes -------------------------------------------------------------------------------------


without_and_with_effect = pytest.mark.parametrize(
    "after",
    [
        pytest.param(False, id="before", marks=pytest.mark.exhaustive),
        pytest.param(True, id="after"),
    ],
)


@without_and_with_effect
@pytest.mark.parametrize(
    "strategy",
    ["random", "singleUser", pytest.param("alternatingUsers", marks=pytest.mark.exhaustive)],
)
def test_nothing_is_lost_by_a_crash_at_any_call(
    world: World, strategy: str, *, after: bool
) -> None:
    """Two users change places each time; the test below is for the turn of the clone alone."""
    rotated = Rotated(world, strategy)
    for call in itertools.count(1):
        if not rotate_with_crashes(rotated, call, after=after):
            break
    assert call > 5  # so many calls has the shortest of the longest steps


@pytest.mark.exhaustive
@without_and_with_effect
def test_nothing_is_lost_by_a_crash_while_the_clone_is_made(world: World, *, after: bool) -> None:
    for call in itertools.count(1):
        rotated = Rotated(world, "alternatingUsers")
        original = rotated.first["username"]
        world.server.run(f"ALTER ROLE {identifier(original)} SET work_mem = '8MB'")
        crashed = rotate_with_crashes(rotated, call, after=after)
        clone = rotated.current()["username"]
        assert world.settings(clone) == {("", "work_mem=8MB"), ("", f"role={original}")}
        if not crashed:
            break
    assert call > 15


def rotate_with_crashes(rotated: Rotated, call: int, *, after: bool) -> list[str]:
    """Rotate, with a crash at the n-th call of each step; return the steps that have so many.

    What a crash before a call leaves behind, a crash after the one before does. The first is
    resumed by the step itself, the other from the first step on.
    """
    before = rotated.current()
    crashed = []
    for step in STEPS:
        rotated.world.crashes.arm(call, after=after)
        try:
            rotated.step(step)
        except Crash:
            crashed.append(step)
            rotated.assert_nothing_is_lost()
            rotated.steps(*(STEPS[: STEPS.index(step) + 1] if after else (step,)))
    rotated.world.crashes.arm(0, after=False)
    rotated.assert_rotated(before)
    rotated.begin()
    return crashed


# --- repetitions at the same time ----------------------------------------------------------------


@every_strategy
def test_every_step_may_run_many_times_at_once(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for _ in range(2):
        before = rotated.current()
        for step in STEPS:
            assert at_once(*[partial(rotated.step, step)] * 6) == [None] * 6
            rotated.assert_nothing_is_lost()
        rotated.assert_rotated(before)
        rotated.begin()


# --- what is checked first -----------------------------------------------------------------------


@every_strategy
def test_a_token_that_is_current_already_is_done(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.token = rotated.put(rotated.first)
    rotated.steps()
    assert rotated.version() == rotated.token
    assert rotated.value() == rotated.first
    assert rotated.works(rotated.first)


@every_strategy
def test_a_token_that_is_unknown_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for step in STEPS:
        refused(rotated, step, "not AWSPENDING", ClientRequestToken=str(uuid.uuid4()))
    assert rotated.works(rotated.first)


@every_strategy
def test_a_version_without_the_pending_label_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    label = world.secrets.update_secret_version_stage
    label(SecretId=rotated.arn, VersionStage="ELSE", MoveToVersionId=rotated.token)
    label(SecretId=rotated.arn, VersionStage="AWSPENDING", RemoveFromVersionId=rotated.token)
    for step in STEPS:
        refused(rotated, step, "not AWSPENDING")
    assert rotated.works(rotated.first)


@every_strategy
def test_a_secret_without_rotation_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:3])
    world.secrets.cancel_rotate_secret(SecretId=rotated.arn)
    refused(rotated, "finishSecret", "rotation is not enabled")
    rotated.assert_nothing_is_lost()


def test_another_secret_and_another_step_are_refused(world: World) -> None:
    rotated, other = Rotated(world, "random"), Rotated(world, "random")
    refused(rotated, "createSecret", "this function rotates only", SecretId=other.arn)
    refused(rotated, "dropSecret", "unknown rotation step .dropSecret.")


@pytest.mark.parametrize("step", ["setSecret", "finishSecret"])
@every_strategy
def test_a_step_before_there_is_a_value_is_refused(world: World, strategy: str, step: str) -> None:
    rotated = Rotated(world, strategy)
    refused(rotated, step, "is missing.*remove the AWSPENDING label")
    rotated.steps()
    rotated.assert_rotated(rotated.first)


@every_strategy
def test_the_last_step_tests_the_value_whoever_calls_it(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    if strategy == "random":  # any other text is valid at once
        valid_until = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="seconds")
        previous = {"key": rotated.first["key"], "validUntil": valid_until}
        world.secrets.put_secret_value(
            SecretId=rotated.arn,
            ClientRequestToken=rotated.token,
            SecretString=json.dumps({"key": "", "previous": previous}),
            VersionStages=["AWSPENDING"],
        )
    else:
        rotated.step("createSecret")
    with pytest.raises(rotation_engine.RotationError, match=r"the value lacks key|28P01"):
        rotated.step("finishSecret")
    assert rotated.value() == rotated.first


@every_strategy
def test_not_now_tests_the_value_that_is_current(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("testSecret")
    rotated.put({**rotated.first, rotated.field: ""})
    rotated.begin()
    with pytest.raises(rotation_engine.RotationError):
        rotated.step("testSecret")


@every_strategy
def test_a_new_text_is_made_by_the_rules_of_the_secret(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps()
    made = rotated.current()
    assert len(made[rotated.field]) == 40
    assert set(made[rotated.field]) <= set(string.ascii_letters + string.digits)


def test_a_value_that_is_no_json_object_is_refused(world: World) -> None:
    rotated = Rotated(world, "random")
    world.secrets.put_secret_value(SecretId=rotated.arn, SecretString="s3cr3t-text")
    rotated.begin()
    with pytest.raises(rotation_engine.RotationError, match="not a JSON object") as refusal:
        rotated.step("createSecret")
    assert "s3cr3t-text" not in told(refusal.value)


# --- a value that is changed by hand -------------------------------------------------------------


@on_the_server
def test_a_database_restored_from_a_snapshot_is_repaired_as_documented(
    world: World, strategy: str
) -> None:
    """docs/operations.md, "A password changed by hand"."""
    rotated = Rotated(world, strategy)
    rotated.steps()
    rotated.begin()
    rotated.steps()
    current = rotated.current()
    users = {current["username"], current.get("alternateUsername", current["username"])}
    for user in users:  # the snapshot has passwords that no version of the secret has
        set_password(world, {"username": user, "password": "of the snapshot"})
    rotated.begin()
    rotated.steps("createSecret")
    with pytest.raises(rotation_engine.RotationError):
        rotated.step("setSecret")
    assert rotated.current() == current

    set_password(world, current)  # as an administrator of the database
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(current)


at_every_step = pytest.mark.parametrize(
    "at",
    [
        pytest.param(1, marks=pytest.mark.exhaustive),
        2,
        pytest.param(3, marks=pytest.mark.exhaustive),
    ],
    ids=STEPS[1:],
)


@at_every_step
@every_strategy
def test_a_value_put_by_hand_stays_and_the_next_rotation_goes_well(
    world: World, strategy: str, at: int
) -> None:
    """Secrets Manager takes AWSPENDING off then, also where it is what the server accepts."""
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:at])
    by_hand = {**rotated.first, "note": "by hand"}
    rotated.put(by_hand)
    refused(rotated, STEPS[at], "not AWSPENDING")
    assert rotated.value() == by_hand
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(by_hand)


@at_every_step
@every_strategy
def test_a_value_made_current_by_its_label_stays_while_it_works(
    world: World, strategy: str, at: int
) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:at])
    by_hand = {**rotated.first, "note": "by hand"}
    rotated.put(by_hand, announced=False)
    if strategy == "singleUser" and at > 1:  # the password is changed: AWSPENDING alone works
        rotated.steps(*STEPS[at:])
        assert rotated.version() == rotated.token
    else:
        if STEPS[at] == "testSecret":
            rotated.step("testSecret")
        refused(
            rotated,
            "setSecret" if at == 1 else "finishSecret",
            "changed during.*rotate the secret again$",
        )
        assert rotated.value() == by_hand
        assert rotated.value("AWSPENDING") is None
        rotated.begin()
        rotated.steps()
        rotated.assert_rotated(by_hand)
    assert rotated.works(rotated.value())


@on_the_server
def test_a_password_changed_by_hand_in_database_and_secret_is_kept_or_rotated(
    world: World, strategy: str
) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    by_hand = {**rotated.first, "password": uuid.uuid4().hex}
    set_password(world, by_hand)
    rotated.put(by_hand, announced=False)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(by_hand)


def test_a_password_changed_by_hand_does_not_stop_the_turn_of_its_user(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    set_password(world, {**rotated.first, "password": uuid.uuid4().hex})
    rotated.steps(*STEPS)
    value = rotated.current()
    assert value["username"] == rotated.first["username"]
    assert rotated.works(value)
    assert rotated.works(before)


def test_a_single_user_whose_password_nobody_knows_is_left_alone(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.step("createSecret")
    unknown = {**rotated.first, "password": uuid.uuid4().hex}
    set_password(world, unknown)
    refused(rotated, "setSecret", "rejects every password.* 28P01.*remove the AWSPENDING label")
    assert rotated.works(unknown)
    set_password(world, rotated.first)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_user_that_may_not_log_in_is_told_so_and_no_password_is_changed(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.step("createSecret")
    world.alter(rotated.first["username"], "NOLOGIN")
    refused(rotated, "setSecret", r"^app_\S+ at \S+: .*may not log in: .*28000")
    world.alter(rotated.first["username"], "LOGIN")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_single_user_is_saved_by_making_current_what_is_pending(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.steps("createSecret", "setSecret")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Connection, "run", breaks_off)
        refused(rotated, "testSecret", "move AWSCURRENT to that version")
    world.secrets.update_secret_version_stage(
        SecretId=rotated.arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=rotated.token,
        RemoveFromVersionId=rotated.version(),
    )
    before = rotated.current()
    assert rotated.works(before)
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(before)


# --- names and passwords -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["x", "ü", "'\"\\ :$;--", "\U00020000"],
    ids=["latin", "two bytes", "punctuation", "four bytes"],
)
@on_the_server
def test_user_names_of_63_bytes_are_rotated(world: World, strategy: str, name: str) -> None:
    unique = uuid.uuid4().hex[:8]
    times, left = divmod(63 - len(unique), len(name.encode()))
    username = unique + "_" * left + name * times
    assert len(username.encode()) == 63
    rotated = Rotated(world, strategy, username=username)
    for _ in range(2):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


@on_the_server
def test_a_password_with_every_printable_character_is_rotated(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy, password=PRINTABLE)
    rotated.steps()
    rotated.assert_rotated(rotated.first)
    before = rotated.current()
    rotated.begin()
    following = {**before, "password": PRINTABLE[::-1]}
    if strategy == "alternatingUsers":
        following["username"], following["alternateUsername"] = (
            before["alternateUsername"],
            before["username"],
        )
    world.secrets.put_secret_value(
        SecretId=rotated.arn,
        ClientRequestToken=rotated.token,
        SecretString=json.dumps(following),
        VersionStages=["AWSPENDING"],
    )
    rotated.steps()
    rotated.assert_rotated(before)
    assert rotated.value() == following


@every_strategy
def test_no_value_is_told_to_any_log(
    world: World, strategy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = Rotated(world, strategy)
    values = [rotated.first]
    for _ in range(2):
        rotated.steps()
        values.append(rotated.current())
        rotated.begin()
    output = capsys.readouterr()
    logs = output.out + output.err + world.postgres.log()
    assert "setSecret" in logs
    assert strategy == "random" or "SCRAM-SHA-256$" in logs  # statements are logged
    for value in (*values, world.admin):
        assert secret_of(value) not in logs

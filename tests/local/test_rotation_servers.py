"""The four steps on the database: servers that fail, admins with too few rights, and clones."""

import contextlib
import json
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from pg8000.native import Connection, identifier, literal

import postgres as postgres_client
import rotation_engine
import rotation_postgres
from local.aws import REPOSITORY
from local.databases.postgres import PostgreSQL
from tests.local import rotation_support
from tests.local.rotation_support import (
    ON_SERVER,
    STEPS,
    Rotated,
    World,
    access,
    breaks_off,
    make_user,
    on_the_server,
    refused,
    set_password,
)
from tests.scripted import bound_port

world, server, admin = rotation_support.world, rotation_support.server, rotation_support.admin
idle_function, prefix = rotation_support.idle_function, rotation_support.prefix
role_client = rotation_support.role_client


def needs_grant_options(world: World) -> None:
    """Before PostgreSQL 16, CREATEROLE grants every role, and every grant is whole."""
    ((version,),) = world.server.run("SELECT current_setting('server_version_num')::int")
    if version < 160_000:
        pytest.skip("this PostgreSQL knows no options of a grant")


@on_the_server
def test_a_database_that_does_not_answer_is_waited_for(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    connect = postgres_client.connect
    with bound_port() as nobody, pytest.MonkeyPatch.context() as unplugged:
        port = nobody.getsockname()[1]
        unplugged.setattr(
            rotation_postgres,
            "connect",
            lambda value, **options: connect({**value, "port": port}, **options),
        )
        refused(rotated, "setSecret", "does not answer")
        refused(rotated, "testSecret", "does not answer")
    rotated.assert_nothing_is_lost()
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


@on_the_server
def test_a_connection_that_breaks_off_is_told_without_the_value(
    world: World, strategy: str
) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Connection, "run", breaks_off)
        refused(rotated, "setSecret", "network error")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


@on_the_server
def test_a_test_reads_as_the_user_that_is_pending(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps("createSecret", "setSecret")
    user, so_far = rotated.current("AWSPENDING")["username"], len(world.postgres.log())
    rotated.step("testSecret")
    log = world.postgres.log()[so_far:]
    (process,) = re.findall(rf"(\[\d+\]) LOG:  connection authorized: user={user} ", log)
    assert re.search(
        rf"{re.escape(process)} LOG:  statement: SELECT current_user$", log, re.MULTILINE
    )


@pytest.mark.parametrize("strategy", ON_SERVER)
def test_settings_of_users_neither_stop_nor_lead_astray_a_rotation(
    world: World, strategy: str
) -> None:
    admin, rotated = world.make_admin(), Rotated(world, strategy)
    original, schema = rotated.first["username"], f"{admin}_schema"
    settings = {
        "default_transaction_read_only": "on",
        "idle_in_transaction_session_timeout": "1",
        "lock_timeout": "100",
        "standard_conforming_strings": "off",
        "statement_timeout": "100",
        "transaction_timeout": "100",
    }
    for name, value in settings.items():
        if world.server.run("SELECT current_setting(:name, true)", name=name) != [[None]]:
            for user in (admin, original):
                world.alter(user, f"SET {name} = {value}")
    world.alter(original, r"SET application_name = 'back\slash'")
    world.server.run(f"CREATE SCHEMA {schema}")
    world.server.run(
        f"CREATE FUNCTION {schema}.split_part(text, text, int) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'led astray'; END $$"
    )
    world.server.run(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC")
    world.alter(admin, f"SET search_path = {schema}, pg_catalog")
    for _ in range(2):
        before = rotated.current()
        rotated.step("createSecret")
        user = rotated.current("AWSPENDING")["username"]
        with changes_of_roles_waiting(world.postgres, 0.3):
            rotated.step("setSecret")
        rotated.steps("testSecret", "finishSecret")
        rotated.assert_rotated(before)
        assert ("", r"application_name=back\slash") in world.settings(user)
        rotated.begin()


@contextlib.contextmanager
def changes_of_roles_waiting(postgres: PostgreSQL, seconds: float) -> Iterator[None]:
    """Let nobody change a role for a while; logins go on."""
    with postgres.connect() as connection:
        connection.run("START TRANSACTION")
        connection.run("LOCK TABLE pg_authid IN SHARE MODE")
        release, begun = threading.Timer(seconds, connection.run, ["COMMIT"]), time.monotonic()
        release.start()
        try:
            yield
        finally:
            waited = time.monotonic() - begun
            release.join()
    assert waited >= seconds


def test_a_database_that_is_not_there_is_told_in_words(world: World) -> None:
    rotated = Rotated(world, "singleUser", dbname="nowhere")
    rotated.step("createSecret")
    refused(rotated, "setSecret", "no database with the name .*3D000.*remove the AWSPENDING label")


def test_an_admin_of_another_server_is_sent_nothing(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    with bound_port() as listener:
        listener.listen()
        listener.settimeout(0)
        elsewhere = {**world.address, **world.admin, "port": listener.getsockname()[1]}
        world.put_admin(elsewhere)
        refused(rotated, "setSecret", "another host or port")
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("missing", [{}, {"host": None, "port": None, "dbname": ""}])
def test_an_admin_as_rds_writes_it_is_of_the_rotated_secrets_server(
    world: World, missing: dict[str, object]
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    world.put_admin({**world.admin, **missing})
    rotated.steps(*STEPS)
    rotated.assert_rotated(rotated.first)


@pytest.mark.parametrize("field", ["password", "username"])
def test_a_wrong_admin_changes_nothing(world: World, field: str) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.put_admin({**world.address, **world.admin, field: "wrong"})
    refused(rotated, "setSecret", "SQLSTATE 28P01")
    assert rotated.works(rotated.first)
    world.put_admin({**world.address, **world.admin})
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_an_admin_that_is_being_rotated_itself_works_by_what_is_pending(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    right = {**world.address, **world.admin}
    gone = {**right, "password": "gone"}
    world.put_admin(gone, {**gone, "password": "not yet"})
    refused(rotated, "setSecret", f"{right['username']} at .* 28P01")
    world.put_admin(gone, right)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_an_admin_secret_without_a_value_is_told(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.put_admin(None)
    refused(rotated, "setSecret", "-admin-.*: it has no value; put a JSON object")


def test_an_admin_without_the_right_is_told_which(world: World) -> None:
    needs_grant_options(world)
    rotated = Rotated(world, "alternatingUsers")
    user, admin = (identifier(v["username"]) for v in (rotated.first, world.admin))
    world.server.run(f"REVOKE {user} FROM {admin}")
    rotated.step("createSecret")
    refused(rotated, "setSecret", "ADMIN option")
    world.server.run(f"GRANT {user} TO {admin} WITH ADMIN OPTION")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_the_admin_is_no_user_of_the_secret(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers", alternateUsername=world.admin["username"])
    rotated.step("createSecret")
    refused(rotated, "setSecret", "is the admin")
    assert rotated.works({**world.address, **world.admin})


def test_a_role_that_is_no_clone_is_left_alone(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    foreign = {**rotated.first, "username": f"{rotated.first['username']}_clone"}
    make_user(world.server, foreign)
    rotated.step("createSecret")
    refused(rotated, "setSecret", "is not a member of")
    assert rotated.works(foreign)
    assert rotated.works(rotated.first)


def test_a_clone_that_was_made_in_part_is_completed(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    clone = {**rotated.first, "username": f"{rotated.first['username']}_clone"}
    make_user(world.server, clone)
    names = [identifier(value["username"]) for value in (rotated.first, clone, world.admin)]
    world.server.run(f"GRANT {names[0]} TO {names[1]}")
    world.server.run(f"GRANT {names[1]} TO {names[2]} WITH ADMIN OPTION")
    rotated.steps()
    rotated.assert_rotated(rotated.first)


def test_a_clone_that_is_granted_something_itself_goes_on_alternating(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    clone = identifier(rotated.current()["username"])
    world.server.run(f"GRANT pg_read_all_data TO {clone}")
    world.server.run(f"GRANT CREATE ON DATABASE postgres TO {clone}")
    set_password(world, {**rotated.first, "password": uuid.uuid4().hex})  # the clone alone logs in
    for _ in range(2):
        before = rotated.current()
        rotated.begin()
        rotated.steps()
        rotated.assert_rotated(before)


def test_a_user_that_is_a_member_of_other_roles_is_rotated(world: World) -> None:
    rotated, other = Rotated(world, "alternatingUsers"), Rotated(world, "random")
    user, group = rotated.first["username"], f"group_{other.token[:8]}"
    world.server.run(f"CREATE ROLE {group}")
    for role in (group, "pg_monitor", "pg_read_all_data"):
        world.server.run(f"GRANT {role} TO {identifier(user)}")
    for _ in range(2):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


def test_two_users_of_any_names_alternate_when_a_value_of_each_logs_in(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    first = rotated.first["username"]
    second = {**rotated.first, "username": f"second_{first}", "alternateUsername": first}
    make_user(world.server, second)
    names = [identifier(name) for name in (first, second["username"], world.admin["username"])]
    world.server.run(f"GRANT {names[0]} TO {names[1]}")
    world.server.run(f"GRANT {names[1]} TO {names[2]} WITH ADMIN OPTION")
    rotated.put(rotated.first | {"alternateUsername": second["username"]})
    rotated.begin()
    rotated.step("createSecret")
    refused(
        rotated,
        "setSecret",
        f"logs in as {second['username']}; .*; store a version of the secret for each user",
    )
    rotated.put(second)
    rotated.put(rotated.first | {"alternateUsername": second["username"]})
    for _ in range(2):
        rotated.begin()
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)


def test_the_value_of_before_proves_whose_the_users_are_when_the_current_one_fails(
    world: World,
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    set_password(world, {**before, "password": uuid.uuid4().hex})
    rotated.steps()
    assert rotated.version() == rotated.token
    assert rotated.works(rotated.current())


def test_users_that_no_value_logs_in_as_are_left_alone_until_one_does(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    unknown = [{**value, "password": uuid.uuid4().hex} for value in (before, rotated.first)]
    for value in unknown:
        set_password(world, value)
    rotated.step("createSecret")
    refused(rotated, "setSecret", "neither AWSCURRENT nor AWSPREVIOUS .* setting its password in")
    assert all(rotated.works(value) for value in unknown)
    set_password(world, before)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(before)


def test_a_clone_that_logs_in_without_its_role_gets_it_again(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps("createSecret", "setSecret")
    value = rotated.current("AWSPENDING")
    world.server.run(f"ALTER ROLE {identifier(value['username'])} RESET ALL")
    assert not rotated.acts_as_the_original(value)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_clone_that_may_not_act_as_its_original_is_no_success(world: World) -> None:
    needs_grant_options(world)
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps("createSecret", "setSecret")
    value = rotated.current("AWSPENDING")
    original, clone = (identifier(v["username"]) for v in (rotated.first, value))
    world.server.run(
        f"REVOKE {original} FROM {clone} GRANTED BY {identifier(world.admin['username'])}"
    )
    world.server.run(f"GRANT {original} TO {clone} WITH SET FALSE")
    refused(rotated, "setSecret", "WITH INHERIT TRUE, SET TRUE")


def test_what_a_clone_makes_belongs_to_the_original(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    value = rotated.current()
    name = rotated.first["username"]
    world.server.run(f"CREATE SCHEMA {identifier(name)} AUTHORIZATION {identifier(name)}")
    for statement in ("CREATE TABLE made (a int)", "ALTER TABLE made ADD b int"):
        with world.log_in(value) as connection:  # as the clone
            connection.run(statement)
            session = connection.run("SELECT session_user, current_setting('is_superuser')")
            assert session == [[value["username"], "off"]]
    with world.log_in(rotated.first) as connection:
        connection.run("ALTER TABLE made ADD c int")
        owner = connection.run("SELECT tableowner FROM pg_tables WHERE tablename = 'made'")
    assert owner == [[name]]


def test_a_clone_has_the_settings_of_the_original_and_follows_them(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original = rotated.first["username"]
    alter = f"ALTER ROLE {identifier(original)}"
    world.server.run(f"{alter} SET search_path = 'it''s', \"$user\", public")
    world.server.run(f"{alter} IN DATABASE template1 SET \"TimeZone\" = 'Europe/Berlin'")
    rotated.steps()
    value = rotated.current()
    clone, role_setting = value["username"], ("", f"role={original}")
    assert world.settings(clone) == world.settings(original) | {role_setting}
    assert len(world.settings(clone)) == 3

    world.server.run(f"{alter} RESET ALL")
    world.server.run(f"{alter} IN DATABASE template1 RESET ALL")
    world.server.run(f"{alter} SET work_mem = '8MB'")
    for _ in range(2):
        rotated.begin()
        rotated.steps()
    assert world.settings(original) == {("", "work_mem=8MB")}
    assert world.settings(clone) == {("", "work_mem=8MB"), role_setting}


def test_what_only_a_superuser_may_set_is_left_out_and_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original = rotated.first["username"]
    for change in (
        "log_min_duration_statement = 1000",
        "\"app.tenant\" = 'x'",
        "work_mem = '8MB'",
    ):
        world.alter(original, f"SET {change}")
    rotated.steps()
    rotated.assert_rotated(rotated.first)
    clone, told = rotated.current()["username"], capsys.readouterr().out.splitlines()
    assert world.settings(clone) == {("", "work_mem=8MB"), ("", f"role={original}")}
    (warning,) = (line for line in map(json.loads, told) if line["level"] == "WARNING")
    assert warning["role"] == clone
    assert set(warning["settings"]) == {"log_min_duration_statement", "app.tenant"}
    assert all("permission denied" in reason for reason in warning["settings"].values())


def test_settings_that_a_login_ignores_are_left_out_and_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original = rotated.first["username"]
    gone = f"gone_{original}"
    world.server.run(f"CREATE ROLE {gone}")
    world.server.run(f"GRANT {gone} TO {original}")
    for change in (f"role = {gone}", "temp_tablespaces = 'gone'", "work_mem = '8MB'"):
        world.alter(original, f"SET {change}")
    world.server.run(f"DROP ROLE {gone}")
    for _ in range(2):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()
    clone = f"{original}_clone"
    assert world.settings(clone) == {("", "work_mem=8MB"), ("", f"role={original}")}
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    (warning,) = (line for line in lines if line["level"] == "WARNING")
    assert warning["settings"] == {
        "role": f"the role {gone} does not exist; reset it, or create the role",
        "temp_tablespaces": 'tablespace "gone" does not exist',
    }


@pytest.mark.parametrize("strategy", ON_SERVER)
def test_a_free_connection_is_waited_for(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    world.alter(rotated.first["username"], "CONNECTION LIMIT 2")
    with world.log_in(rotated.first):
        closing = threading.Timer(1, world.log_in(rotated.first).close)
        closing.start()
        begun = time.monotonic()
        rotated.steps("createSecret", "setSecret")
        assert time.monotonic() - begun > 0.5
        closing.join()
    rotated.steps(*STEPS[2:])
    rotated.assert_rotated(rotated.first)


# --- clones of other origins ---------------------------------------------------------------------


def comment_on(world: World, role: str) -> str | None:
    ((text,),) = world.server.run(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = :role", role=role
    )
    return None if text is None else str(text)


def rotate(rotated: Rotated) -> None:
    before = rotated.current()
    rotated.steps()
    rotated.assert_rotated(before)
    rotated.begin()


def test_a_clone_without_a_mark_is_adopted_and_marked(world: World) -> None:
    """Version 0.1 marked none."""
    rotated = Rotated(world, "alternatingUsers")
    rotate(rotated)
    original, clone = rotated.first["username"], rotated.current()["username"]
    mark = f"rotated for {rotated.arn[:-7]}"
    assert comment_on(world, clone) == mark
    world.server.run(f"COMMENT ON ROLE {identifier(clone)} IS NULL")
    rotate(rotated)
    rotate(rotated)
    assert comment_on(world, clone) == mark
    assert comment_on(world, original) is None


def test_what_a_person_wrote_about_a_role_stays(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original, clone = (f"{rotated.first['username']}{suffix}" for suffix in ("", "_clone"))
    world.server.run(f"COMMENT ON ROLE {identifier(original)} IS 'of the shop'")
    rotate(rotated)
    mark = comment_on(world, clone)
    words = "of the shop''s\nsecond cart"
    world.server.run(f"COMMENT ON ROLE {identifier(clone)} IS '{words}'")
    for _ in range(4):
        rotate(rotated)
    assert comment_on(world, clone) == f"of the shop's\nsecond cart\n{mark}"
    assert comment_on(world, original) == "of the shop"


def test_a_secret_that_is_made_again_under_its_name_keeps_its_clone(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotate(rotated)
    value, name = rotated.current(), rotated.arn.rpartition(":")[2][:-7]
    world.secrets.delete_secret(SecretId=rotated.arn, ForceDeleteWithoutRecovery=True)
    made = world.secrets.create_secret(Name=name, SecretString=json.dumps(value))
    assert made["ARN"] != rotated.arn
    rotated.arn = made["ARN"]
    rotated.begin()
    for _ in range(2):
        rotate(rotated)


def test_a_clone_is_released_by_the_command_of_the_error(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotate(rotated)
    clone, other = rotated.current()["username"], f"{rotated.arn[:-7]}-of-old"
    world.server.run(f"COMMENT ON ROLE {identifier(clone)} IS 'kept\nrotated for {other}'")
    rotated.step("createSecret")
    with pytest.raises(rotation_engine.RotationError, match=f"another secret, {other}") as refusal:
        rotated.step("setSecret")
    (command,) = re.findall(r"COMMENT ON ROLE \S+ IS '[^']*'", str(refusal.value))
    world.server.run(command)
    rotated.steps(*STEPS[1:])
    assert comment_on(world, clone) == "kept"


AWS_TEMPLATE = """
CREATE ROLE {clone} WITH LOGIN PASSWORD '{password}'
GRANT {original} TO {clone}
"""
"""The statements of SecretsManagerRDSPostgreSQLRotationMultiUser, with names filled in:
https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas"""


def from_aws_template(world: World) -> tuple[Rotated, str, str]:
    """Return a secret that AWS's function has rotated once; its clone owns a table."""
    rotated = Rotated(world, "alternatingUsers", masterarn="arn:aws:...")
    original, clone = (f"{rotated.first['username']}{suffix}" for suffix in ("", "_clone"))
    value = {**rotated.first, "username": clone, "password": uuid.uuid4().hex}
    names = {"original": identifier(original), "clone": identifier(clone)}
    for statement in AWS_TEMPLATE.strip().splitlines():
        world.server.run(statement.format(**names, password=value["password"]))
    world.server.run(f"GRANT {clone} TO {world.admin['username']} WITH ADMIN OPTION")
    world.server.run(f"CREATE SCHEMA {original} AUTHORIZATION {original}")
    with world.log_in(value) as connection:
        connection.run(f"CREATE TABLE {original}.orders (id int)")
    rotated.put(value)
    return rotated, original, clone


@pytest.mark.parametrize(
    ("current", "refusal"),
    [
        (
            {"username": "{original}"},
            "cannot be used as the clone of {original}: .* REASSIGN OWNED BY",
        ),
        (
            {"username": "{clone}", "alternateUsername": "{original}"},
            "cannot be used as the clone of {original}: .* REASSIGN OWNED BY",
        ),
        (
            {"username": "{clone}"},
            "is itself a clone, of {original}; put {original} as alternateUsername",
        ),
    ],
    ids=["the original", "the clone", "the clone alone"],
)
def test_a_clone_of_awss_template_keeps_its_tables(
    world: World, current: dict[str, str], refusal: str
) -> None:
    rotated, original, clone = from_aws_template(world)
    names = {"original": original, "clone": clone}
    by_name = {rotated.first["username"]: rotated.first, clone: rotated.current()}
    fields = {key: name.format(**names) for key, name in current.items()}
    rotated.put(by_name[fields["username"]] | fields)
    rotated.begin()
    rotated.steps("createSecret")
    for _ in range(2):  # the second is the turn of the clone, or the first was
        refused(rotated, "setSecret", refusal.format(**names))
    with world.log_in(by_name[clone]) as connection:
        connection.run(f"SELECT FROM {original}.orders")


def test_a_clone_is_limited_and_expires_as_its_original(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original, clone = (f"{rotated.first['username']}{suffix}" for suffix in ("", "_clone"))
    for limit, until in (("7", "2100-01-02 03:04:05+00"), ("-1", "infinity")):
        world.alter(original, f"CONNECTION LIMIT {limit} VALID UNTIL '{until}'")
        for _ in range(2):  # the second is the original's turn, or the first was
            rotated.steps()
            rotated.begin()
        rows = world.server.run(
            "SELECT rolconnlimit, coalesce(rolvaliduntil, 'infinity') = :until ::timestamptz"
            " FROM pg_roles WHERE rolname IN (:original, :clone)",
            until=until,
            original=original,
            clone=clone,
        )
        assert rows == [[int(limit), True]] * 2


def test_an_original_that_has_expired_is_told(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.alter(rotated.first["username"], "VALID UNTIL '2000-01-01'")
    refused(rotated, "setSecret", rf"last answer: {rotated.first['username']} at .* has expired")


def test_a_clone_acts_as_the_owner_that_the_original_acts_as(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    name = rotated.first["username"]
    owner = f"owner_{name}"
    world.server.run(f"CREATE ROLE {identifier(owner)}")
    world.server.run(f"GRANT {identifier(owner)} TO {identifier(name)}")
    world.server.run(f"ALTER ROLE {identifier(name)} SET role = {literal(owner)}")
    for _ in range(3):
        rotated.steps()
        value = rotated.current()
        with world.log_in(value) as connection:
            assert connection.run("SELECT current_user") == [[owner]]
        rotated.begin()


def test_one_of_two_users_may_go_on_alone(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    rotated.begin()
    rotated.strategy = "singleUser"  # the config says another now; the clone is current
    before = rotated.current()
    rotated.steps()
    rotated.assert_rotated(before)
    assert rotated.works(rotated.first)


def test_a_second_user_may_join_while_one_is_pending(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.steps("createSecret", "setSecret")
    rotated.strategy = "alternatingUsers"  # the config says another now
    rotated.steps(*STEPS[1:])
    rotated.strategy = "singleUser"
    rotated.assert_rotated(rotated.first)
    rotated.strategy = "alternatingUsers"
    engine = rotation_postgres.AlternatingUsers(rotated.arn, frozenset({"password"}), list, list)
    with pytest.raises(rotation_engine.RotationError, match="28P01"):
        engine.set(rotated.first)
    before = rotated.current()
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(before)


def test_the_operations_page_moves_a_secret_from_awss_template(world: World) -> None:
    page = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    (section,) = re.findall(
        r"^## Move from AWS's rotation template\n(.*?)^## ", page, re.MULTILINE | re.DOTALL
    )
    rotated, original, clone = from_aws_template(world)
    for statement in "".join(re.findall(r"```sql\n(.*?)```", section, re.DOTALL)).splitlines():
        for name, ours in {
            "appuser_clone": clone,
            "rotationadmin": world.admin["username"],
            "appuser": original,
        }.items():
            statement = re.sub(rf"\b{name}\b", ours, statement)  # noqa: PLW2901 (one after the other)
        world.server.run(statement)
    (program,) = re.findall(r"\| jq '(.*)' \\$", section, re.MULTILINE)
    moved = subprocess.run(  # noqa: S603 (as the page says)
        ["jq", program],  # noqa: S607 (wherever it is installed)
        input=json.dumps(rotated.current()),
        capture_output=True,
        text=True,
        check=True,
    )
    value = json.loads(moved.stdout)
    assert value["alternateUsername"] == original
    assert "masterarn" not in value
    rotated.put(value)
    rotated.begin()
    for _ in range(3):
        rotate(rotated)
        with world.log_in(rotated.current()) as connection:
            connection.run(f"ALTER TABLE {original}.orders ADD COLUMN IF NOT EXISTS note text")
            assert connection.run("SELECT current_user") == [[original]]


# --- passwords of other forms --------------------------------------------------------------------


@pytest.mark.parametrize("turn", ["clone", "original"])
def test_a_password_that_is_stored_as_md5_is_moved_to_scram_by_its_turn(
    world: World, turn: str
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotate(rotated)
    if turn == "clone":
        rotate(rotated)
    other = rotated.current()["alternateUsername"]
    world.server.run("SET password_encryption = 'md5'")
    world.server.run(f"ALTER ROLE {identifier(other)} PASSWORD 'an old one'")
    world.server.run("RESET password_encryption")
    with access(world, f'hostssl all "{other}" 127.0.0.1/32 md5'):
        rotate(rotated)
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = :role"
    ((verifier,),) = world.server.run(stored, role=other)
    assert verifier.startswith("SCRAM-SHA-256$")


@on_the_server
def test_passwords_that_are_all_stored_as_md5_are_refused_with_the_way_out(
    world: World, strategy: str
) -> None:
    rotated = Rotated(world, strategy)
    user = rotated.first["username"]
    world.server.run("SET password_encryption = 'md5'")
    world.server.run(f"ALTER ROLE {user} PASSWORD {literal(rotated.first['password'])}")
    world.server.run("RESET password_encryption")
    rotated.step("createSecret")
    with access(world, f'hostssl all "{user}" 127.0.0.1/32 md5'):
        refused(
            rotated,
            "setSecret",
            "asks for an MD5 login, but only SCRAM logins are allowed; set password_enc",
        )
    set_password(world, rotated.first)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)

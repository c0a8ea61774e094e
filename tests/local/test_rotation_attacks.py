"""What someone who can write one secret gains by its rotation, on a real PostgreSQL.

The attacker reads and writes every version of their own secret, and moves its labels. They may
read neither the victim's secret nor the administrator's. Every test puts a value, rotates as
Secrets Manager would, and looks at what that gained: whom the secret's values log in as, whether
the victim's own value still works, what a hostile server was sent.
"""

import contextlib
import json
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.exceptions import ClientError
from pg8000.native import DatabaseError, identifier

import postgres as postgres_client
import rotation_engine
import seed
from local.aws import EmbeddedAws
from rotation_postgres import AlternatingUsers
from rotation_roles import mark_of
from tests.hostile_postgres import HostileServer
from tests.local import rotation_support
from tests.local.rotation_support import REGION, STEPS, Rotated, World, access, at_once
from tests.tls_relay import TlsRelay

world, server, admin = rotation_support.world, rotation_support.server, rotation_support.admin
idle_function, prefix = rotation_support.idle_function, rotation_support.prefix
role_client = rotation_support.role_client


@pytest.fixture
def attacker(world: World) -> Rotated:
    """The secret that the attacker writes; the administrator may grant its user."""
    return Rotated(world, "alternatingUsers")


@pytest.fixture
def victim(world: World) -> Rotated:
    """Another application's secret, with the same administrator."""
    return Rotated(world, "alternatingUsers")


def rotate_with(attacker: Rotated, **fields: Any) -> str:
    """Put the attacker's value with these fields, and rotate; return why a step refused."""
    attacker.put(attacker.current() | fields)
    attacker.begin()
    try:
        attacker.steps()
    except rotation_engine.RotationError as error:
        return str(error)
    return ""


def reached(attacker: Rotated) -> set[str]:
    """Return the roles that the attacker's values log in as, and act as."""
    users: set[str] = set()
    for stage in ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"):
        with contextlib.suppress(postgres_client.ConnectionFailed):
            with attacker.world.log_in(attacker.value(stage) or {}) as connection:
                ((session, current),) = connection.run("SELECT session_user, current_user")
            users |= {session, current}
    return users


def exists(world: World, role: str) -> bool:
    return bool(world.server.run("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role))


def grant(world: World, role: str, member: str) -> None:
    world.server.run(f"GRANT {identifier(role)} TO {identifier(member)}")


# --- another application's user ------------------------------------------------------------------


def test_the_attackers_own_user_is_rotated(attacker: Rotated) -> None:
    """The control: without an attack the same steps reach both of the attacker's users."""
    user = attacker.first["username"]
    assert not rotate_with(attacker)
    assert reached(attacker) == {user, f"{user}_clone"}


def test_no_new_role_becomes_a_member_of_another_applications_user(
    world: World, attacker: Rotated, victim: Rotated
) -> None:
    evil = f"evil_{uuid.uuid4().hex[:8]}"
    rotate_with(attacker, username=victim.first["username"], alternateUsername=evil)
    assert victim.first["username"] not in reached(attacker)
    assert not exists(world, evil)


def test_a_username_changed_in_the_config_makes_no_clone_of_another_applications_user(
    world: World, attacker: Rotated, victim: Rotated
) -> None:
    attacker.put(attacker.first)  # ends the rotation that the seeder would wait for
    user = victim.first["username"]
    seed.lambda_handler(
        {"SecretId": attacker.arn, "Fields": {"username": user}, "Generate": {"password": {}}},
        None,
    )
    assert attacker.current() == attacker.first | {"username": user}
    rotate_with(attacker)
    assert user not in reached(attacker)
    assert not exists(world, f"{user}_clone")


@pytest.mark.parametrize("turns", [1, 2], ids=["clone", "original"])
def test_no_password_of_another_applications_pair_is_changed(
    attacker: Rotated, victim: Rotated, turns: int
) -> None:
    for _ in range(turns):
        victim.steps()
        victim.begin()
    value = victim.current()
    names = {"username": value["alternateUsername"], "alternateUsername": value["username"]}
    rotate_with(attacker, **names)
    assert victim.works(value)
    assert value["username"] not in reached(attacker)


@pytest.mark.parametrize("member", ["victim", "attacker"])
def test_no_password_is_changed_of_a_user_that_is_related_otherwise(
    world: World, attacker: Rotated, victim: Rotated, member: str
) -> None:
    """The attacker's value logs in; it names the victim's user as the one it alternates with."""
    users = attacker.first["username"], victim.first["username"]
    grant(world, *(users if member == "victim" else reversed(users)))
    rotate_with(attacker, alternateUsername=victim.first["username"])
    assert victim.works(victim.first)
    assert victim.first["username"] not in reached(attacker)


def test_the_name_of_another_applications_clone_is_not_taken(
    attacker: Rotated, victim: Rotated
) -> None:
    rotate_with(attacker, alternateUsername=f"{victim.first['username']}_clone")
    assert f"{victim.first['username']}_clone" not in reached(attacker)
    victim.steps()
    victim.assert_rotated(victim.first)


@pytest.mark.parametrize("alternate", ["evil", None], ids=["named", "derived"])
def test_a_superuser_as_administrator_makes_nobody_a_superuser(
    world: World, attacker: Rotated, alternate: str | None
) -> None:
    superuser, password = world.postgres.admin
    world.put_admin({**world.address, "username": superuser, "password": password})
    another = {"username": f"super_{uuid.uuid4().hex[:8]}", "password": uuid.uuid4().hex}
    rotation_support.make_user(world.server, another, "SUPERUSER")
    target = superuser if alternate else another["username"]
    evil = f"{alternate}_{uuid.uuid4().hex[:8]}" if alternate else f"{target}_clone"
    names = {"username": target} | ({"alternateUsername": evil} if alternate else {})
    rotate_with(attacker, **names)
    assert target not in reached(attacker)
    assert not exists(world, evil)


@pytest.mark.parametrize(
    "more",
    [
        "GRANT {other} TO {role}",
        "ALTER ROLE {role} CREATEROLE",
        "CREATE SCHEMA {role} AUTHORIZATION {role}",
        "GRANT CREATE ON DATABASE postgres TO {role}",
    ],
)
def test_a_role_that_is_more_than_a_clone_is_not_taken_for_one(
    world: World, attacker: Rotated, victim: Rotated, more: str
) -> None:
    user = attacker.first["username"]
    role = {**attacker.first, "username": f"{user}_clone", "password": uuid.uuid4().hex}
    rotation_support.make_user(world.server, role)
    grant(world, user, role["username"])
    world.server.run(f"GRANT {role['username']} TO {world.admin['username']} WITH ADMIN OPTION")
    world.server.run(more.format(role=role["username"], other=victim.first["username"]))
    rotate_with(attacker)
    assert attacker.works(role)
    assert role["username"] not in reached(attacker)


def test_a_clone_whose_name_two_users_share_after_the_cut_stays_the_first_ones(
    world: World,
) -> None:
    shared = (uuid.uuid4().hex * 2)[:57]
    victim = Rotated(world, "alternatingUsers", username=shared)
    attacker = Rotated(world, "alternatingUsers", username=f"{shared}x")
    victim.steps()
    clone = victim.current()
    own = attacker.first["username"]
    for user, other in ((own, clone["username"]), (clone["username"], own)):
        rotate_with(attacker, username=user, alternateUsername=other)
        assert victim.works(clone)
        assert clone["username"] not in reached(attacker)


def test_no_clone_of_a_clone_is_made(world: World, attacker: Rotated) -> None:
    attacker.steps()
    clone = attacker.current()
    del clone["alternateUsername"]
    attacker.put(clone)
    told = rotate_with(attacker)
    assert not exists(world, f"{clone['username']}_clone")
    assert f"put {attacker.first['username']} as alternateUsername" in told


@pytest.mark.parametrize(
    "power",
    [
        *("ALTER ROLE {user} " + right for right in ("SUPERUSER", "CREATEROLE")),
        *("ALTER ROLE {user} " + right for right in ("REPLICATION", "BYPASSRLS")),
        *("GRANT " + role + " TO {user}" for role in ("rds_superuser", "rds_replication")),
        "GRANT pg_write_all_data TO {user}",
        "GRANT pg_read_server_files TO {user}",
        "GRANT between TO {user}",
    ],
)
def test_a_user_with_an_administrators_rights_gets_no_clone_and_no_password(
    world: World, power: str
) -> None:
    for role in ("rds_superuser", "rds_replication", "between"):
        if not exists(world, role):
            world.server.run(f"CREATE ROLE {role}")
    world.server.run("GRANT pg_execute_server_program TO between")
    fresh, alternating = Rotated(world, "alternatingUsers"), Rotated(world, "alternatingUsers")
    alternating.steps()
    for rotated in (fresh, alternating):
        before, user = rotated.current(), rotated.first["username"]
        world.server.run(power.format(user=identifier(user)))
        assert f"{user} has an administrator's rights" in rotate_with(rotated)
        assert rotated.works(before)
        assert rotated.works(rotated.first)
    assert not exists(world, f"{fresh.first['username']}_clone")


# --- what a principal can do who may write one secret --------------------------------------------

WRITERS = {
    "put": ("PutSecretValue",),
    "get and put": ("GetSecretValue", "PutSecretValue"),
    "get, put and labels": ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"),
}
NAMES = {
    "a new member": {"username": "{victim}", "alternateUsername": "{evil}"},
    "the clone": {"username": "{victim}", "alternateUsername": "{victim}_clone"},
    "the original": {"username": "{victim}_clone", "alternateUsername": "{victim}"},
    "their own alternate": {"username": "{own}", "alternateUsername": "{victim}"},
    "a superuser": {"username": "postgres", "alternateUsername": "{evil}"},
}


@pytest.fixture
def write(aws: EmbeddedAws, attacker: Rotated, victim: Rotated) -> Callable[[str], Any]:
    """Return the function that assumes the role of a writer of the attacker's secret alone."""

    def assume(actions: str) -> Any:
        allowed = [f"secretsmanager:{action}" for action in WRITERS[actions]]
        arn = rotation_support.role(
            aws,
            {"AWS": f"arn:aws:iam::{aws.account_id}:root"},
            {"Effect": "Allow", "Action": allowed, "Resource": attacker.arn},
        )
        sts = aws.client("sts", REGION)
        session = sts.assume_role(RoleArn=arn, RoleSessionName="attacker")
        client = aws.client_as("secretsmanager", REGION, session["Credentials"])
        for call in (client.get_secret_value, client.describe_secret):
            with pytest.raises(ClientError, match="AccessDenied"):
                call(SecretId=victim.arn)
        return client

    return assume


@pytest.mark.parametrize("actions", WRITERS)
@pytest.mark.parametrize("names", NAMES)
def test_no_writer_of_one_secret_gets_another_user(
    attacker: Rotated, victim: Rotated, write: Callable[[str], Any], names: str, actions: str
) -> None:
    world = attacker.world
    victim.steps()
    users = {"victim": victim.first["username"], "own": attacker.first["username"]}
    users["evil"] = f"evil_{uuid.uuid4().hex[:8]}"
    fields = {key: name.format(**users) for key, name in NAMES[names].items()}
    value = {**world.address, **fields, "password": "made up"}
    if names == "their own alternate":
        value["password"] = attacker.first["password"]
    write(actions).put_secret_value(SecretId=attacker.arn, SecretString=json.dumps(value))
    attacker.begin()
    with pytest.raises(rotation_engine.RotationError):
        attacker.steps()
    assert all(victim.works(each) for each in (victim.current(), victim.first))
    assert reached(attacker) <= {users["own"]}
    assert not exists(world, users["evil"])


@pytest.mark.parametrize("labels", ["AWSPENDING", "AWSPREVIOUS"])
def test_no_value_under_a_label_of_the_attackers_choice_gets_another_user(
    attacker: Rotated, victim: Rotated, write: Callable[[str], Any], labels: str
) -> None:
    """They write the pending value before the function does, or choose the previous one."""
    victim.steps()
    user = victim.first["username"]
    names = {"username": user, "alternateUsername": f"{user}_clone"}
    client = write("get, put and labels")
    attacker.put(attacker.first | names)
    attacker.begin()
    pending = {**attacker.first, "password": "made up"}
    pending |= {"username": f"{user}_clone", "alternateUsername": user}
    if labels == "AWSPENDING":
        client.put_secret_value(
            SecretId=attacker.arn,
            SecretString=json.dumps(pending),
            ClientRequestToken=attacker.token,
            VersionStages=["AWSPENDING"],
        )
    else:
        put = client.put_secret_value(
            SecretId=attacker.arn, SecretString=json.dumps(pending), VersionStages=["CHOSEN"]
        )
        client.update_secret_version_stage(
            SecretId=attacker.arn,
            VersionStage="AWSPREVIOUS",
            MoveToVersionId=put["VersionId"],
            RemoveFromVersionId=attacker.version("AWSPREVIOUS"),
        )
    with pytest.raises(rotation_engine.RotationError, match="neither AWSCURRENT nor AWSPREVIOUS"):
        attacker.steps()
    assert all(victim.works(each) for each in (victim.current(), victim.first))


def test_the_administrators_server_under_another_name_is_another_server(
    attacker: Rotated,
) -> None:
    assert "another host or port" in rotate_with(attacker, host="localhost")
    assert reached(attacker) == {attacker.first["username"]}


def test_an_alternate_name_that_the_server_cuts_to_anothers_is_nobodys(
    world: World, attacker: Rotated
) -> None:
    victim = Rotated(world, "alternatingUsers", username=uuid.uuid4().hex * 2)
    user = victim.first["username"][:63]
    rotate_with(attacker, alternateUsername=f"{user}longer")
    assert user not in reached(attacker)
    assert victim.works(victim.first)


# --- a clone of another secret -------------------------------------------------------------------


def same_user(world: World, victim: Rotated) -> Rotated:
    """Return a second secret with the victim's value: its reader has made it."""
    world.makes_users = False
    return Rotated(world, "alternatingUsers", **victim.first)


def test_the_clone_of_one_secret_is_not_rotated_by_another_of_the_same_user(
    world: World, victim: Rotated
) -> None:
    attacker = same_user(world, victim)
    victim.steps()
    told = rotate_with(attacker)
    assert victim.works(victim.current())
    clone, name = victim.current()["username"], victim.arn[:-7]
    assert f"{clone} is rotated for another secret, {name}" in told
    assert f'COMMENT ON ROLE "{clone}" IS NULL' in told


@pytest.mark.parametrize("times", range(5))
@pytest.mark.parametrize("is_made", [False, True], ids=["new clone", "clone without a mark"])
def test_of_two_secrets_that_take_one_clone_at_once_one_is_refused(
    world: World,
    victim: Rotated,
    *,
    is_made: bool,
    times: int,  # noqa: ARG001 (a race is run several times)
) -> None:
    clone = f"{victim.first['username']}_clone"
    if is_made:
        victim.steps()
        world.server.run(f"COMMENT ON ROLE {identifier(clone)} IS NULL")
    users = {"username": clone, "alternateUsername": victim.first["username"]}
    values = [victim.first | users | {"password": uuid.uuid4().hex} for _ in range(2)]
    arns = [f"{victim.arn[:-7]}-{each}-AbCdEf" for each in "ab"]
    takers = [
        AlternatingUsers(
            arn, frozenset({"password"}), lambda: [victim.first], lambda: [world.admin]
        )
        for arn in arns
    ]
    turns = zip(takers, values, strict=True)
    outcomes = at_once(*(partial(taker.set, value) for taker, value in turns))
    (winner,) = [index for index, outcome in enumerate(outcomes) if outcome is None]
    loser = 1 - winner
    assert "is rotated for another secret" in str(outcomes[loser])
    assert [victim.works(value) for value in values] == [index == winner for index in (0, 1)]
    ((comment,),) = world.server.run(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = :clone",
        clone=clone,
    )
    assert comment == mark_of(arns[winner])


def test_no_user_of_a_secret_marks_a_role(victim: Rotated) -> None:
    victim.steps()
    for value in (victim.current(), victim.first):
        with victim.world.log_in(value) as connection:
            for role in (victim.first, victim.current()):
                with pytest.raises(DatabaseError, match="42501"):
                    connection.run(f"COMMENT ON ROLE {identifier(role['username'])} IS NULL")


def test_a_grant_by_another_application_stops_no_rotation(
    world: World, attacker: Rotated, victim: Rotated
) -> None:
    """Anyone may grant to anyone what they own, and the clone holds it then."""
    victim.steps()
    clone, own = victim.current(), attacker.first["username"]
    world.server.run(f"CREATE SCHEMA {own} AUTHORIZATION {own}")
    victim.begin()
    victim.steps()
    with world.log_in(attacker.first) as connection:
        connection.run(f"GRANT USAGE ON SCHEMA {own} TO {identifier(clone['username'])}")
    rotation_support.set_password(world, {**clone, "password": uuid.uuid4().hex})
    before = victim.current()
    victim.begin()
    victim.steps()
    victim.assert_rotated(before)


@pytest.mark.parametrize("turns", [1, 2], ids=["clone", "original"])
def test_a_reader_of_both_users_does_not_rotate_them_for_a_secret_of_their_own(
    world: World, victim: Rotated, turns: int
) -> None:
    attacker = same_user(world, victim)
    for _ in range(turns):
        victim.steps()
        victim.begin()
    for stage in ("AWSPREVIOUS", "AWSCURRENT"):
        attacker.put(victim.current(stage))
    attacker.begin()
    with pytest.raises(rotation_engine.RotationError):
        attacker.steps()
    assert victim.works(victim.current())
    assert victim.works(victim.current("AWSPREVIOUS"))


# --- a database of the attacker ------------------------------------------------------------------

NAMESAKES = """
CREATE FUNCTION {0}.split_part(text, text, int) RETURNS text
CREATE FUNCTION {0}.substr(text, int) RETURNS text
CREATE FUNCTION {0}.strpos(text, text) RETURNS int
CREATE FUNCTION {0}.pg_has_role(oid, oid, text) RETURNS boolean
CREATE FUNCTION {0}.shobj_description(oid, name) RETURNS text
CREATE FUNCTION {0}.current_setting(text) RETURNS text
CREATE FUNCTION {0}.current_setting(text, boolean) RETURNS text
CREATE FUNCTION {0}.set_config(text, text, boolean) RETURNS text
CREATE FUNCTION {0}.eq(name, text) RETURNS boolean
"""
"""Functions and an operator like those of pg_catalog; each notes who calls it."""

HOSTILE_SETTINGS = {
    "search_path": "{0}, pg_catalog",
    "client_encoding": "LATIN1",
    '"DateStyle"': "'SQL, DMY'",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "standard_conforming_strings": "off",
    "statement_timeout": "1",
    "idle_in_transaction_session_timeout": "1",
}


@pytest.mark.parametrize("whose", ["database", "user"])
def test_the_administrator_runs_nothing_of_the_attackers(
    world: World, attacker: Rotated, whose: str
) -> None:
    """The administrator's secret names no database, so that it logs in to the attacker's own."""
    user = attacker.first["username"]
    world.server.run(f"CREATE DATABASE {user} OWNER {user}")
    own = attacker.first | {"dbname": user}
    with world.log_in(own) as connection:
        connection.run(f"CREATE SCHEMA {user}")
        connection.run(f"GRANT USAGE ON SCHEMA {user} TO PUBLIC")
        connection.run(f"CREATE SEQUENCE {user}.called")
        connection.run(f"GRANT ALL ON SEQUENCE {user}.called TO PUBLIC")
        for function in NAMESAKES.strip().format(user).splitlines():
            connection.run(
                f"{function} LANGUAGE plpgsql AS"
                f" $$ BEGIN PERFORM nextval('{user}.called'); RETURN NULL; END $$"
            )
        connection.run(
            f"CREATE OPERATOR {user}.= (LEFTARG=name, RIGHTARG=text, FUNCTION={user}.eq)"
        )
        for name, value in HOSTILE_SETTINGS.items():
            connection.run(f"ALTER {whose} {user} SET {name} = {value.format(user)}")
        for refused in (
            f"ALTER ROLE {world.admin['username']} IN DATABASE {user} SET work_mem = '8MB'",
            f"ALTER DATABASE {user} SET session_preload_libraries = 'evil'",
        ):
            with pytest.raises(DatabaseError, match="42501"):
                connection.run(refused)
    world.put_admin(world.admin)
    assert not rotate_with(attacker, dbname=user)
    for _ in range(2):
        attacker.begin()
        attacker.steps()
    assert attacker.works(attacker.current())
    world.server.run(f"ALTER DATABASE {user} RESET ALL")
    with world.log_in(own | {"username": world.admin["username"]} | world.admin) as connection:
        last = "SELECT last_value FROM pg_sequences WHERE schemaname = :name"
        assert connection.run(last, name=user) == [[None]]


# --- a login that proves nothing -----------------------------------------------------------------


def test_a_login_as_someone_else_proves_nothing(attacker: Rotated, victim: Rotated) -> None:
    """What follows a NUL is another parameter of the login: the user who logs in, after all."""
    victim.steps()
    user, dbname = victim.first["username"], f"postgres\0user\0{attacker.first['username']}"
    rotate_with(attacker, username=user, alternateUsername=f"{user}_clone", dbname=dbname)
    assert victim.works(victim.current())
    assert not {user, f"{user}_clone"} & reached(attacker)


def test_a_name_that_the_server_cuts_to_anothers_proves_nothing(
    world: World, attacker: Rotated
) -> None:
    victim = Rotated(world, "alternatingUsers", username=uuid.uuid4().hex * 2)
    user = victim.first["username"][:63]
    rotate_with(attacker, username=f"{user}longer")
    assert user not in reached(attacker)
    assert not exists(world, f"{user[:57]}_clone")


def test_a_name_that_the_server_cuts_hides_no_right_of_its_user(world: World) -> None:
    attacker = Rotated(world, "alternatingUsers", username=uuid.uuid4().hex * 2)
    user = attacker.first["username"][:63]
    world.alter(user, "CREATEROLE")
    rotate_with(attacker, username=f"{user}longer")
    assert not exists(world, f"{user[:57]}_clone")


def test_a_server_that_trusts_everyone_proves_nothing(
    world: World, attacker: Rotated, victim: Rotated
) -> None:
    user = victim.first["username"]
    with access(world, f'hostssl all "{user}" 127.0.0.1/32 trust'):
        rotate_with(attacker, username=user)
    assert user not in reached(attacker)
    assert not exists(world, f"{user}_clone")


# --- a server that the secret names --------------------------------------------------------------


def test_an_administrator_does_not_log_in_through_a_server_in_between(
    world: World, attacker: Rotated, tmp_path: Path
) -> None:
    """The administrator's secret names no server, as of RDS: the attacker's value chooses it."""
    authority, bundle = trustme.CA(), tmp_path / "bundle.pem"
    bundle.write_bytes(world.postgres.ca_bundle.read_bytes() + authority.cert_pem.bytes())
    world.configure(CA_BUNDLE=str(bundle))
    world.put_admin(world.admin)
    without_tls = access(world, "hostnossl all all 127.0.0.1/32 scram-sha-256")
    with without_tls, TlsRelay(world.postgres.port, authority) as between:
        told = rotate_with(attacker, port=between.port)
    assert between.users == {attacker.first["username"]}
    assert f"{world.admin['username']} at 127.0.0.1:{between.port}: the server does not" in told


Hostile = Callable[..., contextlib.AbstractContextManager[HostileServer]]


@pytest.fixture
def hostile(world: World, tmp_path: Path) -> Hostile:
    """Make hostile servers, with certificates of an authority that the bundle has."""
    authority, bundle = trustme.CA(), tmp_path / "bundle.pem"
    bundle.write_bytes(world.postgres.ca_bundle.read_bytes() + authority.cert_pem.bytes())
    world.configure(CA_BUNDLE=str(bundle))
    return lambda asks, guess="": HostileServer(asks, authority, guess)


@pytest.mark.parametrize("asks", ["cleartext", "scram"])
@pytest.mark.parametrize("strategy", ["singleUser", "alternatingUsers"])
def test_a_server_named_by_a_later_value_learns_no_earlier_password(
    world: World, hostile: Hostile, strategy: str, asks: str
) -> None:
    """The attacker need not read the secret: they write its value with another port."""
    attacked = Rotated(world, strategy)
    with hostile(asks, attacked.first["password"]) as elsewhere:
        written = {**attacked.first, "port": elsewhere.port, "password": "made up"}
        attacked.put(written)
        attacked.begin()
        with pytest.raises(rotation_engine.RotationError) as refusal:
            attacked.steps()
        assert elsewhere.logins
    assert attacked.first["password"] not in elsewhere.received
    assert attacked.first["password"] not in str(refusal.value)


@pytest.mark.parametrize("asks", ["cleartext", "md5"])
@pytest.mark.parametrize("strategy", ["singleUser", "alternatingUsers"])
def test_a_rotation_proves_the_password_and_sends_it_in_no_other_form(
    world: World, hostile: Hostile, strategy: str, asks: str
) -> None:
    """The attacker holds the address that the secret has always named."""
    with hostile(asks) as taken:
        attacked = Rotated(world, strategy, port=taken.port)
        attacked.step("createSecret")
        for step in STEPS[1:3]:
            with pytest.raises(rotation_engine.RotationError):
                attacked.step(step)
        assert taken.logins
    assert taken.received == []


@pytest.mark.parametrize("asks", ["cleartext", "md5"])
def test_an_application_proves_the_password_and_sends_it_in_no_other_form(
    world: World, hostile: Hostile, tmp_path: Path, asks: str
) -> None:
    with hostile(asks) as taken:
        value = {**world.address, "port": taken.port, "username": "app", "password": "s3cr3t"}
        with pytest.raises(
            postgres_client.ConnectionFailed, match="only SCRAM logins are allowed; set password_"
        ):
            postgres_client.connect(value, ca_bundle=tmp_path / "bundle.pem")
        assert taken.logins
    assert taken.received == []


@pytest.mark.parametrize("asks", ["nothing", "not_even_ok"])
def test_a_server_that_asks_for_no_password_is_not_logged_in_to(
    world: World, hostile: Hostile, tmp_path: Path, asks: str
) -> None:
    with hostile(asks) as taken:
        value = {**world.address, "port": taken.port, "username": "app", "password": "s3cr3t"}
        with pytest.raises(postgres_client.ConnectionFailed, match="asks for no password"):
            postgres_client.connect(value, ca_bundle=tmp_path / "bundle.pem")

"""Rotation of values as people have them, and at a server that the deployer names."""

import uuid
from collections.abc import Iterator

import pytest

from tests.local import rotation_support
from tests.local.rotation_support import STEPS, Rotated, Value, World, on_the_server, refused
from tests.scripted import bound_port

world, server, admin = rotation_support.world, rotation_support.server, rotation_support.admin
idle_function, prefix = rotation_support.idle_function, rotation_support.prefix
role_client = rotation_support.role_client


@on_the_server
@pytest.mark.parametrize(
    "fields",
    [
        {"dbname": None, "alternateUsername": None},
        {"dbname": "", "alternateUsername": ""},
        {"host": "LocalHost."},
        {"host": "127.0.0.1."},
    ],
    ids=["null", "empty", "name", "address"],
)
def test_a_value_is_rotated_however_it_is_written(
    world: World, strategy: str, fields: Value
) -> None:
    port = f" {world.postgres.port}"
    rotated = Rotated(world, strategy, **fields, port=port)
    host = str(rotated.first["host"]).lower().removesuffix(".")
    world.put_admin({**world.admin, "host": host, "port": float(port)})
    for _ in ("clone", "original"):
        before = rotated.current()
        rotated.steps(*STEPS)
        rotated.assert_rotated(before)
        rotated.begin()


@on_the_server
@pytest.mark.parametrize("name", ["two\nlines", "smile \N{GRINNING FACE}"])
def test_a_user_is_rotated_whatever_its_name_is(world: World, strategy: str, name: str) -> None:
    rotated = Rotated(world, strategy, username=f"{uuid.uuid4().hex[:8]} {name}")
    rotated.steps(*STEPS)
    rotated.assert_rotated(rotated.first)


def test_a_name_with_a_newline_is_one_line_in_an_error(world: World) -> None:
    world.makes_users = False
    rotated = Rotated(world, "singleUser", username="app\nINFO all is well")
    rotated.step("createSecret")
    refused(rotated, "setSecret", r"app\\nINFO all is well at 127\.0\.0\.1:\d+: ")


# --- a server that the deployer names ------------------------------------------------------------


@pytest.fixture
def pooler() -> Iterator[Value]:
    """Host and port that a secret has for its application; whoever connects is noticed."""
    with bound_port() as listener:
        listener.listen()
        listener.settimeout(0)
        yield {"host": "localhost", "port": listener.getsockname()[1]}
        with pytest.raises(BlockingIOError):
            listener.accept()


def name_the_server(world: World) -> None:
    port = str(world.postgres.port)
    world.configure(ROTATION_HOST=world.postgres.host, ROTATION_PORT=port)


def directly(world: World, value: Value) -> Value:
    """Return a value that logs in to the database itself."""
    return {**value, **world.address}


@on_the_server
def test_a_rotation_goes_past_the_applications_pooler(
    world: World, pooler: Value, strategy: str
) -> None:
    rotated = Rotated(world, strategy, **pooler)
    name_the_server(world)
    for _ in range(2):
        before = rotated.current()
        rotated.steps(*STEPS)
        value = rotated.current()
        assert rotated.version() == rotated.token
        assert {**pooler, "dbname": "postgres"}.items() <= value.items()
        assert value["password"] != before["password"]
        assert rotated.works(directly(world, value))
        rotated.begin()


def test_an_administrator_of_the_pooler_is_refused(world: World, pooler: Value) -> None:
    rotated = Rotated(world, "alternatingUsers", **pooler)
    rotated.step("createSecret")
    name_the_server(world)
    world.put_admin({**world.admin, **pooler})
    refused(rotated, "setSecret", "the admin secret is for another host or port")


def test_an_administrator_without_a_server_is_of_the_one_that_the_deployer_names(
    world: World, pooler: Value
) -> None:
    rotated = Rotated(world, "alternatingUsers", **pooler)
    name_the_server(world)
    world.put_admin(world.admin)
    rotated.steps(*STEPS)
    assert rotated.works(directly(world, rotated.current()))


@on_the_server
def test_a_writer_of_the_secret_does_not_choose_where_a_rotation_logs_in(
    world: World, pooler: Value, strategy: str
) -> None:
    """The attacker's server is in the value, and is never connected to."""
    rotated = Rotated(world, strategy)
    name_the_server(world)
    rotated.put({**rotated.first, **pooler})
    rotated.begin()
    rotated.steps(*STEPS)
    assert rotated.works(directly(world, rotated.current()))

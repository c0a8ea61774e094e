"""Rotation through PgBouncer, and what it refuses. RDS Proxy cannot be run here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import postgres as postgres_client
from tests import pgbouncer
from tests.local import rotation_support
from tests.local.rotation_support import Rotated, World, on_the_server
from tests.pgbouncer import PgBouncer

world, server, admin = rotation_support.world, rotation_support.server, rotation_support.admin
idle_function, prefix = rotation_support.idle_function, rotation_support.prefix
role_client = rotation_support.role_client

pytestmark = pytest.mark.skipif(pgbouncer.program() is None, reason="PgBouncer is not installed")


@pytest.fixture
def authority(world: World, tmp_path: Path) -> trustme.CA:
    made, bundle = trustme.CA(), tmp_path / "bundle.pem"
    bundle.write_bytes(world.postgres.ca_bundle.read_bytes() + made.cert_pem.bytes())
    world.configure(CA_BUNDLE=str(bundle))
    return made


@pytest.fixture(params=["session", "transaction"])
def pooler(
    world: World, authority: trustme.CA, request: pytest.FixtureRequest
) -> Iterator[PgBouncer]:
    with PgBouncer(world.postgres, authority, pool_mode=request.param) as started:
        yield started


@on_the_server
def test_a_secret_that_names_a_pooler_is_rotated_through_it(
    world: World, pooler: PgBouncer, strategy: str
) -> None:
    world.put_admin({**world.address, **world.admin, "port": pooler.port})
    rotated = Rotated(world, strategy, port=pooler.port)
    for _ in range(3):
        rotated.steps()
        value = rotated.current()
        assert rotated.version() == rotated.token
        with postgres_client.connect(value) as connection:  # it may be the rotation's own
            settings = connection.run(
                "SELECT current_setting('search_path'), current_setting('transaction_isolation')"
            )
        assert settings == [['"$user", public', "read committed"]]
        rotated.begin()


@pytest.mark.parametrize("field", ["password", "username"])
def test_what_a_pooler_refuses_may_be_accepted_with_other_credentials(
    world: World, pooler: PgBouncer, field: str
) -> None:
    value = Rotated(world, "singleUser", port=pooler.port).first
    with pytest.raises(postgres_client.ConnectionFailed, match="08P01") as refusal:
        postgres_client.connect({**value, field: "wrong"})
    assert postgres_client.is_auth_error(refusal.value)
    reason = {"password": "SASL authentication failed", "username": "no such user"}[field]
    assert reason in str(refusal.value) or "password authentication failed" in str(refusal.value)


def test_a_pooler_that_asks_for_clear_text_is_refused_with_its_setting(
    world: World, authority: trustme.CA
) -> None:
    with PgBouncer(world.postgres, authority, auth_type="plain") as pooler:
        value = Rotated(world, "singleUser", port=pooler.port).first
        with pytest.raises(
            postgres_client.ConnectionFailed, match=r"in PgBouncer auth_type = scram-sha-256"
        ):
            postgres_client.connect(value)

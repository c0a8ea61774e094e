"""What a server can do to who logs in to it: it has a certificate that is trusted, no more."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from pg8000.native import Connection, InterfaceError

from postgres import ConnectionFailed, connect
from tests.hostile_postgres import TRICKLE_SECONDS, HostileServer

PASSWORD = "s3cr3t"
SECONDS = 0.5
Login = Callable[[HostileServer], Connection]
Server = Callable[[str], HostileServer]

shown = pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="a server holds the login, and fills the memory"
)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "bundle.pem"))
    return made


@pytest.fixture
def server(authority: trustme.CA) -> Server:
    return lambda asks: HostileServer(asks, authority, PASSWORD)


@pytest.fixture
def log_in(tmp_path: Path) -> Login:
    def login(server: HostileServer) -> Connection:
        value = {"host": "127.0.0.1", "port": server.port, "username": "app", "password": PASSWORD}
        return connect(value, ca_bundle=tmp_path / "bundle.pem", timeout_seconds=SECONDS)

    return login


@shown
def test_a_server_that_sends_notices_holds_no_login_beyond_its_timeout(
    server: Server, log_in: Login
) -> None:
    begun = time.monotonic()
    with server("trickle") as hostile:
        with pytest.raises(ConnectionFailed) as failure:
            log_in(hostile)
        assert time.monotonic() - begun < TRICKLE_SECONDS / 2
    assert failure.value.lost


@shown
@pytest.mark.parametrize("sends", ["endless_error", "flood", "until_the_end"])
def test_a_login_takes_no_more_than_it_needs_from_a_server(
    server: Server, log_in: Login, sends: str
) -> None:
    with (
        server(sends) as hostile,
        pytest.raises(ConnectionFailed, match="sent more than 1 MiB") as failure,
    ):
        log_in(hostile)
    assert not failure.value.lost


@shown
def test_a_server_that_sends_notices_holds_no_statement_beyond_its_timeout(
    server: Server, log_in: Login
) -> None:
    with server("trickle_later") as hostile:
        connection = log_in(hostile)
        begun = time.monotonic()
        with pytest.raises((InterfaceError, OSError)):
            connection.run("SELECT 1")
        assert time.monotonic() - begun < TRICKLE_SECONDS / 2
        connection.close()

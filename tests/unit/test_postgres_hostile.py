"""What a server, or a name, can do to who logs in: the certificate is trusted, and no more."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from pg8000.native import Connection, DatabaseError, InterfaceError

import postgres
from postgres import ConnectionFailed, connect, is_auth_error
from tests.hostile_postgres import FLOOD_BYTES, TRICKLE_SECONDS, HostileServer

PASSWORD = "s3cr3t"
BUNDLE = Path(postgres.__file__).with_name("rds-ca-bundle.pem")
SECONDS = 0.5
Login = Callable[..., Connection]
Server = Callable[[str], HostileServer]


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
    def login(server: HostileServer, **options: Any) -> Connection:
        value = {"host": "127.0.0.1", "port": server.port, "username": "app", "password": PASSWORD}
        return connect(
            value, ca_bundle=tmp_path / "bundle.pem", timeout_seconds=SECONDS, **options
        )

    return login


@pytest.mark.parametrize("sends", ["trickle", "dribble"])
def test_a_server_that_goes_on_sending_holds_no_login_beyond_its_timeout(
    server: Server, log_in: Login, sends: str
) -> None:
    begun = time.monotonic()
    with server(sends) as hostile:
        with pytest.raises(ConnectionFailed) as failure:
            log_in(hostile)
        assert time.monotonic() - begun < TRICKLE_SECONDS / 2
    assert failure.value.lost


@pytest.mark.parametrize(
    ("sends", "reason"),
    [
        ("endless_error", "sent more than 1 MiB"),
        ("flood", "sent more than 1 MiB"),
        # pg8000 1.31.3 takes a length below 4 for an error without text, and reads no further.
        ("until_the_end", "sent more than 1 MiB|the connection broke off: {}"),
    ],
)
def test_a_login_takes_no_more_than_it_needs_from_a_server(
    server: Server, log_in: Login, sends: str, reason: str
) -> None:
    with (
        server(sends) as hostile,
        pytest.raises(ConnectionFailed, match=reason) as failure,
    ):
        log_in(hostile)
    assert not failure.value.lost


@pytest.mark.parametrize("sends", ["trickle_later", "dribble_later"])
def test_a_server_that_goes_on_sending_holds_no_statement_beyond_its_timeout(
    server: Server, log_in: Login, sends: str
) -> None:
    with server(sends) as hostile:
        connection = log_in(hostile)
        begun = time.monotonic()
        with pytest.raises((InterfaceError, OSError)):
            connection.run("SELECT 1")
        assert time.monotonic() - begun < TRICKLE_SECONDS / 2
        connection.close()


def test_an_answer_has_a_limit(server: Server, log_in: Login) -> None:
    with server("flood_later") as hostile:
        connection = log_in(hostile, answer_bytes=FLOOD_BYTES // 2)
        with pytest.raises(InterfaceError, match="sent more than 8 MiB"):
            connection.run("SELECT 1")
        connection.close()


def test_every_statement_has_its_own_time(server: Server, log_in: Login) -> None:
    with server("answers_later") as hostile, log_in(hostile) as connection:
        for _ in range(3):
            connection.run("SELECT 1")
            time.sleep(SECONDS)


def test_an_error_without_a_code_is_an_error_of_the_server(server: Server, log_in: Login) -> None:
    with server("error") as hostile, pytest.raises(ConnectionFailed, match="broke off") as failure:
        log_in(hostile)
    assert failure.value.sqlstate is None


def test_a_poolers_refusal_is_an_auth_error_of_the_login_and_shows_its_reason(
    server: Server, log_in: Login
) -> None:
    """PgBouncer has one code for whatever it refuses; a newline would forge a line of the log."""
    with server("pooler") as hostile, pytest.raises(ConnectionFailed) as failure:
        log_in(hostile)
    assert str(failure.value) == (
        "PostgreSQL refused the connection: no such user  ERROR (SQLSTATE 08P01)"
    )
    assert is_auth_error(failure.value)
    assert not is_auth_error(DatabaseError({"C": "08P01", "M": "bind message supplies 1"}))


def test_each_address_of_a_host_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the name may give it many addresses where nobody answers."""
    tried = []

    def no_answer(address: object, seconds: float) -> None:
        tried.append((address, seconds))
        raise TimeoutError

    addresses = [(0, 0, 0, "", (f"192.0.2.{each}", 5432)) for each in (1, 2, 3)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    monkeypatch.setattr(socket, "create_connection", no_answer)
    value = {"host": "db.example.com", "username": "app", "password": PASSWORD}
    with pytest.raises(ConnectionFailed, match="TimeoutError"):
        connect(value, ca_bundle=BUNDLE, timeout_seconds=6)
    assert [address for address, _ in tried] == [address for *_, address in addresses]
    assert [round(seconds) for _, seconds in tried] == [2, 3, 6]

"""The function that asks its database: it keeps its connection, and loses no request by that."""

import importlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import trustme
from pg8000.native import InterfaceError, identifier, literal

import postgres as client
from local.aws import EmbeddedAws
from local.databases.postgres import PostgreSQL
from secret_client import SecretClient
from tests import scripted
from tests.hostile_postgres import HostileServer
from tests.local.conftest import REGION

Ask = Callable[[], dict[str, Any]]


def set_password(server: PostgreSQL, user: str, password: str) -> None:
    verifier = client.scram_verifier(password)
    server.run(f"ALTER ROLE {identifier(user)} PASSWORD {literal(verifier)}")


@pytest.fixture
def value(postgres: PostgreSQL, unique: str) -> dict[str, Any]:
    postgres.run(f"CREATE ROLE {identifier(unique)} LOGIN")
    set_password(postgres, unique, "one-password")
    return {
        "host": postgres.host,
        "port": postgres.port,
        "dbname": "postgres",
        "username": unique,
        "password": "one-password",
    }


@pytest.fixture
def put(aws: EmbeddedAws, unique: str, value: dict[str, Any]) -> Callable[..., None]:
    secrets = aws.client("secretsmanager", REGION)
    secrets.create_secret(Name=unique, SecretString=json.dumps(value))

    def change(**fields: Any) -> None:
        secrets.put_secret_value(SecretId=unique, SecretString=json.dumps(value | fields))

    return change


@pytest.fixture
def query(
    monkeypatch: pytest.MonkeyPatch, aws: EmbeddedAws, postgres: PostgreSQL, unique: str
) -> Iterator[ModuleType]:
    monkeypatch.setenv("CA_BUNDLE", str(postgres.ca_bundle))
    monkeypatch.setenv("SECRET_NAME", unique)
    module = importlib.reload(importlib.import_module("query"))
    secrets = SecretClient(cache_seconds=300, make_client=lambda name, _: aws.client(name, REGION))
    monkeypatch.setattr(module, "_secrets", secrets)
    yield module
    if module._KeptConnection.connection is not None:  # noqa: SLF001 (nothing else closes it)
        with suppress(InterfaceError):  # a test may have ended it
            module._KeptConnection.connection.close()  # noqa: SLF001


@pytest.fixture
def ask(query: ModuleType, put: object) -> Ask:
    del put

    def call() -> dict[str, Any]:
        answer = query.lambda_handler({}, None)
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    return call


def sessions(postgres: PostgreSQL, user: str, *, end: bool = False) -> int:
    return len(
        postgres.run(
            "SELECT CASE WHEN :end THEN pg_terminate_backend(pid) END"
            " FROM pg_stat_activity WHERE usename = :user",
            end=end,
            user=user,
        )
    )


def test_the_database_says_who_is_logged_in(ask: Ask, value: dict[str, Any]) -> None:
    answer = ask()
    assert answer["status"] == 200
    assert answer["session_user"] == answer["username"] == value["username"]
    assert (answer["database_host"], answer["database_name"]) == ("127.0.0.1", "postgres")
    assert answer["reused_connection"] is False
    assert "one-password" not in json.dumps(answer)


def test_a_connection_is_kept(ask: Ask, postgres: PostgreSQL, unique: str) -> None:
    assert [ask()["reused_connection"] for _ in range(3)] == [False, True, True]
    assert sessions(postgres, unique) == 1


def test_a_connection_that_the_server_ended_is_made_anew_in_the_same_request(
    ask: Ask, postgres: PostgreSQL, unique: str
) -> None:
    ask()
    assert sessions(postgres, unique, end=True) == 1
    answer = ask()
    assert (answer["status"], answer["reused_connection"]) == (200, False)


def test_a_password_that_was_rotated_away_is_noticed_by_no_request(
    ask: Ask, postgres: PostgreSQL, unique: str, put: Callable[..., None]
) -> None:
    before = ask()
    put(password="another-password")
    set_password(postgres, unique, "another-password")
    assert ask()["secret_version"] == before["secret_version"]  # the connection is still good
    sessions(postgres, unique, end=True)
    answer = ask()
    assert answer["status"] == 200
    assert answer["secret_version"] != before["secret_version"]
    # The new value is at hand now; nothing is asked again.
    assert ask()["reused_connection"] is True


def test_a_password_that_a_pooler_refuses_is_asked_for_again_at_once(
    ask: Ask,
    put: Callable[..., None],
    postgres: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    authority, bundle = trustme.CA(), tmp_path / "bundle.pem"
    bundle.write_bytes(postgres.ca_bundle.read_bytes() + authority.cert_pem.bytes())
    monkeypatch.setenv("CA_BUNDLE", str(bundle))
    with HostileServer("pooler", authority) as pooler:
        put(port=pooler.port)
        assert ask()["status"] == 500  # and the client has the value now
        logins = pooler.logins
        put()
        assert ask()["status"] == 200
        assert pooler.logins <= logins + 1  # and not once more for each pause


def test_a_connection_by_what_is_pending_is_kept_until_the_rotation_ends(
    ask: Ask, query: ModuleType, aws: EmbeddedAws, postgres: PostgreSQL, value: dict[str, Any]
) -> None:
    secrets, unique = aws.client("secretsmanager", REGION), value["username"]
    following = json.dumps(value | {"password": "another-password"})
    before = ask()["secret_version"]
    pending = secrets.put_secret_value(
        SecretId=unique, SecretString=following, VersionStages=["AWSPENDING"]
    )["VersionId"]
    set_password(postgres, unique, "another-password")
    sessions(postgres, unique, end=True)

    def current(version: str, other: str) -> None:
        secrets.update_secret_version_stage(
            SecretId=unique,
            VersionStage="AWSCURRENT",
            MoveToVersionId=version,
            RemoveFromVersionId=other,
        )
        query._secrets.get_secret(unique, refresh=True)  # noqa: SLF001 (what its time would do)

    answers = [ask() for _ in range(3)]
    assert [answer["reused_connection"] for answer in answers] == [False, True, True]
    assert {answer["secret_version"] for answer in answers} == {pending}
    assert sessions(postgres, unique) == 1
    current(pending, before)
    assert (ask()["reused_connection"], sessions(postgres, unique)) == (True, 1)
    # Made current again by hand, the version of before is what is wanted.
    current(before, pending)
    set_password(postgres, unique, "one-password")
    answer = ask()
    assert (answer["reused_connection"], answer["secret_version"]) == (False, before)


def test_a_user_that_is_gone_is_followed_by_the_other_in_the_same_request(
    ask: Ask, postgres: PostgreSQL, unique: str, put: Callable[..., None]
) -> None:
    ask()
    other = f"{unique}-other"
    postgres.run(f"CREATE ROLE {identifier(other)} LOGIN")
    set_password(postgres, other, "one-password")
    put(username=other)
    postgres.run(f"DROP ROLE {identifier(unique)}")
    answer = ask()
    assert (answer["status"], answer["session_user"]) == (200, other)


def test_a_new_version_closes_the_connection_of_the_old(
    ask: Ask, query: ModuleType, postgres: PostgreSQL, unique: str, put: Callable[..., None]
) -> None:
    ask()
    put(password="another-password")
    set_password(postgres, unique, "another-password")
    query._secrets.get_secret(unique, refresh=True)  # noqa: SLF001 (what its time would do)
    assert ask()["reused_connection"] is False
    assert sessions(postgres, unique) == 1


def test_a_wrong_password_everywhere_is_an_answer_that_tells_nothing(
    ask: Ask, postgres: PostgreSQL, unique: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_password(postgres, unique, "a-third-password")
    answer = ask()
    failed = "the connection to the database failed"
    assert answer == {"status": 500, "error": failed, "request_id": ""}
    logged = json.loads(capsys.readouterr().out)
    assert (logged["error"], logged["failed"]) == ("ConnectionFailed", failed)
    assert "28P01" in logged["reason"]
    assert "one-password" not in logged["reason"]


def test_an_error_of_the_statement_is_not_taken_for_a_lost_connection(
    ask: Ask, query: ModuleType, monkeypatch: pytest.MonkeyPatch, postgres: PostgreSQL, unique: str
) -> None:
    ask()
    assert query._KeptConnection.connection is not None  # noqa: SLF001
    asked: list[str] = []

    def refused(sql: str) -> None:
        asked.append(sql)
        raise query.DatabaseError({"C": "42501", "M": "permission denied"})

    monkeypatch.setattr(query._KeptConnection.connection, "run", refused)  # noqa: SLF001
    assert ask()["status"] == 500
    assert len(asked) == 1
    assert sessions(postgres, unique) == 1


def test_without_a_secrets_name_the_answer_says_so(
    query: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_NAME")
    answer = query.lambda_handler({}, None)
    assert answer["statusCode"] == 400
    assert "SECRET_NAME" in answer["body"]


# --- connections that are lost -------------------------------------------------------------------


class Way:
    """The way to PostgreSQL; of the connections to come, each of `losses` loses one."""

    def __init__(self, server: PostgreSQL) -> None:
        self.losses: list[Callable[[socket.socket], None]] = []
        self.connections = 0
        self.lose_next: Callable[[socket.socket], None] | None = None
        """Loses what is connected, when it sends the next message."""
        self._server = (server.host, server.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        for thread in self._threads:  # more may be added by the first
            thread.join()
        self._listener.close()

    def to_server(self, client: socket.socket, messages: int | None = None) -> None:
        """Pass everything on, or so many messages of the client and what is answered to them."""
        with socket.create_connection(self._server) as server:
            back = threading.Thread(target=_pass_on, args=(server, client))
            back.start()
            try:
                while messages != 0 and (data := client.recv(65_536)):
                    if self.lose_next is not None:
                        self.lose_next(client)
                        client.close()  # before the server's goodbye reaches it
                        break
                    server.sendall(data)
                    messages = messages and messages - 1
            finally:
                with suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)
                back.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            lose = self.losses.pop(0) if self.losses else self.to_server
            thread = threading.Thread(target=self._serve, args=(client, lose))
            self._threads.append(thread)
            thread.start()

    @staticmethod
    def _serve(client: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with client, suppress(OSError):
            serve(client)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


def closed(_: socket.socket) -> None:
    """Close in silence, as a proxy without a server behind it."""


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(client: socket.socket) -> None:
    while client.recv(65_536):
        pass


def cut_inside_tls(client: socket.socket) -> None:
    client.recv(8)
    client.sendall(b"S")
    client.recv(65_536)


@pytest.fixture
def way(postgres: PostgreSQL) -> Iterator[Way]:
    opened = Way(postgres)
    yield opened
    opened.close()


@pytest.fixture
def value_on_the_way(way: Way, value: dict[str, Any]) -> dict[str, Any]:
    value["port"] = way.port  # before the secret is made of it
    return value


@pytest.fixture
def pauses(query: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made before logins; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(query, "sleep", made.append)
    return made


@pytest.fixture
def lost(value_on_the_way: object, way: Way, pauses: list[float], ask: Ask) -> Ask:
    """Ask through the way, with the pauses."""
    del value_on_the_way, way, pauses
    return ask


def losses(way: Way, kind: str) -> Callable[[socket.socket], None]:
    def cut_in_the_login(client: socket.socket) -> None:
        way.to_server(client, messages=2)  # that TLS is asked for, and its first message

    kinds = {each.__name__: each for each in (closed, reset, cut_inside_tls, cut_in_the_login)}
    return kinds[kind]


@pytest.mark.parametrize("kind", ["closed", "reset", "cut_inside_tls", "cut_in_the_login"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_login_that_ends_without_a_word_is_made_again(
    lost: Ask, way: Way, pauses: list[float], kind: str, times: int
) -> None:
    way.losses = [losses(way, kind)] * times
    answer = lost()
    assert (answer["status"], answer.get("reused_connection")) == (200, False)
    assert (way.connections, pauses) == (times + 1, [0.1, 0.3, 1.0][:times])


@pytest.mark.parametrize("kind", ["closed", "reset", "cut_inside_tls", "cut_in_the_login"])
def test_a_login_that_always_ends_without_a_word_is_made_four_times(
    lost: Ask, way: Way, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    way.losses = [losses(way, kind)] * 9
    answer = lost()
    failed = "the connection to the database failed"
    assert (answer["status"], answer["error"], way.connections) == (500, failed, 4)
    logged = json.loads(capsys.readouterr().out)
    assert (logged["error"], logged["failed"]) == ("ConnectionFailed", failed)
    assert logged["reason"].startswith(("the server does not answer", "the connection broke off"))
    way.losses.clear()
    assert lost()["status"] == 200


def test_a_login_that_is_not_answered_is_made_again(
    lost: Ask, way: Way, query: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, timeouts = query.connect, iter([0.05])

    def connect_impatiently_at_first(*arguments: Any) -> Any:
        return connect(*arguments, timeout_seconds=next(timeouts, 30))

    monkeypatch.setattr(query, "connect", connect_impatiently_at_first)
    way.losses = [silent]
    assert lost()["status"] == 200
    assert way.connections == 2


def test_a_login_at_a_server_that_is_starting_is_made_again(
    ask: Ask, query: ModuleType, value: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first nobody listens, then the server says that it is starting, then it answers."""
    del value
    connect = query.connect
    with scripted.bound_port() as bound:
        refused = {"port": bound.getsockname()[1]}
        steps = iter(
            [
                lambda secret: connect(secret | refused),
                lambda _: (_ for _ in ()).throw(query.ConnectionFailed("starting", "57P03")),
            ]
        )
        monkeypatch.setattr(query, "connect", lambda secret: next(steps, connect)(dict(secret)))
        monkeypatch.setattr(query, "sleep", lambda _: None)
        assert ask()["status"] == 200
    assert next(steps, None) is None


@pytest.mark.parametrize(("seconds", "logins"), [(6.0, 1), (6.2, 2), (8.0, 4)])
def test_no_login_is_begun_that_the_request_has_no_time_for(
    lost: Ask, way: Way, query: ModuleType, seconds: float, logins: int
) -> None:
    del lost  # what it sets up is asked with a context here
    way.losses = [closed] * 9
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
    assert query.lambda_handler({}, context)["statusCode"] == 500
    assert way.connections == logins


@pytest.mark.parametrize("lose", [closed, reset, silent])
def test_a_connection_that_is_lost_while_it_is_asked_is_opened_again(
    lost: Ask,
    way: Way,
    query: ModuleType,
    pauses: list[float],
    lose: Callable[[socket.socket], None],
) -> None:
    def lose_the_next_login_too(_: socket.socket) -> None:
        way.lose_next = None

    lost()
    query._KeptConnection.connection._usock.settimeout(0.05)  # noqa: SLF001 (of the kept connection only)
    way.lose_next = lose
    way.losses = [lose_the_next_login_too]
    answer = lost()
    assert (answer["status"], answer["reused_connection"]) == (200, False)
    assert (way.connections, pauses) == (3, [0.1])


def test_a_kept_connection_that_was_lost_is_opened_again_with_little_time_left(
    lost: Ask, way: Way, query: ModuleType, postgres: PostgreSQL, unique: str
) -> None:
    lost()
    sessions(postgres, unique, end=True)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 3000)
    assert query.lambda_handler({}, context)["statusCode"] == 200
    assert way.connections == 2


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("kept", [False, True])
def test_a_connection_that_ends_right_after_its_login_is_opened_again(  # noqa: PLR0913, PLR0917
    ask: Ask,
    query: ModuleType,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    postgres: PostgreSQL,
    unique: str,
    times: int,
    *,
    kept: bool,
) -> None:
    if kept:
        ask()
        assert sessions(postgres, unique, end=True) == 1
    connect, made = query.connect, []

    def connect_and_lose_the_first(*arguments: Any) -> Any:
        made.append(connect(*arguments))
        if len(made) <= times:
            assert sessions(postgres, unique, end=True) == 1
        return made[-1]

    monkeypatch.setattr(query, "connect", connect_and_lose_the_first)
    answer = ask()
    assert (answer["status"], answer["reused_connection"]) == (200, False)
    assert (len(made), len(pauses)) == (times + 1, times)


def test_a_connection_that_always_ends_right_after_its_login_is_a_failed_query(  # noqa: PLR0913, PLR0917
    ask: Ask,
    query: ModuleType,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    postgres: PostgreSQL,
    unique: str,
) -> None:
    connect = query.connect

    def connect_and_lose(*arguments: Any) -> Any:
        connection = connect(*arguments)
        sessions(postgres, unique, end=True)
        return connection

    monkeypatch.setattr(query, "connect", connect_and_lose)
    answer = ask()
    assert (answer["status"], answer["error"]) == (500, "the query failed")
    assert pauses == [0.1, 0.3, 1.0]


def test_what_another_login_would_not_change_is_tried_once(
    ask: Ask,
    query: ModuleType,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A certificate of nobody known, no bundle at all, and a database that is not there."""
    connect = query.connect
    for options, fields in (
        ({"ca_bundle": Path(client.__file__).with_name("rds-ca-bundle.pem")}, {}),
        ({"ca_bundle": tmp_path / "missing.pem"}, {}),
        ({}, {"dbname": "missing"}),
    ):
        logins = Mock(
            side_effect=lambda secret, o=options, f=fields: connect({**secret, **f}, **o)
        )
        with monkeypatch.context() as patch:
            patch.setattr(query, "connect", logins)
            assert ask()["status"] == 500
        assert (logins.call_count, pauses) == (1, [])
    assert ask()["status"] == 200


def test_a_secret_that_could_not_be_read_is_called_so(
    query: ModuleType,
    put: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del put
    monkeypatch.setenv("SECRET_NAME", "missing")
    answer = query.lambda_handler({}, None)
    failed = "the secret could not be read"
    assert json.loads(answer["body"]) == {"error": failed, "request_id": ""}
    logged = json.loads(capsys.readouterr().out)
    assert (logged["error"], logged["failed"]) == ("SecretNotFound", failed)
    assert logged["reason"].startswith("missing: ResourceNotFoundException")

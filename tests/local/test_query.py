"""The function that asks its database: it keeps its connection, and loses no request by that."""

import importlib
import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pg8000.native import identifier, literal

import postgres as client
from local.aws import EmbeddedAws
from local.postgres import PostgreSQL
from secret_client import SecretClient
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
    if module._Open.connection is not None:  # noqa: SLF001 (nothing else closes it)
        module._Open.connection.close()  # noqa: SLF001


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
    assert answer["connected"]
    assert "one-password" not in json.dumps(answer)


def test_a_connection_is_kept(ask: Ask, postgres: PostgreSQL, unique: str) -> None:
    assert [ask()["connected"] for _ in range(3)] == [True, False, False]
    assert sessions(postgres, unique) == 1


def test_a_connection_that_the_server_ended_is_made_anew_in_the_same_request(
    ask: Ask, postgres: PostgreSQL, unique: str
) -> None:
    ask()
    assert sessions(postgres, unique, end=True) == 1
    answer = ask()
    assert (answer["status"], answer["connected"]) == (200, True)


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
    assert ask()["connected"] is False


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
    assert [answer["connected"] for answer in answers] == [True, False, False]
    assert {answer["secret_version"] for answer in answers} == {pending}
    assert sessions(postgres, unique) == 1
    current(pending, before)
    assert (ask()["connected"], sessions(postgres, unique)) == (False, 1)
    # Made current again by hand, the version of before is what is wanted.
    current(before, pending)
    set_password(postgres, unique, "one-password")
    answer = ask()
    assert (answer["connected"], answer["secret_version"]) == (True, before)


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
    assert ask()["connected"]
    assert sessions(postgres, unique) == 1


def test_a_wrong_password_everywhere_is_an_answer_that_tells_nothing(
    ask: Ask, postgres: PostgreSQL, unique: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_password(postgres, unique, "a-third-password")
    answer = ask()
    assert answer == {"status": 500, "error": "the database did not answer", "request_id": ""}
    logged = json.loads(capsys.readouterr().out)
    assert logged["error"] == "ConnectionFailed"
    assert "28P01" in logged["reason"]
    assert "one-password" not in logged["reason"]


def test_an_error_of_the_statement_is_not_taken_for_a_lost_connection(
    ask: Ask, query: ModuleType, monkeypatch: pytest.MonkeyPatch, postgres: PostgreSQL, unique: str
) -> None:
    ask()
    assert query._Open.connection is not None  # noqa: SLF001
    asked: list[str] = []

    def refused(sql: str) -> None:
        asked.append(sql)
        raise query.DatabaseError({"C": "42501", "M": "permission denied"})

    monkeypatch.setattr(query._Open.connection, "run", refused)  # noqa: SLF001
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


def test_a_connection_that_ends_right_after_its_login_is_made_once_more(
    ask: Ask, query: ModuleType, monkeypatch: pytest.MonkeyPatch, postgres: PostgreSQL, unique: str
) -> None:
    connect, made = query.connect, []

    def connect_and_lose_the_first(*arguments: Any) -> Any:
        made.append(connect(*arguments))
        if len(made) == 1:
            sessions(postgres, unique, end=True)
        return made[-1]

    monkeypatch.setattr(query, "connect", connect_and_lose_the_first)
    assert ask()["status"] == 200
    assert len(made) == 2

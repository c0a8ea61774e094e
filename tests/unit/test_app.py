"""The application function's contract, with the extension scripted at the client's edge.

tests/local runs it for real; here stands what the real extension cannot be made to answer.
"""

import json
from types import SimpleNamespace
from typing import Any

import pytest

import app
from secret_client import AccessDenied, Value

CANARY = "s3cr3t-canary"
RDS = {"host": "h", "dbname": "d", "username": "u", "password": CANARY, "port": 5432}
CONTEXT = SimpleNamespace(aws_request_id="request-1")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_NAME", "p/s/database")


def call(monkeypatch: pytest.MonkeyPatch, secret: object) -> tuple[int, dict[str, Any], str]:
    def get_secret(name: str, *, context: object) -> object:
        assert (name, context) == ("p/s/database", CONTEXT)
        if isinstance(secret, Exception):
            raise secret
        return Value(
            json.dumps(secret),
            None,
            name=name,
            arn="arn",
            version="v",
            stages=("AWSCURRENT",),
            source="extension",
        )

    monkeypatch.setattr(app, "_secrets", SimpleNamespace(get_secret=get_secret))
    answer = app.lambda_handler({}, CONTEXT)
    assert answer["headers"] == {"Content-Type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"]), json.dumps(answer)


def test_it_answers_what_it_is_connected_to_and_not_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, body, whole = call(monkeypatch, RDS)
    assert status == 200
    assert body == {
        "message": "secret retrieved through the extension",
        "database_host": "h",
        "database_name": "d",
        "username": "u",
        "extension_cache": "Enabled with 300s TTL",
        "note": "the password was retrieved and is not shown",
    }
    assert CANARY not in whole


def test_the_other_spelling_of_host_and_name_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"database_host": "h", "database_name": "d", "username": "u", "password": CANARY}
    status, body, _ = call(monkeypatch, secret)
    assert (status, body["database_host"], body["database_name"]) == (200, "h", "d")


@pytest.mark.parametrize("absent", [{}, {"dbname": None}, {"dbname": ""}])
def test_a_secret_without_a_database_is_answered(
    monkeypatch: pytest.MonkeyPatch, absent: dict[str, object]
) -> None:
    secret = {key: value for key, value in RDS.items() if key != "dbname"} | absent
    status, body, _ = call(monkeypatch, secret)
    assert (status, body["database_host"], body["database_name"]) == (200, "h", None)


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_secret_name_it_is_the_callers_fault(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.delenv("SECRET_NAME")
    if name is not None:
        monkeypatch.setenv("SECRET_NAME", name)
    answer = app.lambda_handler({}, CONTEXT)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {
        "error": "the environment variable SECRET_NAME is not set"
    }


@pytest.mark.parametrize(
    "failure", [AccessDenied(f"text {CANARY}"), ValueError(CANARY), KeyError(CANARY), None, [], {}]
)
def test_a_failure_answers_the_request_id_and_nothing_of_the_exception(
    monkeypatch: pytest.MonkeyPatch, failure: object
) -> None:
    status, body, _ = call(monkeypatch, failure)
    assert status == 500
    assert body == {"error": "the secret could not be read", "request_id": "request-1"}


def test_log_names_the_cause_of_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, AccessDenied("p/s/database: the extension could not read it"))
    logged = json.loads(capsys.readouterr().out)
    assert logged == {
        "level": "ERROR",
        "error": "AccessDenied",
        "reason": "p/s/database: the extension could not read it",
    }


def test_log_holds_nothing_of_an_exception_that_is_not_the_clients(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, ValueError(CANARY))
    assert CANARY not in capsys.readouterr().out


def test_a_secret_that_rds_manages_is_answered_and_says_that_it_has_no_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, body, whole = call(monkeypatch, {"username": "u", "password": CANARY})
    assert (status, body["username"]) == (200, "u")
    assert (body["database_host"], body["database_name"]) == (None, None)
    assert body["note"] == (
        "the password was retrieved and is not shown; the secret has no host, so take it from the"
        " function's environment"
    )
    assert CANARY not in whole


# As AWS describes them:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
@pytest.mark.parametrize(
    "secret",
    [
        {"engine": "postgres", "host": "h", "username": "u", "password": CANARY, "port": 5432},
        {**RDS, "engine": "mysql", "dbInstanceIdentifier": "i", "masterarn": "arn"},
        {**RDS, "engine": "redshift", "dbname": None, "dbClusterIdentifier": "c"},
        {**RDS, "engine": "mongo", "dbname": "", "ssl": True, "port": "27017"},
        {**RDS, "engine": "oracle", "SERVICE_NAME": "s"},
    ],
    ids=lambda secret: secret["engine"],
)
def test_a_secret_of_each_engine_is_answered(
    monkeypatch: pytest.MonkeyPatch, secret: dict[str, object]
) -> None:
    status, body, _ = call(monkeypatch, secret)
    assert (status, body["database_host"], body["username"]) == (200, "h", "u")
    assert body["database_name"] == (secret.get("dbname") or None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"username": ""}, "no field username"),
        ({"password": None}, "no field password"),
        ({"username": None, "password": ""}, "no field username, no field password"),
        ({"host": {"a": CANARY}}, "field host is not text"),
        (
            {"host": float("inf"), "dbname": [CANARY]},
            "field host is not text, field dbname is not text",
        ),
        ({"username": 0}, "field username is not text"),
        ({"password": False}, "field password is not text"),
    ],
)
def test_fields_that_cannot_be_used_are_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, object],
    reason: str,
) -> None:
    status, body, _ = call(monkeypatch, {**RDS, **fields})
    assert (status, body["request_id"]) == (500, "request-1")
    assert json.loads(capsys.readouterr().out) == {
        "level": "ERROR",
        "error": "IncompleteSecret",
        "reason": f"p/s/database: {reason}",
    }


def test_a_failure_while_the_answer_is_made_is_answered_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "_extension_cache", lambda: 1 / 0)
    status, body, _ = call(monkeypatch, RDS)
    assert (status, body["request_id"]) == (500, "request-1")
    assert json.loads(capsys.readouterr().out)["error"] == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SECRETS_MANAGER_TTL": "60"}, "Enabled with 60s TTL"),
        ({"SECRETS_MANAGER_TTL": "0"}, "Disabled"),
        ({"PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED": "false"}, "Disabled"),
        ({"PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED": "true"}, "Enabled with 300s TTL"),
        ({"PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE": "0"}, "Disabled"),
    ],
)
def test_it_says_how_the_extension_caches(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _, body, _ = call(monkeypatch, RDS)
    assert body["extension_cache"] == said

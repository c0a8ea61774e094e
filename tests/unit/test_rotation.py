"""What follows what in a rotation; what needs no server is here, the steps are in tests/local."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import rotation
from rotation_engine import Engine, Refused, RotationError
from rotation_postgres import AlternatingUsers, SingleUser
from rotation_random import Random
from rotation_roles import mark_of, require_kept_role

FIELDS = frozenset({"password"})
MADE = {"password": "new"}
DATABASE = {"host": "h", "port": 5432, "username": "app", "password": "old", "note": "kept"}


def alternating() -> AlternatingUsers:
    return AlternatingUsers(
        "arn:aws:secretsmanager:us-east-1:1:secret:s-AbCdEf", FIELDS, list, list
    )


def engines() -> list[Engine]:
    return [Random(FIELDS, 0), Random(FIELDS, 60), SingleUser(FIELDS, list), alternating()]


@pytest.mark.parametrize("engine", engines(), ids=["random", "overlap", "single", "alternating"])
def test_the_next_value_follows_the_current_one_and_no_other(
    engine: Engine,
) -> None:
    following = engine.next_value(DATABASE, MADE)
    assert following["password"] == "new"
    assert engine.follows(following, DATABASE)
    assert not engine.follows(following, {**DATABASE, "host": "elsewhere"})
    assert not engine.follows(following, {**DATABASE, "added": 1})
    assert not engine.follows({**following, "note": "changed"}, DATABASE)
    assert not engine.follows({"host": "h"}, DATABASE)


def test_a_single_user_gets_a_new_password_and_nothing_else() -> None:
    assert SingleUser(FIELDS, list).next_value(DATABASE, MADE) == {**DATABASE, "password": "new"}


def test_two_users_change_places() -> None:
    first = alternating().next_value(DATABASE, MADE)
    names = {"username": "app_clone", "alternateUsername": "app"}
    assert first == {**DATABASE, "password": "new", **names}
    second = alternating().next_value(first, {"password": "newer"})
    names = {"username": "app", "alternateUsername": "app_clone"}
    assert second == {**DATABASE, "password": "newer", **names}


def test_a_password_changed_by_hand_is_followed_by_a_database_users_next() -> None:
    by_hand = {**DATABASE, "password": "by hand"}
    assert SingleUser(FIELDS, list).follows({**DATABASE, **MADE}, by_hand)
    assert alternating().follows(alternating().next_value(DATABASE, MADE), by_hand)


def test_the_other_user_may_be_named() -> None:
    value = alternating().next_value({**DATABASE, "alternateUsername": "second"}, MADE)
    assert (value["username"], value["alternateUsername"]) == ("second", "app")


@pytest.mark.parametrize(
    ("username", "clone"),
    [
        ("a" * 57, "a" * 57 + "_clone"),
        ("a" * 63, "a" * 57 + "_clone"),
        ("ü" * 31, "ü" * 28 + "_clone"),
        ("\U0001f511" * 15, "\U0001f511" * 14 + "_clone"),
    ],
)
def test_a_clones_name_is_cut_to_63_bytes_between_characters(username: str, clone: str) -> None:
    value = alternating().next_value({**DATABASE, "username": username}, MADE)
    assert value["username"] == clone
    assert len(clone.encode()) <= 63


@pytest.mark.parametrize(
    "names",
    [{"username": "a" * 57 + "_clone"}, {"alternateUsername": "app"}],
    ids=["cut", "named"],
)
def test_a_user_that_would_alternate_with_itself_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(RotationError, match="username and alternateUsername are both"):
        alternating().next_value({**DATABASE, **names}, MADE)


@pytest.mark.parametrize(
    "engine", [SingleUser(FIELDS, list), alternating()], ids=["single", "two"]
)
def test_a_database_value_without_its_fields_is_refused(engine: Engine) -> None:
    with pytest.raises(
        RotationError, match=r"^the value has no host; add it; the value has no username; add it$"
    ):
        engine.next_value({"password": "s3cr3t"}, MADE)


@pytest.mark.parametrize(
    "engine", [SingleUser(FIELDS, list), alternating()], ids=["single", "two"]
)
@pytest.mark.parametrize("field", ["host", "username", "password", "dbname", "alternateUsername"])
def test_a_number_where_text_must_be_is_told_by_its_field(engine: Engine, field: str) -> None:
    told = f"^the value's {field} is not text; put it in quotes$"
    with pytest.raises(RotationError, match=told):
        engine.next_value({**DATABASE, field: 12345678}, MADE)


@pytest.mark.parametrize("absent", [None, ""])
def test_optional_fields_that_are_null_or_empty_are_kept_and_taken_as_absent(
    absent: object,
) -> None:
    value = {**DATABASE, "port": absent, "dbname": absent, "alternateUsername": absent}
    assert SingleUser(FIELDS, list).next_value(value, MADE) == {**value, **MADE}
    names = {"username": "app_clone", "alternateUsername": "app"}
    assert alternating().next_value(value, MADE) == {**value, **MADE, **names}


@pytest.mark.parametrize(
    "engine", [SingleUser(FIELDS, list), alternating()], ids=["single", "two"]
)
def test_every_field_that_cannot_be_rotated_is_named_at_once(engine: Engine) -> None:
    value = {**DATABASE, "host": "postgres://h", "port": 99_999, "username": "u" * 70}
    with pytest.raises(RotationError) as raised:
        engine.next_value(value, MADE)
    assert str(raised.value) == (
        "the value's host must be a host name or an IP address alone; remove what comes before and"
        " after it, such as postgres:// and /db; the value's port must be a number from 1 to"
        " 65535; the value's username has more than 63 bytes; use a shorter name"
    )


PROXY = "app.proxy-abc123.us-east-1.rds.amazonaws.com"


def test_a_value_of_rds_proxy_is_rotated_at_the_deployers_host_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = {**DATABASE, "host": PROXY}
    engine = SingleUser(FIELDS, list)
    with pytest.raises(RotationError, match=r"is an RDS Proxy, .*; set rotation\.host to"):
        engine.next_value(value, MADE)
    monkeypatch.setenv("ROTATION_HOST", "db.example.com")
    assert engine.next_value(value, MADE) == {**value, **MADE}


@pytest.mark.parametrize("name", ["app\nINFO all is well", "app\x1b[2J", "app\u202e"])
def test_a_name_does_not_break_the_line_of_an_error(name: str) -> None:
    with pytest.raises(RotationError) as raised:
        alternating().next_value({**DATABASE, "username": name, "alternateUsername": name}, MADE)
    assert str(raised.value).isprintable()
    assert repr(name).strip("'") in str(raised.value)


def test_database_users_need_a_generated_password() -> None:
    with pytest.raises(RotationError, match="no password is generated"):
        SingleUser(frozenset({"key"}), list)


HOUR = timedelta(hours=1)


def test_the_old_text_stays_for_the_overlap() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    value = Random(frozenset({"key", "more"}), 3600).next_value(
        {"key": "old", "note": "kept"}, {"key": "new", "more": "first"}
    )
    valid_until = datetime.fromisoformat(value["previous"].pop("validUntil"))
    assert value == {"key": "new", "more": "first", "note": "kept", "previous": {"key": "old"}}
    assert before + HOUR <= valid_until - HOUR <= datetime.now(UTC) + HOUR
    assert valid_until.utcoffset() == timedelta()


def test_the_overlap_is_whole_whenever_the_new_text_becomes_current() -> None:
    """AWSCURRENT moves after the last of steps that may fail and be called again."""
    engine, current = Random(frozenset({"key"}), 7200), {"key": "old"}
    pending = engine.next_value(current, {"key": "new"})
    assert engine.follows(pending, current)
    for ago, follows in ((timedelta(minutes=59), True), (timedelta(minutes=61), False)):
        made = datetime.fromisoformat(pending["previous"]["validUntil"]) - ago
        aged = {**pending["previous"], "validUntil": made.isoformat()}
        assert engine.follows({**pending, "previous": aged}, current) is follows
        assert (made >= datetime.now(UTC) + 2 * HOUR) is follows


def valid_for(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def test_every_old_text_stays_while_it_is_valid() -> None:
    engine = Random(frozenset({"key"}), 60)
    third = engine.next_value(engine.next_value({"key": "1"}, {"key": "2"}), {"key": "3"})
    assert third["previous"]["key"] == "2"
    assert third["previous"]["previous"]["key"] == "1"
    without = Random(frozenset({"key"}), 0).next_value(third, {"key": "4"})
    assert without == {"key": "4"}


def test_an_old_text_goes_when_its_time_is_over_wherever_it_is() -> None:
    engine = Random(frozenset({"key"}), 60)
    oldest = {"key": "1", "validUntil": valid_for(90)}
    over = {"key": "2", "validUntil": valid_for(-1), "previous": oldest}
    valid = {"key": "3", "validUntil": valid_for(30), "previous": over}
    current = {"key": "4", "previous": valid}
    value = engine.next_value(current, {"key": "5"})
    assert value["previous"]["key"] == "4"
    assert value["previous"]["previous"] == {**valid, "previous": oldest}
    assert engine.follows(value, current)
    assert not engine.follows(value, {"key": "4"})  # somebody has taken them back


@pytest.mark.parametrize(
    "previous",
    ["text", ["list"], None, {"key": "old"}, {"validUntil": 1}, {"validUntil": "0001-01-01"}],
)
def test_a_previous_of_ones_own_is_replaced(previous: object) -> None:
    engine = Random(frozenset({"key"}), 60)
    current = {"key": "1", "previous": previous}
    value = engine.next_value(current, {"key": "2"})
    assert set(value["previous"]) == {"key", "validUntil"}
    assert engine.follows(value, current)
    assert not engine.follows({**value, "previous": previous}, current)


def test_a_text_changed_by_hand_is_not_followed_with_an_overlap() -> None:
    engine = Random(frozenset({"key"}), 60)
    assert not engine.follows(engine.next_value({"key": "1"}, {"key": "2"}), {"key": "by hand"})


@pytest.mark.parametrize("value", [{}, {"key": ""}, {"key": None}, {"previous": {"key": "old"}}])
def test_a_value_without_its_texts_does_not_work(value: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="the value lacks key"):
        Random(frozenset({"key"}), 0).test(value)


@pytest.mark.parametrize("value", [0, False])
def test_a_text_that_is_a_number_or_a_boolean_is_there(value: object) -> None:
    Random(frozenset({"key"}), 0).test({"key": value})


def test_a_step_is_told_before_it_can_hang_and_no_call_hangs_for_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []

    def client(service: str, *, config: Any) -> None:
        given.extend((service, config))
        raise TimeoutError

    monkeypatch.setattr(boto3, "client", client)
    for name, text in {"SECRET_ARN": "arn", "GENERATE": "{}", "OVERLAP_SECONDS": "0"}.items():
        monkeypatch.setenv(name, text)
    event = {"Step": "setSecret", "SecretId": "arn", "ClientRequestToken": "token"}
    with pytest.raises(TimeoutError):
        rotation.lambda_handler(event, None)
    line = json.loads(capsys.readouterr().out)
    assert line == {"level": "INFO", "step": "setSecret", "secret": "arn", "version": "token"}
    service, config = given
    assert service == "secretsmanager"
    attempts = config.retries["total_max_attempts"]
    assert attempts > 1
    assert (config.connect_timeout + config.read_timeout) * attempts < 60 / 2


def test_no_version_with_a_label_is_missed_among_many_on_several_pages() -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)

    def page(name: str, number: int, **labels: list[str]) -> list[dict[str, Any]]:
        return [
            {"VersionId": f"{name}-{n:032}", "CreatedDate": made - timedelta(days=n), **labels}
            for n in range(number)
        ]

    client = boto3.client(
        "secretsmanager", "eu-central-1", aws_access_key_id="id", aws_secret_access_key="key"
    )
    asked = {"SecretId": "arn", "IncludeDeprecated": True, "MaxResults": 100}
    recent, labelled = page("recent", 100), page("label", 20, VersionStages=["LABEL"])
    with Stubber(client) as scripted:
        for versions, token, following in ((recent, "", "2"), (labelled, "2", "")):
            answer = {"Versions": versions} | ({"NextToken": following} if following else {})
            told = asked | ({"NextToken": token} if token else {})
            scripted.add_response("list_secret_version_ids", answer, told)
        tried = [each["VersionId"] for each in (*labelled, *recent[:10])]
        for version in tried:
            answer = {"VersionId": version, "SecretString": json.dumps({"version": version})}
            read = {"SecretId": "arn", "VersionId": version}
            scripted.add_response("get_secret_value", answer, read)
        secret = rotation._Secret(client, "arn", "token", {})  # noqa: SLF001 (the list is its own)
        assert [value["version"] for value in secret.known()] == tried
        scripted.assert_no_pending_responses()


@pytest.mark.parametrize(
    "rules",
    [
        {"length": 41, "excludePunctuation": True},
        {"PasswordLength": 41, "ExcludePunctuation": True},
    ],
    ids=["updated", "being updated"],
)
def test_rules_of_the_previous_release_make_the_same_text_while_a_function_is_updated(
    rules: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"SECRET_ARN": "arn", "OVERLAP_SECONDS": "0"}
    for name, text in {**variables, "GENERATE": json.dumps({"key": rules})}.items():
        monkeypatch.setenv(name, text)
    rotated = rotation._rotated("arn")  # noqa: SLF001
    client = boto3.client(
        "secretsmanager", "eu-central-1", aws_access_key_id="id", aws_secret_access_key="key"
    )
    asked = {"PasswordLength": 41, "ExcludePunctuation": True}
    with Stubber(client) as scripted:
        scripted.add_response("get_random_password", {"RandomPassword": "made"}, asked)
        secret = rotation._Secret(client, "arn", "token", rotated.rules)  # noqa: SLF001
        assert secret.make_texts() == {"key": "made"}


@pytest.mark.parametrize(
    "version", [130018, 140015, 150010, 160006, 170002, 180000, 190003, 150018, 170010]
)
def test_a_server_that_keeps_the_role_of_a_clone_is_taken(version: int) -> None:
    require_kept_role(version)


@pytest.mark.parametrize(
    ("version", "name"),
    [
        *((90624, "9.624"), (120022, "12.22"), (130017, "13.17"), (140014, "14.14")),
        *((150009, "15.9"), (160002, "16.2"), (160005, "16.5"), (170001, "17.1")),
    ],
)
def test_a_server_that_loses_the_role_of_a_clone_is_refused(version: int, name: str) -> None:
    with pytest.raises(
        RotationError,
        match=rf"^PostgreSQL {name} does not keep .* upgrade it to 13\.18, 14\.15, 15\.10, 16\.6,"
        r" 17\.2 or later, or use singleUser$",
    ):
        require_kept_role(version)


def test_a_mark_is_of_the_secrets_name_and_not_of_its_random_characters() -> None:
    first, again, longer = (
        mark_of(f"arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/{name}")
        for name in ("db-AbCdEf", "db-XyZ123", "db-AbCdEf-XyZ123")
    )
    assert (
        first
        == again
        == ("rotated for arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/db")
    )
    assert longer == f"{first}-AbCdEf"


def test_the_function_of_a_group_rotates_its_secrets_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group = {
        "p/s/key": {"generate": {"key": {"length": 40}}, "overlapSeconds": 60},
        "p/s/a-b": {"generate": {"token": {}}, "overlapSeconds": 0},
    }
    (tmp_path / "rotated.json").write_text(json.dumps(group))
    monkeypatch.setattr(rotation, "_ROTATED", tmp_path / "rotated.json")
    monkeypatch.delenv("SECRET_ARN", raising=False)
    prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
    key = rotation._rotated(f"{prefix}p/s/key-AbCdEf")  # noqa: SLF001
    assert key == ({"key": {"PasswordLength": 40}}, 60)
    assert rotation._rotated(f"{prefix}p/s/a-b-AbCdEf") == ({"token": {}}, 0)  # noqa: SLF001
    for other in ("p/s/key2-AbCdEf", "p/s/key", "p/s/a-b", "other/key-AbCdEf"):
        event = {"Step": "createSecret", "SecretId": prefix + other, "ClientRequestToken": "t"}
        told = f"^this function rotates only p/s/key, p/s/a-b, not {prefix}{other}; set that"
        with pytest.raises(RotationError, match=told):
            rotation.lambda_handler(event, None)

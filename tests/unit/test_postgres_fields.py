"""The fields of a value in one form, and what is wrong with them: in rotation and at preview."""

from decimal import Decimal
from typing import Any

import pytest

from postgres_fields import (
    LOGIN,
    Server,
    clone_of,
    database,
    field_errors,
    given,
    missing,
    rotation_errors,
    server,
)

VALUE = {"host": "db.example.com", "username": "app", "password": "secret"}


@pytest.mark.parametrize(
    "port", [5432, "5432", " 5432", "5432\n", "05432", 5432.0, Decimal(5432)], ids=repr
)
@pytest.mark.parametrize("host", ["db.example.com", "DB.Example.com", "db.example.com."])
def test_spellings_of_one_server_are_one_server(host: str, port: object) -> None:
    value = {**VALUE, "host": host, "port": port}
    assert not [*field_errors(value)]
    assert server(value) == Server("db.example.com", 5432)


@pytest.mark.parametrize("host", ["::1", "[::1]", "0:0::1", "[0:0:0:0:0:0:0:1]"])
def test_an_ipv6_address_is_taken_with_and_without_brackets(host: str) -> None:
    value = {**VALUE, "host": host}
    assert not [*field_errors(value)]
    assert server(value) == ("::1", 5432)
    assert str(server(value)) == "[::1]:5432"


def test_a_server_is_written_with_its_port() -> None:
    assert str(server(VALUE)) == "db.example.com:5432"


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize("field", ["port", "dbname"])
def test_an_optional_field_that_is_null_or_empty_is_absent(field: str, absent: object) -> None:
    value = {**VALUE, "port": 5432, "dbname": "postgres", field: absent}
    assert not [*field_errors(value)]
    assert server(value) == server(VALUE)
    assert database(value) == database(VALUE) == "postgres"


def test_a_field_that_is_needed_is_missing_where_it_is_null_or_empty() -> None:
    value = {"host": None, "username": "", "password": 0}
    assert missing(value, "host", "username", "password", "none") == ["host", "username", "none"]
    assert given(value, "password") == 0
    assert server(value) is None


ALONE = "must be a host name or an IP address alone"
WRONG: list[tuple[str, object, str]] = [
    *(
        ("port", port, "must be a number from 1 to 65535")
        for port in (
            0,
            -1,
            65_536,
            99_999,
            5432.5,
            1e400,
            True,
            [5432],
            "5_432",
            "+1",
            "٥٤٣٢",
            "x",
        )
    ),
    ("port", "0" * 5000, "must be a number from 1 to 65535"),
    *(
        ("host", host, "has a space or a control character in it; remove it")
        for host in (" db ", "db example", "db\n", "db\t", "db\u200b")
    ),
    *(
        (
            "host",
            host,
            f"{ALONE}; remove what comes before and after it, such as postgres:// and /db",
        )
        for host in ("postgres://db", "user@db", "db/name", "/var/run/postgresql")
    ),
    *(
        ("host", host, f"{ALONE}; write the port into `port`")
        for host in ("db:5432", "[::1]:5432", "fe80::1%eth0")
    ),
    *(
        ("host", host, ALONE)
        for host in ("one,another", "[db]", "db..example.com", "db..", ".", ".db", "a" * 64)
    ),
    *(
        (field, number, "is not text; put it in quotes")
        for field in ("host", "username", "password", "dbname")
        for number in (2024, True, {"a": "b"})
    ),
    *(
        (field, "a\0b", "has a NUL in it; remove it")
        for field in ("host", "username", "password", "dbname")
    ),
    ("password", "\ud800", "is not valid Unicode; set it again"),
]


@pytest.mark.parametrize(
    ("field", "found", "message"), WRONG, ids=[f"{row[0]}-{row[1]!r:.20}" for row in WRONG]
)
def test_a_field_that_cannot_work_is_named_with_the_rule(
    field: str, found: object, message: str
) -> None:
    value = {**VALUE, field: found}
    assert [*field_errors(value)] == [(field, message)]
    assert (server(value) is None) is (field in ("host", "port"))


@pytest.mark.parametrize(
    "host", ["db", "127.0.0.1", "my_db", "xn--mller-kva.de", "müller.de", "a" * 63, "db.internal."]
)
def test_other_hosts_are_taken(host: str) -> None:
    assert not [*field_errors({**VALUE, "host": host})]


def test_every_fault_is_named_at_once() -> None:
    value = {"host": "a b", "port": 0, "dbname": 1, "username": 2, "password": 3}
    assert [error.field for error in field_errors(value)] == list(LOGIN)


def test_what_an_application_does_not_read_is_no_fault_of_its_login() -> None:
    value = {**VALUE, "alternateUsername": 5, "username": "u" * 64}
    assert not [*field_errors(value)]
    assert [error.field for error in rotation_errors(value)] == ["alternateUsername", "username"]


@pytest.mark.parametrize("field", ["username", "alternateUsername"])
@pytest.mark.parametrize(
    ("name", "fits"), [("u" * 63, True), ("u" * 64, False), ("ü" * 32, False)]
)
def test_a_user_that_is_rotated_has_63_bytes_at_most(field: str, name: str, *, fits: bool) -> None:
    found = [*rotation_errors({**VALUE, field: name})]
    assert found == ([] if fits else [(field, "has more than 63 bytes; use a shorter name")])


def test_users_that_are_alike_in_57_bytes_have_clones_of_one_name() -> None:
    assert clone_of("u" * 57 + "a") == clone_of("u" * 57 + "b") == "u" * 57 + "_clone"
    assert clone_of("u" * 56 + "a") != clone_of("u" * 56 + "b")


@pytest.mark.parametrize(
    ("host", "is_proxy"),
    [
        ("the-proxy.proxy-demo.us-east-1.rds.amazonaws.com", True),
        ("Orders.PROXY-abc123.eu-central-1.rds.amazonaws.com.", True),
        ("reader.endpoint.proxy-abc123.us-east-1.rds.amazonaws.com", True),
        ("orders.proxy-abc123.rds.cn-north-1.amazonaws.com.cn", True),
        ("orders.proxy-abc123.cn-north-1.rds.amazonaws.com.cn", True),
        ("proxy-db.abc123.us-east-1.rds.amazonaws.com", False),
        ("app.cluster-abc123.us-east-1.rds.amazonaws.com", False),
        ("app.cluster-custom-proxy-1.us-east-1.rds.amazonaws.com", False),
        ("orders.proxy-abc123.example.com", False),
        ("pgbouncer.proxy-1.internal", False),
    ],
)
def test_an_endpoint_of_rds_proxy_is_known_by_its_name(host: str, *, is_proxy: bool) -> None:
    found: Any = server({**VALUE, "host": host})
    assert found.is_rds_proxy is is_proxy

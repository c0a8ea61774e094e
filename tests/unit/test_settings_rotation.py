# ruff: noqa: E501 (a table reads by its rows)
"""Rotation in stack config: what cannot be rotated is refused with the reason, and nothing else."""

import math
from typing import Any

import pytest

from infra.aws import layers, rds_certificates
from infra.config.shared import postgres_fields
from tests.recording import PROJECT
from tests.unit.test_postgres_fields import WRONG
from tests.unit.test_settings import ANOTHER, DATABASE, VALID, faults, read, rotated

PROXY = "app.proxy-abc123.us-east-1.rds.amazonaws.com"
OWN = "app.cluster-abc123.us-east-1.rds.amazonaws.com"
ALIKE = "u" * 57


FIELDS: dict[str, Any] = {"host": "h", "username": "u"}


def database(**fields: Any) -> dict[str, Any]:
    """Write a secret that rotates, with other fields."""
    return {**rotated(strategy="singleUser"), "fields": {**FIELDS, **fields}}


def alternating(admin: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    """Write two secrets: one whose users alternate, and its administrator's."""
    ours = {**rotated(strategy="alternatingUsers", adminSecret="admin")}
    theirs = {**DATABASE, "fields": {"host": "h", "username": "admin", **admin}}
    return {"database": {**ours, "fields": {**FIELDS, **fields}}, "admin": theirs}


def at_proxy(**rotation: Any) -> dict[str, Any]:
    """Write a secret that an application uses through RDS Proxy."""
    fields = {"host": PROXY, "username": "u"}
    return {"database": {**rotated(strategy="singleUser", **rotation), "fields": fields}}


def errors(secrets: dict[str, Any], **options: Any) -> list[str]:
    """Return the errors of config with these secrets, without the project and the remedy."""
    function = {"secrets": ["database"], "architecture": "x86_64"}  # has a layer in every region
    found = faults({"secrets": secrets, "function": function}, **options)
    end = "; fix it in Pulumi.test.yaml"
    return [each.removeprefix(f"{PROJECT}:").removesuffix(end) for each in found]


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"secrets": {"database": rotated()}}, "secrets.database.rotation.strategy is missing"),
        ({"secrets": {"database": rotated(strategy="daily")}}, "secrets.database.rotation.strategy must be 'singleUser', 'alternatingUsers' or 'random', got 'daily'"),
        ({"secrets": {"database": rotated(strategy="singleUser", everyDays=0)}}, "secrets.database.rotation.everyDays must be 1 to 1000, got 0"),
        ({"secrets": {"database": rotated(strategy="singleUser", windowHours=25)}}, "secrets.database.rotation.windowHours must be 1 to 24, got 25"),
        ({"secrets": {"database": rotated(strategy="singleUser", everyDays=1, schedule="rate(10 days)")}}, "secrets.database.rotation.schedule is set together with `everyDays`; keep one"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(3 hours)")}}, "secrets.database.rotation.schedule must be every 4 to 999 hours, got 'rate(3 hours)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(0 days)")}}, "secrets.database.rotation.schedule must be every 1 to 999 days, got 'rate(0 days)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(4 hours)", windowHours=5)}}, "secrets.database.rotation.windowHours must be at most 4 with rate(4 hours), because a window ends before the next one opens and on the same day (UTC), got 5"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(30 4 * * ? *)")}}, "secrets.database.rotation.schedule must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC, got 'cron(30 4 * * ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 * * SUN *)")}}, "secrets.database.rotation.schedule must have ? for either day or weekday, got 'cron(0 4 * * SUN *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 24 ? * SUN *)")}}, "secrets.database.rotation.schedule must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC, with each field in its range, got 'cron(0 24 ? * SUN *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 ? FOO SUN *)")}}, "with each field in its range"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 LOL * ? *)")}}, "with each field in its range, got 'cron(0 4 LOL * ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 ? * MON#9 *)")}}, "with each field in its range, got 'cron(0 4 ? * MON#9 *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 ? * FOOL *)")}}, "with each field in its range, got 'cron(0 4 ? * FOOL *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 32W * ? *)")}}, "with each field in its range, got 'cron(0 4 32W * ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 1 1JAN ? *)")}}, "with each field in its range, got 'cron(0 4 1 1JAN ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 * ? * * *)")}}, "secrets.database.rotation.schedule must leave at least 4 hours between rotations, got 'cron(0 * ? * * *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 22 ? * SUN *)", windowHours=3)}}, "secrets.database.rotation.windowHours must be at most 2 with cron(0 22 ? * SUN *), because a window ends before the next one opens and on the same day (UTC), got 3"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 23 ? * SUN *)", windowHours=24)}}, "windowHours must be at most 1 with"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 ? * SUN *)", windowHours=21)}}, "windowHours must be at most 20 with"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(10 hours)", windowHours=3)}}, "windowHours must be at most 2 with rate(10 hours), because"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 0,23 * * ? *)")}}, "secrets.database.rotation.schedule must leave at least 4 hours between rotations, got 'cron(0 0,23 * * ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 0/6 ? * * *)", windowHours=7)}}, "secrets.database.rotation.windowHours must be at most 6 with cron(0 0/6 ? * * *), because a window ends before the next one opens and on the same day (UTC), got 7"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": 7}}}}, "secrets.database.fields.username is not text; put it in quotes"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": "u", "port": "abc"}}}}, "secrets.database.fields.port must be a number from 1 to 65535"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": "u", "engine": "mysql"}}}}, "secrets.database.rotation supports postgres and aurora-postgresql, but `fields.engine` is neither; change it"),
        ({"secrets": {"database": {**rotated(strategy="random"), "generate": {"previous": {}}}}}, "secrets.database.rotation has strategy `random`, which stores old values in `previous`; rename that field"),
        ({"secrets": {"database": rotated(strategy="singleUser"), "b": DATABASE}}, "secrets.database.rotation changes the password of user 'u', but secret 'b' logs in as that user on the same server; give each secret its own user"),
        ({"secrets": {"database": rotated(strategy="singleUser"), "b": rotated(strategy="singleUser")}}, "secrets.b.rotation changes the password of user 'u', but secret 'database' logs in"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="b"), "b": {**DATABASE, "fields": {"host": "h", "username": "u_clone"}}}}, "secrets.database.rotation changes the password of user 'u_clone', but secret 'b' logs in"),
        ({"secrets": {"database": rotated(strategy="singleUser", overlapHours=1)}}, "secrets.database.rotation.overlapHours is only for `random`"),
        ({"secrets": {"database": rotated(strategy="random", overlapHours=-1)}}, "secrets.database.rotation.overlapHours must be 0 to 24000, got -1"),
        ({"secrets": {"database": rotated(strategy="singleUser", adminSecret="database")}}, "secrets.database.rotation.adminSecret is only for `alternatingUsers`; remove it"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers")}}, "secrets.database.rotation.adminSecret must be another secret (there is none yet; add it to `secrets`), got none"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="database"), "b": ANOTHER}}, "secrets.database.rotation.adminSecret must be another secret (b), got 'database'"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="b"), "b": {**DATABASE, "fields": {"host": "other", "username": "b"}}}}, "secrets.database.rotation.adminSecret must be for h:5432, where rotation logs in, but 'b' is for other:5432; choose another secret"),
        ({"secrets": {"database": {"from": "config", "rotation": {"strategy": "singleUser"}}}, "secretValues": {"database": {"a": "b"}}}, "secrets.database.rotation cannot be combined with `from: config`"),
        ({"secrets": {"database": {"from": "external", "rotation": {"strategy": "random"}}}}, "secrets.database.rotation has strategy `random`, which needs at least one field under `generate`"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"username": "u"}}}}, "secrets.database.rotation logs in to a database, but `fields` has no `host`; add it"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "generate": {"password": {}, "pin": {}}}}}, "secrets.database.rotation changes a database password, so `generate` must have only the field `password`"),
    ],
)  # fmt: skip
def test_one_fault_is_one_line_that_names_key_value_and_remedy(
    keys: dict[str, Any], fault: str
) -> None:
    found = [each for each in faults({**VALID, **keys}) if fault in each]
    assert len(found) == 1
    assert found[0].startswith(f"{PROJECT}:")
    assert found[0].endswith("; fix it in Pulumi.test.yaml")


@pytest.mark.parametrize(
    "fields",
    [
        *("0/8 * * ?", "/8 * * ?", "4 L * ?", "4 L-3 * ?", "4 LW * ?", "4 15W * ?", "4 1,L * ?"),
        *("4 ? * MON#5", "4 ? * mon#5", "4 ? * 6L", "4 ? * FriL", "4 ? * L", "4 ? * MON#1,MON#3"),
        *("4 /10 /2 ?", "4 1 JAN-mar,7 ?", "4 ? * MON-FRI"),
    ],
)
def test_a_schedule_that_aws_may_take_is_taken(fields: str) -> None:
    schedule = f"cron(0 {fields} *)"
    secret = rotated(strategy="singleUser", schedule=schedule)
    environment = read({"secrets": {"database": {**secret, "fields": FIELDS}}})
    assert environment.rotations["database"].schedule == schedule


@pytest.mark.parametrize(
    ("field", "found", "message"),
    [
        row
        for row in WRONG  # as far as a stack file can hold it
        if row[0] != "password" and isinstance(row[1], str | int | float) and row[1] != math.inf
    ],
    ids=lambda each: f"{each!r:.30}",
)
def test_what_the_functions_refuse_is_refused_at_preview(
    field: str, found: float | str, message: str
) -> None:
    rule = f"secrets.database.fields.{field} {message}"
    assert errors({"database": database(**{field: found})}) == [rule]


@pytest.mark.parametrize("field", ["username", "alternateUsername"])
def test_a_name_that_the_server_would_cut_is_refused_where_it_is_rotated(field: str) -> None:
    rule = f"secrets.database.fields.{field} has more than 63 bytes; use a shorter name"
    assert errors({"database": database(**{field: "u" * 70})}) == [rule]
    read({"secrets": {"database": {**DATABASE, "fields": {"host": "h", field: "u" * 70}}}})


def test_every_field_that_cannot_be_rotated_is_refused_at_once_the_administrators_too() -> None:
    found = errors(alternating({"port": 0, "dbname": 2024}, port="٣", dbname=2024))
    assert [each.partition(" ")[0] for each in found] == [
        f"secrets.{name}.fields.{field}"
        for name in ("database", "admin")
        for field in ("port", "dbname")
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"port": 5432}, {"port": "5432"}),
        ({"port": " 5432"}, {"port": 5432.0}),
        ({"port": 5432}, {}),
        ({"port": ""}, {"port": 5432}),
        ({"host": "Db.example.com"}, {"host": "db.example.com"}),
        ({"host": "db.example.com."}, {"host": "db.example.com"}),
        ({"host": "[::1]"}, {"host": "0::1"}),
        ({"dbname": ""}, {"dbname": "postgres"}),
        ({"host": "db.example.com"}, {"host": ""}),
    ],
)
def test_an_administrator_of_the_same_server_is_taken_however_it_is_written(
    ours: dict[str, object], theirs: dict[str, object]
) -> None:
    read({"secrets": alternating(theirs, **ours), "function": {"secrets": ["database"]}})


@pytest.mark.parametrize(
    ("ours", "theirs", "servers"),
    [
        ({"port": 5433}, {}, ("h:5433", "h:5432")),
        ({}, {"port": 5433}, ("h:5432", "h:5433")),
        ({"host": "::1"}, {"host": "::2"}, ("[::1]:5432", "[::2]:5432")),
    ],
)
def test_an_administrator_of_another_server_is_refused(
    ours: dict[str, object], theirs: dict[str, object], servers: tuple[str, str]
) -> None:
    (error,) = errors(alternating(theirs, **ours))
    assert error == (
        f"secrets.database.rotation.adminSecret must be for {servers[0]}, where rotation logs in,"
        f" but 'admin' is for {servers[1]}; choose another secret"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"host": "DB.example.com"}, {"host": "db.example.com."}),
        ({"port": 5432}, {"port": "5432"}),
        ({"port": 5432}, {}),
        ({"host": "::1"}, {"host": "[::1]"}),
    ],
)
def test_one_user_of_two_secrets_is_found_however_the_server_is_written(
    first: dict[str, object], second: dict[str, object]
) -> None:
    unrotated = {**DATABASE, "fields": {**FIELDS, **second}}
    for other in (unrotated, database(**second)):
        (error,) = errors({"database": database(**first), "other": other})
        assert "changes the password of user 'u', but secret" in error


def test_secrets_of_other_servers_and_other_values_share_no_user() -> None:
    api = {"fields": {"host": "https://api.example.com/v1", "port": "none", "username": "u"}}
    secrets = {
        "database": database(),
        "b": database(port=5433),
        "c": database(host="c"),
        "api": api,
    }
    read({"secrets": secrets})


@pytest.mark.parametrize("names", [(f"{ALIKE}a", f"{ALIKE}b"), ("ü" * 28 + "ab", "ü" * 28 + "ac")])
def test_two_users_whose_clones_would_have_one_name_are_refused_by_their_names(
    names: tuple[str, str],
) -> None:
    first, second = names
    secrets = alternating({}, username=first)
    secrets["other"] = {
        **secrets["database"],
        "fields": {"host": "H", "port": 5432, "username": second},
    }
    (error,) = errors(secrets)
    clone = postgres_fields.clone_of(first)
    assert error == (
        f"secrets.other.rotation creates the user {clone!r} from {second!r}, and the secret"
        f" 'database' creates the same user from {first!r}, because names are cut to 63 bytes;"
        " give one of the two a shorter username"
    )
    secrets["other"]["fields"]["port"] = 5433
    secrets["other"]["rotation"] = {"strategy": "singleUser"}
    read({"secrets": secrets, "function": {"secrets": ["database"]}})


NOT_SET = "secrets.database.rotation.host is not set, and `fields.host` is an RDS Proxy endpoint, which accepts only the password in AWSCURRENT; set it to the database's own endpoint"
NO_PROXY = "secrets.database.rotation.host is an RDS Proxy endpoint, which accepts only the password in AWSCURRENT; set it to the database's own endpoint"


@pytest.mark.parametrize(
    ("rotation", "error"),
    [
        ({}, NOT_SET),
        ({"host": f"other-{PROXY}."}, NO_PROXY),
        ({"host": "db:5432"}, "secrets.database.rotation.host must be a host name or an IP address alone; write the port into `port`, got 'db:5432'"),
        ({"host": ""}, "secrets.database.rotation.host must not be empty, got a value that is not shown"),
        ({"host": OWN, "port": 0}, "secrets.database.rotation.port must be 1 to 65535, got 0"),
    ],
)  # fmt: skip
def test_a_server_that_no_rotation_can_log_in_to_is_refused(
    rotation: dict[str, object], error: str
) -> None:
    assert errors(at_proxy(**rotation)) == [error]


def test_a_port_without_its_host_and_a_host_without_a_database_are_refused() -> None:
    assert errors({"database": rotated(strategy="singleUser", port=5433)}) == [
        "secrets.database.rotation.port is only for `host`, which is not set; set it, or remove `port`"
    ]
    secret = {**rotated(strategy="random", host="h", port=1), "generate": {"key": {}}}
    assert errors({"database": secret}) == [
        f"secrets.database.rotation.{key} is only for databases, not for `random`; remove it"
        for key in ("host", "port")
    ]


def test_an_application_may_use_rds_proxy_while_rotation_uses_the_database() -> None:
    environment = read({"secrets": at_proxy(host=OWN, port=5433)})
    rotation = environment.rotations["database"]
    assert (rotation.host, rotation.port) == (OWN, 5433)
    read({"secrets": {"database": {**DATABASE, "fields": {"host": PROXY, "username": "u"}}}})
    external = {"from": "external", "rotation": {"strategy": "singleUser", "host": OWN}}
    read({"secrets": {"database": external}})


def test_an_administrator_is_of_the_server_that_rotation_uses() -> None:
    secrets = alternating({"host": OWN}, host=PROXY)
    secrets["database"]["rotation"]["host"] = OWN.upper()
    read({"secrets": secrets, "function": {"secrets": ["database"]}})
    secrets["admin"]["fields"]["host"] = PROXY
    (error,) = errors(secrets)
    assert f"must be for {OWN}:5432, where rotation logs in" in error


def test_a_user_is_found_by_the_application_s_host_and_by_rotations() -> None:
    for host in (PROXY, OWN):
        other = {**DATABASE, "fields": {"host": host, "username": "u"}}
        (error,) = errors({**at_proxy(host=OWN), "other": other})
        assert "changes the password of user 'u', but secret 'other' logs in" in error
    twice = at_proxy(host=OWN)["database"]
    (error,) = errors({"database": twice, "other": twice})
    assert error.startswith("secrets.other.rotation changes the password of user 'u'")


# --- the certificates of a region ----------------------------------------------------------------

WITHOUT = sorted(set(layers.regions()) - rds_certificates.regions())


def lacking(region: str, needed_by: str) -> str:
    return (
        f"database.caBundle is not set, and the default bundle has no certificate for {region}, which"
        f" {needed_by} needs; set it to AWS's bundle for that region"
        " (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html), or to"
        " handler/rds-ca-bundle.pem if the database is in another region"
    )


def test_the_bundle_has_certificates_of_most_regions_that_have_a_layer() -> None:
    assert len(rds_certificates.regions()) == 27
    assert rds_certificates.regions() <= set(layers.regions())
    assert {"mx-central-1", "us-gov-west-1", "cn-north-1"} <= set(WITHOUT)
    assert len(WITHOUT) == 12


@pytest.mark.parametrize("region", WITHOUT)
def test_a_database_of_a_region_without_a_certificate_is_refused(region: str) -> None:
    assert errors({"database": database()}, region=region) == [
        lacking(region, "secrets.database.rotation")
    ]
    external = {"from": "external", "rotation": {"strategy": "singleUser"}}
    assert errors({"database": external}, region=region) == [
        lacking(region, "secrets.database.rotation")
    ]


def test_a_function_that_logs_in_is_refused_in_such_a_region() -> None:
    (error,) = faults({**VALID, "function": {"handler": "query"}}, region="mx-central-1")
    assert lacking("mx-central-1", "function") in error


def test_the_region_is_that_of_the_database_where_its_host_says_it() -> None:
    away = database(host="app.abc123.mx-central-1.rds.amazonaws.com")
    assert errors({"database": away}) == [lacking("mx-central-1", "secrets.database.rotation")]
    china = database(host="app.abc123.rds.cn-north-1.amazonaws.com.cn")
    assert errors({"database": china}) == [lacking("cn-north-1", "secrets.database.rotation")]
    here = {"secrets": {"database": database(host=OWN)}, "function": {"handler": "query"}}
    read(here, region="mx-central-1")


@pytest.mark.parametrize(
    "keys",
    [
        {"secrets": {"database": database()}, "database": {"caBundle": "handler/rds-ca-bundle.pem"}},
        VALID,
        {"secrets": {"key": {"generate": {"key": {}}, "rotation": {"strategy": "random"}}}, "function": {"secret": "key"}},
        {"secrets": {"database": {**DATABASE, "fields": {"host": PROXY.replace("us-east-1", "mx-central-1")}}}, "function": {"handler": "query"}},
        {"secrets": {"database": {**DATABASE, "fields": {"host": OWN}}, "api": {"fields": {"host": "api.example.com"}}}, "function": {"handler": "query"}},
    ],
    ids=["own bundle", "no login", "no database", "proxy", "another region"],
)  # fmt: skip
def test_what_needs_no_certificate_of_the_region_is_taken(keys: dict[str, Any]) -> None:
    read(keys, region="mx-central-1")

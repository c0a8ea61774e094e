# ruff: noqa: E501 (a table reads by its rows)
"""Rotation in stack config: what cannot be rotated is refused with the reason, and nothing else."""

from typing import Any

import pytest

from tests.recording import PROJECT
from tests.unit.test_settings import ANOTHER, DATABASE, VALID, faults, rotated


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"secrets": {"database": rotated()}}, "secrets.database.rotation.strategy is missing"),
        ({"secrets": {"database": rotated(strategy="daily")}}, "secrets.database.rotation.strategy must be 'singleUser', 'alternatingUsers' or 'random', got 'daily'"),
        ({"secrets": {"database": rotated(strategy="singleUser", everyDays=0)}}, "secrets.database.rotation.everyDays must be 1 to 1000, got 0"),
        ({"secrets": {"database": rotated(strategy="singleUser", windowHours=25)}}, "secrets.database.rotation.windowHours must be 1 to 24, got 25"),
        ({"secrets": {"database": rotated(strategy="singleUser", everyDays=1, schedule="rate(10 days)")}}, "secrets.database.rotation.schedule is given beside `everyDays`; keep one"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(3 hours)")}}, "secrets.database.rotation.schedule must be every 4 to 999 hours, got 'rate(3 hours)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(0 days)")}}, "secrets.database.rotation.schedule must be every 1 to 999 days, got 'rate(0 days)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="rate(4 hours)", windowHours=5)}}, "secrets.database.rotation.windowHours must not reach into the next rotation (rate(4 hours)), got 5"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(30 4 * * ? *)")}}, "secrets.database.rotation.schedule must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC, got 'cron(30 4 * * ? *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 * * SUN *)")}}, "secrets.database.rotation.schedule must have ? for either day or weekday, got 'cron(0 4 * * SUN *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 24 ? * SUN *)")}}, "secrets.database.rotation.schedule must be rate(N hours), rate(N days) or cron(0 HOURS DAY MONTH WEEKDAY *), in UTC, each field within its range, got 'cron(0 24 ? * SUN *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 4 ? FOO SUN *)")}}, "each field within its range"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 * ? * * *)")}}, "secrets.database.rotation.schedule must leave 4 hours, got 'cron(0 * ? * * *)'"),
        ({"secrets": {"database": rotated(strategy="singleUser", schedule="cron(0 0/6 ? * * *)", windowHours=7)}}, "secrets.database.rotation.windowHours must not reach into the next rotation (cron(0 0/6 ? * * *)), got 7"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": 7}}}}, "secrets.database.rotation logs in to a database, and `fields` has no text `username`"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": "u", "port": "abc"}}}}, "secrets.database.rotation logs in to a database, and `port` in `fields` is no number"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"host": "h", "username": "u", "engine": "mysql"}}}}, "secrets.database.rotation knows postgres and aurora-postgresql, and `engine` in `fields` is another"),
        ({"secrets": {"database": {**rotated(strategy="random"), "generate": {"previous": {}}}}}, "secrets.database.rotation of `random` keeps old values in `previous`; give that field another name"),
        ({"secrets": {"database": rotated(strategy="singleUser"), "b": DATABASE}}, "secrets.database.rotation changes the password of 'u', by which the secret 'b' logs in to the same server; give each secret a user of its own"),
        ({"secrets": {"database": rotated(strategy="singleUser"), "b": rotated(strategy="singleUser")}}, "secrets.b.rotation changes the password of 'u', by which the secret 'database' logs in"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="b"), "b": {**DATABASE, "fields": {"host": "h", "username": "u_clone"}}}}, "secrets.database.rotation changes the password of 'u_clone', by which the secret 'b' logs in"),
        ({"secrets": {"database": rotated(strategy="singleUser", overlapHours=1)}}, "secrets.database.rotation.overlapHours goes with `random`"),
        ({"secrets": {"database": rotated(strategy="random", overlapHours=-1)}}, "secrets.database.rotation.overlapHours must be 0 to 24000, got -1"),
        ({"secrets": {"database": rotated(strategy="singleUser", adminSecret="database")}}, "secrets.database.rotation.adminSecret goes with `alternatingUsers`; drop it"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers")}}, "secrets.database.rotation.adminSecret must be another secret (there is none), got None"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="database"), "b": ANOTHER}}, "secrets.database.rotation.adminSecret must be another secret (b), got 'database'"),
        ({"secrets": {"database": rotated(strategy="alternatingUsers", adminSecret="b"), "b": {**DATABASE, "fields": {"host": "other", "username": "b"}}}}, "secrets.database.rotation.adminSecret is of another server: its `host` differs"),
        ({"secrets": {"database": {"from": "config", "rotation": {"strategy": "singleUser"}}}, "secretValues": {"database": {"a": "b"}}}, "secrets.database.rotation would be undone by `from: config`"),
        ({"secrets": {"database": {"from": "external", "rotation": {"strategy": "random"}}}}, "secrets.database.rotation of `random` makes what `generate` names"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "fields": {"username": "u"}}}}, "secrets.database.rotation logs in to a database, and `fields` has no text `host`"),
        ({"secrets": {"database": {**rotated(strategy="singleUser"), "generate": {"password": {}, "pin": {}}}}}, "secrets.database.rotation changes the password of a database; `generate` must name `password` alone"),
    ],
)  # fmt: skip
def test_one_fault_is_one_line_that_names_key_value_and_remedy(
    keys: dict[str, Any], fault: str
) -> None:
    found = [each for each in faults({**VALID, **keys}) if fault in each]
    assert len(found) == 1
    assert found[0].startswith(f"{PROJECT}:")
    assert found[0].endswith("; mend it in Pulumi.test.yaml")

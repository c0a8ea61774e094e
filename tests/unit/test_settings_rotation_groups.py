"""Which secrets may share a rotation function: what differs is refused, with both values."""

from typing import Any

import pytest

from infra.aws.limits import SECRETS_PER_ROTATION_GROUP
from tests.recording import PROJECT
from tests.unit.test_settings import APP, faults, read

HOST, ELSEWHERE = "a.abc123.us-east-1.rds.amazonaws.com", "b.abc123.us-east-1.rds.amazonaws.com"
REMEDY = "make them the same, or choose another group for one of them"


def key(**rotation: Any) -> dict[str, Any]:
    """Write a generated key that rotates in the group `g`."""
    return {
        "generate": {"key": {}},
        "rotation": {"strategy": "random", "group": "g", **rotation},
    }


def user(name: str, server: str = HOST, **rotation: Any) -> dict[str, Any]:
    """Write a user of a database that rotates in the group `g`."""
    return {
        "fields": {"host": server, "username": name},
        "generate": {"password": {}},
        "rotation": {"strategy": "singleUser", "group": "g", **rotation},
    }


def admin(name: str) -> dict[str, Any]:
    return {"fields": {"host": HOST, "username": name}, "generate": {"password": {}}}


def config(**secrets: dict[str, Any]) -> dict[str, Any]:
    return {"secrets": secrets, "functions": {"reader": {**APP, "secrets": []}}}


def errors(**secrets: dict[str, Any]) -> list[str]:
    end = "; fix it in Pulumi.test.yaml"
    found = faults(config(**secrets))
    return [each.removeprefix(f"{PROJECT}:").removesuffix(end) for each in found]


def test_secrets_of_one_kind_share_a_function_whatever_their_schedule() -> None:
    read(config(a=key(everyDays=7, overlapHours=2), b=key(schedule="rate(30 days)")))
    read(config(a=user("a", everyDays=7), b=user("b", windowHours=2)))
    read(config(a=user("a", host=HOST), b=user("b"), c=user("c", host=HOST, port=5432)))
    proxied = "app.proxy-abc123.us-east-1.rds.amazonaws.com"
    read(config(a=user("a", proxied, host=HOST), b=user("b", "pooler.example.com", host=HOST)))
    external = {**user("b", host=HOST), "from": "external", "fields": {}, "generate": {}}
    read(config(a=user("a", host=HOST), b=external))
    both = {"strategy": "alternatingUsers", "adminSecret": "boss"}
    read(config(a=user("a", **both), b=user("b", **both), boss=admin("boss")))


def test_groups_do_not_meet() -> None:
    read(config(a=key(), b=user("b", group="users"), c=key(group="G-2_c")))


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        (
            {"a": key(), "b": user("b")},
            ["b.rotation.strategy|'random'|'singleUser'"],
        ),
        (
            {
                "a": user("a", strategy="alternatingUsers", adminSecret="boss"),
                "b": user("b", strategy="alternatingUsers", adminSecret="chief"),
                "boss": admin("boss"),
                "chief": admin("chief"),
            },
            ["b.rotation.adminSecret|'boss'|'chief'"],
        ),
    ],
    ids=["strategy", "administrator"],
)
def test_what_the_function_has_once_must_be_the_same(
    secrets: dict[str, dict[str, Any]], expected: list[str]
) -> None:
    rules = []
    for each in expected:
        path, first, got = each.split("|")
        rule = f"must be the same for all secrets of group 'g': a has {first}, got {got}"
        rules.append(f"secrets.{path} {rule}; {REMEDY}")
    assert errors(**secrets) == rules


def test_every_secret_is_compared_with_the_first() -> None:
    found = errors(a=key(), b=user("b"), c=key(), d=user("d"))
    assert [each.split(" ")[0] for each in found] == [
        "secrets.b.rotation.strategy",
        "secrets.d.rotation.strategy",
    ]


@pytest.mark.parametrize(
    ("first", "second", "server"),
    [
        (user("a"), user("b", ELSEWHERE), f"{ELSEWHERE}:5432"),
        (user("a"), user("b", host=ELSEWHERE), f"{ELSEWHERE}:5432"),
        (user("a"), user("b", host=HOST, port=6432), f"{HOST}:6432"),
    ],
    ids=["fields", "rotation", "port"],
)
def test_databases_on_two_servers_do_not_share_a_function(
    first: dict[str, Any], second: dict[str, Any], server: str
) -> None:
    assert errors(a=first, b=second) == [
        (
            "secrets.b.rotation.group is 'g', whose secrets must be for the same server: a is for"
            f" {HOST}:5432, and this one for {server}; choose another group"
        )
    ]


def test_another_strategy_is_the_only_error_of_its_secret() -> None:
    """Its other keys differ because of it."""
    both = user("a", strategy="alternatingUsers", adminSecret="boss")
    (found,) = errors(a=key(), b={**both, "fields": {**both["fields"]}}, boss=admin("boss"))
    assert found.startswith("secrets.b.rotation.strategy must be the same")


def test_a_group_with_a_secret_that_is_wrong_itself_is_not_judged() -> None:
    wrong = {**key(), "generate": {"key": {"length": 3}}}
    (found,) = errors(a=wrong, b=user("b"), c=key())
    assert found.startswith("secrets.a.generate.key.length must be 8 to 4096, got 3")


def test_a_server_that_the_config_does_not_say_is_refused() -> None:
    external = {"from": "external", "rotation": {"strategy": "singleUser", "group": "g"}}
    assert errors(a=user("a"), b=external) == [
        (
            "secrets.b.rotation.host is not set, and neither is `fields.host`, so the server is"
            " not known; set it, because the secrets of group 'g' must be for the same server"
        )
    ]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "x" * 41, "a-rotation-group-b"])
def test_a_group_has_a_name_that_resources_can_have(name: str) -> None:
    (error,) = errors(a=key(group=name))
    assert error == (
        "secrets.a.rotation.group must be 1 to 40 letters, digits, - and _ that start with a"
        f" letter or digit, without -rotation-group, got {name!r}"
    )


def test_a_group_holds_what_its_policies_have_room_for() -> None:
    most = SECRETS_PER_ROTATION_GROUP
    names = [f"s{number:02}" for number in range(most + 1)]
    read(config(**{name: key() for name in names[:-1]}))
    assert errors(**{name: key() for name in names}) == [
        (
            f"secrets.s30.rotation.group is 'g', which has {most + 1} secrets, but one function"
            f" has room for {most} of them, because of the size of its policies; use more groups"
        )
    ]
    (error,) = errors(**{"x" * 200 + name: key() for name in names[:20]})
    assert "one function has room for 10 of them" in error


def test_the_functions_of_groups_have_names_that_no_other_function_may_have() -> None:
    taken = {"g-rotation-group": {**APP, "secrets": []}}
    (error,) = faults({"secrets": {"a": key(), "b": key()}, "functions": taken})
    assert "g-rotation-group is reserved for the function of the rotation group g" in error
    later = {"a-rotation": {**APP, "secrets": []}}
    (error,) = faults({"secrets": {"a": key(), "b": key()}, "functions": later})
    assert "functions.a-rotation is reserved for the function that rotates a; choose" in error

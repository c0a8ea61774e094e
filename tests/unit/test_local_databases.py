"""Which secrets of a stack log in to a database, which is then made here."""

import re
from pathlib import Path

import pytest

from local.databases.postgres import PostgreSQL
from local.databases.stack import login_secrets, rotating, with_local_database
from tests.recording import ROOT, stack

FUNCTION = {"code": "handler/app.py", "handler": "app.lambda_handler"}
SECRETS = {name: {"fields": {"host": "h"}} for name in ("one", "two")}


@pytest.mark.parametrize(
    ("functions", "found"),
    [
        ({"f": {**FUNCTION, "secrets": ["two", "one"]}}, {}),
        ({"f": {**FUNCTION, "secrets": ["two", "one"], "caBundle": True}}, {"two": None}),
        ({"f": {**FUNCTION, "caBundle": True}}, {}),
        (
            {name: {**FUNCTION, "secrets": [name], "caBundle": True} for name in SECRETS},
            {"one": None, "two": None},
        ),
    ],
)
def test_the_first_secret_of_a_function_with_the_cas_logs_in(
    functions: dict[str, object], found: dict[str, None]
) -> None:
    assert login_secrets(stack("dev", function={}, functions=functions, secrets=SECRETS)) == found


def test_a_secret_that_rotates_by_logging_in_does_so_with_its_administrator() -> None:
    secrets = {
        "one": {"rotation": {"strategy": "alternatingUsers", "adminSecret": "two"}},
        "two": {"rotation": {"strategy": "random"}},
        "three": {"rotation": {"strategy": "singleUser"}},
    }
    found = login_secrets(stack("dev", function={}, secrets=secrets))
    assert found == {"two": None, "one": "two", "three": None}


@pytest.mark.parametrize(("handler", "found"), [("app", {}), ("query", {"database": None})])
def test_so_does_that_of_the_example_that_asks_a_database(
    handler: str, found: dict[str, None]
) -> None:
    assert login_secrets(stack("dev", functions={}, function={"handler": handler})) == found


def test_the_development_environment_starts_no_database() -> None:
    assert login_secrets(stack("dev")) == {}


def test_the_page_on_rotating_names_a_stack_of_this_project_whose_secrets_rotate() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## Rotate now\n")[2].partition("\n## ")[0]
    (used,) = re.findall(r"make serve STACK=(\w+)", section)
    assert rotating(stack(used))
    assert "No secret of `dev` rotates" in section
    assert not rotating(stack("dev"))


def test_application_and_rotation_log_in_at_the_local_server() -> None:
    server = PostgreSQL()
    server.port, server.ca_bundle = 55_432, Path("ca.pem")
    here = {"host": server.host, "port": server.port}
    rotation = {"strategy": "singleUser", "host": "db.example.com"}
    secrets = {
        "pooled": {"fields": {"host": "pooler", "username": "u"}, "rotation": rotation},
        "external": {"from": "external", "rotation": {**rotation, "port": 5433}},
        "direct": {"fields": {"host": "h"}, "rotation": {"strategy": "singleUser"}},
        "other": {"fields": {"host": "api"}, "rotation": None},
    }
    changed = with_local_database(stack("dev", function={}, secrets=secrets), server)
    assert changed.section("secrets") == {
        "pooled": {"fields": {**here, "username": "u"}, "rotation": {**rotation, **here}},
        "external": {"from": "external", "rotation": {**rotation, **here}},
        "direct": {"fields": here, "rotation": {"strategy": "singleUser"}},
        "other": {"fields": {"host": "api"}, "rotation": None},
    }

"""What a preview warns of, and goes on."""

from typing import Any

import pytest

from infra.config.warnings import warnings
from tests.unit.test_settings import DATABASE, VALID, read

ACCOUNT = "123456789012"
TRAIL = {"audit": {"trail": "own"}}
APP = {"code": "handler/app.py", "handler": "app.lambda_handler", "secrets": ["database"]}
FIELDS = {**DATABASE, "fields": {"host": "h", "dbname": "d", "username": "u"}}


def existing(region: str, account: str) -> dict[str, Any]:
    arn = f"arn:aws:secretsmanager:{region}:{account}:secret:shared-AbCdEf"
    key = f"arn:aws:kms:{region}:{account}:key/1"
    secrets = {"database": FIELDS, "shared": {"existing": arn, "keyArn": key}}
    return {"secrets": secrets, "functions": {"orders": APP}}


def found(**config: Any) -> list[str]:
    environment = read({**VALID, "secrets": {"database": FIELDS}, **config})
    return list(warnings(environment.settings, environment.region, ACCOUNT))


def test_a_function_without_secrets_may_read_all() -> None:
    (warning,) = found(function={"secret": "database"})
    assert warning.startswith("function.secrets is not set, so the function may read every secret")
    assert "list the secrets that it needs, such as [database]" in warning
    assert not found(function={"secrets": ["database"]})
    assert not found(functions={"orders": APP})


def test_the_example_needs_a_user_and_a_password() -> None:
    function = {"secret": "session", "secrets": ["session"]}
    session: dict[str, Any] = {"generate": {"key": {}}}
    (warning,) = found(secrets={"session": session}, function=function)
    assert "'session', whose value has no username and no password" in warning
    login: dict[str, Any] = {"fields": {"username": "u"}, "generate": {"password": {}}}
    assert not found(secrets={"session": login}, function=function)


@pytest.mark.parametrize(
    ("region", "account", "warned"),
    [
        ("us-east-1", ACCOUNT, False),
        ("eu-west-1", ACCOUNT, True),
        ("us-east-1", "210987654321", True),
    ],
)
def test_what_the_trail_does_not_see_is_named(region: str, account: str, warned: bool) -> None:  # noqa: FBT001 (a row of the table)
    warning = f"secrets.shared is in region {region} of account {account}"
    assert [each.startswith(warning) for each in found(**existing(region, account), **TRAIL)] == (
        [True] if warned else []
    )
    assert not found(**existing(region, account))

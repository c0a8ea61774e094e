"""What a preview warns of, and goes on."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.aws import limits
from infra.aws.limits import RUNTIME_DEPRECATIONS
from infra.config.warnings import warnings
from tests.unit.test_settings import DATABASE, VALID, read

ACCOUNT = "123456789012"
NARROW = {"function": {"secrets": ["database"]}}
TRAIL = {"audit": {"trail": "own"}}
APP = {"code": "handler/app.py", "handler": "app.lambda_handler", "secrets": ["database"]}
FIELDS = {**DATABASE, "fields": {"host": "h", "dbname": "d", "username": "u"}}


def existing(region: str, account: str) -> dict[str, Any]:
    arn = f"arn:aws:secretsmanager:{region}:{account}:secret:shared-AbCdEf"
    key = f"arn:aws:kms:{region}:{account}:key/1"
    secrets = {"database": FIELDS, "shared": {"existing": arn, "keyArn": key}}
    return {"secrets": secrets, "functions": {"orders": APP}}


def found(today: str = "2026-11-27", **config: Any) -> list[str]:
    environment = read({**VALID, "secrets": {"database": FIELDS}, **config})
    return list(warnings(replace(environment, today=today), ACCOUNT))


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
    assert [
        each.startswith(warning)
        for each in found("2026-11-27", **existing(region, account), **TRAIL)
    ] == ([True] if warned else [])
    assert not found("2026-11-27", **existing(region, account))


@pytest.mark.parametrize(
    ("runtime", "today", "warned"),
    [
        ("python3.11", "2026-12-31", False),
        ("python3.11", "2027-01-01", True),
        ("python3.11", "2028-01-01", True),
        ("python3.13", "2027-01-01", False),
        ("nodejs22.x", "2027-01-01", True),
        ("nodejs20.x", "2027-01-01", True),
        ("nodejs24.x", "2027-01-01", False),
        ("java21", "2027-01-01", False),
    ],
)
def test_a_runtime_that_lambda_deprecates_is_named_half_a_year_before(
    runtime: str,
    today: str,
    warned: bool,  # noqa: FBT001 (a row of the table)
    tmp_path: Path,
) -> None:
    (tmp_path / "index.mjs").write_text("export const handler = () => {}")
    (tmp_path / "index.py").write_text("def handler(event, context): ...")
    own = {**APP, "code": str(tmp_path), "handler": "index.handler", "tracing": False}
    functions = {"orders": {**own, "runtime": runtime}}
    lines = found(today, functions=functions, internalFunctions={"runtime": "python3.13"})
    expected = rf"functions\.orders\.runtime: {runtime}, which Lambda deprecate(s|d) on \d"
    assert [bool(re.match(expected, each)) for each in lines] == [True] * warned


def test_a_deprecated_runtime_is_named_once_with_all_that_use_it() -> None:
    functions = {name: {**APP, "runtime": "python3.11"} for name in ("orders", "invoices")}
    (warning,) = found("2027-06-01", functions=functions)
    effect = "no security updates, and after two months no changes of the function"
    assert warning == (
        "functions.orders.runtime, functions.invoices.runtime: python3.11, which Lambda deprecates"
        f" on 2027-06-30: {effect}; choose a newer runtime"
    )
    (warning,) = found("2027-07-01", internalFunctions={"runtime": "python3.11"}, **NARROW)
    assert warning.startswith("internalFunctions.runtime: python3.11, which Lambda deprecated on")


def test_every_runtime_that_is_offered_has_its_day() -> None:
    assert set(limits.RUNTIMES) <= RUNTIME_DEPRECATIONS.keys()


@pytest.mark.parametrize(("account", "warned"), [(ACCOUNT, False), ("210987654321", True)])
def test_a_key_policy_that_kms_refuses_by_default_is_named(account: str, warned: bool) -> None:  # noqa: FBT001 (a row of the table)
    def readers(count: int) -> dict[str, Any]:
        role = f"arn:aws:iam::{account}:role/applications/reporting-{{:04}}-execution-role"
        return {
            f"r{number}": {"role": role.format(number), "secrets": ["database"]}
            for number in range(count)
        }

    few, many = (found("2026-11-27", **NARROW, readers=readers(count)) for count in (60, 120))
    assert few == []
    assert len(many) == warned
    for warning in many:
        assert warning.startswith("readers lists 120 roles of other accounts, which need a key")
        assert "but KMS allows 32768 by default; request a higher quota" in warning

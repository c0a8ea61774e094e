"""What the comparisons of an upgrade notice: planted losses, by themselves."""

from pathlib import Path

import pytest

from local.engines.pulumi_engine import Step
from tests.engine.test_releases import ARCHIVES
from tests.engine.upgrade import account, plan, release

KEY = "urn:pulumi:dev::app::lambda-secrets:index:EncryptionKey$aws:kms/key:Key::environment-key"
CALL = "urn:pulumi:dev::app::lambda-secrets:index:SecretSeeder$aws:lambda/invocation:Invocation::x"
PROVIDER = "urn:pulumi:dev::app::pulumi:providers:pulumi::default"
PARTS = ("create-replacement", "replace", "delete-replaced")

VALUES = {
    ("us-east-1", "app/dev/db", "AWSCURRENT"): "2",
    ("us-east-1", "app/dev/db", "AWSPREVIOUS"): "1",
    ("us-east-1", "/app/dev/token", "SecureString"): "t",
}
DB, TOKEN = "app/dev/db ({}) in us-east-1", "/app/dev/token (SecureString) in us-east-1"
CURRENT, PREVIOUS = DB.format("AWSCURRENT"), DB.format("AWSPREVIOUS")


def test_a_plan_is_a_line_for_each_resource_that_the_cli_shows() -> None:
    steps = [Step(part, CALL, ("input",)) for part in PARTS]
    steps += [Step("create", PROVIDER), Step("same", KEY, ("protect",))]
    assert plan.lines(steps) == [
        "replace aws:lambda/invocation:Invocation x input",
        "same aws:kms/key:Key environment-key protect",
    ]


@pytest.mark.parametrize("operation", [*PARTS, "delete", "discard", "read-replacement"])
def test_whatever_is_not_made_or_updated_is_a_loss_but_for_a_call(operation: str) -> None:
    assert plan.losses([Step(operation, CALL)]) == []
    assert plan.losses([Step("update", KEY), Step("create", KEY), Step("same", KEY)]) == []
    assert plan.losses([Step(operation, KEY)]) == [f"{operation} aws:kms/key:Key environment-key"]


def test_a_value_that_is_another_is_new_or_is_gone_is_named_and_not_shown() -> None:
    token = ("us-east-1", "/app/dev/token", "SecureString")
    assert account.differing(VALUES, VALUES) == []
    assert account.differing(VALUES, VALUES | {token: "canary"}) == [TOKEN]
    assert account.differing({}, {token: "canary"}) == [TOKEN]
    assert account.differing(VALUES, {token: "t"}) == [CURRENT, PREVIOUS]


@pytest.mark.parametrize(
    ("current", "previous", "named"),
    [
        ("3", "2", []),
        ("2", "1", [CURRENT, PREVIOUS]),  # it was not rotated
        ("3", "1", [PREVIOUS]),  # the value that was current is nowhere
        ("2", "2", [CURRENT]),
    ],
)
def test_a_rotation_makes_a_new_value_and_keeps_the_one_that_was_current(
    current: str, previous: str, named: list[str]
) -> None:
    after = dict(VALUES)
    after["us-east-1", "app/dev/db", "AWSCURRENT"] = current
    after["us-east-1", "app/dev/db", "AWSPREVIOUS"] = previous
    assert account.differing(VALUES, after, {"app/dev/db"}) == named


def test_an_output_that_is_gone_or_names_something_else_is_named() -> None:
    before = {"key_arn": "a", "secret_arns": {"db": "b", "key": "c"}, "monthly_cost": {"logs": 1}}
    assert account.missing(before, {**before, "more": 1, "monthly_cost": {"logs": 2}}) == []
    assert account.missing(before, {"key_arn": "z", "secret_arns": {"db": "z"}}) == [
        "key_arn",
        "monthly_cost",
        "secret_arns.db",
        "secret_arns.key",
    ]


@pytest.mark.parametrize("archive", ARCHIVES, ids=release.version)
def test_the_plan_from_every_release_is_recorded(archive: Path) -> None:
    for stack in ("dev", "staging", "prod"):
        plan.recorded(release.version(archive), stack)

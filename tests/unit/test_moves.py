# ruff: noqa: E501 (a table reads by its rows)
"""A stack under another name or in another region is sent back."""

from typing import Any

import pytest

from infra.changes.moves import errors
from infra.config.schema import Settings
from infra.names import Names
from tests.states import NAMES, Resources, generated, parameter, recorded, resource, secret

CONFIG = {
    "secrets": {"a": {"from": "external"}, "team/b": {"from": "external"}},
    "parameters": {"p": {"value": "v"}},
}


def faults(*states: Resources, region: str = "us-east-1", **config: Any) -> list[tuple[str, str]]:
    settings = Settings.model_validate({**CONFIG, **config})
    found = errors(settings, NAMES, region, "organization", recorded(*states))
    return [(each.path, each.message) for each in found]


def of(names: Names) -> list[Resources]:
    secrets = [secret("a", names=names), secret("team/b", names=names)]
    return [*secrets, parameter("p", names=names), generated("q", names=names)]


@pytest.mark.parametrize(
    ("was", "command"),
    [
        (Names("app", "old"), "pulumi stack rename old -s dev"),
        (Names("older", "dev"), "pulumi stack rename organization/older/dev -s organization/app/dev"),
        (Names("older", "old"), "pulumi stack rename organization/older/old -s organization/app/dev"),
    ],
)  # fmt: skip
def test_another_name_is_refused_once_with_all_that_it_costs(was: Names, command: str) -> None:
    ((path, text),) = faults(*of(was))
    assert path == "secrets"
    assert (
        f"were deployed under {was.project}/{was.stack}/ (secrets: 2, parameters: 2). This" in text
    )
    assert "would delete them and create new ones under app/dev/, without" in text
    assert f"\n  {command}\n" in text
    assert ("change the name in Pulumi.yaml" in " ".join(text.split())) == (was.project != "app")


def test_another_name_of_the_stack_and_of_each_secret_at_once_is_refused() -> None:
    ((_, text),) = faults(secret("gone", names=Names("app", "old")))
    assert "were deployed under app/old/ (secrets: 1, parameters: 0)" in text


def test_another_region_is_refused() -> None:
    ((path, text),) = faults(*of(NAMES), region="eu-west-1")
    assert path == "secrets"
    assert (
        "are in us-east-1. This deployment would delete them and create new ones in eu-west-1"
        in text
    )
    assert "\n  pulumi config set aws:region us-east-1 -s dev\n" in text


def test_the_same_name_passes_and_so_does_a_secret_of_somebody_elses_name() -> None:
    type_ = "aws:secretsmanager/secret:Secret"
    own = {"arn": "a:b:c:us-west-2:", "name": "shared/prod/own", "tags": {"Project": "app"}}
    assert faults(*of(NAMES), resource("AppSecret", type_, "own-secret", **own)) == []
    odd = {**own, "name": "odd"}  # of a program that was changed to name it so
    state = resource("AppSecret", type_, "a-secret", **{**odd, "arn": "a:b:c:us-east-1:"})
    assert faults(state) == []

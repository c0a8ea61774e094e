"""Environments whose names are taken by another one."""

import re

import pytest

from infra.changes import neighbors
from infra.names import Names
from tests.states import key, recorded, resource

APP = Names("app", "prod")


@pytest.mark.parametrize(
    ("names", "others"),
    [
        (APP, []),
        (Names("web-shop", "dev"), [("web", "shop-dev")]),
        (Names("web", "shop-dev"), [("web-shop", "dev")]),
        (Names("a", "b-c-d"), [("a-b", "c-d"), ("a-b-c", "d")]),
        (Names("a-", "-b"), [("a", "--b"), ("a--", "b")]),
    ],
)
def test_namesakes_are_all_that_share_the_names_with_hyphens(
    names: Names, others: list[tuple[str, str]]
) -> None:
    assert names.namesakes == others
    assert all(each.log_group_prefix == names.log_group_prefix for each in names.namesakes)
    assert all(names in each.namesakes for each in names.namesakes)


def test_an_alias_of_the_same_name_is_named_with_its_region_and_key() -> None:
    keys = {("alias/app/prod", "us-west-2"): "arn:key"}
    (line,) = neighbors.of_the_same_name(
        APP, ["us-east-1", "us-west-2"], lambda *asked: keys.get(asked)
    )
    assert line.startswith("alias/app/prod already exists in us-west-2, for arn:key, and is not")
    assert "pulumi stack rename" in line


@pytest.mark.parametrize(
    ("stack", "owner"),
    [
        ("dev-audit", ", it is that of the audit key of stack 'dev', or"),
        ("a-b-alarms", ", it is that of the alarms key of stack 'a-b', or"),
        ("dev-eu", "is in this region or replicates to it, or"),
        ("audit", "is in this region or replicates to it, or"),
    ],
)
def test_the_alias_may_be_that_of_a_further_key_of_another_stack(stack: str, owner: str) -> None:
    (line,) = neighbors.of_the_same_name(Names("shop", stack), ["us-east-1"], lambda *_: "arn:key")
    assert owner in line


def test_an_alias_of_a_further_key_is_named_with_the_stack_that_may_have_it() -> None:
    keys = {("alias/shop/dev-audit", "us-east-1"): "arn:key"}
    ours = Names("shop", "dev")
    aliases = [ours.audit_alias, ours.alarms_alias]
    (line,) = neighbors.of_further_keys(aliases, "us-east-1", lambda *asked: keys.get(asked))
    assert line.startswith("alias/shop/dev-audit already exists in us-east-1, for arn:key, and is")
    assert "a stack 'dev-audit' has it, a stack of the same name is in this region, or" in line


@pytest.mark.parametrize(
    ("function", "stack", "theirs"),
    [
        ("orders", "dev-orders", "reader"),
        ("orders-api-v2", "dev-orders", "api-v2"),
        ("pay-api-v2", "dev-pay-api", "v2"),
        ("orders", "dev-ord", None),
        ("web-", "dev-web", None),
        ("orders", "dev-orders-api", None),
    ],
)
def test_a_stack_named_as_this_one_and_a_function_may_have_the_functions_alarms(
    function: str, stack: str, theirs: str | None
) -> None:
    keys = {(f"alias/shop/{stack}", "us-east-1"): "arn:key"}
    lines = list(
        neighbors.of_longer_names(
            Names("shop", "dev"), [function], "us-east-1", lambda *asked: keys.get(asked)
        )
    )
    if theirs is None:
        assert lines == []
    else:
        (line,) = lines
        assert line.startswith(f"alias/shop/{stack} exists in us-east-1, for arn:key: it is that")
        assert f"If that has a function {theirs!r}, its alarms and those of {function!r}" in line


def test_an_environment_with_the_same_names_is_named() -> None:
    keys = {("alias/web/shop-dev", "us-east-1"): "arn:key"}
    ours = Names("web-shop", "dev")
    (line,) = neighbors.of_similar_names(ours, "us-east-1", lambda *asked: keys.get(asked))
    assert re.search(
        "alias/web/shop-dev exists in us-east-1, for arn:key: it is that of project 'web'", line
    )
    assert (
        list(neighbors.of_similar_names(ours, "us-west-2", lambda *asked: keys.get(asked))) == []
    )


def test_the_regions_of_a_stacks_keys_are_those_of_its_aliases() -> None:
    other = resource(
        "Audit", "aws:kms/alias:Alias", "audit-alias", arn="arn:aws:kms:eu-west-1:1:x"
    )
    state = recorded(key("us-east-1"), key("us-west-2"), other)
    assert state.key_regions == {"us-east-1", "us-west-2"}

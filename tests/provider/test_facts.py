"""The provider's facts about each input, held against sources that it does not read.

They are Pulumi's SDK, generated from the real provider's schema; CloudFormation's schema; and the
models of AWS's API in botocore. Where one of them says otherwise, `disagreements.json` names who
decides: the schema of the Terraform provider, which Pulumi's is made of. Its paths are below
internal/service in hashicorp/terraform-provider-aws.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.provider.catalog import RESOURCES
from local.provider.resource import AutoName, Input
from tests.provider import aws, sdk
from tests.provider.counterparts import COUNTERPARTS
from tests.provider.facts import TEXTS, Difference, differences, differences_of, flattened

LISTED: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("disagreements.json").read_text(encoding="utf-8")
)
pytestmark = pytest.mark.skipif(
    not sdk.LOCKED, reason="the facts are those of the locked pulumi-aws"
)

every_type = pytest.mark.parametrize("type_", RESOURCES)


def entries(type_: str) -> Iterator[str]:
    """Yield what differs as disagreements.json has it, but for `decides`."""
    found: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for each in differences(RESOURCES[type_]):
        found[each.input, each.fact].append(each)
    for (input_, fact), sources in found.items():
        entry: dict[str, object] = {"type": type_, "input": input_, "fact": fact}
        for each in sources:
            if fact in {"choices", "pattern"}:
                entry |= {each.source: {"provider alone": each.ours, "alone": each.theirs}}
            else:
                entry |= {"provider": each.ours, each.source: each.theirs}
        yield json.dumps(entry, sort_keys=True)


def listed(type_: str) -> Iterator[str]:
    for each in LISTED:
        if each["type"] == type_:
            yield json.dumps({k: v for k, v in each.items() if k != "decides"}, sort_keys=True)


@every_type
def test_facts_differ_from_other_sources_only_as_listed(type_: str) -> None:
    assert sorted(entries(type_)) == sorted(listed(type_))


def test_each_disagreement_is_listed_once_with_who_decides() -> None:
    assert {each["type"] for each in LISTED} <= RESOURCES.keys()
    assert all(".go: " in each["decides"] for each in LISTED)
    keys = [(each["type"], each["input"], each["fact"]) for each in LISTED]
    assert len(keys) == len(set(keys))


def test_every_type_has_its_counterpart() -> None:
    assert COUNTERPARTS.keys() == RESOURCES.keys()
    assert set(aws.SPEC["types"]) == set(aws.used_types())
    for type_, about in COUNTERPARTS.items():
        declared = {path for path, _ in flattened(RESOURCES[type_].inputs)}
        assert {*about.properties, *about.members, *about.identity} <= declared, type_


def wrong(declared: Input) -> Iterator[tuple[str, Input]]:
    """Yield the input with one fact changed, for each of its facts that can be."""
    for fact in ("replaces", "required", "sensitive", "json", "arn"):
        flipped: Any = {fact: not getattr(declared, fact)}
        yield fact, replace(declared, **flipped)
    yield "also", replace(declared, also=(*declared.also, "another"))
    yield "choices added", replace(declared, choices=(*declared.choices, "another"))
    if not declared.computed:
        default = "another" if declared.default is None else None
        yield "default", replace(declared, default=default)
    if declared.choices:
        yield "choices", replace(declared, choices=declared.choices[1:])
    if declared.pattern:
        if not all(re.fullmatch(declared.pattern, text) for text in TEXTS):
            yield "pattern wider", replace(declared, pattern=f"{declared.pattern}|.*")
        yield "no pattern", replace(declared, pattern="")
    if declared.length:
        least, most = declared.length
        yield "longer", replace(declared, length=(least, most + 1))
        yield "not empty", replace(declared, length=(least + 2, most))
    if declared.bounds:
        least_number, most_number = declared.bounds
        most_number = 9 if most_number == math.inf else most_number + 1
        yield "other end", replace(declared, bounds=(least_number, most_number))
        yield "lower", replace(declared, bounds=(least_number - 1, declared.bounds[1]))
    if declared.auto_name:
        longest = AutoName(declared.auto_name.longest - 1, declared.auto_name.prefix)
        yield "auto_name", replace(declared, auto_name=longest)


@every_type
def test_every_wrong_fact_is_noticed(type_: str) -> None:
    tried = 0
    for path, declared in flattened(RESOURCES[type_].inputs):
        right = list(differences_of(type_, path, declared))
        said = sdk.inputs(type_)[path]
        if not said.required and said.computed is not None and declared.auto_name is None:
            flipped = replace(declared, computed=not declared.computed)
            assert list(differences_of(type_, path, flipped)) != right, (path, "computed")
        for fact, mutated in wrong(declared):
            assert list(differences_of(type_, path, mutated)) != right, (path, fact)
            tried += 1
    assert tried >= 14  # two inputs at least


@every_type
def test_a_name_that_the_sdk_does_not_have_is_noticed(type_: str) -> None:
    with pytest.raises(LookupError):
        list(differences_of(type_, "mispelled", Input()))


@pytest.mark.parametrize(
    ("type_", "state", "told"),
    [
        ("aws:secretsmanager/secret:Secret", {"policy": {}}, "policy is dict"),
        ("aws:secretsmanager/secret:Secret", {"replicas": {}}, "replicas is dict"),
        ("aws:secretsmanager/secret:Secret", {"tags": []}, "tags is list"),
        ("aws:secretsmanager/secret:Secret", {"tags": {"a": 1}}, "tags[a] is int"),
        (
            "aws:secretsmanager/secret:Secret",
            {"replicas": [{"status": 1}]},
            "replicas[0].status is",
        ),
        ("aws:secretsmanager/secret:Secret", {"none": 1}, "none is not read"),
        ("aws:lambda/function:Function", {"timeout": True}, "timeout is bool"),
        ("aws:lambda/function:Function", {"publish": "true"}, "publish is str"),
        ("aws:lambda/function:Function", {"code": {}}, "code is dict"),
        ("aws:lambda/function:Function", {"vpcConfig": ""}, "vpcConfig is str"),
        ("aws:lambda/function:Function", {"vpcConfig": {"a": 1}}, "vpcConfig.a is not read"),
        ("aws:sns/topic:Topic", {"signatureVersion": 1.0}, "signatureVersion is float"),
    ],
)
def test_a_state_that_the_sdk_would_read_otherwise_is_found(
    type_: str, state: dict[str, Any], told: str
) -> None:
    (found,) = sdk.mistyped(type_, {"arn": "fine", "region": None, **state})
    assert found.startswith(told)

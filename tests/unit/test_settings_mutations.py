"""Each stack's file with one key changed at random: accepted, or refused because of that key."""

import copy
import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from infra.config import partial
from infra.config.settings import SettingsError
from local.config.project import load
from tests.recording import PROJECT, ROOT
from tests.unit.test_settings import read

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
Path = tuple[str | int, ...]
OTHERS: tuple[Any, ...] = ("", "x", "-", 0, -1, 7, 10**9, 1.5, True, False, None, [], {}, ["x"])


class Mutation(NamedTuple):
    """A changed key of a config."""

    path: Path
    config: dict[str, Any]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every key and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, key))


def mutated(config: dict[str, Any], chance: random.Random) -> Mutation:
    """Change, remove or add one key."""
    result = copy.deepcopy(config)
    *parent, last = path = chance.choice([*leaves(config)])
    owner: Any = result
    for part in parent:
        owner = owner[part]
    match chance.choice(["change", "change", "remove", "add"]):
        case "remove":
            del owner[last]
        case "add" if isinstance(owner, dict):
            path = (*parent, "unknownKey")
            owner["unknownKey"] = chance.choice(OTHERS)
        case _:
            owner[last] = chance.choice(OTHERS)
    return Mutation(tuple(path), result)


def of_stack(name: str) -> dict[str, Any]:
    """Return the project's config in a stack's file, and the accounts to which it deploys."""
    prefix = f"{PROJECT}:"
    return {
        key.removeprefix(prefix): json.loads(text) if text[:1] in '[{"-0123456789tfn' else text
        for key, text in load(ROOT, name).config.items()
        if key.startswith((prefix, "aws:allow"))
    }


def is_about(line: str, path: Path) -> bool:
    """Whether an error is about the key, something in it, or something that contains it."""
    own = re.sub(r"[\['\]]+", ".", line.removeprefix(f"{PROJECT}:").split(" ")[0]).rstrip(".")
    changed = ".".join(map(str, path))
    return f"{own}.".startswith(f"{changed}.") or f"{changed}.".startswith(f"{own}.")


def names(line: str, path: Path) -> bool:
    """Whether an error names the key, or the entry that has it; a section concerns any rule."""
    told = line.partition("; fix it in")[0]
    words = (rf"(?<![\w-]){re.escape(str(part))}(?![\w-])" for part in path[1:])
    return len(path) == 1 or is_about(line, path) or any(re.search(word, told) for word in words)


def unrelated(lines: list[str], mutation: Mutation) -> list[str]:
    """Return the errors that the change of a key does not explain.

    If the key is wrong by itself, no rule may judge the default in its place.
    """
    path, config = mutation
    own = {key: value for key, value in config.items() if key != "secretValues"}
    # Without readable exemptions, every rule holds.
    is_wrong = partial.read(own).errors and path != ("exemptions",)
    explains = is_about if is_wrong else names
    # Without functions, there is that of `function`.
    is_replaced = path[0] == "functions" and config.get("functions") == {}
    return [
        line
        for line in lines
        if not explains(line, path) and not (is_replaced and is_about(line, ("function",)))
    ]


@pytest.mark.parametrize("mutations", [20, pytest.param(200, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_change_is_accepted_or_refused_because_of_the_key_that_was_changed(
    name: str, mutations: int
) -> None:
    config = of_stack(name)
    assert read(config)
    accounts = {key: config.pop(key) for key in [*config] if key.startswith("aws:")}
    chance, refused = random.Random(f"{SEED} {name}"), 0  # noqa: S311 (no secret)
    for _ in range(mutations):
        mutation = mutated(config, chance)
        try:
            read({**accounts, **mutation.config})
        except SettingsError as error:
            refused += 1
            found = unrelated(error.errors, mutation)
            assert not found, (SEED, mutation.path, found)
    assert mutations / 10 < refused < mutations, SEED


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("tags", "Team"), 7, "function.memoryMb must be 128 to 10240, got 7"),
        (("tags", "Team"), "", "tags.Other must have a value"),
        (("network", "egress"), "x", "network.vpcId is only for `egress: endpoints`; remove it"),
        (("audit", "trail"), "x", "audit.logGroupName is only for `trail: existing`, not 'none'"),
    ],
)
def test_an_error_about_another_key_is_noticed(path: Path, value: object, line: str) -> None:
    """The control."""
    section, key = path
    mutation = Mutation(path, {str(section): {key: value}})
    own = f"{PROJECT}:{section}.{key} must have a value; fix it in Pulumi.dev.yaml"
    other = f"{PROJECT}:{line}; fix it in Pulumi.dev.yaml"
    assert unrelated([own, other], mutation) == [other]

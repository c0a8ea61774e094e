"""Each stack's file with one key changed at random: accepted, or refused because of that key."""

import copy
import json
import os
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

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


def concerns(line: str, path: Path) -> bool:
    """Whether an error is about the section of the key, or names it."""
    section, last = str(path[0]), next(str(part) for part in reversed(path) if part != "")
    told = line.partition("; fix it in")[0]
    return section.removesuffix("s") in told or last in told


@pytest.mark.parametrize("mutations", [20, pytest.param(200, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_change_is_accepted_or_refused_because_of_the_key_that_was_changed(
    name: str, mutations: int
) -> None:
    stack = load(ROOT, name)
    prefix = f"{PROJECT}:"
    config = {
        key.removeprefix(prefix): json.loads(text) if text[:1] in '[{"-0123456789tfn' else text
        for key, text in stack.config.items()
        if key.startswith(prefix)
    }
    others = {
        key: json.loads(text) for key, text in stack.config.items() if key.startswith("aws:allow")
    }
    assert read({**config, **others})
    chance, refused = random.Random(f"{SEED} {name}"), 0  # noqa: S311 (no secret)
    for _ in range(mutations):
        path, changed = mutated(config, chance)
        try:
            read({**changed, **others})
        except SettingsError as error:
            refused += 1
            for line in error.errors:
                assert concerns(line, path), (SEED, path, line)
    assert mutations / 10 < refused < mutations, SEED


def test_an_error_about_another_key_is_noticed() -> None:
    """The control."""
    line = f"{PROJECT}:tags.Team must have a value; fix it in Pulumi.dev.yaml"
    assert concerns(line, ("tags", "Team"))
    assert not concerns(line, ("function", "memoryMb"))

"""The inputs that the program gives are those that the local run's provider knows."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.provider.catalog import RESOURCES
from local.provider.resource import Input
from tests.recording import planned


def unknown(inputs: dict[str, Any], declared: dict[str, Input]) -> Iterator[str]:
    """Yield the path of each input, and of each field of one, that is not declared."""
    for key, value in inputs.items():
        if key not in declared:
            yield key
        elif fields := declared[key].fields:
            for each in value if isinstance(value, list) else [value]:
                yield from (f"{key}.{path}" for path in unknown(each, dict(fields)))


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_every_input_that_the_program_gives_is_declared(name: str) -> None:
    types = set()
    for each in planned(name).registrations:
        if each.type.startswith("aws:"):
            types.add(each.type)
            assert list(unknown(each.inputs, dict(RESOURCES[each.type].inputs))) == [], each.urn
    assert len(types) >= 8


def test_an_input_that_is_not_declared_is_found() -> None:
    declared = {"a": Input(), "b": Input(fields={"c": Input()})}
    given = {"a": {"any": 1}, "b": [{"c": 1}, {"d": 2}], "e": 3}
    assert list(unknown(given, declared)) == ["b.d", "e"]

"""Each type of the provider, as Pulumi's engine uses it, on the embedded AWS.

Which inputs replace, the provider does not say here: `expected` has that from other sources.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.provider.catalog import RESOURCES
from local.provider.diff import Difference
from local.provider.provider import DeploymentError, Provider
from tests.provider import sdk
from tests.provider.specimen import Specimen, World

MODULES = sorted(
    path.stem for path in (Path(__file__).parent / "specimens").glob("*.py") if path.stem[0] != "_"
)
SPECIMENS: dict[str, Specimen] = {
    each.type: each
    for module in MODULES
    for each in importlib.import_module(f"tests.provider.specimens.{module}").SPECIMENS
}
every_type = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS.keys())

UNCHANGED = Difference(frozenset(), frozenset(), delete_first=False)


class Life:
    """One resource, as the engine keeps it."""

    def __init__(self, provider: Provider, type_: str, given: dict[str, Any]) -> None:
        self.provider, self.type, self.name = provider, type_, "specimen"
        self.inputs = self.checked(given)
        self.id, self.state = provider.create(type_, self.name, self.inputs)

    def checked(
        self, given: dict[str, Any], previous: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        inputs, refused = self.provider.check(self.type, self.name, given, previous)
        assert refused == []
        return inputs

    def diff(self, inputs: dict[str, Any] | None = None) -> Difference:
        return self.provider.diff(self.type, self.state, inputs or self.inputs)

    def refresh(self) -> bool:
        read = self.provider.read(self.type, self.name, self.id, self.state)
        if read is not None:
            self.state = read
        return read is not None

    def up(self, given: dict[str, Any]) -> Difference:
        """Deploy other inputs, as the engine does."""
        wanted = self.checked(given, self.inputs)
        found = self.diff(wanted)
        if not found.replaces:
            self.state = self.provider.update(self.type, self.name, self.id, self.state, wanted)
        else:
            wanted = self.checked(given)
            old_id, old_state = self.id, self.state
            if found.delete_first:
                self.delete(old_id, old_state)
            self.id, self.state = self.provider.create(self.type, self.name, wanted)
            if not found.delete_first:
                self.delete(old_id, old_state)
        self.inputs = wanted
        return found

    def mistyped(self, state: dict[str, Any] | None = None) -> list[str]:
        """Name what the SDK would read as another type; of another SDK, nothing."""
        return list(sdk.mistyped(self.type, state or self.state)) if sdk.LOCKED else []

    def delete(self, id_: str | None = None, state: dict[str, Any] | None = None) -> None:
        self.provider.delete(self.type, self.name, id_ or self.id, state or self.state)


@pytest.fixture
def life(specimen: Specimen, world: World) -> Iterator[Life]:
    made = Life(world.provider, specimen.type, specimen.inputs(world))
    yield made
    try:
        made.delete()
    except DeploymentError:
        assert not specimen.deletes_twice


def test_every_type_has_a_specimen() -> None:
    assert SPECIMENS.keys() == RESOURCES.keys()


@every_type
def test_every_input_is_changed_or_it_is_said_why_not(specimen: Specimen, world: World) -> None:
    changed = {key for change in specimen.changes(world) for key in change}
    said = changed | specimen.not_changed.keys() | {"region"}
    assert RESOURCES[specimen.type].inputs.keys() - said == set()


@every_type
def test_what_is_created_and_read_is_no_difference(life: Life) -> None:
    assert life.diff() == UNCHANGED
    assert life.refresh()
    assert life.diff() == UNCHANGED


@pytest.mark.exhaustive
@every_type
def test_every_output_is_recorded(life: Life) -> None:
    resource = RESOURCES[life.type]
    assert {*resource.outputs, *life.inputs} - {"__defaults"} <= life.state.keys()
    assert life.state.keys() <= {*resource.inputs, *resource.outputs, "tagsAll"}
    assert life.mistyped() == []


@every_type
def test_each_change_is_seen_made_and_read_back(
    specimen: Specimen, life: Life, world: World
) -> None:
    given, inputs = specimen.inputs(world), RESOURCES[specimen.type].inputs
    for change in specimen.changes(world):
        found = life.up({k: v for k, v in {**given, **change}.items() if v is not None})
        computed = {key for key, about in inputs.items() if about.computed}
        assert found.changed == {
            k for k, v in change.items() if v is not None or k not in computed
        }
        assert life.diff() == UNCHANGED, f"after {change}"
        assert life.mistyped() == [], f"after {change}"
        recorded = life.state
        forgotten = {*change, "tagsAll"} - specimen.found_by
        life.state = {k: v for k, v in recorded.items() if k not in forgotten}
        assert life.refresh()
        assert life.diff().changed <= specimen.not_read, f"{change} is not read back"
        assert life.mistyped() == [], f"after {change} was read"
        life.state = recorded
        life.up(given)
        assert life.refresh()
        assert life.diff() == UNCHANGED, f"after {change} was changed back"


@pytest.mark.exhaustive
@every_type
def test_one_that_exists_is_refused(specimen: Specimen, life: Life) -> None:
    if not specimen.taken:
        pytest.skip("a second creation is no error")
    with pytest.raises(DeploymentError, match=specimen.taken):
        life.provider.create(life.type, life.name, life.inputs)
    assert life.refresh()


@every_type
def test_one_that_is_deleted_is_gone_and_can_be_deleted_again(
    specimen: Specimen, life: Life
) -> None:
    life.delete()
    assert life.refresh() != specimen.seen_gone
    if specimen.deletes_twice:
        life.delete()
    else:
        with pytest.raises(DeploymentError):
            life.delete()


@pytest.mark.exhaustive
@every_type
def test_one_that_is_gone_is_created_again(specimen: Specimen, life: Life, world: World) -> None:
    life.delete()
    again = Life(world.provider, life.type, specimen.inputs(world))
    assert again.refresh()
    assert again.diff() == UNCHANGED
    life.id, life.state = again.id, again.state


@pytest.mark.exhaustive
@every_type
def test_one_that_was_imported_is_no_difference(specimen: Specimen, life: Life) -> None:
    if specimen.not_imported:
        pytest.skip(specimen.not_imported)
    import_id = specimen.import_id(life.id, life.state) if specimen.import_id else life.id
    found = life.provider.find(life.type, life.name, import_id)
    assert found is not None
    id_, inputs, state = found
    assert id_ == life.id
    refused = life.provider.check(life.type, life.name, inputs)[1]
    assert {path for path, _ in refused} <= specimen.import_differs
    assert life.mistyped(state) == []
    assert life.provider.diff(life.type, state, life.inputs).changed == specimen.import_differs


@pytest.mark.exhaustive
@every_type
def test_tags_of_the_provider_are_put_and_no_difference(specimen: Specimen, world: World) -> None:
    if "tags" not in RESOURCES[specimen.type].inputs:
        pytest.skip("it takes no tags")
    world.provider.configure(None, {"Default": "1"})
    life = Life(world.provider, specimen.type, specimen.inputs(world))
    try:
        assert life.refresh()
        assert life.state["tagsAll"]["Default"] == "1"
        assert "Default" not in life.state["tags"]
        assert life.diff() == UNCHANGED
        world.provider.configure(None, {"Default": "2"})
        assert life.diff().changed == {"tags"}
    finally:
        life.delete()

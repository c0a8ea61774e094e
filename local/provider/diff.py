"""Which inputs differ from what is recorded, and which of them make another resource."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from local.provider import forms
from local.provider.resource import Input, Properties, Resource
from local.provider.wire import holds_unknown, is_archive


class Difference(NamedTuple):
    """What an ``up`` would do to a resource that is there."""

    changed: frozenset[str]
    """Inputs that differ."""
    replaces: frozenset[str]
    """Those of them that make another resource."""
    delete_first: bool
    """Whether the old one must go first: the new one has its name."""


def difference(
    resource: Resource, state: Properties, wanted: Properties, default_tags: Mapping[str, str]
) -> Difference:
    """Compare wanted inputs with the recorded state: what was given, or read by a refresh."""
    changed = set()
    for key, about in resource.inputs.items():
        new = wanted.get(key)
        if key == "tags":
            new = all_tags(new, default_tags)
            if not holds_unknown(new) and new == (state.get("tagsAll") or {}):
                continue
            changed.add(key)
        elif new is None and about.computed:
            continue
        elif holds_unknown(new) or form(about, new) != form(about, state.get(key)):
            changed.add(key)
    replaces = {key for key in changed if resource.inputs[key].replaces}
    names = {
        key
        for key, about in resource.inputs.items()
        if about.auto_name is not None and key not in wanted.get("__defaults", ())
    }
    return Difference(
        frozenset(changed), frozenset(replaces), bool(replaces and names and not names & changed)
    )


def form(about: Input, value: Any) -> object:
    """Write a value in the form in which it is compared."""
    if is_archive(value):
        return value.get("hash")
    return (about.form or forms.default)(value)


def all_tags(tags: Mapping[str, str] | None, default_tags: Mapping[str, str]) -> Properties:
    """Return the tags that a resource has in the end."""
    return {**default_tags, **(tags or {})}


def recorded(resource: Resource, previous: Properties, read: Properties) -> Properties:
    """Return what is recorded after a read: the previous text where it means the same."""
    state = {key: value for key, value in {**previous, **read}.items() if key != "__defaults"}
    for key, about in resource.inputs.items():
        if key in previous and form(about, previous[key]) == form(about, state.get(key)):
            state[key] = previous[key]
    return state

"""Compares inputs with the recorded state, and finds what needs a replacement."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from local.provider import forms
from local.provider.resource import EMPTY, Input, Properties, Resource
from local.provider.wire import UNKNOWN, holds_unknown, is_archive


class Difference(NamedTuple):
    """What an `up` would do to an existing resource."""

    changed: frozenset[str]
    """Inputs that differ."""
    replaces: frozenset[str]
    """The inputs among them that replace the resource."""
    delete_first: bool
    """Whether the old resource is deleted first, because the new one has the same name."""


def difference(
    resource: Resource, state: Properties, wanted: Properties, default_tags: Mapping[str, str]
) -> Difference:
    """Compare the new inputs with the recorded state, which a refresh may have read.

    Raises:
        RejectedError: the provider rejects the change.

    """
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
        else:
            old = state.get(key)
            if holds_unknown(new) or form(about, filled(about, new, old)) != form(about, old):
                changed.add(key)
    replaces = resource.replacing(state, wanted, changed)
    names = {
        key
        for key, about in resource.inputs.items()
        if about.auto_name is not None and key not in wanted.get("__defaults", ())
    }
    taken = resource.deletes_first or bool(names and not names & changed)
    return Difference(frozenset(changed), frozenset(replaces), bool(replaces) and taken)


def form(about: Input, value: Any) -> object:
    """Return the form of a value that is compared."""
    if is_archive(value):
        return value.get("hash")
    if about.form is not None or about.fields is None:
        return (about.form or forms.default)(value)
    if isinstance(value, Mapping):
        given = {**value}
        for key, inner in about.fields.items():
            own = inner.default if value.get(key) is None else value[key]
            given[key] = form(inner, own)
        return forms.default(given)
    return forms.default([form(about, each) for each in value] if value else None)


def filled(about: Input, new: Any, old: Any) -> Any:
    """Add the values that AWS chose for unset fields of a map, or of each map in a list."""
    if about.fields is None:
        return new
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [filled(about, *each) for each in zip(new, old, strict=True)]
    if not isinstance(new, Mapping) or not isinstance(old, Mapping):
        return new
    chosen = {k for k, inner in about.fields.items() if inner.computed and new.get(k) is None}
    return {**new, **{key: old[key] for key in chosen if key in old}}


def all_tags(tags: Any, default_tags: Mapping[str, str]) -> Any:
    """Return all tags of a resource; `UNKNOWN` if its own tags are unknown."""
    return UNKNOWN if tags == UNKNOWN else {**default_tags, **(tags or {})}


def recorded(resource: Resource, previous: Properties, read: Properties) -> Properties:
    """Return the state after a read; a value with the same meaning keeps its previous text."""
    state = {key: value for key, value in {**previous, **read}.items() if key != "__defaults"}
    for key, about in resource.inputs.items():
        if key in previous:
            value = filled(about, previous[key], state.get(key))
            if form(about, value) == form(about, state.get(key)):
                state[key] = value
    return state


def refreshed(resource: Resource, given: Properties, read: Properties) -> Properties:
    """Return the inputs after a refresh: the keys that the program sets, with the values in AWS.

    What AWS chose for an unset field stays an output.
    """
    return {
        key: _refreshed(resource.inputs.get(key), value, read.get(key, value))
        for key, value in given.items()
    }


def _refreshed(about: Input | None, given: Any, read: Any) -> Any:
    if about is None or about.fields is None:
        return read
    if isinstance(given, list) and isinstance(read, list):
        old = given if len(given) == len(read) else [{}] * len(read)
        return [_refreshed(about, *each) for each in zip(old, read, strict=True)]
    if not isinstance(given, Mapping) or not isinstance(read, Mapping):
        return read
    return {
        key: _refreshed(inner, given.get(key), read[key])
        for key, inner in about.fields.items()
        if key in read
        and (key in given or not (inner.computed or read[key] in (*EMPTY, False, inner.default)))
    }

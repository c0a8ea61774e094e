"""Which inputs differ from what is recorded, and which of them make another resource."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from local.provider import forms
from local.provider.resource import EMPTY, Input, Properties, Resource
from local.provider.wire import UNKNOWN, holds_unknown, is_archive


class Difference(NamedTuple):
    """What an `up` would do to a resource that is there."""

    changed: frozenset[str]
    """Inputs that differ."""
    replaces: frozenset[str]
    """Those of them that make another resource."""
    delete_first: bool
    """Whether the old one must go first: the new one has its name."""


def difference(
    resource: Resource, state: Properties, wanted: Properties, default_tags: Mapping[str, str]
) -> Difference:
    """Compare wanted inputs with the recorded state: what was given, or read by a refresh.

    Raises:
        RefusedError: the provider refuses the change.

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
    """Write a value in the form in which it is compared."""
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
    """Fill a map, or each map of a list, up with what AWS chose for fields that are not given."""
    if about.fields is None:
        return new
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [filled(about, *each) for each in zip(new, old, strict=True)]
    if not isinstance(new, Mapping) or not isinstance(old, Mapping):
        return new
    chosen = {k for k, inner in about.fields.items() if inner.computed and new.get(k) is None}
    return {**new, **{key: old[key] for key in chosen if key in old}}


def all_tags(tags: Any, default_tags: Mapping[str, str]) -> Any:
    """Return the tags that a resource has in the end; `UNKNOWN` if its own are."""
    return UNKNOWN if tags == UNKNOWN else {**default_tags, **(tags or {})}


def recorded(resource: Resource, previous: Properties, read: Properties) -> Properties:
    """Return what is recorded after a read: the previous text where it means the same."""
    state = {key: value for key, value in {**previous, **read}.items() if key != "__defaults"}
    for key, about in resource.inputs.items():
        if key in previous:
            told = filled(about, previous[key], state.get(key))
            if form(about, told) == form(about, state.get(key)):
                state[key] = told
    return state


def refreshed(resource: Resource, given: Properties, read: Properties) -> Properties:
    """Return the inputs after a refresh: what the program gives, as AWS has it.

    What AWS chose for a field that is not given stays an output.
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

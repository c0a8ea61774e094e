"""Copies `Fields` into plain dictionaries and lists. Imported only then.

No local here has a `repr` that shows a value.
"""

from typing import Any

from .value import Fields


def plain(fields: Fields) -> dict[str, Any]:
    """Return a copy that can be changed, all the way down."""
    return {name: plain_at(fields, name) for name in fields}


def plain_at(fields: Fields, name: str) -> Any:
    """Return what is under a name: an object as a dictionary, an array as a list."""
    if isinstance(fields[name], Fields):
        return plain(fields[name])
    if isinstance(fields[name], tuple):
        numbered: Any = enumerate(fields[name])
        return list(plain(Fields(numbered)).values())
    return fields[name]

"""The fields of a JSON object.

No local here has a `repr` that shows a value.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Fields(dict[str, "Any"]):
    """A JSON object, read-only, with tuples for its lists; `repr` shows names and no value.

    It is a `dict` to `json.dumps`, `isinstance` and `**`. `copy.copy`, `copy.deepcopy` and pickle
    make plain dictionaries and lists of it, which can be changed. Whatever walks through a
    dictionary, as Sentry does through locals, finds the values.
    """

    __slots__ = ()

    def _refuse(self, *_: "Any", **__: "Any") -> "Any":
        raise TypeError("a secret's fields are read-only; change copy.deepcopy(secret.json)")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __repr__(self) -> str:
        return f"<Fields {', '.join(map(str, self))}>"

    def __reduce__(self) -> "Any":
        return dict, (plain(self),)


def plain(fields: Fields) -> "dict[str, Any]":
    """Return a copy that can be changed, all the way down."""
    return {name: plain_at(fields, name) for name in fields}


def plain_at(fields: Fields, name: str) -> "Any":
    """Return what is under a name: an object as a dictionary, an array as a list."""
    if isinstance(fields[name], Fields):
        return plain(fields[name])
    if isinstance(fields[name], tuple):
        numbered: Any = enumerate(fields[name])
        return list(plain(Fields(numbered)).values())
    return fields[name]

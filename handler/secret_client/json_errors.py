"""Says why a value cannot be read as a JSON object. Imported only then."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .value import Value

_KINDS = {
    list: "an array",
    str: "text in quotes",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def reason(value: "Value") -> str:
    """Return what is wrong with the value, and how else to read it; never a part of the value."""
    instead = f"read it as `{'binary' if value._text is None else 'text'}`"  # noqa: SLF001 (part of the client)
    try:
        text = value._document()  # noqa: SLF001 (part of the client)
        if not text.strip():
            return "the value is empty; put a JSON object"
        kind = _KINDS.get(type(json.loads(text)))
    except UnicodeDecodeError:
        return f"the value is binary; {instead}"
    except json.JSONDecodeError as error:
        # Python's decoder has constant messages:
        # https://github.com/python/cpython/blob/main/Modules/_json.c
        said = error.msg.rstrip(": ").removesuffix(" at")
        place = f"line {error.lineno} column {error.colno}"
        return f"the value is not JSON: {said} at {place}; correct it, or {instead}"
    except RecursionError:
        kind = None
    except ValueError:  # sys.set_int_max_str_digits
        return f"the value has a number with too many digits; {instead}"
    if kind is None:  # an object that `json` reads, but not as far down as `Value` walks
        return f"the value is nested too deeply; {instead}"
    return f"the value is {kind}, not a JSON object; {instead}"

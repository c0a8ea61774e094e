"""Searches texts for secret values in any encoding."""

import re
from base64 import b64encode
from collections.abc import Collection
from urllib.parse import unquote

from local.proofs.results import CheckFailed
from local.proofs.search import contains_any

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/nrtbf]))')
# Anything shorter would be found in any base64 text.
_OWN_BASE64 = 6


def leaked(text: str, canaries: Collection[str]) -> bool:
    """Whether a text contains a value, as it is or encoded as JSON, a URL or base64.

    Raises:
        CheckFailed: there are no values, so the search would prove nothing.

    """
    if not canaries:
        raise CheckFailed("no secret values to search for")
    plain = {form for canary in canaries for form in (canary, _plainest(canary))}
    return contains_any(text, _all_base64_forms(canaries)) or any(
        contains_any(reading, plain) for reading in _readings(text)
    )


def leaked_file(content: bytes, canaries: Collection[str]) -> bool:
    """Whether a file contains a value: a text as in `leaked`, a binary file as it is or in base64.

    Decoding a library repeatedly would take a minute.

    Raises:
        CheckFailed: there are no values.

    """
    if b"\0" not in content:
        return leaked(content.decode("utf-8", "replace"), canaries)
    if not canaries:
        raise CheckFailed("no secret values to search for")
    forms = {*canaries, *_all_base64_forms(canaries)}
    return contains_any(content, {form.encode() for form in forms})


def _readings(text: str) -> set[str]:
    """Return the text with zero, one and more layers of JSON and URL escapes removed.

    The fully decoded text is not enough: a value that ends in a backslash would lose it.
    """
    found, waiting = {text}, [text]
    while waiting:
        layer = waiting.pop()
        new = {_ESCAPE.sub(_unescape, layer), unquote(layer)} - found
        found |= new
        waiting += new
    return {_joined(each) for each in found}


def _plainest(text: str) -> str:
    """Remove every layer of escapes."""
    while (plainer := unquote(_ESCAPE.sub(_unescape, text))) != text:
        text = plainer
    return _joined(text)


def _joined(text: str) -> str:
    """Join surrogate pairs: characters beyond 65,535."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(found[2], found[2])


def _all_base64_forms(canaries: Collection[str]) -> set[str]:
    return {form for canary in canaries for form in _base64_forms(canary.encode())}


def _base64_forms(value: bytes) -> set[str]:
    """Return the forms that a value has inside a base64 text, for each of its three offsets."""
    forms = set()
    for before in range(3):
        encoded = b64encode(bytes(before) + value).decode()
        # Characters that share bits with the bytes around the value are excluded.
        own = encoded[(before * 8 + 5) // 6 : (before + len(value)) * 8 // 6]
        if len(own) >= _OWN_BASE64:
            forms |= {own, own.translate(str.maketrans("+/", "-_"))}
    return forms

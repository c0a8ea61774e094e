"""Looks for secret values in texts, however they are written there."""

import re
from base64 import b64encode
from collections.abc import Collection
from urllib.parse import unquote

from local.proofs.outcomes import Broken

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/nrtbf]))')
# Less of it would be found in any text of base64.
_OWN_BASE64 = 6


def leaked(text: str, canaries: Collection[str]) -> bool:
    """Whether a text holds a value, as it is or as JSON, a URL or base64 would write it.

    Raises:
        Broken: there is no value to look for, so finding none would mean nothing.

    """
    if not canaries:
        raise Broken("there is no secret value to search for")
    readings = _readings(text)
    return any(
        any(form in reading for form in (canary, _plainest(canary)) for reading in readings)
        or any(form in text for form in _base64_forms(canary.encode()))
        for canary in canaries
    )


def leaked_file(content: bytes, canaries: Collection[str]) -> bool:
    """Whether a file holds a value: as `leaked`, or, in one that is no text, as it is.

    To read a library without escapes, again and again, would take a minute for each.

    Raises:
        Broken: there is no value to look for.

    """
    if b"\0" not in content:
        return leaked(content.decode("utf-8", "replace"), canaries)
    if not canaries:
        raise Broken("there is no secret value to search for")
    return any(
        form.encode() in content
        for canary in canaries
        for form in (canary, *_base64_forms(canary.encode()))
    )


def _readings(text: str) -> set[str]:
    """Read a text with every number of layers of escapes, of JSON and of URLs, taken off.

    The plainest is not enough: what ends in a backslash loses it with one layer too many.
    """
    found, waiting = {text}, [text]
    while waiting:
        layer = waiting.pop()
        new = {_ESCAPE.sub(_unescape, layer), unquote(layer)} - found
        found |= new
        waiting += new
    return {_joined(each) for each in found}


def _plainest(text: str) -> str:
    """Take off every layer of escapes."""
    while (plainer := unquote(_ESCAPE.sub(_unescape, text))) != text:
        text = plainer
    return _joined(text)


def _joined(text: str) -> str:
    """Join what was written as a pair: characters beyond 65,535."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(found[2], found[2])


def _base64_forms(value: bytes) -> set[str]:
    """Write a value as it stands inside base64 of anything, wherever it begins there."""
    forms = set()
    for before in range(3):
        encoded = b64encode(bytes(before) + value).decode()
        # Characters that share bits with what stands around the value are not its own.
        own = encoded[(before * 8 + 5) // 6 : (before + len(value)) * 8 // 6]
        if len(own) >= _OWN_BASE64:
            forms |= {own, own.translate(str.maketrans("+/", "-_"))}
    return forms

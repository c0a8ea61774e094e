"""Finds values that look like passwords, by name or text, to keep them out of version control.

Pure. The rules of `secrets`, `parameters` and `functions` use it.
"""

import re

_NAME = re.compile(
    r"(passw(or)?ds?|passphrases?|passcode|pwd|secrets?|tokens?|credentials?|dsn|connection_?string"
    r"|(access|api|auth|encryption|master|private|secret|shared|signing)_?keys?)"
    r"(_?(hash|text|value))?$",
    re.IGNORECASE,
)
_CREDENTIALS_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def looks_sensitive(name: str, plain: object) -> bool:
    """Whether a plain value should be a secret; true and false never should."""
    named = _NAME.search(name) and not isinstance(plain, bool)
    return bool(named or _CREDENTIALS_IN_URL.search(str(plain)))

"""What would put a password into version control, by its name or its text. Pure.

`secrets` and `parameters` refuse it.
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
    """Tell whether a plain value should rather be a secret; true and false never are."""
    named = _NAME.search(name) and not isinstance(plain, bool)
    return bool(named or _CREDENTIALS_IN_URL.search(str(plain)))

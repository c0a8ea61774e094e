"""Finds values that look like passwords, by name or text, to keep them out of version control.

Pure. The rules of `secrets`, `parameters`, `functions` and `tags` use it.
"""

import re
from collections.abc import Iterator

from ..errors import ConfigError

_NAME = re.compile(
    r"(passw(or)?ds?|passphrases?|passcode|pwd|secrets?|tokens?|credentials?|dsn|connection_?string"
    r"|access_?key_?id"
    r"|(access|api|auth|encryption|master|private|secret|shared|signing)_?keys?)"
    r"(_?(hash|text|value))?$",
    re.IGNORECASE,
)
# `pass`, `dbPass` and `DB_PASS`, but neither `bypass` nor `compass`.
_PASS = re.compile(r"(^|[^A-Za-z])(pass|Pass|PASS)$|[a-z0-9]Pass$")
# Forms that their issuers document.
_FORM = re.compile(
    r"""-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY
    |\b(AKIA|ASIA)[A-Z0-9]{16}\b
    |\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.
    |\b(sk|rk|pk)_(live|test)_\w{8}
    |\bgh[oprsu]_[A-Za-z0-9]{20}|\bgithub_pat_\w{20}|\bglpat-[\w-]{20}
    |\bxox[abeoprs]-[\w-]{8}|hooks\.slack\.com/(services|workflows|triggers)/\w
    |discord(app)?\.com/api/webhooks/\d|\.webhook\.office\.com/webhookb2/\w
    |\bAIza[\w-]{35}|\bSG\.[\w-]{16,}\.[\w-]{16}
    """,
    re.VERBOSE,
)
_SECRET_ACCESS_KEY = re.compile(r"(^|=)(?=[A-Za-z0-9/+]{40}$)(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")
# The start of what stands for a value: ${password}, <password>, {password}, ***, %s.
_PLACEHOLDER = r"[$<{*]|%s"
_END = r"""([\s.,;&"')]|$)"""
_SWITCH = rf"(true|false|yes|no|on|off|none|null|\d)?{_END}"
# Words that are joined name something: "sha256-hashed", "/app/prod/key1", an ARN.
_REFERENCE = rf"https?:|[a-z]*\d*([-/:_][a-z]*\d*)+{_END}"
_URL = re.compile(rf"://[^/\s:@]*:(?!{_PLACEHOLDER})[^/\s@]+@")
# Any value of a password, such as `DB_PASSWORD=hunter`; of a token, only one with a digit.
_ASSIGNED = re.compile(
    rf"""(password|passwd|(?<![a-z])pwd|passphrase|sharedaccesskey|accountkey)
    \s*=\s*["']?(?!{_PLACEHOLDER}|["']|{_SWITCH})[^\s;&]
    |(client[ _-]?secret|(access|api|private|secret)[ _-]?key|token)
    \s*=\s*["']?(?!{_PLACEHOLDER}|{_REFERENCE})(?=[^\s;&"']*\d)[^\s;&"']{{8}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# In a sentence, only a word with a digit is a password: "the password is hunter2".
_TOLD = re.compile(
    rf"""\b(password|passwd|passphrase|pwd|token)(\s+is|:)\s+
    (?!{_PLACEHOLDER}|{_REFERENCE}|(base|sha|md)\d)(?=\S*\d)\S{{6}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FORMS = (_FORM, _SECRET_ACCESS_KEY, _URL, _ASSIGNED, _TOLD)


def looks_sensitive(name: str, plain: object) -> bool:
    """Whether a plain value should be a secret; true and false never should."""
    if isinstance(plain, bool):
        return False
    name = name.replace("-", "_")
    return bool(_NAME.search(name) or _PASS.search(name) or _contains_secret(str(plain)))


def errors(path: str, text: str) -> Iterator[ConfigError]:
    """Reject a secret in a text that never has one, such as a description or a tag."""
    if _contains_secret(text):
        yield error(path, "remove it")


def error(path: str, remedy: str) -> ConfigError:
    """Return the error of a plain value that looks like a secret."""
    rule = "appears to contain a secret in plain text (not shown)"
    return ConfigError(path, f"{rule}; {remedy}")


def _contains_secret(text: str) -> bool:
    """Whether a text has a form that only secrets have, whatever its name."""
    return any(form.search(text) for form in _FORMS)

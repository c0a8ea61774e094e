"""Prepares a password as PostgreSQL and its clients do, before a key is made of it.

SASLprep (RFC 4013) maps different spellings to one text. PostgreSQL uses a text that SASLprep
prohibits unchanged, and so any ASCII. It checks the characters before they are normalized, and
first maps a zero-width space to a space:
https://github.com/postgres/postgres/blob/master/src/common/saslprep.c
"""

import stringprep as tables
import unicodedata

# In the order of RFC 4013, section 2.3: control, private use, non-character, surrogate, plain
# text, canonical, display and tagging characters; then those unassigned in Unicode 3.2.
_PROHIBITED = (
    tables.in_table_c21_c22,
    tables.in_table_c3,
    tables.in_table_c4,
    tables.in_table_c5,
    tables.in_table_c6,
    tables.in_table_c7,
    tables.in_table_c8,
    tables.in_table_c9,
    tables.in_table_a1,
)


def saslprep(text: str) -> str:
    """Return the prepared text, whose UTF-8 is the password."""
    if text.isascii():
        return text
    spaced = (" " if tables.in_table_c12(each) else each for each in text)
    mapped = "".join(each for each in spaced if not tables.in_table_b1(each))
    if not mapped or _is_prohibited(mapped) or _is_mixed(mapped):
        return text
    return unicodedata.normalize("NFKC", mapped)


def _is_prohibited(text: str) -> bool:
    return any(is_in_table(each) for each in text for is_in_table in _PROHIBITED)


def _is_mixed(text: str) -> bool:
    """Whether a text mixes right-to-left characters with others, inside or at an end."""
    if not any(map(tables.in_table_d1, text)):
        return False
    ends = tables.in_table_d1(text[0]) and tables.in_table_d1(text[-1])
    return not ends or any(map(tables.in_table_d2, text))

"""Prepares a password as PostgreSQL and its clients do, before a key is made of it.

SASLprep (RFC 4013) makes one text of different spellings. PostgreSQL takes a text that SASLprep
prohibits as it is, and so any ASCII. It looks at the characters before they are normalised, and
takes a zero-width space for a space first:
https://github.com/postgres/postgres/blob/master/src/common/saslprep.c
"""

import stringprep as tables
import unicodedata

# In the order of RFC 4013, section 2.3: control, private use, non-character, surrogate, plain
# text, canonical, display and tagging characters; then those that Unicode 3.2 does not know.
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
    """Return the text whose UTF-8 is the password."""
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
    """Whether a text has right-to-left characters, and others among them or at an end."""
    if not any(map(tables.in_table_d1, text)):
        return False
    ends = tables.in_table_d1(text[0]) and tables.in_table_d1(text[-1])
    return not ends or any(map(tables.in_table_d2, text))

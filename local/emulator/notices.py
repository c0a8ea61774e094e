"""What the user should know of the functions, each notice once.

They are in the emulator's log, and `EmbeddedAws.notices` returns them.
"""

import logging

_LOGGER = logging.getLogger("local.emulator")
_notices: dict[str, None] = {}


def give(text: str) -> None:
    """Give a notice, unless the same was given before."""
    if text not in _notices:
        _notices[text] = None
        _LOGGER.warning(text)


def given() -> list[str]:
    """Return the notices, the first one first."""
    return list(_notices)

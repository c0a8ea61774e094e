"""What the user should know of the functions, and the emulator's own errors; each once.

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


class ErrorHandler(logging.Handler):
    """Gives a notice of each error that the emulator logs: clients repeat a request that fails."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Give the notice."""
        error = record.exc_info[1] if record.exc_info else None
        reason = f" ({type(error).__name__}: {error})" if error else ""
        text = record.getMessage().partition("\n")[0]
        give(f"the embedded AWS had an error, please report it: {text}{reason}")


def given() -> list[str]:
    """Return the notices, the first one first."""
    return list(_notices)

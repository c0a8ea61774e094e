"""What the extension, or AWS's agent, returns instead of a value."""

from .value import decode

_NOT_READY = b"not ready to serve traffic, please wait"


class Refused(ConnectionError):
    """It responded, but not with a value."""

    def __init__(self, status: int, body: bytes) -> None:
        """Take status and body; what is not known to hold no value is not kept."""
        super().__init__(f"status {status}; the extension's line in this log says why")
        self.status = status
        self.is_not_ready = body == _NOT_READY
        self.code, self.message = _named(body)


def _named(body: bytes) -> tuple[str, str]:
    """Return code and text of the cause that the agent names; the extension names none."""
    try:
        answer = decode(body.decode())
        return answer["__type"].rpartition("#")[2], str(answer.get("message", ""))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return "", ""

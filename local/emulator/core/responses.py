"""What a handler of ministack answers."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

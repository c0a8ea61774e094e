"""A chunked body, from a server that answers HTTP/1.0 as HTTP/1.1."""


def joined(body: bytes) -> bytes:
    """Join the chunks. Raises ValueError if the body is cut short or not chunked."""
    parts: list[bytes] = []
    place = 0
    while True:
        end = body.index(b"\r\n", place)
        size = body[place:end].partition(b";")[0].strip()
        if not size.isalnum():  # `int` would take a sign
            raise ValueError
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        place = end + 2
        parts.append(body[place : place + length])
        place += length + 2

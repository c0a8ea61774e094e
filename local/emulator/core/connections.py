"""TCP connections, as asyncio has them."""

import asyncio
import socket
import struct

# To close with it resets the connection, and leaves no rest to be sent.
_NO_LINGER = struct.pack("ii", 1, 0)


def reset(connection: asyncio.Transport) -> None:
    """Reset a connection: the other side sees an error, not an end."""
    # asyncio's own class for it, which knows no setsockopt in its types.
    peer: socket.socket = connection.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    connection.abort()

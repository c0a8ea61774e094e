"""An outage: a service of a region answers nobody, until it is given back.

What is lost is the way to the service: what it does by itself, such as replication, goes on.
"""

import asyncio
import contextvars
import re
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from hypercorn.asyncio.tcp_server import TCPServer

from local.emulator.core import loop
from local.emulator.core.patching import replaces

How = Literal["hang", "reset"]
Message = MutableMapping[str, Any]

# `Credential=<key>/<date>/<region>/<service>/aws4_request`
_SIGNED_FOR = re.compile(rb"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
# To close with it resets the connection, and leaves no rest to be sent.
_NO_LINGER = struct.pack("ii", 1, 0)

_away: dict[tuple[str, str], How] = {}
_hanging: dict[asyncio.Transport, tuple[str, str]] = {}
_connection: contextvars.ContextVar[asyncio.Transport] = contextvars.ContextVar("connection")


@replaces(TCPServer, "run")
async def remember_connection(
    original: Callable[[TCPServer], Awaitable[None]], server: TCPServer
) -> None:
    """Keep the connection for the requests that come by it.

    An application of hypercorn's does not know it.
    """
    _connection.set(server.writer.transport)
    await original(server)


def take_away(service: str, region: str, how: How) -> None:
    """Let requests to a service hang, or reset their connections; the name is the signature's."""
    _away[service, region] = how


def give_back(service: str, region: str) -> None:
    """Answer again; requests that still hang are reset."""
    _away.pop((service, region), None)
    loop.soon(_reset_hanging, (service, region))


def of(scope: Message) -> How | None:
    """Tell what becomes of a request: nothing, unless its service is away."""
    return _away.get(_asked(scope)) if _away else None


async def suffer(how: How, scope: Message, receive: Callable[[], Awaitable[Message]]) -> None:
    """Leave a request without an answer until its connection is gone."""
    connection = _connection.get()
    _hanging[connection] = _asked(scope)
    if how == "reset":
        _reset(connection)
    while (await receive())["type"] != "http.disconnect":
        pass
    _hanging.pop(connection, None)


def _asked(scope: Message) -> tuple[str, str]:
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    signed = _SIGNED_FOR.search(authorization)
    return (signed[2].decode(), signed[1].decode()) if signed else ("", "")


def _reset_hanging(asked: tuple[str, str]) -> None:
    for connection in [each for each, hangs in _hanging.items() if hangs == asked]:
        _reset(connection)


def _reset(connection: asyncio.Transport) -> None:
    # asyncio's own class for it, which knows no setsockopt in its types.
    peer: socket.socket = connection.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    connection.abort()

"""An outage: a service of a region answers nobody until the outage ends.

What is lost is the way to the service: what it does by itself, such as replication, goes on.
"""

import asyncio
import contextvars
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from hypercorn.asyncio.tcp_server import TCPServer

from local.emulator.core import connections, loop
from local.emulator.core.patching import replaces

How = Literal["hang", "reset"]
Message = MutableMapping[str, Any]

# `Credential=<key>/<date>/<region>/<service>/aws4_request`
_SIGNED_FOR = re.compile(rb"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")

_outages: dict[tuple[str, str], How] = {}
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


def start_outage(service: str, region: str, how: How) -> None:
    """Let requests to a service hang, or reset their connections; the name is the signature's."""
    _outages[service, region] = how


def end_outage(service: str, region: str) -> None:
    """Answer again; requests that still hang are reset."""
    _outages.pop((service, region), None)
    loop.soon(_reset_hanging, (service, region))


def how_to_respond(scope: Message) -> How | None:
    """Return how to respond to a request; None unless its service has an outage."""
    return _outages.get(_service(scope)) if _outages else None


async def respond(how: How, scope: Message, receive: Callable[[], Awaitable[Message]]) -> None:
    """Leave a request without an answer until its connection is gone."""
    connection = _connection.get()
    _hanging[connection] = _service(scope)
    if how == "reset":
        connections.reset(connection)
    while (await receive())["type"] != "http.disconnect":
        pass
    _hanging.pop(connection, None)


def _service(scope: Message) -> tuple[str, str]:
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    signed = _SIGNED_FOR.search(authorization)
    return (signed[2].decode(), signed[1].decode()) if signed else ("", "")


def _reset_hanging(service: tuple[str, str]) -> None:
    for connection in [each for each, hangs in _hanging.items() if hangs == service]:
        connections.reset(connection)

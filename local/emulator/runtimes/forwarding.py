"""Passes the connections of a listener on to another address, on the emulator's event loop."""

import asyncio
import socket

from local.emulator.core import connections, loop

Address = tuple[str, int]

_connecting: set[asyncio.Task[None]] = set()


class Forwarding:
    """A listener whose connections are passed on, until it is closed; for any thread.

    A connection is taken before the other address is asked, so one that it refuses is reset.
    """

    def __init__(self, listener: socket.socket, address: Address) -> None:
        self._server = loop.run(_serve(listener, address))

    def close(self) -> None:
        """Take no more connections."""
        self._server.add_done_callback(lambda server: loop.soon(server.result().close))


async def _serve(listener: socket.socket, address: Address) -> asyncio.Server:
    running = asyncio.get_running_loop()
    return await running.create_server(
        lambda: _Accepted(address), sock=listener, backlog=socket.SOMAXCONN
    )


class _Side(asyncio.Protocol):
    """One of two connections: what comes in by it goes out by the other."""

    transport: asyncio.Transport
    other: "_Side"

    def __init__(self) -> None:
        self.has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (as a stream's is)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.has_ended = True
        self.other.transport.write_eof()
        if self.other.has_ended:
            self.other.transport.close()
        return not self.other.has_ended

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self.other.transport.close()
        else:
            connections.reset(self.other.transport)


class _Connected(_Side):
    """The connection to the address."""

    def __init__(self, accepted: "_Accepted") -> None:
        super().__init__()
        self.other = accepted


class _Accepted(_Side):
    """A connection that was accepted; its data waits until there is the other one."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._address = address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        connecting = asyncio.ensure_future(self._connect())
        _connecting.add(connecting)
        connecting.add_done_callback(_connecting.discard)

    async def _connect(self) -> None:
        running = asyncio.get_running_loop()
        try:
            _, self.other = await running.create_connection(
                lambda: _Connected(self), *self._address
            )
        except OSError:
            connections.reset(self.transport)
        else:
            self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if hasattr(self, "other"):
            super().connection_lost(error)

"""TCP without HTTP: bytes from one side to the other, each side's end and slowness passed on."""

import asyncio

from .balance import Backend, Server
from .connection import Connection
from .dial import dial


class Side(Connection):
    """One of two ends. `other` is set once both are connected."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self.ended = False  # its program will send no more

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.other is None or self.other.ended:
            return False
        self.other.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        if self.other:
            self.other.transport.abort() if error else self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()


class TcpDownstream(Side):
    def __init__(self, backend: Backend):
        super().__init__()
        self._backend = backend
        self._server: Server | None = None
        self._connecting: asyncio.Task | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop, client = asyncio.get_running_loop(), self.transport.get_extra_info("peername")[0]
        began, server = loop.time(), self._backend.pick(client, set())
        if server:
            server.begin()
        found = await dial(self._backend, client, server, lambda server: Side())
        if found is None:
            self.transport.abort()
            return
        self._server, self.other = found
        self.other.other = self
        self._server.took(loop.time() - began)
        self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self._connecting and not self._connecting.done():
            self._connecting.cancel()
        if self._server:
            self._server.end(failed=False)
        super().connection_lost(error)

"""A websocket to a node's kubelet: for what goes both ways, exec, attach and port-forward."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
)
from wsproto.utilities import ProtocolError

from .kubelet_proxy import authorization, connect, refusal, silent
from .passing import ANSWER_SECONDS, READ_BYTES


class KubeletSocket:
    """An open one. `subprotocol` is what the kubelet chose of those that it was offered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.subprotocol: str | None = None
        self._reader, self._writer = reader, writer
        self._wire = WSConnection(ConnectionType.CLIENT)

    async def upgrade(self, host: str, path: str, subprotocols: list[str]) -> tuple[int, str] | None:
        """None once it is open, or the code and the words of the kubelet's refusal."""
        headers = [(name.encode(), value.encode()) for name, value in [authorization()]]
        request = Request(host=host, target=path, subprotocols=subprotocols, extra_headers=headers)
        self._writer.write(self._wire.send(request))
        code, words = 0, b""
        async for event in self._events():
            if isinstance(event, AcceptConnection):
                self.subprotocol = event.subprotocol
                return None
            if isinstance(event, RejectConnection):
                code = event.status_code
            elif isinstance(event, RejectData):
                words += event.data
                if event.body_finished:
                    break
        return code or 500, words.decode(errors="replace").strip()

    async def send(self, data: bytes) -> None:
        """One message. Waits while the kubelet does not read. Raises ConnectionError once it has hung up."""
        try:
            self._writer.write(self._wire.send(BytesMessage(data)))
        except ProtocolError as error:
            raise ConnectionError(str(error)) from None
        await self._writer.drain()

    async def messages(self) -> AsyncIterator[bytes]:
        """What the kubelet says, until it closes. Raises ConnectionError if it dies instead."""
        begun = b""
        async for event in self._events():
            if isinstance(event, BytesMessage):
                begun += event.data
                if event.message_finished:
                    yield begun
                    begun = b""
            elif isinstance(event, Ping):
                self._writer.write(self._wire.send(event.response()))
            elif isinstance(event, CloseConnection):
                return
        raise ConnectionError("the kubelet has hung up")

    async def _events(self) -> AsyncIterator[Event]:
        try:
            while True:
                for event in self._wire.events():  # before reading: the first words may have come with the upgrade
                    yield event
                data = await self._reader.read(READ_BYTES)
                if not data:
                    return
                self._wire.receive_data(data)
        except ProtocolError as error:
            raise ConnectionError(str(error)) from None


@contextlib.asynccontextmanager
async def open_socket(kubelet: str, path: str, subprotocols: list[str]) -> AsyncIterator[KubeletSocket]:
    """Raises ApiError as the kubelet refuses, or 503 if it does not answer; hangs up when the block is left."""
    reader, writer = await connect(kubelet)
    socket = KubeletSocket(reader, writer)
    try:
        try:
            upgrading = socket.upgrade(urlsplit(kubelet).netloc, path, subprotocols)
            refused = await asyncio.wait_for(upgrading, ANSWER_SECONDS)
        except (OSError, TimeoutError) as error:
            raise silent(kubelet, error) from None
        if refused:
            raise refusal(*refused)
        yield socket
    finally:
        writer.transport.abort()  # what a kubelet does not read would keep it open for ever

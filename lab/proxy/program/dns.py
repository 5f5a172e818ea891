"""The cluster's name server, as CoreDNS is to Kubernetes: it knows the Services, and passes all other questions on."""

import asyncio
import itertools
import logging
import struct
from collections.abc import Callable
from pathlib import Path

from . import dnswire
from .dnswire import ANY, NOERROR, NOTIMP, NXDOMAIN, PTR, SERVFAIL, SRV, A, BadMessage
from .names import Names

log = logging.getLogger(__name__)
RESOLVERS = Path("/etc/resolv.conf")
UPSTREAM_SECONDS = 2.0
SILENT_SECONDS = 10.0  # for so long nobody is asked who did not answer: in a room without internet, names fail fast


class DnsServer:
    def __init__(self, names: Callable[[], Names], resolvers: Path = RESOLVERS):
        self._names = names
        self._upstream = Upstream(resolvers)

    async def listen(self, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._datagrams = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (address, port))
        self._server = await asyncio.start_server(self._serve, address, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Over TCP each message has its length before it."""
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                said = await self.answer(await reader.readexactly(length), 65535)
                if said:
                    writer.write(struct.pack("!H", len(said)) + said)
                    await writer.drain()
        except (OSError, EOFError):
            return  # whoever asked has gone
        finally:
            writer.close()

    async def answer(self, message: bytes, most: int = 0) -> bytes | None:
        """`most` 0: what whoever asks takes over UDP. None: there is nothing to answer to."""
        try:
            asked = dnswire.question(message)
        except BadMessage:
            return None
        most = most or asked.size
        if asked.flags & 0x7800:
            return dnswire.answer(asked, NOTIMP)
        found = self._names().look_up(asked.name)
        if found is None:
            return dnswire.answer(asked, NXDOMAIN)
        if found.outside and not found.aliases:
            return await self._upstream.ask(message) or dnswire.answer(asked, SERVFAIL, authoritative=False)
        if asked.kind == SRV:
            data = [dnswire.service(port, name) for port, name in found.services]
        elif asked.kind == PTR:
            data = [dnswire.pointer(name) for name in found.pointers]
        elif asked.kind not in (A, ANY):
            data = []  # the cluster has no other addresses, and saying so at once saves a second question
        elif found.outside:
            # Resolvers of C libraries do not follow an alias: its addresses must be in the same answer.
            said = await self._upstream.ask(dnswire.query(0, found.outside))
            if said is None:
                return dnswire.answer(asked, SERVFAIL, authoritative=False)
            data = [dnswire.address(text) for text in dnswire.addresses(said)]
        else:
            data = [dnswire.address(text) for text in found.addresses]
        return dnswire.answer(asked, NOERROR, found.aliases, data, most)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer):
        self._server = server
        self._tasks: set[asyncio.Task] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(data, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, peer: tuple[str, int]) -> None:
        said = await self._server.answer(data)
        if said:
            self._transport.sendto(said, peer)


class Upstream(asyncio.DatagramProtocol):
    """The name servers that this machine itself asks. Questions get numbers of ours while they are on their way."""

    def __init__(self, resolvers: Path):
        self._resolvers = resolvers
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._silent_until: dict[str, float] = {}

    async def ask(self, message: bytes) -> bytes | None:
        """The answer under the question's own number; None if nobody gives one."""
        loop = asyncio.get_running_loop()
        for address in self._addresses():
            if self._silent_until.get(address, 0) > loop.time():
                continue
            number = next(self._numbers) % 65536
            self._waiting[number] = heard = loop.create_future()
            try:
                if self._transport is None:
                    self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("0.0.0.0", 0))
                self._transport.sendto(struct.pack("!H", number) + message[2:], (address, 53))
                async with asyncio.timeout(UPSTREAM_SECONDS):
                    said = await heard
                return message[:2] + said[2:]
            except OSError:
                self._silent_until[address] = loop.time() + SILENT_SECONDS
                log.info("the name server %s does not answer", address)
            finally:
                del self._waiting[number]
        return None

    def _addresses(self) -> list[str]:
        try:
            lines = [line.split() for line in self._resolvers.read_text().splitlines()]
        except OSError:
            return []
        return [line[1] for line in lines if line[:1] == ["nameserver"] and len(line) > 1 and ":" not in line[1]]

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        heard = self._waiting.get(int.from_bytes(data[:2], "big"))
        if heard and not heard.done() and len(data) >= 12:
            heard.set_result(data)

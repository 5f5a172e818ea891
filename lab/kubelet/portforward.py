"""port-forward: connections to a pod's ports over one websocket.

kubectl opens as many as it is asked for, in the frames of SPDY, two streams each: on "data" it goes through, on "error"
is said why it could not be, if it could not. Older clients and the Python client name their ports in the query and get
one connection to each, on channels. The pod is asked at its address, as a probe asks it: what listens on 127.0.0.1
inside a container alone, is not found. Source: k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable

from lab.apimachinery.tasks import every, until_first_ends
from lab.httpserver import Receive, Scope, Send

from . import spdy

log = logging.getLogger(__name__)
PROTOCOL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"
CONNECT_SECONDS = 5.0
BEAT_SECONDS = 5.0


async def serve(
    scope: Scope, receive: Receive, send: Send, pod: str, address: str, ports: list[int]
) -> None:  # fmt: skip
    """Forward until the client hangs up. `ports` are for one who speaks no SPDY."""
    spoken = PROTOCOL if PROTOCOL in scope["subprotocols"] else CHANNELS
    way: Tunnel | Channels = Tunnel(send, pod, address) if spoken == PROTOCOL else Channels(send, pod, address, ports)
    try:
        await send({"type": "websocket.accept", "subprotocol": spoken})
        # Nobody would notice that the client has gone while a connection does not take what it was sent before.
        await until_first_ends(listen(receive, way), every(BEAT_SECONDS, way.beat))
    except (OSError, ValueError) as error:
        log.debug("a port-forward to %s ends: %s", pod, error)
    finally:
        for forward in list(way.forwards.values()):
            forward.close()


async def listen(receive: Receive, way: "Tunnel | Channels") -> None:
    """Until the client hangs up. Raises ValueError for what cannot be understood."""
    await way.begin()
    while (message := await receive())["type"] != "websocket.disconnect":
        await way.hear(message.get("bytes") or (message.get("text") or "").encode())


class Tunnel:
    """The connections of a client that speaks SPDY. One that does not take what it is sent holds up all: so does the
    API server's own tunnel, and the client's."""

    def __init__(self, send: Send, pod: str, address: str):
        self._send, self._pod, self._address = send, pod, address
        self._spdy = spdy.Connection()
        self._pings = 0
        self._errors: dict[str, int] = {}  # request's number → its error stream
        self.forwards: dict[int, Forward] = {}  # by data stream

    async def begin(self) -> None:
        """The client opens everything."""

    async def beat(self) -> None:
        self._pings += 2  # a server's are even
        await self._say(spdy.ping(self._pings))

    async def hear(self, data: bytes) -> None:
        for event in self._spdy.receive(data):
            match event:
                case spdy.Opened():
                    await self._open(event)
                case spdy.Data(stream, piece, finished) if forward := self.forwards.get(stream):
                    await forward.write(piece, finished)
                case spdy.Reset(stream) if forward := self.forwards.pop(stream, None):
                    forward.close()
                case spdy.Pinged(number) if number % 2:
                    await self._say(spdy.ping(number))

    async def _open(self, opened: spdy.Opened) -> None:
        await self._say(self._spdy.reply(opened.stream))
        request = opened.headers.get("requestid", "")
        if opened.headers.get("streamtype") == "error":
            self._errors[request] = opened.stream
            return
        stream, error = opened.stream, self._errors.pop(request, None)

        async def over(trouble: str) -> None:
            if error is not None:
                await self._say(spdy.data(error, trouble.encode(), finished=True))
            await self._say(spdy.data(stream, b"", finished=True))
            self.forwards.pop(stream, None)

        port = int(opened.headers.get("port", ""))
        say = functools.partial(self._piece, stream)
        self.forwards[stream] = Forward(self._pod, self._address, port, say, over)

    async def _piece(self, stream: int, data: bytes) -> None:
        await self._say(spdy.data(stream, data))

    async def _say(self, frame: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": frame})


class Channels:
    """The connections of a client that does not: to the i-th of its ports on channel 2i, errors on 2i + 1. What comes
    first on each channel is the port's number, in two bytes, the lower one first."""

    def __init__(self, send: Send, pod: str, address: str, ports: list[int]):
        self._send, self._pod, self._address = send, pod, address
        self._ports = ports
        self.forwards: dict[int, Forward] = {}  # by channel

    async def begin(self) -> None:
        for number, port in enumerate(self._ports):
            data, error = 2 * number, 2 * number + 1
            for channel in (data, error):
                await self._say(channel, port.to_bytes(2, "little"))
            say, over = functools.partial(self._say, data), functools.partial(self._over, error)
            self.forwards[data] = Forward(self._pod, self._address, port, say, over)

    async def beat(self) -> None:
        await self._say(0, b"")

    async def hear(self, data: bytes) -> None:
        if data and (forward := self.forwards.get(data[0])):
            await forward.write(data[1:], False)

    async def _over(self, channel: int, trouble: str) -> None:
        if trouble:
            await self._say(channel, trouble.encode())
        del self.forwards[channel - 1]
        if not self.forwards:
            await self._send({"type": "websocket.close", "code": 1000})

    async def _say(self, channel: int, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": bytes([channel]) + data})


class Forward:
    """One connection to the pod. `say` passes on what it says, `over` that it has ended and what was the trouble."""

    def __init__(
        self, pod: str, address: str, port: int, say: Callable[[bytes], Awaitable[None]],
        over: Callable[[str], Awaitable[None]],
    ):  # fmt: skip
        self._pod, self._port = pod, port
        self._say, self._over = say, over
        connecting = asyncio.wait_for(asyncio.open_connection(address, port), CONNECT_SECONDS)
        self._connecting = asyncio.ensure_future(connecting)
        self._reading = asyncio.create_task(self._read())

    async def write(self, piece: bytes, finished: bool) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.shield(self._connecting)
            writer.write(piece)
            if finished:
                writer.write_eof()
            await writer.drain()

    async def _read(self) -> None:
        """Its way back, to its end."""
        trouble = ""
        try:
            reader, writer = await self._connecting
            with contextlib.closing(writer), contextlib.suppress(ConnectionError):
                while piece := await reader.read(spdy.MOST_DATA):
                    await self._say(piece)
        except OSError as error:
            why = str(error) or "it does not answer"
            trouble = f"error forwarding port {self._port} to pod {self._pod}: {why}"
        with contextlib.suppress(OSError):
            await self._over(trouble)

    def close(self) -> None:
        self._reading.cancel()

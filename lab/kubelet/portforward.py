"""port-forward: connections to a pod's ports, many over one websocket, in the frames of SPDY.

Each connection is two streams. On "data" it goes through; on "error" is said why it could not be, if it could not. The
pod is asked at its address, as a probe asks it: what listens on 127.0.0.1 inside a container alone, is not found.
Source: k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

import asyncio
import contextlib
import logging

from lab.apimachinery.tasks import every, until_first_ends

from . import spdy

log = logging.getLogger(__name__)
PROTOCOL = "SPDY/3.1+portforward.k8s.io"
CONNECT_SECONDS = 5.0
BEAT_SECONDS = 10.0


async def serve(receive, send, pod: str, address: str) -> None:
    """Forward until the client hangs up."""
    tunnel = Tunnel(send, pod, address)
    try:
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        # Nobody would notice that the client has gone while a connection does not take what it was sent before.
        await until_first_ends(tunnel.listen(receive), every(BEAT_SECONDS, tunnel.ping))
        await send({"type": "websocket.close", "code": 1000})
    except (OSError, ValueError) as error:
        log.debug("a port-forward to %s ends: %s", pod, error)
    finally:
        tunnel.close()


class Tunnel:
    """The connections of one client. A connection that does not take what it is sent holds up all: so does the API
    server's own, and the client's."""

    def __init__(self, send, pod: str, address: str):
        self._send, self._pod, self._address = send, pod, address
        self._spdy = spdy.Connection()
        self._pings = 0
        self._errors: dict[str, int] = {}  # request's number → its error stream
        self._forwards: dict[int, Forward] = {}  # by data stream

    async def listen(self, receive) -> None:
        """Until the client hangs up. Raises ValueError for what is not SPDY."""
        while (message := await receive())["type"] != "websocket.disconnect":
            await self._hear(message.get("bytes") or b"")

    async def ping(self) -> None:
        self._pings += 2  # a server's are even
        await self.say(spdy.ping(self._pings))

    async def _hear(self, data: bytes) -> None:
        for event in self._spdy.receive(data):
            match event:
                case spdy.Opened():
                    await self._open(event)
                case spdy.Data(stream, piece, finished) if forward := self._forwards.get(stream):
                    await forward.write(piece, finished)
                case spdy.Reset(stream) if forward := self._forwards.pop(stream, None):
                    forward.close()
                case spdy.Pinged(number) if number % 2:
                    await self.say(spdy.ping(number))

    async def _open(self, opened: spdy.Opened) -> None:
        await self.say(self._spdy.reply(opened.stream))
        request = opened.headers.get("requestid", "")
        if opened.headers.get("streamtype") == "error":
            self._errors[request] = opened.stream
        else:
            streams = (opened.stream, self._errors.pop(request, 0))
            port = int(opened.headers.get("port", ""))
            self._forwards[opened.stream] = Forward(self, streams, self._pod, self._address, port)

    async def say(self, frame: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": frame})

    def forget(self, stream: int) -> None:
        self._forwards.pop(stream, None)

    def close(self) -> None:
        for forward in list(self._forwards.values()):
            forward.close()


class Forward:
    """One connection to the pod. `streams`: its data stream and its error stream."""

    def __init__(self, tunnel: Tunnel, streams: tuple[int, int], pod: str, address: str, port: int):
        self._tunnel = tunnel
        self._data, self._error = streams
        self._pod, self._port = pod, port
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
                    await self._tunnel.say(spdy.data(self._data, piece))
        except OSError as error:
            trouble = f"error forwarding port {self._port} to pod {self._pod}: {str(error) or 'it does not answer'}"
        with contextlib.suppress(OSError):
            await self._tunnel.say(spdy.data(self._error, trouble.encode(), finished=True))
            await self._tunnel.say(spdy.data(self._data, b"", finished=True))
        self._tunnel.forget(self._data)

    def close(self) -> None:
        self._reading.cancel()

"""One HTTP request to another program, whose answer is passed on as it comes: to a kubelet, or to a Service."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
READ_BYTES = 65536
Header = tuple[str, str]
Place = tuple[str, int] | str  # host and port, or a Unix socket's path


@dataclass
class Reply:
    """The head of what it answers, and the body as it arrives."""

    code: int
    headers: list[Header]
    body: AsyncIterator[bytes]

    def header(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.headers if key.lower() == name), default)


def front_door() -> Place | None:
    """Where this process reaches it: the port that browsers use, or, in a container of its own, a socket in the lab's
    data. None where there is no front door."""
    port = urlsplit(os.environ.get("ORRERY_FRONT_DOOR", "")).port
    return (os.environ.get("ORRERY_SIDE_DOOR") or ("127.0.0.1", port)) if port else None


async def connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises OSError if nobody listens there."""
    way = asyncio.open_unix_connection(place) if isinstance(place, str) else asyncio.open_connection(*place)
    try:
        return await asyncio.wait_for(way, CONNECT_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS:.0f} s") from None


@contextlib.asynccontextmanager
async def exchange(
    place: Place, method: str, target: str, headers: Iterable[Header], body: bytes = b""
) -> AsyncIterator[Reply]:
    """Send it. Raises OSError if it is not answered; hangs up when the block is left."""
    reader, writer = await connect(place)
    wire = h11.Connection(h11.CLIENT)
    try:
        yield await _answered(wire, reader, writer, method, target, headers, body)
    finally:
        writer.close()


async def _answered(
    wire: h11.Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    target: str,
    headers: Iterable[Header],
    body: bytes,
) -> Reply:
    more = [("Connection", "close"), ("Content-Length", str(len(body)))]
    try:
        sent = wire.send(h11.Request(method=method, target=target, headers=[*headers, *more])) or b""
        sent += (wire.send(h11.Data(data=body)) or b"") if body else b""
        writer.write(sent + (wire.send(h11.EndOfMessage()) or b""))
        head = await asyncio.wait_for(_next_event(wire, reader), ANSWER_SECONDS)
    except h11.ProtocolError as error:
        raise ConnectionError(str(error)) from None
    except TimeoutError:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s") from None
    if not isinstance(head, h11.Response):
        raise ConnectionError("it hung up")
    told = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in head.headers]
    return Reply(head.status_code, told, _body(wire, reader))


async def _next_event(wire: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := wire.next_event()) is h11.NEED_DATA:
        wire.receive_data(await reader.read(READ_BYTES))
    return event


async def _body(wire: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The body, piece by piece. Who dies in the middle of it ends it: what was said stays said."""
    with contextlib.suppress(OSError, h11.ProtocolError):
        while isinstance(event := await _next_event(wire, reader), h11.Data):
            yield bytes(event.data)

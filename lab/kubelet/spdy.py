"""Frames of SPDY/3.1, as far as kubectl's port-forward speaks it: pure, bytes to events and back.

Its flow control by windows is left out on both sides, as in the library that Kubernetes uses (moby/spdystream): the
connection that carries the frames holds up whoever is too fast. Source: the SPDY protocol, draft 3.1.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

VERSION = 3
CONTROL = 0x8000
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, HEADERS = 1, 2, 3, 6, 7, 8
FIN = 1
HEAD_BYTES = 8
MOST_DATA = 32768  # of one frame

# What both sides' compressors have seen before the first header: the words that HTTP uses most (section 2.6.10.1).
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(struct.pack(">I", len(word)) + word.replace("_", " ").encode() for word in _WORDS.split(" "))
    + _REST.encode()
)


@dataclass(frozen=True)
class Opened:
    stream: int
    headers: dict[str, str] = field(default_factory=dict)
    finished: bool = False


@dataclass(frozen=True)
class Data:
    stream: int
    data: bytes
    finished: bool = False


@dataclass(frozen=True)
class Reset:
    stream: int


@dataclass(frozen=True)
class Pinged:
    number: int


@dataclass(frozen=True)
class GoneAway:
    pass


Event = Opened | Data | Reset | Pinged | GoneAway


class Connection:
    """One side of a connection, without the connection. Both directions of headers are compressed as one text each, so
    every frame that has some must come through here, in order."""

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, data: bytes) -> Iterator[Event]:
        """What whole frames say. Raises ValueError for what is not SPDY."""
        self._arrived += data
        while len(self._arrived) >= HEAD_BYTES:
            first, second, about = struct.unpack_from(">HHI", self._arrived)
            end = HEAD_BYTES + (about & 0xFFFFFF)
            if len(self._arrived) < end:
                return
            payload = bytes(self._arrived[HEAD_BYTES:end])
            del self._arrived[:end]
            finished = bool(about >> 24 & FIN)
            if not first & CONTROL:
                yield Data(first << 16 | second, payload, finished)
            elif first != CONTROL | VERSION:
                raise ValueError(f"SPDY/{first & ~CONTROL} is not spoken here")
            elif event := self._control(second, payload, finished):
                yield event

    def _control(self, kind: int, payload: bytes, finished: bool) -> Event | None:
        number = int.from_bytes(payload[:4])
        if kind == SYN_STREAM:
            return Opened(number, self._headers(payload[10:]), finished)
        if kind in (SYN_REPLY, HEADERS):
            self._headers(payload[4:])
        known: dict[int, Event] = {RST_STREAM: Reset(number), PING: Pinged(number), GOAWAY: GoneAway()}
        return known.get(kind)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block)
            (count,), at = struct.unpack_from(">I", text), 4
            words = []
            for _ in range(2 * count):
                (length,) = struct.unpack_from(">I", text, at)
                words.append(text[at + 4 : at + 4 + length].decode())
                at += 4 + length
        except (zlib.error, struct.error) as error:
            raise ValueError(f"headers that cannot be read: {error}") from None
        return dict(zip(words[::2], words[1::2], strict=True))

    def open(self, stream: int, headers: dict[str, str]) -> bytes:
        return _control(SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + self._compressed(headers))

    def reply(self, stream: int) -> bytes:
        """Take the stream on."""
        return _control(SYN_REPLY, struct.pack(">I", stream) + self._compressed({}))

    def _compressed(self, headers: dict[str, str]) -> bytes:
        words = [word.encode() for pair in headers.items() for word in pair]
        text = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(word)) + word for word in words)
        return self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def data(stream: int, piece: bytes, finished: bool = False) -> bytes:
    return struct.pack(">II", stream, (FIN if finished else 0) << 24 | len(piece)) + piece


def ping(number: int) -> bytes:
    return _control(PING, struct.pack(">I", number))


def _control(kind: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", CONTROL | VERSION, kind, len(payload)) + payload

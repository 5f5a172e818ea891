"""The heads of HTTP/1.1 messages, and where their bodies end. Pure.

A proxy that understands a length otherwise than the server behind it can be made to smuggle requests past itself, so
whatever could be read in two ways is refused.
"""

from dataclasses import dataclass, field

HEAD_MOST = 64 * 1024
HEXADECIMAL = b"0123456789abcdefABCDEF"
# Meant for this connection only, not for whoever is behind it.
HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"))
SEEN = HOP | {
    b"host", b"content-length", b"transfer-encoding", b"upgrade", b"x-request-id", b"x-forwarded-for"
}  # fmt: skip


class BadMessage(Exception):
    """What came is no HTTP/1.1 that could be understood in one way only."""


@dataclass(slots=True)
class Head:
    """`lines`: the header lines to pass on as they are."""

    start: list[bytes]
    lines: list[bytes] = field(default_factory=list)
    host: bytes = b""
    length: int | None = None
    chunked: bool = False
    close: bool = False
    upgrade: bool = False
    request_id: bool = False
    forwarded_for: bytes = b""
    user: bytes = b""  # Proxy-Authorization


def parse(raw: bytes) -> Head:
    """A head without the empty line at its end. Raises BadMessage."""
    first, *rest = raw.split(b"\r\n")
    if raw.count(b"\n") != len(rest):
        raise BadMessage("a line that ends otherwise than lines do")  # others might see two in it
    head = Head(first.split(b" ", 2))
    if len(head.start) < 2:
        raise BadMessage("no start line")
    connection = upgrade = b""
    old = b"HTTP/1.0" in (head.start[0], head.start[-1])
    for line in rest:
        name, colon, value = line.partition(b":")
        if not colon or not name or name[0] in b" \t" or name[-1] in b" \t":
            raise BadMessage("a header that is none")
        lower = name.lower()
        if lower not in SEEN:
            head.lines.append(line)
            continue
        value = value.strip()
        if lower == b"connection":
            connection += b"," + value.lower()
        elif lower == b"upgrade":
            upgrade = line
        elif lower == b"proxy-authorization":
            head.user = value
        elif lower not in HOP:
            _note(head, lower, value)
            if lower != b"x-forwarded-for":
                head.lines.append(line)
    head.upgrade = bool(upgrade) and b"upgrade" in connection
    if head.upgrade:
        head.lines += [upgrade, b"Connection: Upgrade"]
    head.close = b"keep-alive" not in connection if old else b"close" in connection
    if head.chunked and (head.length is not None or old):
        raise BadMessage("a body of two lengths")
    return head


def _note(head: Head, name: bytes, value: bytes) -> None:
    if name == b"host":
        if head.host:
            raise BadMessage("two hosts")
        head.host = value
    elif name == b"content-length":
        if not value.isdigit() or (head.length is not None and head.length != int(value)):
            raise BadMessage("a length that is none")
        head.length = int(value)
    elif name == b"transfer-encoding":
        if value.lower() != b"chunked" or head.chunked:
            raise BadMessage("an encoding other than chunked")
        head.chunked = True
    elif name == b"x-request-id":
        head.request_id = True
    elif name == b"x-forwarded-for":
        head.forwarded_for = head.forwarded_for + b", " + value if head.forwarded_for else value


class Length:
    """A body of so many bytes. `feed` says how many of these bytes belong to it."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int):
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> int:
        taken = min(self._left, len(data))
        self._left -= taken
        self.done = self._left == 0
        return taken


class UntilClose:
    """A body that ends with its connection."""

    done = False

    def feed(self, data: bytes) -> int:
        return len(data)


class Chunked:
    """A chunked body, which is passed on as it is; only its end has to be found."""

    __slots__ = ("_left", "_line", "_trailer", "done")

    def __init__(self) -> None:
        self._left = 0  # of this chunk, with the line end behind it
        self._line = b""  # the part of a line that has come
        self._trailer = False
        self.done = False

    def feed(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at)
            stop = end + 1 if end >= 0 else len(data)
            self._line += data[at:stop]
            at = stop
            if len(self._line) > HEAD_MOST:
                raise BadMessage("a line without end")
            if end >= 0:
                self._take_line()
        return at

    def _take_line(self) -> None:
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            raise BadMessage("a line that ends otherwise than lines do")
        if self._trailer:
            self.done = line == b"\r\n"
            return
        digits = line.partition(b";")[0].strip()
        if not digits or digits.strip(HEXADECIMAL):
            raise BadMessage("a chunk without a size")
        size = int(digits, 16)
        self._trailer = size == 0
        self._left = size + 2 if size else 0


Body = Length | Chunked | UntilClose


def request_body(head: Head) -> Length | Chunked:
    return Chunked() if head.chunked else Length(head.length or 0)


def response_body(head: Head, status: int, method: bytes) -> Body:
    if method == b"HEAD" or status in (204, 304):
        return Length(0)
    if head.chunked:
        return Chunked()
    return UntilClose() if head.length is None else Length(head.length)

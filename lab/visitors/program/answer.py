"""One HTTP/1.1 answer out of the bytes of a connection. Pure. Source: RFC 9112, sections 4 to 7."""

from dataclasses import dataclass

MOST_HEAD = 65536
MOST_MESSAGE = 200  # of a failure's body, to say why
UNTIL_CLOSED, CHUNKED = -1, -2


class Malformed(ValueError):
    """The bytes are no HTTP answer."""


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    keeps: bool  # whether the connection may carry another request
    body: bytes = b""  # its beginning

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")


class Reader:
    """Of one answer. `feed` and `end` return it when it is complete."""

    def __init__(self) -> None:
        self._bytes = b""
        self._answer: Answer | None = None
        self._left = 0  # bytes of the body, or UNTIL_CLOSED, or CHUNKED

    def feed(self, data: bytes) -> Answer | None:
        if self._answer is None:
            self._bytes += data
            head, found, data = self._bytes.partition(b"\r\n\r\n")
            if not found:
                if len(head) > MOST_HEAD:
                    raise Malformed("the head of the answer has no end")
                return None
            self._bytes = b""
            answer = _parse(head)
            if answer.status < 200:  # "go on": the real one follows
                return self.feed(data)
            self._answer, self._left = answer, _length(answer)
        return self._feed_body(self._answer, data)

    def _feed_body(self, answer: Answer, data: bytes) -> Answer | None:
        if self._left == CHUNKED:
            self._bytes += data
            return answer if self._take_chunks(answer) else None
        _keep(answer, data)
        if self._left == UNTIL_CLOSED:
            return None
        self._left -= len(data)
        if self._left < 0:  # more than one answer to one request
            answer.keeps = False
        return answer if self._left <= 0 else None

    def _take_chunks(self, answer: Answer) -> bool:
        """Take off the chunks that are complete; whether the last one was among them."""
        while True:
            size, found, rest = self._bytes.partition(b"\r\n")
            if not found:
                return False
            length = _number(size.partition(b";")[0].strip(), 16)
            if length == 0:  # then there may be trailers, and an empty line ends it all
                return rest.startswith(b"\r\n") or b"\r\n\r\n" in rest
            if len(rest) < length + 2:
                return False
            _keep(answer, rest[:length])
            self._bytes = rest[length + 2 :]

    def end(self) -> Answer | None:
        """The peer has closed the connection, which is how some answers end."""
        if self._answer is None or self._left != UNTIL_CLOSED:
            return None
        return self._answer


def _keep(answer: Answer, data: bytes) -> None:
    if answer.status >= 500 and len(answer.body) < MOST_MESSAGE:
        answer.body = (answer.body + data)[:MOST_MESSAGE]


def _parse(head: bytes) -> Answer:
    first, *lines = head.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise Malformed("no status line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    wish = headers.get(b"connection", b"").lower()
    keeps = wish != b"close" if version == b"HTTP/1.1" else wish == b"keep-alive"
    return Answer(_number(rest[:3], 10), headers, keeps)


def _length(answer: Answer) -> int:
    if answer.status in (204, 304):
        return 0
    if b"transfer-encoding" in answer.headers:
        return CHUNKED
    if b"content-length" in answer.headers:
        return _number(answer.headers[b"content-length"], 10)
    answer.keeps = False
    return UNTIL_CLOSED


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise Malformed("no number where one must be") from None

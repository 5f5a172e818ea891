"""The server's side of an HTTP connection: idle, or answering one client's request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .balance import Server
from .connection import Connection
from .heads import HEAD_MOST, BadMessage, Body, UntilClose, parse, response_body

if TYPE_CHECKING:
    from .downstream import Downstream

IDLE_MOST = 64  # connections kept for one server
# For so long: many a server closes what is idle after five seconds, perhaps while a request is on its way to it.
IDLE_SECONDS = 4.0
END = b"\r\n\r\n"


class Upstream(Connection):
    def __init__(self, server: Server):
        self._server = server
        self._client: Downstream | None = None
        self._held = b""
        self._body: Body | None = None  # once the answer's head has come
        self._lasts = False  # whether the connection can be used again
        self._failed = False
        self.ended = False
        self._idle_since = 0.0

    def begin(self, client: Downstream, request: bytes) -> None:
        """Send a request's head. The server counts it already."""
        self._client, self._body, self._held, self._failed = client, None, b"", False
        self.transport.write(request)

    def can_be_used(self) -> bool:
        """Of one that is idle; else it is closed."""
        if not self.transport.is_closing() and time.monotonic() - self._idle_since < IDLE_SECONDS:
            return True
        self.transport.close()
        return False

    def give_up(self) -> None:
        """The client went away; the server learns it by its connection."""
        self._client = None
        self._server.end(failed=False)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._client is None:
            self.transport.abort()  # nobody has asked anything
        elif self._client.tunnel:
            self._client.transport.write(data)
        else:
            try:
                self._take(self._client, data)
            except BadMessage:
                self.transport.abort()

    def _take(self, client: Downstream, data: bytes) -> None:
        out = b""
        while self._body is None:
            data, self._held = self._held + data, b""
            end = data.find(END)
            if end < 0:
                if len(data) > HEAD_MOST:
                    raise BadMessage("a head without end")
                self._held = data
                if out:
                    client.transport.write(out)
                return
            out += self._take_head(client, data[:end])
            data = data[end + 4 :]
            if client.tunnel:
                client.transport.write(out + data)
                return
        taken = self._body.feed(data)
        client.transport.write(out + data if taken == len(data) else out + data[:taken])
        if self._body.done:
            self._finish(client, self._lasts and taken == len(data))

    def _take_head(self, client: Downstream, raw: bytes) -> bytes:
        """The head as it goes to the client; also sets what follows it."""
        head = parse(raw)
        try:
            status = int(head.start[1])
        except ValueError:
            raise BadMessage("no status") from None
        if status == 101 and head.upgrade:
            client.open_tunnel()
        elif 100 <= status < 200:
            return raw + END  # a word in between; the answer follows
        else:
            self._body = response_body(head, status, client.method)
            self._server.took(time.monotonic() - client.began)
        self._failed = status >= 500
        self._lasts = not head.close
        spec = self._server.spec
        lines = [b" ".join(head.start), *head.lines]
        if spec.pod:
            lines.append(f"X-Orrery-Pod: {spec.pod}".encode())
        if spec.version:
            lines.append(f"X-Orrery-Version: {spec.version}".encode())
        if not client.tunnel and not (client.may_go_on() and not isinstance(self._body, UntilClose)):
            lines.append(b"Connection: close")
        elif head.start[0] == b"HTTP/1.0":
            lines.append(b"Connection: keep-alive")
        return b"\r\n".join(lines) + END

    def _finish(self, client: Downstream, lasts: bool) -> None:
        self._client, server = None, self._server
        server.end(self._failed)
        if lasts and client.body_sent() and server.spec.weight and len(server.idle) < IDLE_MOST:
            self.transport.resume_reading()
            self._idle_since = time.monotonic()
            server.idle.append(self)
        else:
            self.transport.close()
        client.answered(client.may_go_on())

    # Back-pressure: whoever cannot take more lets the other side wait.

    def pause_writing(self) -> None:
        if self._client:
            self._client.upstream_is_full(True)

    def resume_writing(self) -> None:
        if self._client:
            self._client.upstream_is_full(False)

    def eof_received(self) -> bool:
        self.ended = True
        if self._client is None or not self._client.tunnel or self._client.ended:
            return False
        self._client.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        client, self._client = self._client, None
        if client is None:
            if self in self._server.idle:
                self._server.idle.remove(self)
            return
        whole = isinstance(self._body, UntilClose)
        self._server.end(failed=not (whole or client.tunnel))
        if whole and error is None:  # a body that ends with its connection
            client.answered(False)
        else:
            client.broken(began=client.tunnel or self._body is not None)

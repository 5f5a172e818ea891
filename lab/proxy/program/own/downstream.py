"""The client's side of an HTTP connection: one request after the other, each handed to the server chosen for it."""

import asyncio
import itertools
import os
import time
from collections.abc import Callable

from .. import pages
from .balance import Backend, Server
from .connection import Connection
from .dial import dial
from .heads import HEAD_MOST, BadMessage, Body, Head, Length, parse, request_body
from .upstream import Upstream

HELD_MOST = 256 * 1024  # of what a client sends ahead; more waits in its own socket
END = b"\r\n\r\n"
NOTHING = Length(0)  # the body of no request
_ids = itertools.count()
_id_prefix = os.urandom(8).hex()

# A request's head and its client → who serves it, or the whole answer if that is nobody. It may change the head.
Route = Callable[[Head, str], Backend | bytes]


class Downstream(Connection):
    def __init__(self, route: Route):
        self._route = route
        self._held = b""  # what came and has not been passed on
        self._head: Head | None = None  # of the request that is being answered
        self._body: Body = NOTHING
        self._backend: Backend  # who serves it
        self._upstream: Upstream | None = None
        self._connecting: asyncio.Task | None = None
        self.ended = False  # the client will send no more
        self._full = False  # the server takes no more at the moment
        self._slow = False  # nor does the client
        self.client = ""
        self.method = b""
        self.began = 0.0
        self.tunnel = False

    # The client's connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""

    def data_received(self, data: bytes) -> None:
        if self.tunnel:
            self._pass_on(data)
            return
        self._held = self._held + data if self._held else data
        self._advance()

    def eof_received(self) -> bool:
        self.ended = True
        if self.tunnel and self._upstream:
            if self._upstream.ended:
                return False
            self._upstream.transport.write_eof()
        # Somebody who said all he wanted may still wait for the answer; who broke off in the middle gets none.
        return self._head is not None and not self._cut_short()

    def connection_lost(self, error: Exception | None) -> None:
        if self._connecting:
            self._connecting.cancel()
        if self._upstream:
            self._upstream.give_up()
            self._upstream = None

    def pause_writing(self) -> None:
        self._slow = True
        if self._upstream:
            self._upstream.transport.pause_reading()

    def resume_writing(self) -> None:
        self._slow = False
        if self._upstream:
            self._upstream.transport.resume_reading()
        else:
            self._advance()

    # Requests.

    def _advance(self) -> None:
        try:
            while self._held:
                if self._head is None:
                    if self._slow or not self._begin():
                        break
                elif self._upstream and not self._body.done:
                    self._pass_body()
                else:
                    break
        except BadMessage as bad:
            self._refuse(400, f"{bad}\n")
            return
        if self._cut_short():
            self.transport.close()
        else:
            self._read_or_wait()

    def _cut_short(self) -> bool:
        """Whether the rest of the request's body will never come."""
        return self.ended and not self._body.done and not self._held

    def upstream_is_full(self, full: bool) -> None:
        """The server cannot take more, or can again."""
        self._full = full
        self._read_or_wait()

    def _read_or_wait(self) -> None:
        if self._full or len(self._held) > HELD_MOST:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _begin(self) -> bool:
        """Take the next request's head, if all of it is there; whether it was."""
        end = self._held.find(END)
        if end < 0:
            if len(self._held) > HEAD_MOST:
                self._refuse(431, "The head of the request is too long.\n")
            return False
        raw, self._held = self._held[:end].lstrip(b"\r\n"), self._held[end + 4 :]
        head = parse(raw)
        if len(head.start) != 3 or head.start[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise BadMessage("no request of HTTP/1.1")
        self._head, self._body, self.method = head, request_body(head), head.start[0]
        found = self._route(head, self.client)
        if isinstance(found, bytes):
            self._answer(found)
        else:
            self._backend = found
            self._send(head)
        return True

    def _send(self, head: Head) -> None:
        """To a server with an idle connection at once, else as soon as one is open."""
        self.began = time.monotonic()
        server = self._backend.pick(self.client, set())
        if server is None:
            self._answer_nobody()
            return
        server.begin()
        while server.idle:
            upstream = server.idle.pop()
            if upstream.can_be_used():
                self._use(upstream, head)
                return
        self._connecting = asyncio.get_running_loop().create_task(self._connect(server, head))

    async def _connect(self, server: Server, head: Head) -> None:
        found = await dial(self._backend, self.client, server, Upstream)
        self._connecting = None
        if found is None:
            self._answer_nobody(pages.unreached)
        else:
            self._use(found[1], head)
            self._advance()

    def _use(self, upstream: Upstream, head: Head) -> None:
        self._upstream = upstream
        upstream.begin(self, self._written(head))

    def _written(self, head: Head) -> bytes:
        """The request as it goes to the server."""
        lines = [b" ".join(head.start), *head.lines]
        came = b", ".join(filter(None, (head.forwarded_for, self.client.encode())))
        if came:
            lines.append(b"X-Forwarded-For: " + came)
        if not head.request_id:
            lines.append(f"X-Request-Id: {_id_prefix}-{next(_ids):08x}".encode())
        if head.start[2] == b"HTTP/1.0" and not head.close:
            lines.append(b"Connection: keep-alive")
        return b"\r\n".join(lines) + END

    def _pass_body(self) -> None:
        taken = self._body.feed(self._held)
        self._pass_on(self._held[:taken])
        self._held = self._held[taken:]

    def _pass_on(self, data: bytes) -> None:
        assert self._upstream
        self._upstream.transport.write(data)

    # Answers.

    def may_go_on(self) -> bool:
        """Whether another request can follow on this connection."""
        return self._head is not None and not (self._head.close or self.ended) and self._body.done

    def open_tunnel(self) -> None:
        """From here on it is bytes; some may have been sent ahead of the server's agreement."""
        self.tunnel = True
        if self._held:
            self._pass_on(self._held)
            self._held = b""

    def body_sent(self) -> bool:
        return self._body.done

    def answered(self, go_on: bool) -> None:
        """The server's answer has been passed on."""
        self._head, self._body, self._upstream = None, NOTHING, None
        if not go_on:
            self._held = b""
            self.transport.close()
            return
        self._full = False
        self._read_or_wait()
        if self._held:
            # Not from here, or a client that sends a thousand requests at once would nest them all.
            asyncio.get_running_loop().call_soon(self._advance)

    def broken(self, began: bool) -> None:
        """The server went away. If its answer has begun, only the broken connection can tell the client."""
        self._upstream = None
        if began:
            self.transport.close() if self.tunnel else self.transport.abort()
        else:
            self._answer(pages.answer(502, pages.broken_off(self._backend.spec.service), close=True), go_on=False)

    def _answer_nobody(self, words: Callable[[str], str] = pages.nobody_ready) -> None:
        spec = self._backend.spec
        said = pages.nobody_ready(spec.service, spec.note) if spec.note else words(spec.service)
        self._answer(pages.answer(503, said))

    def _answer(self, whole: bytes, go_on: bool = True) -> None:
        self._held = self._held[self._body.feed(self._held) :]  # what has come of a body that nobody will read
        head, _, body = whole.partition(END)
        self.transport.write(head + END if self.method == b"HEAD" else head + END + body)
        self.answered(go_on and self.may_go_on())

    def _refuse(self, status: int, words: str) -> None:
        self._held = b""
        self.transport.write(pages.answer(status, words, close=True))
        self.transport.close()

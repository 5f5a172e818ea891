"""One connection to the front door: one request at a time, kept for the next one where the door allows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from .answer import Answer, Malformed, Reader

FAILED_STATUS = 500


@dataclass(frozen=True)
class Request:
    id: str
    raw: bytes
    sent: float
    timeout: float


@dataclass(frozen=True)
class Ending:
    """How a request ended: with an answer, or by `kind` (refused, timeout, reset, malformed) without one."""

    request: Request
    answer: Answer | None
    kind: str = ""
    message: str = ""


class Connection(asyncio.Protocol):
    """`ended` is told how each request on it ended, and `gone` when it can carry no other; before that."""

    def __init__(self, ended: Callable[[Connection, Ending], None], gone: Callable[[Connection], None]):
        self.idle_since = 0.0
        self._ended = ended
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        self._reader = Reader()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task | None = None
        self._closed = False

    def send(self, request: Request, door: tuple[str, int]) -> None:
        """Ask; the first time, the connection is opened for it. The time for that counts too."""
        self._request = request
        self._reader = Reader()
        self._timer = self._loop.call_later(request.timeout, self._time_out, request)
        if self._transport:
            self._transport.write(request.raw)
        else:
            self._opening = self._loop.create_task(self._open(door))

    def close(self) -> None:
        """Nobody is told; a request on it is given up."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        if self._opening:
            self._opening.cancel()
        if self._transport:
            self._transport.abort()

    async def _open(self, door: tuple[str, int]) -> None:
        try:
            await self._loop.create_connection(lambda: self, *door)
        except OSError as error:
            self._fail("refused", error.strerror or str(error))

    def _time_out(self, request: Request) -> None:
        self._fail("timeout", f"no answer within {request.timeout:g} s")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._request:
            transport.write(self._request.raw)
        else:  # too late: its time has just run out
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._request is None:  # nobody asked: what it says is not an answer to the next request
            self._leave()
            return
        try:
            answer = self._reader.feed(data)
        except Malformed as error:
            self._fail("malformed", str(error))
            return
        if answer:
            self._finish(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._closed:
            return
        if self._request is None:
            self._leave()
        elif answer := self._reader.end():
            self._finish(answer)
        else:
            self._fail("reset", str(error) if error else "closed before the answer was complete")

    def _finish(self, answer: Answer) -> None:
        if not answer.keeps:
            self._leave()
        failed = answer.status >= FAILED_STATUS
        message = answer.body.decode(errors="replace").strip() if failed else ""
        self._end("http" if failed else "", message, answer)

    def _fail(self, kind: str, message: str) -> None:
        self._leave()
        self._end(kind, message, None)

    def _end(self, kind: str, message: str, answer: Answer | None) -> None:
        request, self._request = self._request, None
        assert request and self._timer
        self._timer.cancel()
        self.idle_since = self._loop.time()
        self._ended(self, Ending(request, answer, kind, message))

    def _leave(self) -> None:
        self.close()
        self._gone(self)

    @property
    def usable(self) -> bool:
        return not self._closed

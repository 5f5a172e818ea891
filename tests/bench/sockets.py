"""A websocket as a browser has one: with its cookies and its origin, and its messages packed."""

import contextlib
import socket
import threading
from collections.abc import Callable

import orjson
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from tests.flow.room import Browser


class Socket:
    """What comes is given to `take` in a thread of its own, and what that returns is said. `first` is said as soon as
    one may; `size` is what has come by the wire; `ended` says why it is closed, where it was not by `close`."""

    def __init__(self, browser: Browser, path: str, take: Callable[[dict], dict | None], first: dict | None = None):
        where = browser.root.removeprefix("http://").strip("/")
        host, _, port = where.partition(":")
        self.size, self.ended = 0, ""
        self._path, self._take, self._first, self._left, self._text = path, take, first, False, ""
        self._socket = socket.create_connection((host, int(port)))
        self._end = WSConnection(ConnectionType.CLIENT)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
        headers = [(b"cookie", cookies.encode()), (b"origin", browser.root.strip("/").encode())]
        self._send(Request(where, path, extra_headers=headers, extensions=[PerMessageDeflate()]))
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        self._left = True
        with contextlib.suppress(OSError):  # the server was faster
            self._socket.shutdown(socket.SHUT_RDWR)

    def _say(self, message: dict | None) -> None:
        if message:
            self._send(Message(orjson.dumps(message).decode()))

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._end.send(event))

    def _read(self) -> None:
        why = "its reader failed"
        try:
            while data := self._socket.recv(1 << 16):
                self.size += len(data)
                self._end.receive_data(data)
                for event in self._end.events():
                    why = self._hear(event) or why
            why = why if why.startswith("closed") else "the connection ended"
        except OSError as error:
            why = str(error)
        finally:
            self.ended = "" if self._left else f"{self._path}: {why}"

    def _hear(self, event: Event) -> str:
        """Why it ends, if it does."""
        if isinstance(event, AcceptConnection):
            assert event.extensions, "the server does not pack"
            self._say(self._first)
        elif isinstance(event, TextMessage):
            self._text += event.data
            if event.message_finished:
                text, self._text = self._text, ""
                self._say(self._take(orjson.loads(text)))
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            return f"closed with {event.code} {event.reason or ''}".strip()
        elif isinstance(event, RejectConnection):
            return f"closed with status {event.status_code}"
        return ""

"""A websocket client with nothing between it and the wire, so that it can also be a bad one: slow, or forgetful."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

from tests.labs import LabUnderTest


class Wire:
    """One connection to a lab's board. `closed` is the code it was closed with, once it was."""

    def __init__(self, lab: LabUnderTest, cluster: str = "default", buffer: int = 0):
        self._socket = socket.socket()
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.connect(("127.0.0.1", lab.port))
        self._connection = WSConnection(ConnectionType.CLIENT)
        host, headers = f"127.0.0.1:{lab.port}", [(b"origin", lab.address.encode())]
        self._send(Request(host=host, target=f"/clusters/{cluster}/board", extra_headers=headers))
        self._messages: list[dict] = []
        self._text = ""
        self._open = False
        self.closed: int | None = None
        self._read(until=lambda: self._open)

    def _send(self, event) -> None:
        self._socket.sendall(self._connection.send(event))

    def resume(self, epoch: str, seq: int) -> None:
        self.say({"type": "resume", "epoch": epoch, "seq": seq})

    def say(self, message: dict | str) -> None:
        self._send(TextMessage(data=message if isinstance(message, str) else json.dumps(message)))

    def receive(self, seconds: float = 15) -> dict:
        """The next message."""
        self._read(until=lambda: self._messages, seconds=seconds)
        return self._messages.pop(0)

    def news(self, seconds: float = 15) -> dict:
        """The next message that tells of rows: no heartbeat, and no figures."""
        deadline = time.monotonic() + seconds
        while (message := self.receive(deadline - time.monotonic()))["type"] in ("beat", "figures"):
            continue
        return message

    def wait_for_close(self, seconds: float) -> int:
        self._read(until=lambda: self.closed is not None, seconds=seconds)
        return self.closed

    def _read(self, until, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, f"nothing more within {seconds:g} s"
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            with contextlib.suppress(TimeoutError):
                self._connection.receive_data(self._socket.recv(65536) or None)
            for event in self._connection.events():
                self._take(event)

    def _take(self, event) -> None:
        if isinstance(event, AcceptConnection):
            self._open = True
        elif isinstance(event, TextMessage):
            self._text += event.data
            if event.message_finished:
                self._messages.append(json.loads(self._text))
                self._text = ""
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.closed = event.code

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def wire(lab: LabUnderTest, **options) -> Iterator[Wire]:
    connection = Wire(lab, **options)
    try:
        yield connection
    finally:
        connection.close()

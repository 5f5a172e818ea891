"""One end of a websocket with nothing between it and the wire, client or server."""

import socket

from wsproto import ConnectionType, WSConnection


class Wire:
    """It blocks: `next()` is the next event of wsproto, `message()` the next whole message."""

    def __init__(self, connection: socket.socket, kind: ConnectionType):
        self.socket = connection
        self.socket.settimeout(20)
        self._wire = WSConnection(kind)

    def send(self, event) -> None:
        self.socket.sendall(self._wire.send(event))

    def next(self):
        while (event := next(self._wire.events(), None)) is None:
            self._wire.receive_data(self.socket.recv(65536) or None)
        return event

    def message(self) -> bytes:
        whole = b""
        while not (piece := self.next()).message_finished:
            whole += piece.data
        return whole + piece.data

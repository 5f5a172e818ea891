"""The engine: a small process of its own that owns the containers' processes, so that they outlive the kubelet.

    python -m lab.runtime.process.engine [data directory] [--on-demand]

It answers requests, a line of JSON each, on a unix socket: `{"id": 1, "op": "list_pods"}` with
`{"id": 1, "result": …}` or `{"id": 1, "error": {"reason": …, "message": …}}`. After `subscribe` it sends an event a
line. `exec` brings the files that the command shall have for stdin, stdout and stderr, and is answered when it has
ended; if its connection is closed before, the command is killed. `attach` brings a file that is told what the container
says until the connection is closed, and is answered with the file that the container hears.
One thread and one `select`: nothing in here waits. When it ends, so does everything it started.
"""

import argparse
import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from . import place
from .children import PR_SET_PDEATHSIG, Refused, libc
from .verbs import Verbs

TICK_SECONDS = 1.0
IDLE_SECONDS = 60.0  # an engine that was started on demand ends when nobody has been connected for so long
MOST_UNSENT = 1 << 20
MOST_FILES = 3  # what a command's stdin, stdout and stderr are, in the request for it


class Peer:
    """A connection: what arrived of the next request, what is still to be sent."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.arrived = b""
        self.unsent = b""
        self.subscribed = False
        self.files: list[int] = []  # that came with what arrived
        self.on_drop: Callable[[], None] = lambda: None


class Server:
    def __init__(self, data_dir: Path, on_demand: bool):
        self._on_demand = on_demand
        self._parent = os.getppid()
        self._selector = selectors.DefaultSelector()
        self._peers: set[Peer] = set()
        self._last_peer = time.monotonic()
        self._stopping = False
        self._path = place.socket_path(data_dir)
        containers = place.folder(data_dir) / "containers"
        shutil.rmtree(containers, ignore_errors=True)  # of an engine that was killed; its containers died with it
        self.verbs = Verbs(place.folder(data_dir), self._tell, self._watch)

    def run(self) -> None:
        wake, wakened = socket.socketpair()
        for end in (wake, wakened):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        self._path.chmod(0o600)
        listener.listen(64)
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
        self._selector.register(wakened, selectors.EVENT_READ, lambda: wakened.recv(4096))
        try:
            while not self._stopping and not self.verbs.finished and not self._deserted():
                for key, _ in self._selector.select(min(TICK_SECONDS, self.verbs.next_deadline())):
                    # What came before it in this round may have closed it: a container's output, with the container.
                    if self._selector.get_map().get(key.fd) is key:
                        key.data()
                self.verbs.reap()
                self.verbs.tick()
        finally:
            self._path.unlink(missing_ok=True)
            self.verbs.end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _deserted(self) -> bool:
        """Whether there is nobody left to work for: the supervisor is gone, or nobody has come for a while."""
        if not self._on_demand:
            return os.getppid() != self._parent
        if self._peers:
            self._last_peer = time.monotonic()
        return time.monotonic() - self._last_peer > IDLE_SECONDS

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)
        peer = Peer(connection)
        self._peers.add(peer)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._serve(peer))

    def _serve(self, peer: Peer) -> None:
        self._send(peer, b"")
        try:
            data, files, _, _ = socket.recv_fds(peer.connection, 65536, MOST_FILES)
            peer.files += files
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._drop(peer)
        *requests, peer.arrived = (peer.arrived + data).split(b"\n")
        for line in requests:
            self._answer(peer, json.loads(line))

    def _answer(self, peer: Peer, request: dict) -> None:
        number, op, arguments = request["id"], request["op"], request.get("args", {})

        def reply(result: object = None) -> None:
            self._send(peer, _line({"id": number, "result": result}))

        if op == "subscribe":
            peer.subscribed = True
            return reply()
        try:
            files, peer.files = peer.files, []
            if op == "exec":
                peer.on_drop = self.verbs.exec(reply, files, **arguments)
            elif op == "attach":
                given, peer.on_drop = self.verbs.attach(files, **arguments)
                _send_file(peer.connection, _line({"id": number, "result": None}), given)
            else:
                self.verbs.do(op, arguments, reply)
        except Refused as refused:
            reason, message = refused.reason, str(refused)
        except (
            OSError,
            TypeError,
            KeyError,
            ValueError,
        ) as error:  # a full disk, a request of another version of the lab
            reason, message = "Unknown", f"{op}: {error!r}"
        else:
            return
        self._send(peer, _line({"id": number, "error": {"reason": reason, "message": message}}))

    def _tell(self, event: dict) -> None:
        for peer in [peer for peer in self._peers if peer.subscribed]:
            self._send(peer, _line(event))

    def _watch(self, stream: IO[bytes], on_ready: Callable[[], object] | None) -> None:
        """Call `on_ready` when there is something to read; with None, do so no longer."""
        if on_ready is None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(stream)
        else:
            self._selector.register(stream, selectors.EVENT_READ, on_ready)

    def _send(self, peer: Peer, data: bytes) -> None:
        peer.unsent += data
        try:
            while peer.unsent:
                peer.unsent = peer.unsent[peer.connection.send(peer.unsent) :]
        except BlockingIOError:
            if len(peer.unsent) > MOST_UNSENT:  # it has stopped reading; it will come back and list anew
                return self._drop(peer)
        except OSError:
            return self._drop(peer)
        if peer in self._peers:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0)
            self._selector.modify(peer.connection, wanted, lambda: self._serve(peer))

    def _drop(self, peer: Peer) -> None:
        if peer in self._peers:
            self._peers.discard(peer)
            self._selector.unregister(peer.connection)
            peer.connection.close()
            peer.on_drop()


def _send_file(connection: socket.socket, line: bytes, file: int | None) -> None:
    """A short line, and a file with it, if any, which then is the other side's alone."""
    socket.send_fds(connection, [line], [] if file is None else [file])
    if file is not None:
        os.close(file)


def _line(message: dict) -> bytes:
    return json.dumps(message).encode() + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Owns the local processes that are a lab's containers.")
    parser.add_argument("data_dir", nargs="?", type=Path, default=os.environ.get("ORRERY_DATA", ".data"))
    parser.add_argument("--on-demand", action="store_true", help="end when nobody is connected, not with the parent")
    options = parser.parse_args()
    data_dir = Path(options.data_dir)
    if libc and not options.on_demand:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    with (place.folder(data_dir) / "lock").open("w") as lock:
        try:
            # One that the supervisor started waits for its turn; one on demand is not needed if there is another.
            fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if options.on_demand else 0))
        except BlockingIOError:
            sys.exit(0)
        Server(data_dir, options.on_demand).run()


if __name__ == "__main__":
    main()

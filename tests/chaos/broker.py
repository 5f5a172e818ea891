"""A Redis of the run's own behind a relay: so that it can be killed, and the way to it can stutter or be cut."""

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable

from lab.supervisor.probe import answers_ping

from ..labs import free_port, wait_until


class Relay:
    """Carries every connection on to `port` on this machine."""

    def __init__(self, port: int):
        self._port = port
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stutter(self) -> Callable[[], None]:
        """Nothing passes until what is returned is called."""
        self._flowing.clear()
        return self._flowing.set

    def cut(self) -> None:
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self._port), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


class OwnBroker:
    def __init__(self) -> None:
        self._port = free_port()
        self._process: subprocess.Popen | None = None
        self.relay = Relay(self._port)
        self.url = f"redis://127.0.0.1:{self.relay.port}/0"
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Empty, as after every start."""
        if self._process and self._process.poll() is None:
            return
        command = [shutil.which("redis-server"), "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/tmp", start_new_session=True)
        url = f"redis://127.0.0.1:{self._port}/0"
        wait_until("Redis to answer", lambda: answers_ping(url), step=0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

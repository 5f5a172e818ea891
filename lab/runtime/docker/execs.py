"""Running a command in a container, and talking to what runs there already.

The engine turns the connection of such a request over to the process: what is written to it is its standard input, and
what it says comes back in frames that tell stdout from stderr, or as it is if it has a terminal. Closing the connection
leaves a command running, and the API cannot kill it; so where we share the engine's host, its process is killed there.
"""

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import docker
import requests

from lab.runtime import RuntimeFailure
from lab.runtime.stream import PIECE_BYTES, STDERR, STDOUT

from .engine import Engine, failing_as

FRAME = struct.Struct(">BxxxI")  # which stream, how many bytes
ENDING_SECONDS = 5.0  # from the last word of a command until the engine knows that it has ended
UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


class Hijacked:
    """See `lab.runtime.stream.Stream`. `ended` says how it ended, `hang_up` what else there is to do at its end."""

    def __init__(
        self, client: docker.APIClient, response: requests.Response, tty: bool, resize: Callable[[int, int], None],
        ended: Callable[[], int], hang_up: Callable[[], None],
    ):  # fmt: skip
        self._client = client
        self._response = response  # its connection is closed with it
        self._reader = response.raw._fp.fp  # buffered: the first words may have come with the answer's head
        self._socket: socket.socket = self._reader.raw._sock
        self._socket.settimeout(None)
        self._tty = tty
        self._left, self._kind = 0, STDOUT  # of the frame that is being read
        self._closed = False
        self._ended, self._hang_up = ended, hang_up
        self.resize = resize

    def read(self) -> tuple[int, bytes] | None:
        try:
            if not self._tty and not self._left:
                head = self._reader.read(FRAME.size)
                if len(head) < FRAME.size:
                    return None
                kind, self._left = FRAME.unpack(head)
                self._kind = STDERR if kind == STDERR else STDOUT
            data = self._reader.read1(PIECE_BYTES if self._tty else min(self._left, PIECE_BYTES))
        except (OSError, ValueError):  # closed by us, or by an engine that was stopped
            return None
        self._left -= 0 if self._tty else len(data)
        return (self._kind, data) if data else None

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def end_input(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def exit_code(self) -> int:
        return self._ended()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever reads
        try:
            self._hang_up()
        finally:
            self._response.close()
            self._client.close()


def exec_(engine: Engine, container_id: str, command: list[str], stdin: bool, tty: bool) -> Hijacked:
    """Raises RuntimeFailure("ExecFailed") if the container does not run."""
    client = engine.new_client()
    with failing_as("ExecFailed"):
        made = client.exec_create(container_id, command, stdin=stdin, tty=tty)["Id"]
        response = client._post_json(
            client._url("/exec/{0}/start", made), {"Tty": tty, "Detach": False}, headers=UPGRADE, stream=True
        )
        client._raise_for_status(response)

    def resize(columns: int, rows: int) -> None:
        with failing_as("ExecFailed", gone_is_fine=True):
            engine.client.exec_resize(made, height=rows, width=columns)

    return Hijacked(client, response, tty, resize, lambda: _exit_code(engine, made), lambda: _kill(engine, made))


def attach(engine: Engine, container_id: str, stdin: bool) -> Hijacked:
    """Talk to the container's first process. Raises RuntimeFailure("AttachFailed") if it does not run."""
    client = engine.new_client()
    with failing_as("AttachFailed"):
        about = client.inspect_container(container_id)
        if not about["State"]["Running"]:
            raise RuntimeFailure("AttachFailed", f"container {container_id[:12]} is not running")
        config = about["Config"]
        stdin = stdin and config["OpenStdin"]
        asked = {"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1}
        response = client._post(
            client._url("/containers/{0}/attach", container_id), params=asked, headers=UPGRADE, stream=True
        )
        client._raise_for_status(response)

    def resize(columns: int, rows: int) -> None:
        with failing_as("AttachFailed", gone_is_fine=True):
            engine.client.resize(container_id, height=rows, width=columns)

    return Hijacked(client, response, config["Tty"], resize, lambda: 0, lambda: None)


def _exit_code(engine: Engine, exec_id: str) -> int:
    """A command's last words arrive a moment before the engine has noticed its end."""
    end = time.monotonic() + ENDING_SECONDS
    with failing_as("ExecFailed"):
        while (about := engine.client.exec_inspect(exec_id))["Running"] and time.monotonic() < end:
            time.sleep(0.01)
    if about["ExitCode"] is None:
        raise RuntimeFailure("ExecFailed", "the engine does not say how the command ended")
    return about["ExitCode"]


def _kill(engine: Engine, exec_id: str) -> None:
    """Kill the command and what it has started, by its process id, once the kernel has confirmed that it belongs to its
    container."""
    with failing_as("ExecFailed", gone_is_fine=True):
        end = time.monotonic() + ENDING_SECONDS
        while (about := engine.client.exec_inspect(exec_id))["Running"] and not about["Pid"]:
            if time.monotonic() > end:
                return
            time.sleep(0.01)  # a command may have spoken before the engine has written down which process it is
        if not about["Running"] or not engine.on_this_host():
            return
        try:
            pid = about["Pid"]
            if about["ContainerID"] in Path(f"/proc/{pid}/cgroup").read_text():
                # The engine gives each command a session of its own. If it did not, its group would be somebody else's.
                (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)
        except OSError:
            return  # it has ended by itself, or is not ours to kill

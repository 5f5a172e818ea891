"""Running a command in a container, with an end to it.

Closing the connection leaves the command running, and the API cannot kill it; so where we share the engine's host,
its process is killed there. Elsewhere a command that outlives its time goes on, but nobody waits for it.
"""

import os
import signal
import threading
from pathlib import Path

import docker

from lab.runtime import ExecResult, RuntimeFailure

from .engine import Engine, failing_as

MOST_OUTPUT = 1 << 20


class _Run:
    """One command, read by a thread of its own."""

    def __init__(self, client: docker.APIClient, exec_id: str):
        self.result: ExecResult | None = None
        self.failure: RuntimeFailure | None = None
        self._client = client
        self._exec_id = exec_id

    def __call__(self) -> None:
        try:
            with failing_as("ExecFailed"):
                stdout, stderr = self._client.exec_start(self._exec_id, demux=True)
                code = self._client.exec_inspect(self._exec_id)["ExitCode"]
            self.result = ExecResult(code or 0, (stdout or b"")[:MOST_OUTPUT], (stderr or b"")[:MOST_OUTPUT])
        except RuntimeFailure as failure:
            self.failure = failure
        finally:
            self._client.close()


def exec_sync(engine: Engine, container_id: str, command: list[str], timeout: float) -> ExecResult:
    """Raises RuntimeFailure("DeadlineExceeded") if it takes longer than `timeout` seconds."""
    with failing_as("ExecFailed"):
        exec_id = engine.client.exec_create(container_id, command)["Id"]
    run = _Run(engine.new_client(), exec_id)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        _kill(engine, container_id, exec_id)
        words = " ".join(command)
        raise RuntimeFailure("DeadlineExceeded", f"command {words!r} timed out after {timeout:g} s")
    if run.failure:
        raise run.failure
    return run.result


def _kill(engine: Engine, container_id: str, exec_id: str) -> None:
    """Kill the command by its process id, once the kernel has confirmed that it belongs to this container."""
    with failing_as("ExecFailed", gone_is_fine=True):
        pid = engine.client.exec_inspect(exec_id)["Pid"]
        if not pid or not engine.on_this_host():
            return
        try:
            if container_id in Path(f"/proc/{pid}/cgroup").read_text():
                os.kill(pid, signal.SIGKILL)
        except OSError:
            return  # it has ended by itself, or is not ours to kill

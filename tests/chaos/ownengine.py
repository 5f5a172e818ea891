"""A Docker engine of the run's own, which may be stopped, or crash as with its machine, and start again."""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ..engines import PrivateEngine


class OwnEngine(PrivateEngine):
    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="orrery-chaos-engine-")))
        self._turn = threading.Lock()  # it may not be ended while another thread waits for it to answer

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        with self._turn:
            if self._process is None or self._process.poll() is not None:
                super().start()

    def stop(self) -> None:
        with self._turn:
            super().stop()

    def crash(self) -> None:
        """With everything that it runs. Where `dockerd` alone is killed, engines (20.10) lose sight of some containers,
        which go on answering at addresses that are given again."""
        with self._turn:
            if self._process.poll() is not None:  # it is down already
                return
            self._process.kill()
            self._process.wait()
            self._end_the_rest()
            self.unmount()
            shutil.rmtree(self.folder / "exec-root")  # a machine's /run is empty when it comes back

    def clean_up(self) -> None:
        self._end_the_rest()
        super().clean_up()

    def _end_the_rest(self) -> None:
        shims = [pid for pid, command in _processes() if str(self.folder).encode() in command]
        children = [pid for pid, _ in _processes() if _parent(pid) in shims]
        for pid in (*children, *shims):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "cmdline").read_bytes()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0

"""A lab with a second worker: it takes from the same queues, and may be the kubelet of the same engine.

The supervisor has one worker; more of them come with more machines. This one is kept as the first is, and lives as long
as its lab.
"""

import signal
import sys
from pathlib import Path

from lab.supervisor.child import Child

from ..labs import LabUnderTest, wait_until

SECOND = "second"
COMMAND = (sys.executable, "-m", "lab.worker", "control-plane,kubelet", SECOND)
STOP_SECONDS = 10.0


class LabOfTwoWorkers(LabUnderTest):
    _second: Child | None = None

    def start(self) -> "LabOfTwoWorkers":
        super().start()
        env = wait_until("a first worker", lambda: environment_of(self.pid_of("worker")))
        self._second = Child(SECOND, COMMAND, self.data, env, lambda line: None, lambda: None)
        self._second.start()
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        """As the supervisor does it: first who works, then what they worked on."""
        if self._second:
            self._second.stop(0 if number == signal.SIGKILL else STOP_SECONDS)
        super().stop(number)

    def pid_of(self, name: str) -> int | None:
        if name == SECOND:
            return self._second.pid if self._second else None
        return super().pid_of(name)


def environment_of(pid: int | None) -> dict[str, str]:
    """{} if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)

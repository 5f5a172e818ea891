"""A Docker engine of the run's own, which may be stopped, killed and started again."""

import tempfile
from pathlib import Path

from ..engines import PrivateEngine


class OwnEngine(PrivateEngine):
    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="orrery-chaos-engine-")))

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            super().start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

"""A clock of the lab's own that can be set wrong while this machine's stays right, where there is a C compiler.

Only the time of day is stepped, never the steady clock: as by an administrator, or when a machine was paused.
"""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

COMPILER = shutil.which("cc")
SOURCE = Path(__file__).with_name("clock.c")
STEPS = (-3600, -60, -7, 7, 60, 3600)  # seconds


class OwnClock:
    """Whoever is started with `env` goes by it. `folder` must outlive them."""

    def __init__(self, folder: Path):
        self._file, library = folder / "clock", folder / "clock.so"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        self._file.touch()
        self._set(0)
        self.env = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    def step(self, where: float) -> Callable[[], None]:
        """Set it wrong until what is returned is called."""
        self._set(STEPS[int(where * len(STEPS))])
        return lambda: self._set(0)

    def _set(self, seconds: int) -> None:
        """In the file's own bytes, which all of them have before their eyes."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))

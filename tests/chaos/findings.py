"""What was found, and what had been done before it."""

import threading
import time
from collections import deque

LAST_STEPS = 30


class Findings:
    """Filled from many threads; the same words are kept once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.counts: dict[str, int] = {}
        self._began = time.monotonic()
        self._steps: deque[str] = deque(maxlen=LAST_STEPS)
        self._lock = threading.Lock()

    def did(self, what: object) -> None:
        """A line of the diary."""
        line = f"{time.monotonic() - self._began:7.1f} s  {what}"
        with self._lock:
            self._steps.append(line)
        print(line, flush=True)

    def add(self, what: str) -> None:
        with self._lock:
            if what in self.found:
                return
            self.found.append(what)
        self.did(f"FOUND: {what}")

    def count(self, what: str, by: int = 1) -> None:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + by

    def __str__(self) -> str:
        counted = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        if not self.found:
            return f"nothing found in {counted}"
        return "\n".join(["found:", *(f"- {each}" for each in self.found), "after:", *self._steps, counted])

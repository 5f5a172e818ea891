"""Work for the pods of an application, as much in all however many they are: CPU that `hello` is asked to burn."""

import contextlib
import itertools
import threading
import time
import urllib.request

from ..labs import LabUnderTest

STEP_SECONDS = 0.1
MOST_SECONDS = 1.0  # of work at once, where the machine is too busy to come round in time
LOOK_EACH = 5  # steps


class Burning:
    """`with Burning(lab, "app=busy") as load: load.millis = 100` keeps its ready pods at 100 millicores together."""

    def __init__(self, lab: LabUnderTest, selector: str):
        self.millis = 0.0
        self._lab, self._selector = lab, selector
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Burning":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        turns, addresses, before = itertools.count(), [], time.monotonic()
        while not self._ended.wait(STEP_SECONDS):
            turn, now = next(turns), time.monotonic()
            owed, before = self.millis * min(now - before, MOST_SECONDS), now
            if turn % LOOK_EACH == 0:
                addresses = [pod["status"]["podIP"] for pod in self._lab.ready_pods(self._selector)]
            if addresses and owed:
                url = f"http://{addresses[turn % len(addresses)]}:8080/burn?ms={owed}"
                with contextlib.suppress(OSError):  # a pod that has just gone
                    urllib.request.urlopen(url, timeout=5).read()

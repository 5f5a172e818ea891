"""Work for the pods of an application, as much in all however many they are: CPU that `hello` is asked to burn."""

import contextlib
import itertools
import threading
import time
import urllib.request

from ..labs import LabUnderTest

AT_ONCE = 3  # one process alone gets too little of a machine on which many want to run
STEP_SECONDS = 0.2
MOST_SECONDS = 1.0  # of work at once, where the machine is too busy to come round in time
LOOK_EACH = 5  # steps


class Burning:
    """`with Burning(lab, "app=busy") as load: load.millis = 100` keeps its ready pods at 100 millicores together."""

    def __init__(self, lab: LabUnderTest, selector: str):
        self.millis = 0.0
        self._lab, self._selector = lab, selector
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(AT_ONCE)]

    def __enter__(self) -> "Burning":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)

    def _run(self, first: int) -> None:
        turns, addresses, before = itertools.count(first), [], time.monotonic()
        while not self._ended.wait(STEP_SECONDS):
            turn, now = next(turns), time.monotonic()
            owed, before = self.millis / AT_ONCE * min(now - before, MOST_SECONDS), now
            if turn % LOOK_EACH == 0 or not addresses:
                addresses = [pod["status"]["podIP"] for pod in self._lab.ready_pods(self._selector)]
            if addresses and owed:
                url = f"http://{addresses[turn % len(addresses)]}:8080/burn?ms={owed}"
                with contextlib.suppress(OSError):  # a pod that has just gone
                    urllib.request.urlopen(url, timeout=5).read()

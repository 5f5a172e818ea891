"""A client that follows the API as client-go does: it reads a watch, and where it breaks off, goes on from there."""

import contextlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request

from ..labs import LabUnderTest

Event = tuple[str, str, int]  # ADDED | MODIFIED | DELETED, name, revision


class Follower(threading.Thread):
    """Watches one collection from a revision on. `stop()` returns when the thread has ended."""

    def __init__(self, lab: LabUnderTest, path: str, revision: str):
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self.objects: list[dict] = []
        self.connections = 0
        self._address = f"{lab.address}/clusters/default{path}?watch=1"
        self._revision = revision
        self._stopped = threading.Event()
        self.start()

    def stop(self) -> None:
        self._stopped.set()
        self.join(30)

    def run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, urllib.error.URLError, http.client.HTTPException):
                self._follow()
            time.sleep(0.05)

    def _follow(self) -> None:
        address = f"{self._address}&resourceVersion={self._revision}&timeoutSeconds=2"
        with urllib.request.urlopen(address, timeout=10) as answer:
            self.connections += 1
            for line in answer:
                happened = json.loads(line)
                meta = happened["object"]["metadata"]
                self.events.append((happened["type"], meta["name"], int(meta["resourceVersion"])))
                self.objects.append(happened["object"])
                self._revision = meta["resourceVersion"]


def replay(lab: LabUnderTest, path: str, revision: str) -> list[tuple[str, dict]]:
    """What happened in a collection after a revision until now, as the log has it."""
    address = f"{lab.address}/clusters/default{path}?watch=1&resourceVersion={revision}&timeoutSeconds=1"
    with urllib.request.urlopen(address, timeout=30) as answer:
        happened = [json.loads(line) for line in answer]
    return [(each["type"], each["object"]) for each in happened]

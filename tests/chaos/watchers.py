"""Clients that follow the API from the first moment to the last, and hold each revision against what must always hold.

One for each kind, each on a watch of its own that is cut whenever the server dies, and goes on where it was.
"""

import contextlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request

from ..flow.watching import replay
from ..labs import LabUnderTest, wait_until
from .findings import Findings
from .rules import Rules

FOLLOWED = {
    "deployment": "/apis/apps/v1/deployments",
    "replicaset": "/apis/apps/v1/replicasets",
    "statefulset": "/apis/apps/v1/statefulsets",
    "daemonset": "/apis/apps/v1/daemonsets",
    "job": "/apis/batch/v1/jobs",
    "cronjob": "/apis/batch/v1/cronjobs",
    "autoscaler": "/apis/autoscaling/v2/horizontalpodautoscalers",
    "service": "/api/v1/services",
    "pod": "/api/v1/pods",
    "claim": "/api/v1/persistentvolumeclaims",
    "node": "/api/v1/nodes",
    "namespace": "/api/v1/namespaces",
}
Told = tuple[str, str, int]  # ADDED | MODIFIED | DELETED, uid, revision


class Watcher(threading.Thread):
    """Follows one kind. `state` is uid → object, `story` what it was told since the last `check`."""

    def __init__(self, lab: LabUnderTest, kind: str, rules: Rules, findings: Findings):
        super().__init__(daemon=True, name=kind)
        self.kind, self.path = kind, FOLLOWED[kind]
        self.state: dict[str, dict] = {}
        self.story: list[Told] = []
        self.revisions: dict[str, set[int]] = {}  # of each name, for as long as the run lasts
        self.changed = time.monotonic()
        self._lab, self._rules, self._findings = lab, rules, findings
        self._stopped = threading.Event()
        listed = lab.api("GET", self.path)
        for obj in listed["items"]:  # in the order of their names, not of their revisions
            self.state[obj["metadata"]["uid"]] = obj
            rules.look(kind, None, obj)
        self._checked = self.revision = listed["metadata"]["resourceVersion"]
        self.start()

    def stop(self) -> None:
        """It ends with its next word, or with its watch."""
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except urllib.error.HTTPError as error:
                if error.code not in (503, 504):
                    self._findings.add(f"the watch of {self.kind} from {self.revision} was answered {error.code}")
            except (OSError, http.client.HTTPException):
                self._findings.count("watches cut off")
            time.sleep(0.05)

    def _follow(self) -> None:
        address = f"{self._lab.address}/clusters/default{self.path}?watch=1&timeoutSeconds=5"
        with urllib.request.urlopen(f"{address}&resourceVersion={self.revision}", timeout=40) as answer:
            for line in answer:
                told = json.loads(line)
                if told["type"] == "ERROR":
                    return self._findings.add(f"the watch of {self.kind} from {self.revision} erred: {told['object']}")
                if self._stopped.is_set():
                    return
                self._take(told["type"], told["object"])

    def _take(self, happened: str, obj: dict) -> None:
        meta = obj["metadata"]
        revision, uid = int(meta["resourceVersion"]), meta["uid"]
        before = self.state.get(uid)
        if self.story and revision <= self.story[-1][2]:
            self._findings.add(f"the watch of {self.kind} told {revision} after {self.story[-1][2]}")
        if (happened == "ADDED") is not (before is None):
            self._findings.add(f"the watch of {self.kind} told {happened} of {meta['name']}, which it knew otherwise")
        self.revision = meta["resourceVersion"]
        self.story.append((happened, uid, revision))
        self.revisions.setdefault(meta["name"], set()).add(revision)
        self.changed = time.monotonic()
        self._findings.count("revisions")
        if happened == "DELETED":
            self.state.pop(uid, None)
        else:
            self.state[uid] = obj
        self._rules.look(self.kind, before, None if happened == "DELETED" else obj)

    def check(self) -> None:
        """What was told since the last time is what the log has, and where it led is what a list says."""
        truth = [
            (happened, obj["metadata"]["uid"], int(obj["metadata"]["resourceVersion"]))
            for happened, obj in replay(self._lab, self.path, self._checked)
        ]
        upto = truth[-1][2] if truth else int(self._checked)
        with contextlib.suppress(AssertionError):
            wait_until("it to be told", lambda: int(self.revision) >= upto, 60)
        story = [told for told in self.story if told[2] <= upto]
        if story != truth:
            odd = sorted({*story} ^ {*truth}, key=lambda told: told[2])[:3]
            self._findings.add(f"the watch of {self.kind} was told otherwise than the log has it: {odd or 'reordered'}")
        self.story = [told for told in self.story if told[2] > upto]
        self._checked = str(upto)
        with contextlib.suppress(AssertionError):
            wait_until("a list to say the same", self._is_as_listed, 20)
            return
        self._findings.add(f"where the watch of {self.kind} led is not what a list says")

    def _is_as_listed(self) -> bool:
        listed = {
            o["metadata"]["uid"]: o["metadata"]["resourceVersion"] for o in self._lab.api("GET", self.path)["items"]
        }
        return listed == {uid: obj["metadata"]["resourceVersion"] for uid, obj in list(self.state.items())}

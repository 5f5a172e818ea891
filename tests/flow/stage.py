"""Many pods of a real lab at once, with everything that ever became of each: so that a test can ask what has happened.

A module declares its pods beside its tests; the first test to come creates them all, and they live side by side.
"""

import contextlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lab.runtime.engines import open_runtime

from ..labs import LabUnderTest, wait_until

IMAGE = "orrery/hello:v1"
Test = Callable[[dict], object]


def container(name: str, script: str = "", **more) -> dict:
    """The demo, or a shell script in its image; quick to end unless the script says otherwise."""
    return {"name": name, "image": IMAGE, **({"command": ["sh", "-c", script]} if script else {}), **more}


def forever(script: str) -> str:
    """A script that goes on until it is told to end, and then ends at once."""
    return f"trap 'exit 0' TERM; {script}; while true; do sleep 0.2; done"


def pod(name: str, *containers: dict, **spec) -> dict:
    spec = {"containers": list(containers), "terminationGracePeriodSeconds": 2, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"test": name}}, "spec": spec}


def probe(seconds: int = 1, failures: int = 1, **handler) -> dict:
    return {"periodSeconds": seconds, "failureThreshold": failures, "timeoutSeconds": 5, **handler}


def command(script: str) -> dict:
    return {"exec": {"command": ["sh", "-c", script]}}


def status_of(pod: dict, name: str = "main") -> dict:
    """The status of one container; {} before there is any."""
    status = pod.get("status", {})
    listed = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return next((entry for entry in listed if entry["name"] == name), {})


def state_of(pod: dict, name: str = "main") -> str:
    """running, terminated, or why it waits: `CrashLoopBackOff`."""
    state = status_of(pod, name).get("state", {"waiting": {"reason": ""}})
    return state["waiting"]["reason"] if "waiting" in state else next(iter(state))


def ended_of(pod: dict, name: str = "main") -> dict:
    """How it ended, or how its last run did."""
    status = status_of(pod, name)
    return status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}


def condition_of(pod: dict, kind: str = "Ready") -> str:
    return next((c["status"] for c in pod.get("status", {}).get("conditions", ()) if c["type"] == kind), "")


def phase_of(pod: dict) -> str:
    return pod.get("status", {}).get("phase", "")


class Stage:
    """A namespace of a running lab, watched from the beginning."""

    def __init__(self, lab: LabUnderTest, namespace: str):
        self.lab = lab
        self.namespace = namespace
        self.path = f"/api/v1/namespaces/{namespace}"
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        self._seen: dict[str, list[tuple[float, str, dict]]] = {}
        self._grew = threading.Condition()
        self._connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=600)
        self._connection.request("GET", f"/clusters/default{self.path}/pods?watch=1")
        self._socket = self._connection.sock
        self._stream = self._connection.getresponse()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed under it
            for line in self._stream:
                event = json.loads(line)
                with self._grew:
                    name = event["object"]["metadata"]["name"]
                    self._seen.setdefault(name, []).append((time.monotonic(), event["type"], event["object"]))
                    self._grew.notify_all()

    def close(self) -> None:
        """Everything goes; what the engine still has of it afterwards is for a test to say."""
        self.lab.api("DELETE", f"/api/v1/namespaces/{self.namespace}")
        wait_until("the namespace to be gone", lambda: self.lab.get(self.path) is None, 60)
        self._socket.shutdown(2)

    def create(self, manifest: dict, kind: str = "pods") -> dict:
        return self.lab.api("POST", f"{self.path}/{kind}", manifest)

    def delete(self, name: str, **options) -> None:
        self.lab.api("DELETE", f"{self.path}/pods/{name}", options)

    def patch(self, name: str, change: dict) -> dict:
        return self.lab.api(
            "PATCH", f"{self.path}/pods/{name}", change, content_type="application/strategic-merge-patch+json"
        )

    def now(self, name: str) -> dict | None:
        return self.lab.get(f"{self.path}/pods/{name}")

    def history(self, name: str) -> list[dict]:
        """Every state of the pod that was ever stored, oldest first."""
        return [seen for _, _, seen in list(self._seen.get(name, ()))]

    def wait(self, name: str, what: str, *tests: Test, seconds: float = 40) -> list[dict]:
        """The first states that passed each test, in this order, not necessarily one after the other."""

        def found() -> list[dict] | None:
            passed: list[dict] = []
            for seen in self.history(name):
                if len(passed) < len(tests) and tests[len(passed)](seen):
                    passed.append(seen)
            return passed if len(passed) == len(tests) else None

        with self._grew:
            passed = self._grew.wait_for(found, seconds)
        assert passed, (
            f"{name}: not within {seconds:g} s: {what}; it is {json.dumps(self.history(name)[-1:], indent=1)}"
        )
        return passed

    def ready(self, name: str, **options) -> dict:
        return self.wait(name, "ready", lambda seen: condition_of(seen) == "True", **options)[0]

    def gone(self, name: str, seconds: float = 40) -> float:
        """When its deletion was told, as a monotonic time."""

        def told() -> float | None:
            return next((when for when, kind, _ in self._seen.get(name, ()) if kind == "DELETED"), None)

        with self._grew:
            when = self._grew.wait_for(told, seconds)
        assert when, f"{name} is not gone within {seconds:g} s"
        return when

    def events(self, name: str) -> list[tuple[str, str]]:
        """(reason, message) of everything that was said of the pod."""
        listed = self.lab.get(f"{self.path}/events")["items"]
        return [(event["reason"], event["message"]) for event in listed if event["involvedObject"]["name"] == name]

    def told(self, name: str, reason: str, words: str) -> None:
        """Passes once there is an event of this reason with these words in its message."""

        def look() -> bool:
            return any(why == reason and words in message for why, message in self.events(name))

        wait_until(f"{name} to be told {reason}: {words}", look, 10)

    def log(self, name: str, **query: object) -> str:
        """ "" while there is none."""
        options = "&".join(f"{key}={value}" for key, value in query.items())
        address = f"{self.lab.address}/clusters/default{self.path}/pods/{name}/log?{options}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            return ""

    def said(self, name: str, words: str, seconds: float = 40, **query: object) -> str:
        """Its log, once the words are in it."""
        return wait_until(f"{name} to say {words!r}", lambda: words in (o := self.log(name, **query)) and o, seconds)

    def containers_of(self, uid: str) -> list[str]:
        """What the engine itself has of a pod, sandbox included."""
        runtime = open_runtime(self.lab.runtime, Path(self.lab.data / "lab-id").read_text(), self.lab.data)
        mine = [sandbox for sandbox in runtime.list_pods() if sandbox.uid == uid]
        return [one.id for sandbox in mine for one in (sandbox, *sandbox.containers)]

"""A class as it comes by the room's door: learners with their boards open, and what they do there; the wall.

Parts of `bench_class`. A learner acts as the board does: each act is one of its POSTs, and what they delete is a pod
that their board shows.
"""

import http.client
import random
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from lab.apimachinery.labels import RESTARTED
from lab.apimachinery.meta import parse_time
from tests.flow.room import Browser
from tests.labs import is_ready

from .bench_wall import Look
from .measure import IMAGE
from .sockets import Socket

APPS, REPLICAS = ("one", "two"), 4
POD, WORKLOAD = "pods", "deployments.apps"
SCALE, DELETE, RESTART = "scale", "delete", "restart"
TURNS = ("up", "delete", "down", "restart")
PODS_A_TURN = (1 + 1 + 0 + REPLICAS) / len(TURNS)  # that have to be started because of it, on the average
PODS = len(APPS) * REPLICAS
APPS_PATH = "apis/apps/v1/namespaces/default/deployments"


@dataclass(frozen=True)
class Act:
    """One POST, and how it was answered. `refused`: in what words, if it was."""

    name: str
    target: str
    replicas: int
    sent: float
    answered: float
    refused: str = ""


class Learner(Browser):
    def __init__(self, root: str, code: str, number: int):
        super().__init__(root)
        self.number, self.cluster = number, f"{code.lower()}-{number}"
        self.wishes = dict.fromkeys(APPS, REPLICAS)
        self.acts: list[Act] = []
        self.left_out = 0  # acts for which there was no time, or nothing to do them to
        self.heard: list[tuple[int, float]] = []  # where each message led their board, and when it came
        self._rows: dict[str, dict] = {}
        self._place: tuple[str, int] = ("", 0)
        self._random = random.Random(number)
        self.sockets: list[Socket] = []

    def join(self, code: str) -> None:
        """Through the door, to their board, with the two websockets that its page opens."""
        page = self.post("join", code=code, nickname=f"Learner {self.number}")
        assert f"The cluster {self.cluster} " in page, page
        self.get(f"clusters/{self.cluster}/")
        begin = {"type": "resume", "epoch": "", "seq": 0}
        self.sockets = [Socket(self, f"/clusters/{self.cluster}/board", self._take, begin)]
        self.sockets.append(Socket(self, "/room/live", lambda _: {"type": "here"}))

    def works(self) -> bool:
        nodes = orjson.loads(self.get(f"clusters/{self.cluster}/api/v1/nodes"))["items"]
        return bool(nodes) and all(map(is_ready, nodes))

    def deploy(self) -> None:
        for app in APPS:
            self.send(f"clusters/{self.cluster}/{APPS_PATH}", deployment(app))

    def undeploy(self) -> None:
        for app in APPS:
            self.send(f"clusters/{self.cluster}/{APPS_PATH}/{app}", None, "DELETE")

    def send(self, path: str, body: dict | None, method: str = "POST") -> bytes:
        headers = {"X-CSRFToken": self.cookie("csrftoken"), "Content-Type": "application/json"}
        request = urllib.request.Request(self.root + path, body and orjson.dumps(body), headers, method=method)
        with self._opener.open(request, timeout=60) as answer:
            return answer.read()

    def deployments(self) -> dict[str, dict]:
        listed = orjson.loads(self.get(f"clusters/{self.cluster}/{APPS_PATH}"))["items"]
        return {obj["metadata"]["name"]: obj for obj in listed}

    def is_whole(self) -> bool:
        """As the API says: so many as they wished for last, all new, all ready."""
        found = self.deployments()
        return all(is_settled(found[app], replicas) for app, replicas in self.wishes.items())

    def names_of_pods(self) -> list[str]:
        listed = orjson.loads(self.get(f"clusters/{self.cluster}/api/v1/namespaces/default/pods"))["items"]
        return [pod["metadata"]["name"] for pod in listed]

    def pods(self) -> int:
        return len(self.names_of_pods())

    def differs(self) -> Iterator[str]:
        """In what the API, now that all is settled, is not as the acts that were accepted would have it."""
        found, there, done = self.deployments(), self.names_of_pods(), [act for act in self.acts if not act.refused]
        for app, replicas in self.wishes.items():
            if (is_ := found[app]["spec"]["replicas"]) != replicas:
                yield f"{self.cluster}: {app} has {is_} replicas, not {replicas}"
            asked = max((act.sent for act in done if act.name == RESTART and act.target == app), default=0.0)
            about = found[app]["spec"]["template"]["metadata"].get("annotations", {})
            if asked and parse_time(about.get(RESTARTED, "1970-01-01T00:00:00Z")) < int(asked):
                yield f"{self.cluster}: {app} was not restarted last"
        for act in done:
            if act.name == DELETE and act.target in there:
                yield f"{self.cluster}: {act.target} is still there"

    def leave(self) -> None:
        for socket in self.sockets:
            socket.close()

    def play(self, first: float, until: float, every: float, enough: threading.Event) -> None:
        """An act each so many seconds, as long as there is time."""
        turn = 0
        while (due := first + turn * every) < until and not enough.wait(max(0.0, due - time.time())):
            if time.time() > due + every:
                self.left_out += 1
            else:
                self.act(self.number + turn)
            turn += 1

    def act(self, turn: int) -> None:
        what, app = TURNS[turn % len(TURNS)], APPS[turn // len(TURNS) % len(APPS)]
        if what == "delete":
            pod = self._shown(app)
            if not pod:
                self.left_out += 1
                return
            act = self._sent(DELETE, pod, 0, {"namespace": "default", "name": pod})
        elif what == "restart":
            act = self._sent(RESTART, app, 0, {"resource": WORKLOAD, "namespace": "default", "name": app})
        else:
            replicas = self.wishes[app] + (1 if what == "up" else -1)
            fields = {"resource": WORKLOAD, "namespace": "default", "name": app, "replicas": replicas}
            act = self._sent(SCALE, app, replicas, fields)
            if not act.refused:
                self.wishes[app] = replicas
        self.acts.append(act)

    def _sent(self, name: str, target: str, replicas: int, fields: dict) -> Act:
        sent, refused = time.time(), ""
        try:
            self.send(f"clusters/{self.cluster}/board/do/{name}", fields)
        except urllib.error.HTTPError as error:
            refused = f"{error.code} {error.read().decode(errors='replace')[:300]}"
        except (OSError, http.client.HTTPException) as error:
            refused = f"no answer: {error}"
        return Act(name, target, replicas, sent, time.time(), refused)

    def _shown(self, app: str) -> str:
        """A pod of the app that their board shows and that is not leaving: one that is ready, if there is one."""
        shown = [row for row in list(self._rows.values()) if row["kind"] == "pod" and row["app"] == app]
        stays = [row for row in shown if row["state"] != "leaving"]
        ready = [row for row in stays if row["state"] == "ready"]
        return self._random.choice(ready or stays)["name"] if stays else ""

    def _take(self, message: dict) -> dict | None:
        now, kind = time.time(), message["type"]
        if kind == "figures":
            return None
        if kind == "snap":
            self._rows = {row["id"]: row for row in message["rows"]}
        elif message["epoch"] != self._place[0] or message.get("prev", message["seq"]) != self._place[1]:
            epoch, seq = self._place  # it has missed something
            return {"type": "resume", "epoch": epoch, "seq": seq}
        else:
            self._rows |= {row["id"]: row for row in message.get("upserts", ())}
            for id in message.get("removes", ()):
                self._rows.pop(id, None)
        self._place = (message["epoch"], message["seq"])
        self.heard.append((message["seq"], now))
        return None


class Wall(Look):
    """`turned`: of each cluster, when its tile had another picture, and which."""

    def __init__(self, teacher: Browser, code: str):
        self.turned: dict[str, list[tuple[float, dict]]] = defaultdict(list)
        super().__init__(teacher, code)

    def take(self, message: dict) -> None:
        super().take(message)
        now = time.time()
        for row in (*message.get("tiles", ()), *message.get("upserts", ())):
            if "board" in row or "waiting" in row:
                self.turned[row["id"]].append((now, picture_of(self.rows[row["id"]])))


def picture_of(tile: dict) -> dict:
    return {field: tile[field] for field in ("board", "waiting") if field in tile}


def deployment(name: str) -> dict:
    """As the lab's own demo."""
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
    container = {"name": name, "image": IMAGE, "readinessProbe": probe, "resources": resources}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def is_settled(obj: dict, replicas: int) -> bool:
    status = obj.get("status", {})
    counts = (obj["spec"]["replicas"], *(status.get(f, 0) for f in ("replicas", "updatedReplicas", "readyReplicas")))
    return status.get("observedGeneration") == obj["metadata"]["generation"] and set(counts) == {replicas}

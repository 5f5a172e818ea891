"""Rewinding and asking why with 100,000 revisions stored: the state at any revision, as the board draws it; the cards.

    python -m tests.bench.bench_history [revisions]

A cluster of ten nodes and three hundred pods that has run for a while: heartbeats, pods that come and go, events.
Timed, at random revisions: the state out of the log, the board's snapshot as it goes to the browser, a difference; of
random pods and nodes, why they are as they are; the same in Chromium. Then it runs on, and old revisions are compacted
away: how large the database gets. On SQLite, or on the database that TEST_DATABASE_URL names.
"""

import contextlib
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import orjson  # noqa: E402
from django.db import connection  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from lab import store  # noqa: E402
from lab.apimachinery.kinds import LEASES, NODES, PODS  # noqa: E402
from lab.apimachinery.meta import key_of, split_key  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.dashboard.past import board_at  # noqa: E402
from lab.explain import history  # noqa: E402
from lab.explain.why.cards import of_object as why  # noqa: E402
from lab.httpserver import QuietServer  # noqa: E402
from lab.store import Write  # noqa: E402
from lab.web import plain  # noqa: E402
from tests.labs import free_port, wait_until  # noqa: E402

from ..dashboard.build import a_deployment, a_node, a_pod, a_replicaset, an_event, ready, with_spec  # noqa: E402
from .bench_scheduler import control_plane  # noqa: E402
from .measure import Row  # noqa: E402

LOOKS, PROMISED, PROMISED_WHY = 30, 0.3, 0.1
RATE = 20  # revisions a second: the pace at which the cluster has run
HOURS = 6  # ago it began, so that all of it is past
SPEEDS, PLAYED, PACE = (1, 4, 16, 60), 8, 0.05  # seconds each; how far off its speed it may be
CLUSTER = "history"


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with control_plane():
        measure(size)


def measure(size: int) -> None:
    store.create_cluster(CLUSTER)
    began = time.perf_counter()
    cluster = Busy()
    head = cluster.run(size)
    seconds = time.perf_counter() - began
    print(f"{head} revisions written in {seconds:.0f} s, {size_on_disk() / head:.0f} bytes each on {connection.vendor}")
    for what, ask in LOOKED_AT.items():
        looks = [random.randint(1, head) for _ in range(LOOKS)]
        say(what, [timed(lambda at=at, ask=ask: ask(at)) for at in looks], PROMISED)
    client = Client(CLUSTER, "bench")
    for kind in (PODS, NODES):
        asked = [(kind, *split_key(key_of(obj))) for obj in random.choices(client.list(kind), k=LOOKS)]
        say(f"why a {kind.kind} is as it is", [timed(lambda of=of: why(client, *of)) for of in asked], PROMISED_WHY)
    with serving() as port, chromium() as browser:
        say("the page at another revision: asked → drawn", list(rewound(browser, port, head)), PROMISED)
        say("a tile clicked → why it is so is drawn", list(explained(browser, port)), PROMISED_WHY)
        for speed in SPEEDS:
            print(played(browser, port, random.randint(head // 10, head // 2), speed))
    began = time.perf_counter()
    told = history.overview(Client(CLUSTER, "bench"))
    print(f"{len(told['marks'])} marks found in {(time.perf_counter() - began) * 1000:.0f} ms")
    for _ in range(5):
        head = cluster.run(head + size // 2, compacting=size)
        print(f"{head} revisions, of which {size} are kept: {size_on_disk() / 2**20:.0f} MiB")


def say(what: str, samples: list[float], promised: float) -> None:
    most = max(samples)
    verdict = "kept" if most <= promised else "MISSED"
    print(Row(what, samples), f" most {most * 1000:.0f} ms (at most {promised * 1000:.0f}: {verdict})")


class Busy:
    """A cluster that runs: of ten revisions four are heartbeats, four a pod's life, two its events."""

    def __init__(self) -> None:
        self.head, self.known, self.chance = 0, {}, random.Random(6)
        self.began = time.time() - HOURS * 3600
        self.alive: list[dict] = []
        self.told: list[tuple[str, dict, bool]] = []
        owners = [a_deployment(f"web-{number}", replicas=30) for number in range(10)]
        self.sets = [a_replicaset(owner, replicas=30, ready=30) for owner in owners]
        self.nodes = [f"node-{number}" for number in range(10)]
        self.write("bootstrap", *(("nodes", full(a_node(name)), False) for name in self.nodes))
        self.write("kubectl", *(("deployments.apps", obj, False) for obj in owners))
        self.write("deployment-controller", *(("replicasets.apps", obj, False) for obj in self.sets))

    def write(self, author: str, *objects: tuple[str, dict, bool], why: dict | None = None) -> None:
        writes = []
        for resource, obj, deleted in objects:
            key = (resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
            writes.append(Write(*key, obj, self.known.pop(key, 0), deleted, why))
            if not deleted:
                self.known[key] = self.head + len(writes)
        # Nobody is there to hear that the log grew; and it grows faster than the clock of its rows says.
        clock = SimpleNamespace(time=lambda: self.began + self.head / RATE)
        with patch("lab.store.hints.announce"), patch("lab.store.log.time", clock):
            self.head = store.append(CLUSTER, writes, author)

    def run(self, size: int, compacting: int = 0) -> int:
        """Up to `size` revisions; `compacting`, every thousand or so, to what is kept."""
        turns = 0
        while self.head < size:
            self.turn()
            turns += 1
            if compacting and turns % 40 == 0:
                store.compact(CLUSTER, compacting)
        return self.head

    def turn(self) -> None:
        self.write("kubelet", *(("leases.coordination.k8s.io", a_lease(name), False) for name in self.nodes))
        owners = [self.chance.choice(self.sets) for _ in range(3)]
        made = [full(a_pod(f"{obj['metadata']['name']}-{self.head + n}", obj)) for n, obj in enumerate(owners)]
        self.write("replicaset-controller", *(("pods", pod, False) for pod in made))
        bound = [with_spec(pod, nodeName=self.chance.choice(self.nodes)) for pod in made]
        self.write("scheduler", *(("pods", pod, False) for pod in bound), why=DECISION)
        self.write("kubelet", *(("pods", ready(pod), False) for pod in bound))
        events = [("events", an_event(f"e{self.head + n}", pod), False) for n, pod in enumerate(bound)]
        self.write("kubelet", *events)
        self.told += [(resource, event, True) for resource, event, _ in events]
        self.write("kubelet", *self.told[:-1000])
        self.alive += map(ready, bound)
        self.write("kubelet", *(("pods", pod, True) for pod in self.alive[:-300]))
        del self.told[:-1000], self.alive[:-300]


# What a scheduler leaves of ten nodes, and the managedFields, volumes and conditions that a stored pod has besides.
DECISION = {
    "decision": "Schedule",
    "chosen": "node-0",
    "evaluated": 10,
    "feasible": 10,
    "counts": {},
    "nodes": [{"node": f"node-{n}", "fits": True, "scores": {"NodeResourcesFit": 70}, "total": 270} for n in range(10)],
}


def full(obj: dict) -> dict:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {"orrery.io/filling": "x" * 1200}}}


def a_lease(node: str) -> dict:
    metadata = {"name": node, "namespace": "kube-node-lease"}
    spec = {"holderIdentity": node, "renewTime": "2026-05-20T10:00:00.000000Z", "leaseDurationSeconds": 8}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


LOOKED_AT: dict[str, Callable] = {
    "the state out of the log": lambda at: store.state_at(CLUSTER, at),
    "the board's snapshot": lambda at: orjson.dumps(list(board_at(CLUSTER, at).rows.values())),
    "the difference of two moments": lambda at: history.between(Client(CLUSTER, "bench"), max(1, at - 1000), at),
    "the history of a heartbeat": lambda at: history.of_object(
        Client(CLUSTER, "bench"), LEASES, "kube-node-lease", f"node-{at % 10}"
    ),
}


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """The web server alone: nobody acts in the cluster."""
    config, port = plain(), free_port()
    config.host, config.port = "127.0.0.1", port
    server = QuietServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until("the web server to serve", lambda: server.started)
    yield port
    server.should_exit = server.force_exit = True
    thread.join(20)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def rewound(browser: Browser, port: int, head: int) -> Iterator[float]:
    """Seconds from a move of the handle to the frame that shows the board of then, at random revisions."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/?at={head}")
    page.wait_for_selector("body[data-past]")
    for _ in range(LOOKS):
        yield page.evaluate(MOVE, random.randint(1, head)) / 1000
    page.close()


def explained(browser: Browser, port: int) -> Iterator[float]:
    """Seconds from a click on a tile to the frame that shows its cards, of random pods."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/")
    page.wait_for_selector("body[data-live=live] .pod[data-id]")
    for _ in range(LOOKS):
        yield page.evaluate(CLICK, random.random()) / 1000
    page.close()


def played(browser: Browser, port: int, revision: int, speed: int) -> str:
    """How fast it plays on from a revision: by the clock of then against ours, and the frames meanwhile."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/?at={revision}")
    page.wait_for_selector("body[data-past]")
    told = page.evaluate(PLAY, [speed, PLAYED * 1000])
    page.close()
    (began, first, then), (ended, last, later) = told["ends"]
    pace = 1000 * (later - then) / (ended - began) / speed
    kept = "kept" if abs(pace - 1) <= PACE else "MISSED"
    frames = [frame / 1000 for frame in told["frames"]]
    what = f"played at {speed}×: frames, {(last - first) * 1000 / (ended - began):.0f} revisions a second"
    return f"{Row(what, frames)}  most {max(frames) * 1000:.0f} ms; {pace:.3f} of its speed, within {PACE:.0%}: {kept}"


MOVE = """revision => new Promise(done => {
  const [handle, began] = [document.querySelector("#past input"), performance.now()];
  const look = () => Number(document.body.dataset.past) === revision
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))) : requestAnimationFrame(look);
  handle.value = revision;
  handle.dispatchEvent(new Event("input", { bubbles: true }));
  look();
})"""


CLICK = """share => new Promise(done => {
  const tiles = document.querySelectorAll(".pod[data-id]"), began = performance.now();
  const tile = tiles[Math.floor(share * tiles.length)];
  const about = () => document.querySelector("#drawer > [data-id]:has(.why)")?.dataset.id;
  const look = () => about() === tile.dataset.id
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))) : requestAnimationFrame(look);
  tile.click();
  look();
})"""


# From one change of the board to another one, which is where the clock of then stands still for nobody.
PLAY = """([speed, lasts]) => new Promise(done => {
  const frames = [], at = () => Number(document.body.dataset.past);
  const dated = async ([when, revision]) => {
    const then = await (await fetch(`${document.body.dataset.base}board/past/${revision}`)).json();
    return [when, revision, then.time];
  };
  let [was, last, first] = [at(), performance.now()];
  const look = now => {
    if (first) frames.push(now - last);
    last = now;
    if (at() !== was) {
      was = at();
      first ??= [now, was];
      const ends = [first, [now, was]];
      if (now - first[0] >= lasts) return Promise.all(ends.map(dated)).then(ends => done({ ends, frames }));
    }
    requestAnimationFrame(look);
  };
  document.querySelector("#past select").value = speed;
  document.querySelector('[data-past="play"]').click();
  requestAnimationFrame(look);
})"""


def size_on_disk() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            cursor.execute("SELECT pg_total_relation_size('lab_revision')")
        return cursor.fetchone()[0]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

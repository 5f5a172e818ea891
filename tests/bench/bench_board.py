"""The board of 300 pods before fifty viewers, while twenty things a second change and requests go to every pod.

    python -m tests.bench.bench_board [viewers]

The web server in this process, on SQLite; the viewers in another, each a websocket that takes its messages packed, as
browsers do. Counted on the wire: what a viewer is sent a second; timed: from the commit of a change to each of them.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import orjson  # noqa: E402
from wsproto import ConnectionType, WSConnection  # noqa: E402
from wsproto.events import AcceptConnection, Message, Request, TextMessage  # noqa: E402
from wsproto.extensions import PerMessageDeflate  # noqa: E402

from lab import metrics, store  # noqa: E402
from lab.apimachinery.kinds import PODS  # noqa: E402
from lab.apimachinery.wheels import LOOPS  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.store import Write  # noqa: E402

from ..dashboard.build import with_status  # noqa: E402
from .bench_history import Busy  # noqa: E402
from .bench_scheduler import control_plane  # noqa: E402
from .measure import p95  # noqa: E402
from .pages import CLUSTER, serving  # noqa: E402

SECONDS, CHANGES, TILES = 20, 20, 300
MOST_BYTES, MOST_SECONDS = 5 * 1024, 0.25
LAST_WORDS = 2.0  # seconds after the last change, in which all of it has to be there


def main(viewers: str = "50") -> None:
    # Of the loops nobody is there to hear that the log grew; the web server is.
    with control_plane(), patch.dict("lab.store.hints._subscribers", clear=True):
        store.create_cluster(CLUSTER)
        Busy().run(25 * TILES // 3 + 1000)
        client = Client(CLUSTER, "bench")
        for flowing in (False, True):
            with serving() as port:
                said, committed, cpu = watched(client, port, int(viewers), flowing)
            report(said, committed, cpu, flowing)


def watched(client: Client, port: int, viewers: int, flowing: bool) -> tuple[list[dict], dict[int, float], float]:
    """What each viewer was sent; revision → when it was committed; the processor's time a second in this process."""
    command = [sys.executable, "-m", "tests.bench.bench_board", "view", str(port), str(viewers)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert child.stdout and child.stdout.readline() == "all are there\n"
    committed, began, cpu = {}, time.monotonic(), time.process_time()
    pods = client.list(PODS)
    for n in range(SECONDS * CHANGES):
        if flowing and n % CHANGES == 0:
            flow(n, [pod["metadata"]["uid"] for pod in pods[:TILES]])
        pod = client.list(PODS)[n % TILES]
        written = with_status(pod, phase="Running" if n // TILES % 2 else "Failed")
        key = PODS.resource, pod["metadata"]["namespace"], pod["metadata"]["name"]
        head = store.append(CLUSTER, [Write(*key, written, int(pod["metadata"]["resourceVersion"]))], "kubelet")
        committed[head] = time.time()
        time.sleep(max(0, began + (n + 1) / CHANGES - time.monotonic()))
    cpu = (time.process_time() - cpu) / (time.monotonic() - began)
    time.sleep(LAST_WORDS)
    said, _ = child.communicate("enough\n", timeout=60)
    return json.loads(said), committed, cpu


def flow(n: int, uids: list[str]) -> None:
    """Requests to every pod, and every loop has turned."""
    numbers = {"errorRate": 0, "errors": 0, "requests": 17 * n}
    servers = {u: {**numbers, "rate": 20 * random.random(), "inFlight": n % 3, "meanMs": random.random()} for u in uids}
    metrics.publish(CLUSTER, metrics.TRAFFIC, "proxy", {"default/web:http": {"servers": servers}})
    for loop in LOOPS:
        metrics.turned(CLUSTER, loop, random.random() / 100, 1, 0)


def report(said: list[dict], committed: dict[int, float], cpu: float, flowing: bool) -> None:
    figures = sum(one["bytes"].get("figures", 0) for one in said) / len(said) / SECONDS
    total = sum(sum(one["bytes"].values()) for one in said) / len(said) / SECONDS
    late = [told - when for one in said for when, told in heard(one["seen"], committed)]
    unheard = len(said) * len(committed) - len(late)
    kept = "kept" if total <= MOST_BYTES and p95(late) <= MOST_SECONDS and not unheard else "MISSED"
    print(
        f"{len(said)} viewers, {CHANGES} changes a second{', requests to every pod' if flowing else ''}: each is sent "
        f"{total / 1024:.1f} KB a second ({figures / 1024:.1f} of figures), at most 5; committed → there "
        f"p95 {p95(late) * 1000:.0f} ms, at most 250; {unheard} that somebody never heard of, at most 0: {kept}; "
        f"{cpu:.0%} of a core"
    )


def heard(seen: list[list[float]], committed: dict[int, float]) -> list[tuple[float, float]]:
    """Of each revision: when it was committed, and when the message came that has it."""
    found, messages = [], iter(seen)
    message = next(messages, None)
    for revision, when in sorted(committed.items()):
        while message and message[0] < revision:
            message = next(messages, None)
        if message:
            found.append((when, message[1]))
    return found


async def view(port: int, viewers: int) -> None:
    """The other process: fifty who look, until they are told that it is enough."""
    looks = [Look() for _ in range(viewers)]
    tasks = [asyncio.create_task(look.run(port)) for look in looks]
    await asyncio.gather(*(look.there.wait() for look in looks))
    print("all are there", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    print(json.dumps([{"bytes": look.bytes, "seen": look.seen} for look in looks]))


class Look:
    """One viewer. `bytes`: of the wire, by the type of message; `seen`: the place each message led to, and when."""

    def __init__(self) -> None:
        self.there, self.bytes, self.seen = asyncio.Event(), Counter[str](), list[tuple[int, float]]()

    async def run(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        end = WSConnection(ConnectionType.CLIENT)
        asked = Request(f"127.0.0.1:{port}", f"/clusters/{CLUSTER}/board", extensions=[PerMessageDeflate()])
        writer.write(end.send(asked))
        text, size = "", 0
        while data := await reader.read(1 << 16):
            size += len(data)
            end.receive_data(data)
            for event in end.events():
                if isinstance(event, AcceptConnection):
                    assert event.extensions, "the server does not pack"
                    writer.write(end.send(Message(orjson.dumps({"type": "resume", "epoch": "", "seq": 0}).decode())))
                    size = 0
                elif isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        self.take(orjson.loads(text), size)
                        text, size = "", 0

    def take(self, message: dict, size: int) -> None:
        if self.there.is_set():
            self.bytes[message["type"]] += size
            if message["type"] in ("delta", "snap"):  # who is far behind is sent the whole
                self.seen.append((message["seq"], time.time()))
        elif message["type"] == "snap":
            self.there.set()


if __name__ == "__main__":
    if sys.argv[1:2] == ["view"]:
        asyncio.run(view(*map(int, sys.argv[2:4])))
    else:
        main(*sys.argv[1:2])

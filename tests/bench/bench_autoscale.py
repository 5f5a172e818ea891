"""Two pods to ten when load rises, and back to two: how soon the first new pod serves, and whether numbers flap.

    python -m tests.bench.bench_autoscale [runtime] [rounds]

The metric crosses when the figure that the kubelet publishes first lies beyond what the autoscaler tolerates; a pod
serves when it first answers a request. A flap is a change against the way in which it goes: up while the load is high,
down once it is gone.
"""

import contextlib
import json
import sys
import time
import urllib.request
from itertools import pairwise

import redis

from tests.flow.burning import Burning
from tests.flow.test_autoscaling import BUSY, DEPLOYMENTS, SCALERS, busy, created, scaler
from tests.labs import LabUnderTest, wait_until

from .measure import Row, running_lab

MOST_SECONDS = 3.0  # from the crossing to the first new pod that serves
MILLIS, LEAST, MOST = 20, 2, 10
TOLERATED = 1.1


def main(runtime: str = "process", rounds: str = "3") -> None:
    serving, all_ready, back, flaps = [], [], [], 0
    with running_lab(runtime) as lab:
        for _ in range(int(rounds)):
            with created(lab, {DEPLOYMENTS: small(busy(LEAST)), SCALERS: lab_windows(scaler(LEAST, MOST, MILLIS))}):
                old = lab.wait_for_ready_pods(LEAST, BUSY)
                figures = Figures(lab, old)
                wait_until("figures of both", lambda figures=figures: figures.average() is not None, 60)
                first, ready, returned, turned = play(lab, figures, {pod["metadata"]["uid"] for pod in old})
            serving.append(first)
            all_ready.append(ready)
            back.append(returned)
            flaps += turned
    print(Row(f"{runtime}: metric crosses -> first new pod serves", serving))
    print(Row(f"{runtime}: metric crosses -> {MOST} pods ready", all_ready))
    print(Row(f"{runtime}: load gone -> {LEAST} pods left", back))
    kept = "kept" if max(serving) <= MOST_SECONDS else "MISSED"
    print(f"at most {MOST_SECONDS:g} s until one serves: {kept}; flaps: {flaps} in {rounds} rounds")


def small(deployment: dict) -> dict:
    deployment["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "20m"}}
    return deployment


def lab_windows(scaler: dict) -> dict:
    """The lab's own stabilization."""
    del scaler["spec"]["behavior"]
    return scaler


class Figures:
    """What the kubelet publishes of some pods, read where the autoscaler reads it."""

    def __init__(self, lab: LabUnderTest, pods: list[dict]):
        self._broker = redis.Redis.from_url(lab.run()["broker"])
        self._key = f"orrery:metrics:{(lab.data / 'lab-id').read_text()}:default:pods"
        self._uids = [pod["metadata"]["uid"] for pod in pods]

    def average(self) -> float | None:
        told = {}
        for text in self._broker.hgetall(self._key).values():
            told |= json.loads(text)["figures"]
        known = [told[uid]["cpuMillis"] for uid in self._uids if uid in told]
        return sum(known) / len(known) if len(known) == len(self._uids) else None


def play(lab: LabUnderTest, figures: Figures, old: set[str]) -> tuple[float, float, float, int]:
    """One round: seconds to the first new pod that serves, to all, back to the least, and how often it turned."""
    with Burning(lab, BUSY) as load:
        since = lab.get(SCALERS)["metadata"]["resourceVersion"]
        load.millis = 1.3 * MOST * MILLIS
        wait_until("the crossing", lambda: (figures.average() or 0) > MILLIS * TOLERATED, 60, step=0.01)
        crossed = time.monotonic()
        wait_until("a new pod to serve", lambda: any(map(serves, fresh(lab, old))), 60, step=0.01)
        first = time.monotonic() - crossed
        lab.wait_for_ready_pods(MOST, BUSY, seconds=60)
        ready = time.monotonic() - crossed
        time.sleep(10)  # under steady load nothing may move
        load.millis, gone = 0, time.monotonic()
        lab.wait_for_ready_pods(LEAST, BUSY, seconds=120)
        return first, ready, time.monotonic() - gone, flaps_since(lab, since)


def fresh(lab: LabUnderTest, old: set[str]) -> list[dict]:
    return [pod for pod in lab.pods(BUSY) if pod["metadata"]["uid"] not in old]


def serves(pod: dict) -> bool:
    address = pod.get("status", {}).get("podIP")
    with contextlib.suppress(OSError):
        return bool(address) and urllib.request.urlopen(f"http://{address}:8080/readyz", timeout=1).status == 200
    return False


def flaps_since(lab: LabUnderTest, revision: str) -> int:
    """Changes of direction beyond the one that was called for, over all sizes that the target had."""
    url = f"{lab.address}/clusters/default{SCALERS}?watch=1&timeoutSeconds=1&resourceVersion={revision}"
    with urllib.request.urlopen(url, timeout=20) as stream:
        seen = [json.loads(line)["object"]["status"].get("desiredReplicas", 0) for line in stream]
    steps = [after - before for before, after in pairwise([size for size in seen if size]) if after != before]
    return max(0, sum((one > 0) != (other > 0) for one, other in pairwise(steps)) - 1)


if __name__ == "__main__":
    main(*sys.argv[1:])

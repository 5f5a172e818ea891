"""Rows of a cluster that does not exist: every state, and as many pods as one likes."""

from lab.dashboard.noderows import gauges, node_flags
from lab.dashboard.rows import amounts, note
from lab.dashboard.steeringrows import release_row
from lab.dashboard.whole import WARNINGS

STATES = {
    "pending": "Pending",
    "starting": "ContainerCreating",
    "ready": "Running",
    "unready": "Running",
    "failed": "Error",
    "backoff": "CrashLoopBackOff",
    "leaving": "Terminating",
    "done": "Completed",
}


def node(name: str, taints: tuple[str, ...] = (), gpu: int = 0, **more) -> dict:
    row = {"id": f"nodes/{name}", "kind": "node", "name": name, "ready": True, "status": "Ready", "zone": "a"}
    room = {"gauges": gauges((3900, 2**31, 0), (4000, 2**33, gpu)), "size": amounts(4000, 2**33, gpu), "room": "free"}
    row = {**row, **room, "runtime": "docker", **more}
    return {**row, "flags": node_flags(row, [], list(taints))}


def pod(name: str, state: str = "ready", node: str = "node-a", **more) -> dict:
    row = {
        "id": f"pods/default/{name}",
        "kind": "pod",
        "namespace": "default",
        "name": name,
        "app": "web",
        "suffix": name,
    }
    said = {"state": state, "status": STATES[state], "ready": "1/1" if state == "ready" else "0/1"}
    place = {} if state == "pending" else {"node": node}
    version = more.setdefault("version", 1)
    return {
        **row,
        **said,
        **place,
        "called": f"v{version}",
        "created": 1e9,
        "asks": amounts(100, 2**26, 0),
        "note": note(state, STATES[state], "", "0.1 cpu"),
        **more,
    }


def deployment(name: str = "web", **more) -> dict:
    row = {"id": f"deployments.apps/default/{name}", "kind": "workload", "namespace": "default", "name": name}
    held = {"what": "Deployment", "image": "orrery/hello:v2", "container": name, "scales": True}
    count = {"desired": 5, "total": 5, "ready": 4, "revision": 2, "state": "starting", **more}
    return {**row, **held, "words": f"{count['ready']} of {count['desired']} ready", **count}


def loop(author: str, **more) -> dict:
    return {"id": f"loops/{author}", "kind": "loop", "name": author.removesuffix("-controller"), **more}


def event(name: str, kind: str = "Normal") -> dict:
    row = {"id": f"events/default/{name}", "kind": "event", "at": 1e9, "type": kind, "reason": "Started"}
    return {**row, "about": "pod/web-1", "text": "Started container web", "from": "kubelet ×3"}


def service(name: str = "web", **more) -> dict:
    row = {"id": f"services/default/{name}", "kind": "service", "namespace": "default", "name": name}
    held = {"key": f"default/{name}", "type": "ClusterIP", "address": "10.96.0.9", "ports": [80], "state": "ready"}
    return {**row, **held, "ends": "1/2", "nodes": {"node-a": 1}, "pods": ["ready"], **more}


def visitors(**more) -> dict:
    row = {"id": "visitors.orrery.io/default/many", "kind": "visitors", "namespace": "default", "name": "many"}
    return {**row, "key": "default/many", "service": "web", "title": "many → web", "path": "/", "rate": 50, **more}


def release(owner: str, **status) -> dict:
    """A canary in the middle, as its object gives it."""
    analysis = {"maxErrorPercent": 2, "maxLatencyRatio": 2, "minRequests": 50}
    strategy = {"type": "Canary", "canary": {"steps": [], "analysis": analysis}}
    counted = {"old": counts(900, 2, 41), "new": counts(100, 3, 38), "verdict": "Failing"}
    held = {"phase": "Progressing", "weight": 20, "message": "20 % of the visitors have it", "analysis": counted}
    meta = {"name": f"{owner}-1", "namespace": "default"}
    return release_row(
        {
            "metadata": meta,
            "spec": {"deployment": owner, "image": "orrery/hello:v2", "strategy": strategy},
            "status": held | status,
        }
    )


def counts(requests: int, errors: int, mean_ms: float) -> dict:
    return {"requests": requests, "errors": errors, "meanMs": mean_ms}


def scaler(owner: str) -> dict:
    row = {"id": f"horizontalpodautoscalers.autoscaling/default/{owner}", "kind": "autoscaler", "namespace": "default"}
    held = {"owner": f"deployments.apps/default/{owner}", "text": "2–10 · cpu 43 %/80 % · now 4"}
    return {**row, "name": owner, **held}


def pool() -> dict:
    row = {"id": "nodepools.orrery.io/small", "kind": "pool", "name": "small"}
    return {**row, "text": "1 of 5, +1 booting"}


def everything() -> list[dict]:
    """One of each thing that the board can show."""
    refused = {"node": "node-a", "fits": False, "text": "too little cpu"}
    fits = {"node": "node-b", "fits": True, "text": "72"}
    pods = [pod(state, state, version=i % 3 + 1, restarts=i) for i, state in enumerate(STATES)]
    pods[0]["verdicts"] = [refused, fits]
    totals = {"newReady": 2, "newTotal": 3, "oldReady": 2, "oldTotal": 2}
    rolling = {**totals, "was": "v1 2", "pace": "at most +1 −0", "is": "v2 2 of 5", "trouble": "1 failing"}
    return [
        {"id": "lab", "kind": "lab", "engine": "Docker containers + Simulated", "warning": WARNINGS["simulated"]},
        node("node-a"),
        node("node-b", cordoned=True, taints=["gpu"], gpu=2),
        node("node-c", ready=False, status="Unknown", off=True),
        node("node-d", partitioned=True, runtime="simulated"),
        *pods,
        deployment(),
        deployment("old", release="releases.orrery.io/default/old-1", **rolling),
        deployment(
            "scaled", scaler="horizontalpodautoscalers.autoscaling/default/scaled", services=["services/default/web"]
        ),
        release("old"),
        scaler("scaled"),
        service(),
        service("nobody", state="failed", ends="0/0", trouble="leads to no pod", nodes={}, pods=[]),
        visitors(),
        pool(),
        node("small-1", ready=False, status="NotReady", pool="small", until=4e9),
        loop("scheduler", acts=3, at=1e9, text="web x7k2p → node-a"),
        loop("kubelet"),
        event("a"),
        event("b", "Warning"),
    ]

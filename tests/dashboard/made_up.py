"""Rows of a cluster that does not exist: every state, and as many pods as one likes."""

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


def node(name: str, **more) -> dict:
    whole = {"cpu": 4000, "memory": 2**33, "usedCpu": 3900, "usedMemory": 2**31, "zone": "a", "runtime": "docker"}
    return {"id": f"nodes/{name}", "kind": "node", "name": name, "ready": True, "status": "Ready", **whole, **more}


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
    return {**row, **said, **place, "version": 1, "created": 1e9, "cpu": 100, "memory": 2**26, **more}


def deployment(name: str = "web", **more) -> dict:
    row = {"id": f"deployments.apps/default/{name}", "kind": "deployment", "namespace": "default", "name": name}
    return {
        **row,
        "image": "orrery/hello:v2",
        "container": name,
        "desired": 5,
        "total": 5,
        "ready": 4,
        "revision": 2,
        **more,
    }


def loop(author: str, **more) -> dict:
    return {"id": f"loops/{author}", "kind": "loop", "name": author.removesuffix("-controller"), **more}


def event(name: str, kind: str = "Normal") -> dict:
    row = {"id": f"events/default/{name}", "kind": "event", "at": 1e9, "type": kind, "reason": "Started"}
    return {**row, "about": "pod/web-1", "text": "Started container web", "from": "kubelet", "count": 3}


def everything() -> list[dict]:
    """One of each thing that the board can show."""
    refused = {"node": "node-a", "fits": False, "text": "too little cpu"}
    fits = {"node": "node-b", "fits": True, "text": "72"}
    pods = [pod(state, state, version=i % 3 + 1, restarts=i) for i, state in enumerate(STATES)]
    pods[0]["verdicts"] = [refused, fits]
    rolling = {
        "newReady": 2,
        "newTotal": 3,
        "oldReady": 2,
        "oldTotal": 2,
        "oldRevision": 1,
        "surge": "1",
        "trouble": "1 failing",
    }
    return [
        node("node-a"),
        node("node-b", cordoned=True, taints=["gpu"], gpu=2),
        node("node-c", ready=False, status="Unknown", off=True),
        node("node-d", partitioned=True, runtime="simulated"),
        *pods,
        deployment(),
        deployment("old", **rolling),
        loop("scheduler", acts=3, at=1e9, text="web x7k2p → node-a"),
        loop("kubelet"),
        event("a"),
        event("b", "Warning"),
    ]

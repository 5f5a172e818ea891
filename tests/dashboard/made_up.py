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


def service(name: str = "web", **more) -> dict:
    row = {"id": f"services/default/{name}", "kind": "service", "namespace": "default", "name": name}
    held = {"key": f"default/{name}", "type": "ClusterIP", "address": "10.96.0.9", "ports": [80], "total": 2}
    return {**row, **held, "ready": 1, "nodes": {"node-a": 1}, "pods": ["ready"], **more}


def visitors(**more) -> dict:
    row = {"id": "visitors.orrery.io/default/many", "kind": "visitors", "namespace": "default", "name": "many"}
    return {**row, "key": "default/many", "service": "web", "path": "/", "rate": 50, **more}


def release(owner: str, **more) -> dict:
    row = {
        "id": f"releases.orrery.io/default/{owner}-1",
        "kind": "release",
        "namespace": "default",
        "name": f"{owner}-1",
    }
    held = {"owner": f"deployments.apps/default/{owner}", "type": "Canary", "phase": "Progressing", "weight": 20}
    figures = {"old": [900, 0.2, 41], "new": [100, 3.1, 38]}
    return {**row, **held, "message": "20 % of the visitors have it", "figures": figures, **more}


def scaler(owner: str) -> dict:
    row = {"id": f"horizontalpodautoscalers.autoscaling/default/{owner}", "kind": "autoscaler", "namespace": "default"}
    held = {"owner": f"deployments.apps/default/{owner}", "least": 2, "most": 10, "current": 4}
    return {**row, "name": owner, **held, "metrics": "cpu 43 %/80 %"}


def pool() -> dict:
    row = {"id": "nodepools.orrery.io/small", "kind": "pool", "name": "small"}
    return {**row, "most": 5, "nodes": 1, "booting": 1}


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
        deployment("old", release="releases.orrery.io/default/old-1", **rolling),
        deployment(
            "scaled", scaler="horizontalpodautoscalers.autoscaling/default/scaled", services=["services/default/web"]
        ),
        release("old"),
        scaler("scaled"),
        service(),
        service("nobody", ready=0, total=0, nodes={}, pods=[]),
        visitors(),
        pool(),
        node("small-1", ready=False, status="NotReady", pool="small", until=4e9),
        loop("scheduler", acts=3, at=1e9, text="web x7k2p → node-a"),
        loop("kubelet"),
        event("a"),
        event("b", "Warning"),
    ]

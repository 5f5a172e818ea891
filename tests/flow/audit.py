"""After a bad day: is everything as declared, with nothing doubled and nothing orphaned?

Three are compared: what Deployments declare, what the API says runs, and what the engine really has.
"""

from collections import Counter

from lab.runtime import Runtime, RuntimeFailure, Sandbox
from lab.runtime.engines import open_runtime

from ..labs import LabUnderTest, is_ready, wait_until


def wait_until_as_declared(lab: LabUnderTest, seconds: float = 60.0) -> None:
    """Passes once nothing is wrong; fails with what still is."""
    complaints = ["never looked"]

    def look() -> bool:
        complaints[:] = audit(lab)
        return not complaints

    try:
        wait_until("the cluster to be as declared", look, seconds, step=0.3)
    except AssertionError as late:
        raise AssertionError(f"{late}\n" + "\n".join(complaints)) from None


def audit(lab: LabUnderTest) -> list[str]:
    """What is wrong, in words."""
    listed = {kind: lab.get(path) for kind, path in PATHS.items()}
    if None in listed.values():
        return ["the API does not answer"]
    items = {kind: found["items"] for kind, found in listed.items()}
    runtimes = {lab.runtime, *map(runtime_of, items["nodes"])} - {SIMULATED}
    try:
        boxes = [box for name in runtimes for box in engine_of(lab, name).list_pods()]
    except RuntimeFailure as failure:
        return [f"the engine does not answer: {failure.message}"]
    return [
        *_declared(items["deployments"], items["replicasets"], items["pods"]),
        *_orphans(items["pods"], [obj for kind in PATHS for obj in items[kind]]),
        *_nodes(items["nodes"]),
        *_one_to_one(items["pods"], items["nodes"], boxes),
    ]


def engine_of(lab: LabUnderTest, runtime: str = "") -> Runtime:
    """The engine as this lab sees it: only what it has made."""
    return open_runtime(runtime or lab.runtime, (lab.data / "lab-id").read_text(), lab.data)


def runtime_of(node: dict) -> str:
    return node["metadata"]["labels"]["orrery.io/runtime"]


SIMULATED = "simulated"  # such pods are in the worker's memory, where nobody can look from outside
PATHS = {
    "deployments": "/apis/apps/v1/deployments",
    "replicasets": "/apis/apps/v1/replicasets",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "jobs": "/apis/batch/v1/jobs",
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
}


def _declared(deployments: list[dict], replica_sets: list[dict], pods: list[dict]) -> list[str]:
    """As many pods as each Deployment says, of its newest template only, all ready."""
    wrong = []
    for deployment in deployments:
        name, wanted = deployment["metadata"]["name"], deployment["spec"]["replicas"]
        status = deployment.get("status", {})
        if status.get("observedGeneration") != deployment["metadata"]["generation"]:
            wrong.append(f"deployment {name} has changed and nobody has looked")
        counts = {field: status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")}
        if set(counts.values()) != {wanted}:
            wrong.append(f"deployment {name} wants {wanted} and has {counts}")
        owned = {rs["metadata"]["uid"]: rs for rs in replica_sets if _owner(rs) == deployment["metadata"]["uid"]}
        sizes = [rs["spec"]["replicas"] for rs in owned.values() if rs["spec"]["replicas"]]
        if sizes != [wanted][: bool(wanted)]:
            wrong.append(f"deployment {name} wants one replica set of {wanted}, not {sizes}")
        there = [pod["metadata"]["name"] for pod in pods if _owner(pod) in owned]
        ready = [pod for pod in pods if _owner(pod) in owned and is_ready(pod)]
        if len(there) != wanted or len(ready) != wanted:
            wrong.append(f"deployment {name} wants {wanted} pods, {len(ready)} are ready of {there}")
    return wrong


def _orphans(pods: list[dict], objects: list[dict]) -> list[str]:
    uids = {obj["metadata"]["uid"] for obj in objects}
    return [f"{pod['metadata']['name']} has lost its owner" for pod in pods if _owner(pod) not in (None, *uids)]


def _nodes(nodes: list[dict]) -> list[str]:
    return [f"node {node['metadata']['name']} is not Ready" for node in nodes if not is_ready(node)]


def _one_to_one(pods: list[dict], nodes: list[dict], boxes: list[Sandbox]) -> list[str]:
    """Each pod has one sandbox, in it each container once, and there is nothing else on the engines. What is left of a
    pod that has ended may have gone with its engine."""
    wrong = []
    unseen = {None, *(node["metadata"]["name"] for node in nodes if runtime_of(node) == SIMULATED)}
    bound = {pod["metadata"]["uid"]: pod for pod in pods if pod["spec"].get("nodeName") not in unseen}
    found = Counter(box.uid for box in boxes)
    wrong += [f"{box.namespace}/{box.name} ({box.uid}) is an orphan" for box in boxes if box.uid not in bound]
    for uid, pod in bound.items():
        name = pod["metadata"]["name"]
        if found[uid] != 1 and not (found[uid] == 0 and _has_ended(pod)):
            wrong.append(f"{name} has {found[uid]} sandboxes")
    for box in boxes:
        pod = bound.get(box.uid)
        running = sorted(container.name for container in box.containers if container.state == "running")
        if pod and running != _living_containers(pod):
            wrong.append(f"{box.name} has running: {running}")
        if pod and (box.node, box.address) != (pod["spec"]["nodeName"], pod.get("status", {}).get("podIP")):
            wrong.append(f"{box.name} is at {box.node} {box.address}, not where the API says")
    addresses = Counter(box.address for box in boxes)
    wrong += [f"{address} belongs to {count} pods" for address, count in addresses.items() if count > 1]
    known = {node["metadata"]["name"] for node in nodes}
    return wrong + [f"{box.name} is on {box.node}, which is no node" for box in boxes if box.node not in known]


def _living_containers(pod: dict) -> list[str]:
    return [] if _has_ended(pod) else sorted(container["name"] for container in pod["spec"]["containers"])


def _has_ended(pod: dict) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _owner(obj: dict) -> str | None:
    return next((ref["uid"] for ref in obj["metadata"].get("ownerReferences", ()) if ref.get("controller")), None)

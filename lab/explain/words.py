"""What a row of the log did, in a few words, as its writer would say it: "bound pod web-1 to node-2". Pure."""

from collections.abc import Iterator

from lab.apimachinery.kinds import BY_RESOURCE, DEPLOYMENTS, ENDPOINTSLICES, EVENTS, LEASES, NODES, PODS
from lab.apimachinery.labels import DRAINED, SERVED
from lab.apimachinery.meta import condition, is_deleting, is_true
from lab.apimachinery.pods import is_finished
from lab.store import Row

from .difference import changed, in_words

ROLLOUT = "deployment.kubernetes.io/revision"
STARTING = ("ContainerCreating", "PodInitializing")  # what a container waits for that is well
FAULTS = {
    "ContainerDied": "container {container} ended with exit code {exitCode}",
    "Unhealthy": "the probe of container {container} failed for good",
    "NotReady": "the readiness probe of container {container} failed",
    "NodeSilent": "node {node} fell silent",
    "EngineSilent": "the container engine of node {node} does not answer",
    "EngineLost": "engine {engine} is lost",
}
CALLS = {
    "RunPodSandbox": "made the pod's sandbox",
    "PullImage": "had the image of {container}",
    "CreateContainer": "created container {container}",
    "StartContainer": "started container {container}",
}


def told(row: Row, within: str = "") -> str:
    """Never empty; a status alone is told by what it counts. To who may read only `within` a namespace: of what another
    one has, that it was made, changed or removed."""
    if within and row.namespace not in ("", within):
        return f"{'removed' if row.deleted else 'made' if row.created else 'changed'} {what(row)}"
    return (
        telling(row) or f"{what(row)}: {in_words(changed(row.old, row.object)) or 'said again'}"
        if row.old
        else telling(row)
    )


def what(row: Row) -> str:
    kind = BY_RESOURCE[row.resource].singular if row.resource in BY_RESOURCE else row.resource
    return f"{kind} {row.name}"


def telling(row: Row) -> str:
    """Empty where it has only counted anew, or said how things are, in a status that nobody waits for."""
    if row.deleted:
        return f"removed {what(row)}"
    if row.resource == EVENTS.resource:
        return f"said {row.object.get('reason')}: {row.object.get('message')}"
    if row.created:
        return f"made {what(row)}"
    if row.old is None:  # what it was before is no longer kept
        return f"changed {what(row)}"
    if is_deleting(row.object) and not is_deleting(row.old):
        return f"told {what(row)} to end"
    if fault := (row.why or {}).get("fault"):
        return fault_words(fault)
    of_kind = OF_KIND.get(row.resource)
    if of_kind and (words := ", ".join(of_kind(row.old, row.object))):
        return words
    declared = [item for item in changed(row.old, row.object) if not item["path"].startswith("status")]
    return f"{what(row)}: {in_words(declared)}" if declared else ""


def fault_words(fault: dict) -> str:
    return FAULTS[fault["reason"]].format_map(fault)


def call_words(call: dict) -> str:
    """One call of the engine, as the kubelet notes it (`PodRecord.noted`)."""
    return CALLS[call["call"]].format_map(call)


def _of_pod(old: dict, new: dict) -> Iterator[str]:
    name = new["metadata"]["name"]
    if new["spec"].get("nodeName") != old["spec"].get("nodeName"):
        yield f"bound pod {name} to {new['spec'].get('nodeName')}"
    was, now = old.get("status", {}), new.get("status", {})
    if _states(now) and not _states(was):
        yield f"began with pod {name}"
    yield from _of_containers(was, now)
    if is_true(new, "Ready") != is_true(old, "Ready"):
        yield f"pod {name} is {'ready' if is_true(new, 'Ready') else 'not ready'}"
    if now.get("phase") != was.get("phase") and is_finished(new):
        yield f"pod {name} has {now['phase'].lower()}"
    verdict = condition(new, "PodScheduled") or {}
    if verdict.get("status") == "False" and verdict != condition(old, "PodScheduled"):
        yield f"found no node for pod {name}"
    if is_true(new, SERVED) and not is_true(old, SERVED):
        yield f"pod {name} has served its first request"
    if is_true(new, DRAINED) and not is_true(old, DRAINED):
        yield f"pod {name} is asked nothing more"


def _of_containers(was: dict, now: dict) -> Iterator[str]:
    before, after = _states(was), _states(now)
    for name, (word, state) in after.items():
        if (word, state.get("reason")) == (before.get(name, ("", {}))[0], before.get(name, ("", {}))[1].get("reason")):
            continue
        if word == "running":
            yield f"container {name} runs"
        elif word == "terminated":
            yield f"container {name} ended with exit code {state.get('exitCode')}"
        elif state.get("reason") not in STARTING:
            yield f"container {name} waits: {state.get('reason')}"


def _states(status: dict) -> dict[str, tuple[str, dict]]:
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {one["name"]: next(iter(one["state"].items()), ("", {})) for one in listed if one.get("state")}


def _of_slice(old: dict, new: dict) -> Iterator[str]:
    before, after = ready_in(old), ready_in(new)
    if new_ones := sorted(after[uid] for uid in after.keys() - before.keys()):
        yield f"let in {', '.join(new_ones)}"
    if gone := sorted(before[uid] for uid in before.keys() - after.keys()):
        yield f"took out {', '.join(gone)}"


def ready_in(one: dict) -> dict[str, str]:
    """uid → name of the pods that an EndpointSlice lets be asked."""
    refs = [
        e.get("targetRef") or {}
        for e in one.get("endpoints") or ()
        if (e.get("conditions") or {}).get("ready") is not False
    ]
    return {ref["uid"]: ref["name"] for ref in refs if ref.get("kind") == PODS.kind}


def _of_deployment(old: dict, new: dict) -> Iterator[str]:
    if words := rollout(old, new):
        yield f"deployment {new['metadata']['name']}: {words}"


def rollout(old: dict | None, new: dict) -> str:
    """What a row of a deployment says of its rollout; empty if nothing new."""
    (before, was_out), (number, out) = (_progress(each) for each in (old, new))
    if number and number != before:
        return f"rollout {number} begins"
    return f"rollout {number} is done" if out and not was_out else ""


def _progress(deployment: dict | None) -> tuple[str, bool]:
    """Which revision of its template it is at, and whether that is out."""
    if deployment is None:
        return "", False
    told = condition(deployment, "Progressing")
    number = deployment["metadata"].get("annotations", {}).get(ROLLOUT, "")
    return number, bool(told and told["reason"] == "NewReplicaSetAvailable" and is_true(deployment, "Progressing"))


def _of_node(old: dict, new: dict) -> Iterator[str]:
    name, (was, now) = new["metadata"]["name"], ((condition(each, "Ready") or {}).get("status") for each in (old, new))
    if was != now:
        yield f"node {name} is {'ready' if now == 'True' else 'not ready'}"
    taints = [{taint["key"] for taint in each["spec"].get("taints") or ()} for each in (old, new)]
    if added := sorted(taints[1] - taints[0]):
        yield f"tainted node {name}: {', '.join(added)}"
    if gone := sorted(taints[0] - taints[1]):
        yield f"took from node {name} the taint {', '.join(gone)}"


def _of_lease(old: dict, new: dict) -> Iterator[str]:
    name, (before, holder) = (
        new["metadata"]["name"],
        (each.get("spec", {}).get("holderIdentity") for each in (old, new)),
    )
    yield f"renewed lease {name}" if holder == before else f"lease {name} is held by {holder or 'nobody'}"


OF_KIND = {
    LEASES.resource: _of_lease,
    PODS.resource: _of_pod,
    DEPLOYMENTS.resource: _of_deployment,
    ENDPOINTSLICES.resource: _of_slice,
    NODES.resource: _of_node,
}

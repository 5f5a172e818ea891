"""The stage of a step: a cluster becomes what a scene says, by the smallest change, whatever was done to it.

Level-triggered, like a controller: `plan` compares, `set_stage` takes one step, and is called until it says that all is
there; then `let_in` has the visitors come, so that nobody counts what fails while it is set. It may be killed anywhere.
It acts on the cluster from outside (`hardware`): whoever has switched off all
control planes gets them back.
"""

import contextlib
from dataclasses import dataclass, field

from lab.apimachinery.controlplane import is_up
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import (
    BY_RESOURCE,
    DAEMONSETS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    SERVICES,
    VISITORS,
    WHEELS,
    Kind,
)
from lab.apimachinery.meta import is_deleting, is_true
from lab.apimachinery.wheels import RUNNING
from lab.client import Client, Put
from lab.store import View

from . import facts
from .fitting import LIFECYCLE, Fitting, Key, freed, key_of, put_back, root_of
from .scenes import Scene

# What goes after the rest, in this order: what was made of it, so that nobody makes it again, and what it ran on.
LAST = (REPLICASETS, PODS, NODES)
ENDPOINTS_LOOP = "endpointslice"  # where a scene has it stand, endpoints follow nothing


@dataclass
class Plan:
    """How objects are written, what goes at once, and whether something is on its way out already."""

    puts: list[Put] = field(default_factory=list)
    gone: dict[Kind, list[dict]] = field(default_factory=dict)
    going: bool = False


def plan(view: View, scene: Scene, since: float = 0.0) -> Plan:
    """What is between the cluster and the scene. Pods that are older than `since` (epoch seconds) must be well to stay,
    and where the scene begins anew they go; those that came later are the scene's own, well or not. Pure."""
    fitting = Fitting(view, scene, since)
    found = Plan()
    for wanted in fitting.wanted.values():
        if wanted["kind"] == VISITORS.kind:
            continue
        now = view.get(*key_of(wanted))
        if (now is None or fitting.stays(now)) and (put := put_back(view, wanted)):
            found.puts.append(put)
    for resource in view.resources():
        kind = BY_RESOURCE[resource]
        for obj in view.list(resource):
            stays = fitting.stays(obj)
            if not stays and (not is_deleting(obj) or obj["metadata"].get("deletionGracePeriodSeconds")):
                found.gone.setdefault(kind, []).append(obj)
                continue
            found.going |= not stays
            if (new := fitting.renewed(obj) if stays else freed(obj)) is not None:
                found.puts.append(Put(kind, new))
    return found


def set_stage(client: Client, scene: Scene, since: float = 0.0) -> bool:
    """Take one step towards the scene; True when nothing is left to do, and the scene is up. Raises ApiError."""
    client = _from_outside(client)
    todo = plan(client.view(), scene, since)
    if _write(client, [put for put in todo.puts if put.kind is WHEELS]):
        return False  # first of all who is to stand stands: else it makes anew what goes
    for kind in sorted(todo.gone.keys() - set(LAST), key=lambda kind: (kind is not NAMESPACES, kind.resource)):
        client.delete_these(kind, todo.gone[kind], grace_seconds=0)
    written = _write(client, todo.puts)
    for kind in LAST:
        client.delete_these(kind, todo.gone.get(kind, []), grace_seconds=0)
    left = written or todo.gone.keys() - {VISITORS} or todo.going
    return not left and settled(client.view(), scene)


def let_in(client: Client, scene: Scene) -> None:
    """Have its visitors come: there is somebody to answer now. Raises ApiError."""
    client = _from_outside(client)
    visitors = [obj for obj in scene.objects if obj["kind"] == VISITORS.kind]
    _write(client, [put for obj in visitors if (put := put_back(client.view(), obj))])


def _from_outside(client: Client) -> Client:
    return Client(client.cluster, client.author, client.cause, client.fence, hardware=True)


def forget(client: Client, scene: Scene) -> None:
    """Have the programs of its pods begin anew. Raises ApiError for the first that is not there to be told."""
    view, wanted = client.view(), {key_of(obj) for obj in scene.objects}
    for pod in view.list(PODS.resource):
        if key_of(root_of(view, pod)) in wanted:
            for container in pod["spec"]["containers"]:
                client.kill_container(pod, container["name"], "HUP")


def _write(client: Client, puts: list[Put]) -> bool:
    """Whether there was anything to write. What may not be changed so goes, and is made anew the next time."""
    with contextlib.suppress(ApiError):
        was = [put.object["metadata"].get("resourceVersion") for put in puts]
        return was != [obj["metadata"]["resourceVersion"] for obj in client.write(puts)]
    for put in puts:
        try:
            client.write([put])
        except ApiError as error:
            if error.code == 422 and "resourceVersion" in put.object["metadata"]:
                client.delete_these(put.kind, [put.object], grace_seconds=0)
            elif error.code not in (404, 409):  # somebody was faster: the next step sees what they wrote
                raise
    return True


def settled(view: View, scene: Scene) -> bool:
    """Whether the scene is up: its nodes, and what it waits for, or else its workloads; visitors come then."""
    return not awaited(view, scene)


def awaited(view: View, scene: Scene) -> list[str]:
    """What is not up yet of the scene, as `node/node-a`, or as what it waits for."""
    found = {named(obj): view.get(*key_of(obj)) for obj in scene.objects if obj["kind"] != VISITORS.kind}
    there = {name: obj for name, obj in found.items() if obj is not None and not is_deleting(obj)}
    stopped = {named(obj) for obj in scene.objects if obj["kind"] == WHEELS.kind and obj["spec"]["mode"] != RUNNING}
    missing = [name for name in found if name not in there]
    missing += [name for name, obj in there.items() if obj["kind"] == NODES.kind and not _takes_pods(obj)]
    if f"wheel/{ENDPOINTS_LOOP}" not in stopped:
        missing += [
            name for name, obj in there.items() if obj["kind"] == SERVICES.kind and not _leads_to_all(view, obj)
        ]
    if missing:
        return missing
    if scene.until:
        readings = ((claim, claim.reading) for claim in scene.until)
        return [str(it.subject) for claim, it in readings if not facts.all_hold(claim, facts.read(view, it))]
    pods: dict[Key, list[bool]] = {}
    for pod in view.list(PODS.resource):
        pods.setdefault(key_of(root_of(view, pod)), []).append(is_true(pod, "Ready") and not is_deleting(pod))
    return [name for name, obj in there.items() if not _is_ready(obj, pods.get(key_of(obj), []))]


def named(obj: dict) -> str:
    return f"{obj['kind'].lower()}/{obj['metadata']['name']}"


def _takes_pods(node: dict) -> bool:
    """One that is to have no power never does, and is as it should be."""
    taints = node["spec"].get("taints", ())
    silent = any(taint["key"].startswith(LIFECYCLE) and taint["effect"] == "NoExecute" for taint in taints)
    return not is_up(node) or is_true(node, "Ready") and not silent


def _leads_to_all(view: View, service: dict) -> bool:
    """Whether its endpoints are those of its pods that are ready: they follow a moment later."""
    wanted = service["spec"].get("selector", {}).items()
    ready = sum(
        wanted <= pod["metadata"].get("labels", {}).items() and is_true(pod, "Ready") and not is_deleting(pod)
        for pod in view.list(PODS.resource, service["metadata"]["namespace"])
    )
    return not wanted or facts.endpoints(view, service) == ready


def _is_ready(obj: dict, pods: list[bool]) -> bool:
    """`pods`: of each of its own, whether it is ready. Counted here: its status may speak of a moment ago."""
    spec = obj.get("spec", {})
    if "template" in spec and "replicas" in spec:
        return pods == [True] * spec["replicas"]
    wants = obj.get("status", {}).get("desiredNumberScheduled", 0) if obj["kind"] == DAEMONSETS.kind else 0
    return all(pods) and len(pods) >= wants

"""What one can do on the board: each act is a function from a form to what was done, and the kubectl command for it.

That the command does the same as the act, a test finds out by running it (tests/dashboard/test_commands.py).
Every act goes through the client, as author "board": it is checked, stored and explained like anybody else's write.
"""

import copy

from lab.apimachinery import meta
from lab.apimachinery.controlplane import PARTITIONED, POWER, is_member
from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, NODES, PODS, REPLICASETS
from lab.apimachinery.labels import HASH_LABEL, ZONE_LABEL
from lab.client import Client

from .controlplanes import set_control_planes
from .done import Action, Done, annotate, annotation, delete, kubectl
from .drain import BLOCKS, MOVES, Item, checklist
from .rows import revision_of
from .steering import STEERING
from .steeringrows import target_of_scaler

JSON_PATCH = "application/json-patch+json"


def on(deployment: str, *words: str, namespace: str) -> str:
    """A command of kubectl's about a deployment: `scale deployment/web --replicas=3`; a subcommand takes two words."""
    verb = 2 if words[0] in ("rollout", "set") else 1
    return kubectl(*words[:verb], f"deployment/{deployment}", *words[verb:], namespace=namespace)


def kill(client: Client, namespace: str, name: str, form: dict) -> Done:
    """SIGKILL the main process of a container: the fault that self-healing is there for."""
    pod = client.get(PODS, namespace, name)
    container = form.get("container") or pod["spec"]["containers"][0]["name"]
    client.kill_container(pod, container)
    # A process cannot send SIGKILL to the first of its own container: `kubectl exec … kill -9 1` would do nothing.
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/kill?container={container}"
    return Done(f"Killed {container} of {name}", kubectl("create", "--raw", path, "-f", "/dev/null"))


def delete_pod(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"Asked {name} to leave", delete(client, PODS, namespace, name))


def scale(client: Client, namespace: str, name: str, form: dict) -> Done:
    replicas = form.get("replicas")
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("replicas must be a whole number")
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"replicas": replicas}})
    scalers = client.list(HORIZONTALPODAUTOSCALERS, namespace)
    mine = [one for one in scalers if target_of_scaler(one) == f"{DEPLOYMENTS.resource}/{namespace}/{name}"]
    also = ", until its autoscaler finds that it needs another number" if mine and replicas else ""
    return Done(f"{name} scaled to {replicas}{also}", on(name, "scale", f"--replicas={replicas}", namespace=namespace))


def set_image(client: Client, namespace: str, name: str, form: dict) -> Done:
    image = str(form.get("image", "")).strip()
    deployment = client.get(DEPLOYMENTS, namespace, name)
    containers = copy.deepcopy(deployment["spec"]["template"]["spec"]["containers"])
    chosen = form.get("container") or containers[0]["name"]
    for container in containers:
        if container["name"] == chosen:
            container["image"] = image
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"template": {"spec": {"containers": containers}}}})
    return Done(f"{name} rolls out {image}", on(name, "set", "image", f"{chosen}={image}", namespace=namespace))


def pause(client: Client, namespace: str, name: str, form: dict) -> Done:
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"paused": True}})
    return Done(f"{name} is paused", on(name, "rollout", "pause", namespace=namespace))


def resume(client: Client, namespace: str, name: str, form: dict) -> Done:
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"paused": None}})
    return Done(f"{name} goes on", on(name, "rollout", "resume", namespace=namespace))


def restart(client: Client, namespace: str, name: str, form: dict) -> Done:
    """A new template that differs only in when it was asked for: so every pod is made anew, by the usual rollout."""
    annotations = {"kubectl.kubernetes.io/restartedAt": meta.now()}
    client.patch(DEPLOYMENTS, namespace, name, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
    return Done(f"{name} restarts, pod by pod", on(name, "rollout", "restart", namespace=namespace))


def undo(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Put an older revision's template back: the one asked for, or the one before the present."""
    deployment = client.get(DEPLOYMENTS, namespace, name)
    older = [rs for rs in replicasets_of(client, deployment) if revision_of(rs) != revision_of(deployment)]
    wanted = form.get("revision")
    chosen = [rs for rs in older if revision_of(rs) == wanted] if wanted else older[:1]
    if not chosen:
        raise bad_request(f"unable to find revision {wanted} of {name}" if wanted else f"{name} has no older revision")
    template = copy.deepcopy(chosen[0]["spec"]["template"])
    template["metadata"].get("labels", {}).pop(HASH_LABEL, None)
    patch = [{"op": "replace", "path": "/spec/template", "value": template}]
    client.patch(DEPLOYMENTS, namespace, name, patch, patch_type=JSON_PATCH)
    back = revision_of(chosen[0])
    which = [f"--to-revision={back}"] if wanted else []
    return Done(f"{name} goes back to revision {back}", on(name, "rollout", "undo", *which, namespace=namespace))


def replicasets_of(client: Client, deployment: dict) -> list[dict]:
    """The replica sets of a deployment, newest revision first."""
    namespace, uid = deployment["metadata"]["namespace"], deployment["metadata"]["uid"]
    owned = [rs for rs in client.list(REPLICASETS, namespace) if (meta.controller_of(rs) or {}).get("uid") == uid]
    return sorted(owned, key=revision_of, reverse=True)


def delete_deployment(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} and its pods go", delete(client, DEPLOYMENTS, namespace, name))


def cordon(client: Client, namespace: str, name: str, form: dict) -> Done:
    client.patch(NODES, "", name, {"spec": {"unschedulable": True}})
    return Done(f"{name} takes no new pods", kubectl("cordon", name))


def uncordon(client: Client, namespace: str, name: str, form: dict) -> Done:
    client.patch(NODES, "", name, {"spec": {"unschedulable": None}})
    return Done(f"{name} takes pods again", kubectl("uncordon", name))


def pods_on(client: Client, node: str) -> list[dict]:
    return [pod for pod in client.list(PODS) if pod["spec"].get("nodeName") == node]


def drain(client: Client, namespace: str, name: str, form: dict) -> Done:
    """Cordon, then ask every pod that may move to leave. What blocks stays, and is said; with `force` it leaves too."""
    cordon(client, "", name, {})
    force = bool(form.get("force"))
    items = checklist(pods_on(client, name))
    asked = [item for item in items if item.fate == MOVES or force and item.fate == BLOCKS]
    gone = [item for item in asked if client.evict(client.get(PODS, item.namespace, item.name))]
    held = [item.name for item in asked if item not in gone]
    stuck = [item.name for item in items if item.fate == BLOCKS and not force]
    message = f"{name} is cordoned; {len(gone)} pods leave it"
    if held:
        message += f"; {', '.join(held)} stay for now: their disruption budget lets no more go at once"
    if stuck:
        message += f"; {', '.join(stuck)} stay: nobody would make them again, or they would lose data"
        return Done(message, "\n".join([kubectl("cordon", name), *map(_delete_item, gone)]))
    forced = ["--force", "--delete-emptydir-data"] if force else []
    return Done(message, kubectl("drain", name, "--ignore-daemonsets", *forced))


def _delete_item(item: Item) -> str:
    """What kubectl's drain does to a pod; as long as one stands in the way, it does so to none."""
    return kubectl("delete", "pod", item.name, "--wait=false", namespace=item.namespace)


def power_off(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} loses its power", annotate(client, NODES, "", name, POWER, "off"))


def power_on(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} has power again", annotate(client, NODES, "", name, POWER, None))


def zone_off(client: Client, namespace: str, name: str, form: dict) -> Done:
    """What a zone is for: all its machines fail together, those of the control plane too."""
    return _power(client, name, "off", f"zone {name} loses its power")


def zone_on(client: Client, namespace: str, name: str, form: dict) -> Done:
    return _power(client, name, None, f"zone {name} has power again")


def _power(client: Client, zone: str, held: str | None, words: str) -> Done:
    nodes = nodes_in(client, zone)
    for node in nodes:
        annotate(client, NODES, "", node["metadata"]["name"], POWER, held)
    said = ", ".join(node["metadata"]["name"] for node in nodes)
    return Done(
        f"{words}: {said}", kubectl("annotate", "nodes", "-l", f"{ZONE_LABEL}={zone}", *annotation(POWER, held))
    )


def nodes_in(client: Client, zone: str) -> list[dict]:
    """The machines of a zone by name, those of the control plane last. Raises ApiError 404 if there are none."""
    nodes = client.list(NODES, labels={ZONE_LABEL: zone})
    if not nodes:
        raise ApiError(404, "NotFound", f"no machine is in zone {zone}")
    return sorted(nodes, key=lambda node: (is_member(node), node["metadata"]["name"]))


def partition(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} is cut off its network", annotate(client, NODES, "", name, PARTITIONED, "true"))


def rejoin(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} is plugged in again", annotate(client, NODES, "", name, PARTITIONED, None))


def control_planes(client: Client, namespace: str, name: str, form: dict) -> Done:
    return set_control_planes(client, form.get("count"))


def remove_node(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} is removed", delete(client, NODES, "", name))


ACTIONS: dict[str, Action] = {
    **STEERING,
    "kill": kill,
    "delete": delete_pod,
    "scale": scale,
    "image": set_image,
    "pause": pause,
    "resume": resume,
    "restart": restart,
    "undo": undo,
    "delete-deployment": delete_deployment,
    "cordon": cordon,
    "uncordon": uncordon,
    "drain": drain,
    "power-off": power_off,
    "power-on": power_on,
    "zone-off": zone_off,
    "zone-on": zone_on,
    "partition": partition,
    "rejoin": rejoin,
    "remove-node": remove_node,
    "control-planes": control_planes,
}


# A switch or a cable of a machine, in whose reach one is even while no API server answers.
HARDWARE = ("power-off", "power-on", "zone-off", "zone-on", "partition", "rejoin")


def perform(client: Client, name: str, form: dict) -> Done:
    """Do one act. Raises ApiError, also for an act that does not exist."""
    if name not in ACTIONS:
        raise ApiError(404, "NotFound", f"the board has no action {name}")
    if name in HARDWARE:
        client = Client(client.cluster, client.author, hardware=True)
    return ACTIONS[name](client, str(form.get("namespace") or ""), str(form.get("name") or ""), form)

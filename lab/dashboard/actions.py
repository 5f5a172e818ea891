"""What one can do on the board: each act is a function from a form to what was done, and the kubectl command for it.

That the command does the same as the act, a test finds out by running it (tests/dashboard/test_commands.py).
Every act goes through the client, as author "board": it is checked, stored and explained like anybody else's write.
"""

from lab.apimachinery.controlplane import PARTITIONED, POWER, is_member
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import ZONE_LABEL
from lab.client import Client

from .amending import AMENDING
from .controlplanes import set_control_planes
from .done import Action, Done, annotate, annotation, delete
from .drain import BLOCKS, MOVES, Item, checklist
from .steering import STEERING
from .wheels import TURNING
from .workloads import WORKS


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
    gone = [item for item in asked if client.evict(client.get(PODS, item.namespace, item.name), name)]
    held = [item.name for item in asked if item not in gone]
    stuck = [item.name for item in items if item.fate == BLOCKS and not force]
    leaving = "1 pod leaves" if len(gone) == 1 else f"{len(gone)} pods leave"
    message = f"{name} is cordoned; {leaving} it"
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


def switch(key: str, held: str | None, words: str) -> Action:
    """A switch or a cable of a machine is an annotation of its node."""
    return lambda client, namespace, name, form: Done(f"{name} {words}", annotate(client, NODES, "", name, key, held))


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


def control_planes(client: Client, namespace: str, name: str, form: dict) -> Done:
    return set_control_planes(client, form.get("count"))


def remove_node(client: Client, namespace: str, name: str, form: dict) -> Done:
    return Done(f"{name} is removed", delete(client, NODES, "", name))


ACTIONS: dict[str, Action] = {
    **STEERING,
    **WORKS,
    **TURNING,
    **AMENDING,
    "kill": kill,
    "delete": delete_pod,
    "cordon": cordon,
    "uncordon": uncordon,
    "drain": drain,
    "power-off": switch(POWER, "off", "loses its power"),
    "power-on": switch(POWER, None, "has power again"),
    "zone-off": zone_off,
    "zone-on": zone_on,
    "partition": switch(PARTITIONED, "true", "is cut off its network"),
    "rejoin": switch(PARTITIONED, None, "is plugged in again"),
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

"""One control plane or three: what clouds offer as a checkbox, and k3s as `k3s server` on two machines more."""

from lab.apimachinery.controlplane import CONTROL_PLANE, is_member
from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import NODES
from lab.apimachinery.labels import HOSTNAME_LABEL, RUNTIME_LABEL, ZONE_LABEL
from lab.client import Client

from .done import Done, create, delete
from .noderows import usual_runtime

ZONES = "abc"
CAPACITY = {"cpu": "2", "memory": "2Gi", "pods": "110"}


def set_control_planes(client: Client, count: object) -> Done:
    """Make the cluster have `count` (1 or 3) control-plane nodes, each in a zone of its own."""
    if not isinstance(count, int) or count not in (1, 3):
        raise bad_request("a cluster has one control plane, or three: two could not outvote one another")
    nodes = client.list(NODES)
    members = sorted(node["metadata"]["name"] for node in nodes if is_member(node))
    wanted = [f"control-plane-{zone}" for zone in ZONES[:count]]
    missing = [control_plane(name, usual_runtime(nodes)) for name in wanted if name not in members]
    commands = [create(client, NODES, missing)] if missing else []
    commands += [delete(client, NODES, "", name) for name in members if name not in wanted]
    return Done(f"the control plane is now {', '.join(wanted)}", "\n".join(commands))


def control_plane(name: str, runtime: str) -> dict:
    labels = {HOSTNAME_LABEL: name, CONTROL_PLANE: "", ZONE_LABEL: name[-1], RUNTIME_LABEL: runtime}
    taints = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
        "status": {"capacity": CAPACITY},
    }

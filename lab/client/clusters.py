"""Making and forgetting whole clusters: several live in one database, each with its own log."""

from lab.apimachinery.kinds import NAMESPACES, PRIORITYCLASSES, STORAGECLASSES
from lab.apimachinery.priorities import SYSTEM
from lab.apimachinery.volumes import DEFAULT_CLASS, DRIVER
from lab.store import create_cluster, delete_cluster

from .client import Client, Put
from .clusterroles import bootstrap_policy

# What every Kubernetes cluster has from its first second.
FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# The class of whoever asks for storage and names none. It waits for the first pod that mounts it because a volume lies
# on one engine: only when that pod has a node is it known on which. (kind's `standard` waits likewise.)
STANDARD = {
    "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
    "provisioner": DRIVER,
    "volumeBindingMode": "WaitForFirstConsumer",
}

__all__ = ["delete_cluster", "ensure_cluster"]


def ensure_cluster(name: str, author: str = "bootstrap") -> bool:
    """Make the cluster with its first namespaces, roles and classes of priority and storage; False if it was there.
    Finishes one that was left half-made, or that is older than some of these."""
    made = create_cluster(name)
    client = Client(name, author, hardware=True)  # a cluster whose control plane is off is there all the same
    missing = [ns for ns in FIRST_NAMESPACES if client.find(NAMESPACES, "", ns) is None]
    puts = [Put(NAMESPACES, {"metadata": {"name": ns}}) for ns in missing]
    lacking = [name for name in SYSTEM if client.find(PRIORITYCLASSES, "", name) is None]
    puts += [Put(PRIORITYCLASSES, {"metadata": {"name": name}, **SYSTEM[name]}) for name in lacking]
    # A class that was deleted stays so; one that a cluster never had, for it is older than volumes, it is given.
    if not client.list(STORAGECLASSES) and not client.history(STORAGECLASSES, "", STANDARD["metadata"]["name"]):
        puts.append(Put(STORAGECLASSES, STANDARD))
    # The roles come back, as in Kubernetes at each start of its API server.
    puts += [put for put in bootstrap_policy() if client.find(put.kind, "", put.object["metadata"]["name"]) is None]
    client.write(puts)
    return made

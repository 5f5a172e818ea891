"""Making and forgetting whole clusters: several live in one database, each with its own log."""

from collections.abc import Iterator

from django.conf import settings

from lab.apimachinery.kinds import (
    CONFIGMAPS,
    NAMESPACES,
    PRIORITYCLASSES,
    SERVICEACCOUNTS,
    STORAGECLASSES,
    WHEELS,
    Kind,
)
from lab.apimachinery.priorities import SYSTEM
from lab.apimachinery.volumes import DEFAULT_CLASS, DRIVER
from lab.apimachinery.wheels import LOOPS
from lab.store import create_cluster, delete_cluster

from .client import Client, Put
from .clusterroles import bootstrap_policy

# What every Kubernetes cluster has from its first second.
FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# What every namespace has, which its pods cannot do without; controllers see to the namespaces that come later.
ACCOUNT, ROOT_CA = "default", "kube-root-ca.crt"
USE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
# The class of whoever asks for storage and names none. It waits for the first pod that mounts it because a volume lies
# on one engine: only when that pod has a node is it known on which. (kind's `standard` waits likewise.)
STANDARD: dict = {
    "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
    "provisioner": DRIVER,
    "volumeBindingMode": "WaitForFirstConsumer",
}

__all__ = ["delete_cluster", "ensure_cluster", "furnish"]


def ensure_cluster(name: str, guard: str = "") -> bool:
    """Make the cluster with its first namespaces, roles and classes of priority and storage; False if it was there.
    Finishes one that was left half-made, or that is older than some of these. `guard`: see `admission/guard.py`."""
    made = create_cluster(name, guard)
    # A cluster whose control plane is off is there all the same.
    client = Client(name, author="bootstrap", hardware=True)
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


def furnish(name: str) -> None:
    """Give the first namespaces what their pods cannot do without, before the first pod (controllers would, too, but a
    moment later), and each control loop its wheel. One that was deleted comes back as its loop turns without
    it: Running."""
    client = Client(name, author="bootstrap", hardware=True)
    own = [each for ns in FIRST_NAMESPACES for each in _own(ns)]
    own += [(WHEELS, {"metadata": {"name": loop}}) for loop in LOOPS]  # so that there is something to patch
    own = [(kind, obj) for kind, obj in own if not _is_there(client, kind, obj)]
    client.write([Put(kind, obj) for kind, obj in own])


def account(namespace: str) -> dict:
    """The ServiceAccount of pods that name none."""
    return {"metadata": {"name": ACCOUNT, "namespace": namespace}}


def root_ca(namespace: str) -> dict:
    """The ConfigMap by which pods know the API server. Raises OSError where the lab has no authority."""
    meta = {"name": ROOT_CA, "namespace": namespace, "annotations": {"kubernetes.io/description": USE}}
    return {"metadata": meta, "data": {"ca.crt": (settings.PKI_DIR / "ca.crt").read_text()}}


def _own(namespace: str) -> Iterator[tuple[Kind, dict]]:
    yield SERVICEACCOUNTS, account(namespace)
    yield CONFIGMAPS, root_ca(namespace)


def _is_there(client: Client, kind: Kind, obj: dict) -> bool:
    return client.find(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) is not None

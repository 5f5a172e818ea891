"""Making and forgetting whole clusters: several live in one database, each with its own log."""

from lab.apimachinery.kinds import NAMESPACES
from lab.store import create_cluster, delete_cluster

from .client import Client, Put

# What every Kubernetes cluster has from its first second.
FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")

__all__ = ["delete_cluster", "ensure_cluster"]


def ensure_cluster(name: str, author: str = "bootstrap") -> bool:
    """Make the cluster with its first namespaces; False if it was there. Finishes one that was left half-made."""
    made = create_cluster(name)
    client = Client(name, author)
    missing = [ns for ns in FIRST_NAMESPACES if client.find(NAMESPACES, "", ns) is None]
    client.write([Put(NAMESPACES, {"metadata": {"name": ns}}) for ns in missing])
    return made

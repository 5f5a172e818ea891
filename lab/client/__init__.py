"""What client-go and controller-runtime are to Kubernetes: how every component reads, writes and reconciles.

May call the API server's registry and read the log to watch it. Must never write to the store past the registry,
nor know what any one controller does.
"""

from lab.apiserver.kubelet_token import gateway_token
from lab.apiserver.kubelet_token import is_token as is_kubelet_token
from lab.apiserver.kubelet_token import token as kubelet_token
from lab.store import Change, LostFence, UnknownCluster, View, deleted_clusters, wait_for_any, wait_for_revision

from .client import Client, Put, cluster_names
from .following import Follower
from .locks import Lock
from .standby import Standby

__all__ = [
    "Change",
    "Client",
    "Follower",
    "Lock",
    "LostFence",
    "Put",
    "Standby",
    "UnknownCluster",
    "View",
    "cluster_names",
    "deleted_clusters",
    "gateway_token",
    "is_kubelet_token",
    "kubelet_token",
    "wait_for_any",
    "wait_for_revision",
]

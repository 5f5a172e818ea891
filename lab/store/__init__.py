"""What etcd is to Kubernetes (k3s keeps it in SQL with kine, which is the model here): one log of revisions.

May read and append to the log and say that it grew. Must never know what a Pod is (of a Lease, `compaction` knows that
it is a heartbeat), nor change what a row says once it is written.
Only `apiserver` and the watching half of `client` open this room.
"""

from .compaction import compact
from .hints import subscribe, wait_for_any, wait_for_revision
from .log import (
    IS_OURS,
    Conflict,
    Fence,
    LostFence,
    Write,
    append,
    cluster_names,
    create_cluster,
    delete_cluster,
    deleted_clusters,
    heads,
)
from .past import (
    Ahead,
    Row,
    beginning,
    changes,
    effects,
    find,
    history,
    lineage,
    revision_at,
    row_at,
    rows_at,
    state_at,
    time_of,
)
from .view import Change, Compacted, Head, UnknownCluster, View, head_of, view

__all__ = [
    "IS_OURS",
    "Ahead",
    "Change",
    "Compacted",
    "Conflict",
    "Fence",
    "Head",
    "LostFence",
    "Row",
    "UnknownCluster",
    "View",
    "Write",
    "append",
    "changes",
    "cluster_names",
    "compact",
    "create_cluster",
    "delete_cluster",
    "deleted_clusters",
    "effects",
    "find",
    "head_of",
    "heads",
    "beginning",
    "history",
    "lineage",
    "revision_at",
    "row_at",
    "rows_at",
    "state_at",
    "subscribe",
    "time_of",
    "view",
    "wait_for_any",
    "wait_for_revision",
]

"""The scheduler's own picture of a cluster, kept up to date change by change: Kubernetes' scheduler cache.

Room that a pod was promised by preemption (`status.nominatedNodeName`) is kept here too: Kubernetes' nominator.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from lab.apimachinery import meta
from lab.apimachinery.budgets import Budget
from lab.apimachinery.pods import is_finished

from .nodeinfo import NodeInfo, parse_node
from .podinfo import PodInfo, PodInfos, PodInstance

SCHEDULER_NAME = "default-scheduler"


class Cache:
    """Nodes with their pods, and the pods that wait for a node. Fed with `set_…` and `remove_…`, in any order."""

    def __init__(self, default_strategy: str):
        self.default_strategy = default_strategy
        self.nodes: dict[str, NodeInfo] = {}
        self.pending: dict[str, tuple[dict, PodInstance]] = {}  # key → pod, as read, and as the scheduler sees it
        self.namespaces: dict[str, dict[str, str]] = {}  # name → labels
        self.budgets: list[Budget] = []
        self.image_nodes: Counter[str] = Counter()  # image → how many nodes have it
        self.next_start = 0  # where the next search through a large cluster begins, so that each node has its turn
        self._infos = PodInfos()
        self._ordered: list[NodeInfo] | None = None
        self._domains: dict[str, dict[str, int]] = {}
        self._homes: dict[str, str] = {}  # pod's key → name of the node that it is counted on
        self._homeless: dict[str, dict[str, PodInstance]] = {}  # of pods whose node is not (or no longer) known
        self._promises: dict[str, NodeInfo] = {}  # pod's key → the node on which it is nominated
        self._owned: dict[str, set[str]] = defaultdict(set)  # owner's uid → keys of its pods that have a node
        self._with_terms: set[str] = set()  # keys of pods that have a node, and affinity terms
        self._priorities: Counter[int] = Counter()

    # Reading.

    def ordered(self) -> list[NodeInfo]:
        """The nodes by name; each one's `order` is its place here."""
        if self._ordered is None:
            self._ordered = sorted(self.nodes.values(), key=lambda node: node.name)
            for order, node in enumerate(self._ordered):
                node.order = order
        return self._ordered

    def domains(self, key: str) -> dict[str, int]:
        """The values that this label has on any node, each with 0, to count by. A new dict each time."""
        if key not in self._domains:
            self._domains[key] = {node.labels[key]: 0 for node in self.ordered() if key in node.labels}
        return self._domains[key].copy()

    @property
    def lowest_priority(self) -> int:
        """Of all pods that have a node; a very high one if there is none."""
        return min((priority for priority, pods in self._priorities.items() if pods), default=2**31)

    def image_shares(self) -> dict[str, float]:
        """image → the share of all nodes that have it."""
        return {image: count / len(self.nodes) for image, count in self.image_nodes.items()}

    def strategy_of(self, info: PodInfo) -> str:
        return info.strategy or self.default_strategy

    def placed_pods(self) -> Iterator[tuple[PodInstance, NodeInfo]]:
        """All pods with their nodes."""
        return ((pod, node) for node in self.nodes.values() for pod in node.pods.values())

    def pods_of(self, owner: str) -> Iterator[tuple[PodInstance, NodeInfo]]:
        """The pods of one owner with their nodes."""
        return self._with_nodes(self._owned.get(owner, ()))

    def pods_with_terms(self) -> Iterator[tuple[PodInstance, NodeInfo]]:
        """The pods that want others near or far, with their nodes: those that matter even to a pod that does not."""
        return self._with_nodes(self._with_terms)

    def _with_nodes(self, keys: Iterable[str]) -> Iterator[tuple[PodInstance, NodeInfo]]:
        nodes = ((key, self.nodes.get(self._homes[key])) for key in keys)
        return ((node.pods[key], node) for key, node in nodes if node)

    # Taking in what the log says.

    def set_node(self, node: dict) -> None:
        new, old = parse_node(node), self.nodes.get(node["metadata"]["name"])
        here = old.pods if old else self._homeless.pop(new.name, {})
        for pod in here.values():
            new.add(pod)
        self.nodes[new.name] = new
        self.image_nodes.update(new.images.keys())
        if old is None:
            self._ordered = None
            self._domains.clear()
            return
        self.image_nodes.subtract(old.images.keys())
        new.order, new.nominated = old.order, old.nominated
        self._promises.update(dict.fromkeys(new.nominated, new))
        if self._ordered is not None:
            self._ordered[old.order] = new
        if new.labels != old.labels:
            self._domains.clear()

    def remove_node(self, name: str) -> None:
        node = self.nodes.pop(name, None)
        if node:
            for key in list(node.nominated):
                self.forget_promise(key)
            self._homeless[name] = node.pods
            self.image_nodes.subtract(node.images.keys())
            self._ordered = None
            self._domains.clear()

    def set_pod(self, pod: dict) -> None:
        key, home = meta.key_of(pod), pod["spec"].get("nodeName")
        self.remove_pod(key)
        if is_finished(pod):
            return
        if home:
            self._settle(home, self.scheduled(pod))
        elif is_pending(pod):
            me = self.scheduled(pod)
            self.pending[key] = pod, me
            if promised := pod.get("status", {}).get("nominatedNodeName"):
                self.nominate(promised, me)

    def remove_pod(self, key: str) -> None:
        """The pod is gone, or about to be described anew."""
        self.pending.pop(key, None)
        self.forget_promise(key)
        home = self._homes.pop(key, None)
        if home is None:
            return
        node = self.nodes.get(home)
        pod = node.remove(key) if node else self._homeless[home].pop(key)
        self._owned[pod.info.owner].discard(key)
        self._with_terms.discard(key)
        self._priorities[pod.info.priority] -= 1

    def scheduled(self, pod: dict) -> PodInstance:
        """The pod as something that takes room on a node."""
        metadata, status = pod["metadata"], pod.get("status", {})
        started = status.get("startTime") or metadata.get("creationTimestamp") or ""
        info = self._infos.of(pod, self.namespaces.get(metadata.get("namespace", ""), {}))
        return PodInstance(meta.key_of(pod), metadata.get("uid", ""), info, started, meta.is_deleting(pod))

    def _settle(self, name: str, pod: PodInstance) -> None:
        self._homes[pod.key] = name
        if pod.info.has_terms:
            self._with_terms.add(pod.key)
        self._priorities[pod.info.priority] += 1
        if pod.info.owner:
            self._owned[pod.info.owner].add(pod.key)
        node = self.nodes.get(name)
        if node:
            node.add(pod)
        else:
            self._homeless.setdefault(name, {})[pod.key] = pod

    # What the scheduler itself has decided.

    def assume(self, pod: PodInstance, node: NodeInfo) -> None:
        """Count a pending pod as bound to the node; what the store says later confirms or corrects it."""
        del self.pending[pod.key]
        self.forget_promise(pod.key)
        self._settle(node.name, pod)

    def nominate(self, node_name: str, pod: PodInstance) -> None:
        """Promise the pod room on the node, for when the pods that it preempts there are gone."""
        self.forget_promise(pod.key)
        node = self.nodes.get(node_name)
        if node:
            node.nominated[pod.key] = pod
            self._promises[pod.key] = node

    def promise_to(self, key: str) -> NodeInfo | None:
        """The node where the pod was promised room: the one it is nominated for."""
        return self._promises.get(key)

    def forget_promise(self, key: str) -> None:
        node = self._promises.pop(key, None)
        if node:
            del node.nominated[key]

    def tidy(self) -> None:
        """Forget what was parsed for pods that no longer exist, and owners that have none left."""
        if len(self._infos) > 2 * (len(self._homes) + len(self.pending)) + 100:
            placed = (pod for pod, _ in self.placed_pods())
            waiting = (pod for _, pod in self.pending.values())
            self._infos.forget_all_but({id(pod.info) for pod in (*placed, *waiting)})
        if len(self._owned) > 2 * len(self._homes) + 100:
            self._owned = defaultdict(set, {owner: keys for owner, keys in self._owned.items() if keys})


def is_pending(pod: dict) -> bool:
    """Whether the pod is waiting for this scheduler: without a node, not on its way out, not held by a gate."""
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", SCHEDULER_NAME) == SCHEDULER_NAME
        and not meta.is_deleting(pod)
        and not spec.get("schedulingGates")
    )

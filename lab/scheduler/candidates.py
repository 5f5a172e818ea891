"""The nodes as pods of one kind see them: who would do, and in which order of preference.

`evaluate` is the definition: every filter, then every score, on every node. In a small cluster that is done for each
pod. In a large one it is done once for a whole batch of equal pods: then nodes wait in a heap, and a pod that is
placed changes the score of its own node, and, where topology matters, of its domain; the rest stands. There, as in
Kubernetes, a sample of the nodes that would do is enough to choose from (percentageOfNodesToScore).
"""

import heapq
from collections import Counter
from typing import NamedTuple

from . import scores
from .cache import Cache
from .filters import Reasons, dynamic_reasons, static_reasons
from .nodeinfo import NodeInfo
from .podinfo import PodInfo, Scheduled
from .scores import WEIGHTS, scaled, scaled_affinity, scaled_spread
from .topology import Topology

EXACT_NODES = 100  # up to so many nodes, each pod is compared with all of them anew
# In larger clusters, scores that are relative to the other nodes are brought up to date when the extreme to which
# they are relative has grown so many times.
TOLERANCE = 2
Entry = tuple[float, int, int]  # minus the score, pods there, order: the smallest is the best


class Facts(NamedTuple):
    """What holds of a node for this kind of pod whatever pods come or go: an objection, and raw scores."""

    reasons: Reasons
    taints: int
    affinity: int
    image: int


class Group:
    """Nodes that are alike in every wide label which matters here: one verdict and one score for all of them."""

    def __init__(self, labels: dict[str, str], topology: Topology):
        self.labels = labels
        self.heap: list[Entry] = []
        self.fitting = 0  # nodes that have no objection of their own
        self.score = 0.0
        self.look(topology)

    def look(self, topology: Topology) -> None:
        self.reasons: Reasons = topology.reasons(self.labels, wide=True) if topology.needed else ()
        self.crowd, self.liking = topology.raw_scores(self.labels, wide=True) if topology.needed else (0.0, 0.0)


class Candidates:
    """The nodes, seen by pods of one PodInfo. After each placement, of whichever pod, call `placed`."""

    def __init__(self, pod: PodInfo, cache: Cache, wanted: int = 1):
        """`wanted`: how many such pods are to be placed in this run."""
        self.pod = pod
        self.nodes = cache.ordered()
        self.exact = len(self.nodes) <= EXACT_NODES
        strategy = cache.strategy_of(pod)
        self.resources = scores.RESOURCE_SCORES.get(strategy, scores.least_allocated)
        # Packing and spreading are opposites: who asks to pack is not spread unless the pod itself says so.
        self.topology = Topology(pod, cache, spread_owner=strategy != scores.MOST_ALLOCATED)
        self._image_shares = cache.image_shares() if cache.image_nodes else {}
        self._facts: dict[int, Facts] = {}
        self._enough = max(wanted, enough_nodes(len(self.nodes)))
        self._start = cache.next_start % len(self.nodes) if self.nodes else 0
        self.evaluate()
        cache.next_start = self._start + len(self.reasons)

    def evaluate(self) -> None:
        """Ask every filter about the nodes, and every score about those that would do."""
        self.outdated = False
        self.wide_keys = self.topology.wide_keys()
        self.groups: dict[tuple, Group] = {}
        self.group_of: dict[int, Group] = {}
        self.reasons: dict[int, Reasons] = {}  # of the nodes that were asked: their own objections
        self.tally: Counter[Reasons] = Counter()
        self.raw: dict[int, tuple[float, float]] = {}
        self.entries: dict[int, Entry | None] = {}
        self._verdicts: dict[int, tuple[Entry, dict]] = {}
        fit = self._ask()
        self._find_extremes(fit)
        for order, reasons in self.reasons.items():
            if not reasons:
                self.entries[order] = self._entry(order)
                self.group_of[order].heap.append(self.entries[order])
        for group in self.groups.values():
            heapq.heapify(group.heap)

    def _ask(self) -> list[int]:
        """Put the filters to one node after the other, until enough have been found that would do: their orders."""
        fit = []
        for node in (*self.nodes[self._start :], *self.nodes[: self._start]):
            if len(fit) >= self._enough:
                break
            group = self._group(node)
            reasons = self._node_reasons(node)
            self.group_of[node.order] = group
            self.reasons[node.order] = reasons
            if reasons:
                self.tally[reasons] += 1
                continue
            group.fitting += 1
            if self.topology.scoring:
                self.raw[node.order] = self.topology.raw_scores(node.labels, wide=False)
            if not group.reasons:
                fit.append(node.order)
        return fit

    def _group(self, node: NodeInfo) -> Group:
        values = tuple([node.labels.get(key) for key in self.wide_keys])
        group = self.groups.get(values)
        if group is None:
            group = self.groups[values] = Group(node.labels, self.topology)
        return group

    def _node_reasons(self, node: NodeInfo) -> Reasons:
        """What the node's own description, its pods and its host's name have against the pod."""
        facts = self._facts.get(node.order) or self._look(node)
        here = node.with_nominated(self.pod.priority) if node.nominated else node
        reasons = facts.reasons or dynamic_reasons(self.pod, here)
        if not reasons and self.topology.needed:
            reasons = self.topology.reasons(node.labels, wide=False)
        return reasons

    def _look(self, node: NodeInfo) -> Facts:
        pod = self.pod
        facts = self._facts[node.order] = Facts(
            static_reasons(pod, node),
            scores.prefer_no_schedule(pod, node) if node.taints else 0,
            scores.preferred_node_affinity(pod, node) if pod.preferred_nodes else 0,
            scores.image_locality(pod, node, self._image_shares) if node.images else 0,
        )
        return facts

    def _find_extremes(self, fit: list[int]) -> None:
        """To what the relative scores are relative: the most and the least among the nodes that would do."""
        self.most_taints = max((self._facts[order].taints for order in fit), default=0)
        self.most_affinity = max((self._facts[order].affinity for order in fit), default=0)
        raw = [self._sums(order) for order in fit] if self.raw else ()
        self.fewest = min((crowd for crowd, _ in raw), default=0.0)
        self.most = max((crowd for crowd, _ in raw), default=0.0)
        self.least_liked = min((liking for _, liking in raw), default=0.0)
        self.most_liked = max((liking for _, liking in raw), default=0.0)
        span = self.most_liked - self.least_liked
        self._per_pod = scores.HIGHEST * WEIGHTS["PodTopologySpread"] / self.most if self.most else 0.0
        self._per_liking = scores.HIGHEST * WEIGHTS["InterPodAffinity"] / span if span else 0.0
        for group in self.groups.values():
            self._rate(group)

    def _sums(self, order: int) -> tuple[float, float]:
        """A node's crowd and liking, its own and its group's together."""
        (crowd, liking), group = self.raw[order], self.group_of[order]
        return crowd + group.crowd, liking + group.liking

    def _rate(self, group: Group) -> None:
        """The part of the relative scores that is the same for a whole group: they are sums, so they can be split."""
        group.score = group.liking * self._per_liking - group.crowd * self._per_pod

    def _entry(self, order: int) -> Entry:
        node, facts = self.nodes[order], self._facts[order]
        score = self.resources(self.pod, node) + scores.balanced_allocation(self.pod, node) + facts.image
        if self.most_taints:
            score += WEIGHTS["TaintToleration"] * scaled(facts.taints, self.most_taints, reverse=True)
        if self.most_affinity:
            score += WEIGHTS["NodeAffinity"] * scaled(facts.affinity, self.most_affinity)
        if self._per_pod or self._per_liking:
            crowd, liking = self.raw[order]
            score += liking * self._per_liking - crowd * self._per_pod
        return (-score, len(node.pods), order)

    def placed(self, pod: Scheduled, node: NodeInfo) -> None:
        """A pod, of this kind or another, has been placed on the node since the evaluation."""
        matters = self.topology.matters(pod)
        if matters:
            self.outdated |= self.topology.count(pod, node, 1)
        self.outdated |= self.exact
        if self.outdated:
            return
        if node.order in self.reasons:
            self._reconsider(node)
        if matters and self.wide_keys:
            self._verdicts.clear()
            for group in self.groups.values():
                group.look(self.topology)
                self._rate(group)
        if self.raw and self.entries.get(node.order):
            crowd, liking = self._sums(node.order)
            reach = (self.most_liked - self.least_liked) * TOLERANCE
            self.outdated = (
                crowd > self.most * TOLERANCE or liking - self.least_liked > reach or self.most_liked - liking > reach
            )

    def _reconsider(self, node: NodeInfo) -> None:
        order, group = node.order, self.group_of[node.order]
        before, reasons = self.reasons[order], self._node_reasons(node)
        if before != reasons:
            self.reasons[order] = reasons
            self.tally[before] -= bool(before)
            self.tally[reasons] += bool(reasons)
            group.fitting += bool(before) - bool(reasons)
        if reasons:
            self.entries[order] = None
            return
        if self.topology.scoring:
            self.raw[order] = self.topology.raw_scores(node.labels, wide=False)
        self.entries[order] = self._entry(order)
        heapq.heappush(group.heap, self.entries[order])

    def best(self) -> NodeInfo | None:
        """The node that suits best; among equals the one with fewer pods, then the first by name.

        Kubernetes draws lots among equals. Here the same cluster always decides the same, so that a decision can be
        predicted, and repeated.
        """
        if self.outdated:
            self.evaluate()
        tops = [self._top(group) for group in self._open_groups()]
        if not tops and len(self.reasons) < len(self.nodes):
            self._enough = len(self.nodes)  # the sample is used up: ask everyone
            self.evaluate()
            tops = [self._top(group) for group in self._open_groups()]
        return self.nodes[min(tops)[2]] if tops else None

    def _open_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if group.fitting and not group.reasons]

    def _top(self, group: Group) -> Entry:
        """The group's best entry, past those that a newer one has replaced."""
        heap = group.heap
        while self.entries[heap[0][2]] is not heap[0]:
            heapq.heappop(heap)
        score, pods, order = heap[0]
        return score - group.score, pods, order

    def ranked(self, count: int) -> list[NodeInfo]:
        """The best `count` nodes, best first."""
        found: list[Entry] = []
        for group in self._open_groups():
            found += [(score - group.score, pods, order) for score, pods, order in self._walk(group.heap, count)]
        return [self.nodes[order] for _, _, order in heapq.nsmallest(count, found)]

    def _walk(self, heap: list[Entry], count: int) -> list[Entry]:
        """The first `count` valid entries of a heap in order: each entry's successors are its two children."""
        found, frontier, entries = [], [(heap[0], 0)], self.entries
        while frontier and len(found) < count:
            entry, at = heapq.heappop(frontier)
            if entries[entry[2]] is entry:
                found.append(entry)
            for child in range(2 * at + 1, min(2 * at + 3, len(heap))):
                heapq.heappush(frontier, (heap[child], child))
        return found

    def counts(self) -> Counter[Reasons]:
        """Reasons → number of the nodes asked that object for them."""
        counts = +self.tally
        for group in self.groups.values():
            if group.reasons and group.fitting:
                counts[group.reasons] += group.fitting
        return counts

    def reasons_of(self, node: NodeInfo) -> Reasons:
        """Why this node, which was asked, would not do; empty if it would."""
        return self.reasons[node.order] or self.group_of[node.order].reasons

    def verdict(self, node: NodeInfo) -> dict:
        """Of a node that would do, as data: each plugin's weighted points, without those that make no difference."""
        entry = self.entries[node.order]
        known = self._verdicts.get(node.order)
        if known and known[0] is entry:
            return known[1]
        parts = {plugin: round(WEIGHTS[plugin] * score, 1) for plugin, score in self._points(node).items()}
        total = round(sum(parts.values()), 1)
        verdict = {"node": node.name, "fits": True, "reasons": [], "scores": parts, "total": total}
        self._verdicts[node.order] = entry, verdict
        return verdict

    def _points(self, node: NodeInfo) -> dict[str, float]:
        pod, facts = self.pod, self._facts[node.order]
        points: dict[str, float] = {
            "NodeResourcesFit": self.resources(pod, node),
            "NodeResourcesBalancedAllocation": scores.balanced_allocation(pod, node),
        }
        if self.most_taints:
            points["TaintToleration"] = scaled(facts.taints, self.most_taints, reverse=True)
        if self.most_affinity:
            points["NodeAffinity"] = scaled(facts.affinity, self.most_affinity)
        if self._image_shares:
            points["ImageLocality"] = facts.image
        if self.raw:
            crowd, liking = self._sums(node.order)
            if self.topology.soft:
                points["PodTopologySpread"] = scaled_spread(crowd, self.fewest, self.most)
            if self.most_liked > self.least_liked:
                points["InterPodAffinity"] = scaled_affinity(liking, self.least_liked, self.most_liked)
        return points


def enough_nodes(nodes: int) -> int:
    """How many nodes that would do are enough to choose from. Source: numFeasibleNodesToFind: from all 100 down to
    5 % of the largest clusters, but never fewer than 100."""
    if nodes <= EXACT_NODES:
        return nodes
    return max(EXACT_NODES, nodes * max(50 - nodes // 125, 5) // 100)

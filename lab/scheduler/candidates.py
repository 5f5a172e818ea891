"""The nodes as pods of one kind see them: which would do (are feasible), and in which order of preference.

`evaluate` is the definition: every filter, then every score, on every node. In a small cluster that is done for each
pod. In a large one it is done once for a whole batch of equal pods: then nodes wait in a heap, and a pod that is
placed changes the score of its own node, and, where topology matters, of its domain; the rest stands. There, as in
Kubernetes, a sample of the nodes that would do is enough to choose from (percentageOfNodesToScore).
"""

import heapq
from collections import Counter

from . import scores
from .cache import Cache
from .filters import NOT_NAMED, Reasons, dynamic_reasons, static_reasons
from .group import Entry, Group, extremes
from .nodeinfo import NodeInfo
from .podinfo import PodInfo, PodInstance
from .sampling import enough_nodes, is_exact
from .scale import Facts, Scale
from .topology import Topology

# How many times an extreme may grow, in larger clusters, before the scores relative to it are brought up to date.
TOLERANCE = 2
NOT_HEARD: Reasons = ("not heard yet",)


class Candidates:
    """The nodes, seen by pods of one PodInfo. After each placement, or promise, to whichever pod, call `placed` or
    `promised`."""

    def __init__(self, pod: PodInfo, cache: Cache, wanted: int = 1):
        """`wanted`: how many such pods are to be placed in this run."""
        self.pod = pod
        self.nodes = cache.ordered()
        self.asked = self.nodes if pod.named_nodes is None else [n for n in self.nodes if n.name in pod.named_nodes]
        self.exact = is_exact(len(self.nodes))
        strategy = cache.strategy_of(pod)
        self.resources = scores.RESOURCE_SCORES.get(strategy, scores.least_allocated)
        # Packing and spreading are opposites: who asks to pack is not spread unless the pod itself says so.
        spread_owner = strategy != scores.MOST_ALLOCATED and len(self.asked) > 1
        self.topology = Topology(pod, cache, spread_owner)
        self.image_shares = cache.image_shares() if cache.image_nodes else {}
        self.facts: dict[int, Facts] = {}
        self.own: dict[int, tuple[int, int]] = {}  # room and balance on the node itself
        self.scale = Scale([], [], [])
        self.said: dict[int, bytes] = {}  # what `diagnosis` says of a node, while it holds
        self._enough = max(wanted, enough_nodes(len(self.asked)))  # one search serves all that are wanted
        self._start = cache.next_start % len(self.asked) if self.asked else 0
        self.evaluate()
        cache.next_start = self._start + len(self.reasons)

    def evaluate(self) -> None:
        """Ask every filter about the nodes, and every score about those that would do."""
        self.outdated = False
        self.said_of_all: dict | None = None  # what `diagnosis` says of all nodes together, while it holds
        self.wide_keys = self.topology.wide_keys()
        self.groups: dict[tuple, Group] = {}
        self.group_of: dict[int, Group] = {}
        self.reasons: dict[int, Reasons] = {}  # of the nodes that were asked: their own objections
        self.tally: Counter[Reasons] = Counter()
        self._ask()
        self._rate()

    def _ask(self) -> None:
        """Put the filters to one node after the other, until enough have been found that would do."""
        found = 0
        for node in (*self.asked[self._start :], *self.asked[: self._start]):
            if found >= self._enough:
                break
            group = self.group_of[node.order] = self._group(node)
            reasons = self.reasons[node.order] = self._node_reasons(node)
            if reasons:
                self.tally[reasons] += 1
            else:
                group.fitting += 1
                found += not group.reasons

    def _rate(self) -> None:
        """Score all nodes that would do, relative to each other as they are now."""
        self.stale = False
        fitting = [order for order, reasons in self.reasons.items() if not reasons]
        fit = [order for order in fitting if not self.group_of[order].reasons]
        if self.topology.soft:
            self.topology.weigh([self.nodes[order].labels for order in fit if not self.group_of[order].left_out])
            for group in self.groups.values():
                group.look(self.topology)
        self.raw: dict[int, tuple[float, float]] = {}  # crowd and liking on the node itself, where anything counts them
        if self.topology.scoring:
            self.raw = {o: self.topology.raw_scores(self.nodes[o].labels, wide=False) for o in fitting}
        sums = [self.sums(order) for order in fit] if self.raw else []
        left_out = [self.group_of[order].left_out for order in fit] if self.raw else []
        before, self.scale = self.scale, Scale([self.facts[order] for order in fit], sums, left_out)
        if self.raw or self.scale.extremes != before.extremes:
            self.said.clear()
        crowds, likings = zip(*(self.raw[order] for order in fit), strict=True) if self.raw and fit else ([0.0], [0.0])
        self._top_crowd, self._least_liked, self._most_liked = max(crowds), min(likings), max(likings)
        self._rated = self._reach()
        self.entries: dict[int, Entry] = {}
        for group in self.groups.values():
            group.heap = []
            self._rate_group(group)
        for order in fitting:
            entry = self.entries[order] = self._entry(order)
            self.group_of[order].heap.append(entry)
        for group in self.groups.values():
            heapq.heapify(group.heap)

    def _group(self, node: NodeInfo) -> Group:
        values = tuple([node.labels.get(key) for key in self.wide_keys])
        group = self.groups.get(values)
        if group is None:
            group = self.groups[values] = Group(node.labels, self.topology)
        return group

    def _node_reasons(self, node: NodeInfo) -> Reasons:
        """What the node's own description, its pods and its host's name have against the pod."""
        facts = self.facts.get(node.order) or self._look(node)
        promised = node.promised(self.pod.priority) if node.nominated else []
        reasons = facts.reasons or dynamic_reasons(self.pod, node.after(promised) if promised else node)
        if not reasons and self.topology.needed:
            reasons = self.topology.reasons(node.labels, wide=False)
        if not reasons and promised:
            with self.topology.counting(promised, node):
                reasons = self.topology.reasons(node.labels, wide=False)
        return reasons

    def _look(self, node: NodeInfo) -> Facts:
        pod = self.pod
        facts = self.facts[node.order] = Facts(
            static_reasons(pod, node),
            scores.prefer_no_schedule(pod, node) if node.taints else 0,
            scores.preferred_node_affinity(pod, node) if pod.preferred_nodes else 0,
            scores.image_locality(pod, node, self.image_shares) if node.images else 0,
        )
        return facts

    def _reach(self) -> tuple[float, float]:
        """The largest crowd, and how far likings are apart, as far as can be told without looking at each node."""
        _, least_liked, most, most_liked = extremes(self.groups.values())
        return most + self._top_crowd, most_liked + self._most_liked - least_liked - self._least_liked

    def sums(self, order: int) -> tuple[float, float]:
        """A node's crowd and liking, its own and its group's together."""
        (crowd, liking), group = self.raw[order], self.group_of[order]
        return crowd + group.crowd, liking + group.liking

    def _rate_group(self, group: Group) -> None:
        """The part of the relative scores that is the same for a whole group: they are sums, so they can be split."""
        group.score = self.scale.domain_rank(group.crowd, group.liking)
        if group.left_out:
            group.score -= self.scale.spread_offset

    def _entry(self, order: int) -> Entry:
        node, facts = self.nodes[order], self.facts[order]
        room, balance = self.own[order] = self.resources(self.pod, node), scores.balanced_allocation(self.pod, node)
        score: float = room + balance + facts.image
        if self.scale.relative:
            score += self.scale.rank(facts)
        if self.raw:
            score += self.scale.domain_rank(*self.raw[order])
        return (-score, len(node.pods), order)

    def placed(self, pod: PodInstance, node: NodeInfo) -> None:
        """A pod, of this kind or another, has been placed on the node since the evaluation."""
        matters = self.topology.matters(pod)
        if matters:
            self.outdated |= self.topology.count(pod, node, 1)
            self.said, self.said_of_all = {}, None if self.topology.filtering() else self.said_of_all
        self.promised(node)
        if self.outdated or not matters:
            return
        if self.wide_keys:
            before = extremes(self.groups.values())
            for group in self.groups.values():
                group.look(self.topology)
                self._rate_group(group)
            after = extremes(self.groups.values())
            self.scale.shift(after[0] - before[0], after[1] - before[1])
        if self.raw and node.order in self.entries:
            crowd, liking = self.raw[node.order]
            self._top_crowd, self._most_liked = max(self._top_crowd, crowd), max(self._most_liked, liking)
            self._least_liked = min(self._least_liked, liking)
        most, span = self._reach()
        self.stale |= most > self._rated[0] * TOLERANCE or span > self._rated[1] * TOLERANCE

    def promised(self, node: NodeInfo) -> None:
        """Room on the node has been promised, or taken, since the evaluation."""
        self.said.pop(node.order, None)
        self.outdated |= self.exact
        if not self.outdated and node.order in self.reasons:
            self._reconsider(node)

    def _reconsider(self, node: NodeInfo) -> None:
        """Ask about one node anew, or for the first time."""
        order, group = node.order, self.group_of.get(node.order) or self._join(node)
        before, reasons = self.reasons[order], self._node_reasons(node)
        if before != reasons:
            self.said_of_all = None
            self.reasons[order] = reasons
            self.tally[before] -= bool(before)
            self.tally[reasons] += bool(reasons)
            group.fitting += bool(before) - bool(reasons)
        if reasons:
            self.entries.pop(order, None)
            return
        if self.topology.scoring:
            self.raw[order] = self.topology.raw_scores(node.labels, wide=False)
        entry = self.entries[order] = self._entry(order)
        heapq.heappush(group.heap, entry)

    def _join(self, node: NodeInfo) -> Group:
        """Count a node among those asked, as one that would not do, until it has been heard."""
        group = self.group_of[node.order] = self._group(node)
        self.reasons[node.order] = NOT_HEARD
        self.tally[NOT_HEARD] += 1
        return group

    def consider(self, node: NodeInfo) -> None:
        """Room that was kept free on this node is so no longer."""
        self._bring_up_to_date()
        self._reconsider(node)

    def _bring_up_to_date(self) -> None:
        if self.outdated:
            self.evaluate()
        elif self.stale:
            self._rate()

    def best(self) -> NodeInfo | None:
        """The node that suits best; among equals the one with fewer pods, then the first by name.

        Kubernetes draws lots among equals. Here the same cluster always decides the same, so that a decision can be
        predicted, and repeated.
        """
        self._bring_up_to_date()
        tops = [self._top(group) for group in self._open_groups()]
        if not tops and len(self.reasons) < len(self.asked):
            self._enough = len(self.asked)  # the sample is used up: ask everyone
            self.evaluate()
            tops = [self._top(group) for group in self._open_groups()]
        return self.nodes[min(tops)[2]] if tops else None

    def _open_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if group.fitting and not group.reasons]

    def _top(self, group: Group) -> Entry:
        """The group's best entry, past those that a newer one has replaced."""
        heap = group.heap
        while self.entries.get(heap[0][2]) is not heap[0]:
            heapq.heappop(heap)
        score, pods, order = heap[0]
        return score - group.score, pods, order

    def ranked(self, count: int) -> list[NodeInfo]:
        """The best `count` of the nodes that would do, best first."""
        if count >= len(self.entries):
            groups = self.group_of
            every = [(s - groups[o].score, pods, o) for s, pods, o in self.entries.values() if not groups[o].reasons]
            return [self.nodes[order] for _, _, order in sorted(every)]
        # In a heap each entry's successors are among its two children, so that nothing needs to be sorted.
        frontier: list[tuple[float, int, int, int, Group]] = []
        for group in self._open_groups():
            heapq.heappush(frontier, (*self._top(group), 0, group))
        found: list[NodeInfo] = []
        while frontier:
            _, _, order, at, group = heapq.heappop(frontier)
            if self.entries.get(order) is group.heap[at]:
                found.append(self.nodes[order])
                if len(found) == count:
                    break
            at += at + 1
            for score, pods, other in group.heap[at : at + 2]:
                heapq.heappush(frontier, (score - group.score, pods, other, at, group))
                at += 1
        return found

    def total(self, node: NodeInfo) -> float:
        """The score of a node that would do."""
        score, _, _ = self.entries[node.order]
        return self.scale.offset(bool(self.topology.soft)) + self.group_of[node.order].score - score

    def feasible(self) -> int:
        """How many of the nodes asked would do."""
        return sum([group.fitting for group in self.groups.values() if not group.reasons])

    def counts(self) -> dict[Reasons, int]:
        """Reasons → number of the nodes asked that object for them."""
        counts = {reasons: count for reasons, count in self.tally.items() if count}
        if len(self.asked) < len(self.nodes):
            counts[(NOT_NAMED,)] = len(self.nodes) - len(self.asked)
        for group in self.groups.values():
            if group.reasons and group.fitting:
                counts[group.reasons] = counts.get(group.reasons, 0) + group.fitting
        return counts

    def reasons_of(self, node: NodeInfo) -> Reasons:
        """Why this node would not do; empty if it would. Of a pod that fits nowhere, all nodes were asked."""
        if node.order not in self.reasons:
            return (NOT_NAMED,)
        return self.reasons[node.order] or self.group_of[node.order].reasons

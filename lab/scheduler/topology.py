"""Filters and scores that look at where other pods are: PodTopologySpread and InterPodAffinity.

Both count pods per *domain*: per value of a node label (the topology key) such as the host's name or the zone. A
Topology holds the counts that matter to pods of one PodInfo, and keeps them right as pods come and go, as Kubernetes
does in the PreFilter state of these plugins with AddPod and RemovePod. A node's raw scores are its *crowd*, for
PodTopologySpread: how many alike are in its domains; and its *liking*, for InterPodAffinity: the weights of those there
that the pod prefers to have near, or that prefer to have it.

Terms on the host's name are kept apart from all others ("wide" ones): a pod that comes changes the former for one
node only, the latter for a whole domain at once. A node that fails by both is said to fail by the former.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from lab.apimachinery.labels import HOSTNAME_LABEL, ZONE_LABEL

from .cache import Cache
from .filters import Reasons, node_affinity, taint_toleration
from .nodeinfo import NodeInfo
from .podinfo import AffinityTerm, PodInfo, PodInstance, SpreadConstraint
from .spread import Spread

AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"
HARD_AFFINITY_WEIGHT = 1  # what a pod's required affinity is worth to those that it wants near: hardPodAffinityWeight
# What Kubernetes does for pods of a ReplicaSet or a Service that say nothing themselves: spread them over hosts and
# zones as well as it goes. Which pods belong together is told by their owner here, by selectors there.
DEFAULT_SPREAD = (
    SpreadConstraint(HOSTNAME_LABEL, max_skew=3, hard=False, selects=None),
    SpreadConstraint(ZONE_LABEL, max_skew=5, hard=False, selects=None),
)
Counts = dict[str, dict[str, int]]  # topology key → its value → pods, or weight


class Topology:
    """Where the pods are that matter to pods of one kind (`pod`). Read through `reasons` and `raw_scores`."""

    def __init__(self, pod: PodInfo, cache: Cache, spread_owner: bool = True):
        self.pod = pod
        defaults = () if pod.spread or not (spread_owner and pod.owner) else DEFAULT_SPREAD
        self.spreads = [self._open(constraint, cache) for constraint in (*pod.spread, *defaults)]
        self.soft = [spread for spread in self.spreads if not spread.constraint.hard]
        hard = [spread for spread in self.spreads if spread.constraint.hard]
        self._hard = {wide: [s for s in hard if s.wide == wide] for wide in (False, True)}
        self._soft = {wide: [s for s in self.soft if s.wide == wide] for wide in (False, True)}
        self._asked_labels = {constraint.key for constraint in pod.spread if not constraint.hard}
        self.near: Counts = defaultdict(dict)  # those whom its affinity asks for
        self.apart: Counts = defaultdict(dict)  # those whom its anti-affinity names
        self.kept_away: Counts = defaultdict(dict)  # those whose anti-affinity names it
        self.liking: Counts = defaultdict(dict)
        self._effects: dict[PodInfo, list[tuple[Counts | Spread, str, int]]] = {}
        self._starts_a_group = all(term.matches(pod) for term in pod.affinity)
        self.needed = bool(self.spreads or pod.has_terms)
        for other, node in self._who_matters(cache):
            self.count(other, node, 1)

    def _who_matters(self, cache: Cache) -> Iterable[tuple[PodInstance, NodeInfo]]:
        """The pods to be counted: all, unless it is plain that most of them make no difference."""
        owner = self.pod.owner
        if self.pod.spread or self.pod.has_terms:
            return cache.placed_pods()
        if not self.spreads:
            return cache.pods_with_terms()
        strangers = (each for each in cache.pods_with_terms() if each[0].info.owner != owner)
        return chain(cache.pods_of(owner), strangers)

    @property
    def scoring(self) -> bool:
        """Whether there is anything to prefer one node over another for."""
        return bool(self.soft or self.liking)

    def _open(self, constraint: SpreadConstraint, cache: Cache) -> Spread:
        """The constraint with its domains; those whose nodes the pod cannot use anyway do not count, if so asked."""
        pod = self.pod
        picky = constraint.honor_affinity and (pod.node_selector or pod.required_nodes is not None)
        needed = {c.key for c in pod.spread if c.hard == constraint.hard}
        if not (picky or constraint.honor_taints or constraint.hard or needed - {constraint.key}):
            return Spread(constraint, self._counted(constraint, pod), cache.domains(constraint.key))
        usable = {}
        for node in cache.ordered():
            outside = (picky and node_affinity(pod, node)) or (constraint.honor_taints and taint_toleration(pod, node))
            if not outside and constraint.key in node.labels and needed <= node.labels.keys():
                usable[node.name] = node.labels[constraint.key]
        return Spread(constraint, self._counted(constraint, pod), dict.fromkeys(usable.values(), 0), usable.keys())

    def _counted(self, constraint: SpreadConstraint, other: PodInfo) -> bool:
        if constraint.selects is None:
            return other.owner == self.pod.owner
        return other.namespace == self.pod.namespace and constraint.selects.matches(other.labels)

    def matters(self, other: PodInstance) -> bool:
        """Whether it makes any difference to this pod where the other one is."""
        return bool(self._effects_of(other.info))

    def count(self, other: PodInstance, node: NodeInfo, by: int) -> bool:
        """A pod came to the node (`by` 1) or left it (-1). True if that may change more than this one node's
        verdict and the sums of its domains: then all nodes must be asked again."""
        effects = self._effects_of(other.info)
        before = self._everywhere()
        for table, key, amount in effects:
            if isinstance(table, Spread):
                if not other.deleting:
                    table.count(node, by)
            elif (domain := node.labels.get(key)) is not None:
                values = table[key]
                values[domain] = values.get(domain, 0) + by * amount
                if not values[domain]:
                    del values[domain]
                if not values:
                    del table[key]
        self.needed = self.needed or bool(effects)
        return before != self._everywhere()

    @contextlib.contextmanager
    def counting(self, others: Iterable[PodInstance], node: NodeInfo) -> Iterator[None]:
        """For a while, as if these had come to the node."""
        for other in others:
            self.count(other, node, 1)
        try:
            yield
        finally:
            for other in others:
                self.count(other, node, -1)

    def _everywhere(self) -> tuple:
        """What concerns each node, wherever it is."""
        fewest = [spread.fewest for spread in self._hard[False]]
        return fewest, bool(self.near), self.wide_keys(), bool(self.liking)

    def _effects_of(self, other: PodInfo) -> list[tuple["Counts | Spread", str, int]]:
        """Everything that one pod of `other`'s kind adds to the counts of the domains that it is in."""
        effects = self._effects.get(other)
        if effects is not None:
            return effects
        pod = self.pod
        effects = [(s, s.constraint.key, 1) for s in self.spreads if self._counted(s.constraint, other)]
        if pod.affinity and all(term.matches(other) for term in pod.affinity):
            effects += [(self.near, key, 1) for key in {term.key for term in pod.affinity}]
        effects += [(self.apart, term.key, 1) for term in pod.anti_affinity if term.matches(other)]
        effects += [(self.kept_away, term.key, 1) for term in other.anti_affinity if term.matches(pod)]
        effects += [(self.liking, term.key, term.weight) for term in pod.preferred if term.matches(other)]
        effects += [(self.liking, term.key, term.weight) for term in other.preferred if term.matches(pod)]
        effects += [(self.liking, term.key, HARD_AFFINITY_WEIGHT) for term in other.affinity if term.matches(pod)]
        self._effects[other] = effects
        return effects

    def wide_keys(self) -> tuple[str, ...]:
        """The labels, other than the host's name, on which anything depends."""
        keys = {s.constraint.key for s in self.spreads} | {term.key for term in self.pod.affinity}
        for table in (self.apart, self.kept_away, self.liking):
            if table:
                keys.update(table)
        return tuple(sorted(keys - {HOSTNAME_LABEL}))

    def reasons(self, labels: dict[str, str], wide: bool) -> Reasons:
        """Why a node with these labels is no place: by its wide labels only, or by its host's name only."""
        if not self.filtering():
            return ()
        for spread in self._hard[wide]:
            if why := spread.reasons(labels):
                return why
        for term in self.pod.affinity:
            if wide == (term.key != HOSTNAME_LABEL) and not self._near(term, labels):
                return (AFFINITY,)
        for table, reason in ((self.apart, ANTI_AFFINITY), (self.kept_away, EXISTING_ANTI_AFFINITY)):
            for key, values in table.items():
                if wide == (key != HOSTNAME_LABEL) and key in labels and values.get(labels[key]):
                    return (reason,)
        return ()

    def filtering(self) -> bool:
        """Whether anything of it keeps the pod from a node."""
        return bool(self.apart or self.kept_away or self.pod.affinity or self._hard[True] or self._hard[False])

    def _near(self, term: AffinityTerm, labels: dict[str, str]) -> bool:
        """Whether the pods it wants to be near are in this domain; the first of a group that wants to be near its
        own kind may start anywhere."""
        if term.key not in labels:
            return False
        if term.key in self.near and self.near[term.key].get(labels[term.key]):
            return True
        return self._starts_a_group and not self.near

    def leaves_out(self, labels: dict[str, str]) -> bool:
        """Whether PodTopologySpread has no points for such a node: it lacks a label by which to spread the pod."""
        return not self._asked_labels <= labels.keys()

    def weigh(self, labels: list[dict[str, str]]) -> None:
        """Give each soft constraint its weight, by the labels of the nodes that would do."""
        for spread in self.soft:
            spread.weigh(labels)

    def raw_scores(self, labels: dict[str, str], wide: bool) -> tuple[float, float]:
        """(spread: how many like it are there, so less is better; affinity: sum of weights, more is better)."""
        crowd = 0.0
        if not self.leaves_out(labels):
            for spread in self._soft[wide]:
                crowd += spread.crowd(labels)
        liking = 0
        for key, values in self.liking.items():
            if wide == (key != HOSTNAME_LABEL) and key in labels:
                liking += values.get(labels[key], 0)
        return crowd, liking

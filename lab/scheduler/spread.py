"""One topology spread constraint at work: how many pods it counts in each domain."""

import math
from collections import Counter
from collections.abc import Container, Iterable

from lab.apimachinery.labels import HOSTNAME_LABEL

from .filters import Reasons
from .nodeinfo import NodeInfo
from .podinfo import SpreadConstraint

SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_MISSING_LABEL = SPREAD + " (missing required label)"


class Spread:
    """The pods per domain that one constraint counts, and the fewest that any domain has."""

    def __init__(
        self, constraint: SpreadConstraint, own: bool, domains: dict[str, int], nodes: Container[str] | None = None
    ):
        """`own`: whether the pod to be placed will itself be counted. `domains`: each with 0. `nodes`: the names of
        those that take part; None: all."""
        self.constraint = constraint
        self.wide = constraint.key != HOSTNAME_LABEL
        self.pods = domains
        self.weight = 1.0
        self._own = int(own)
        self._nodes = nodes
        self._domains_with = Counter({0: len(domains)})  # number of pods → how many domains have it
        self._fewest = 0

    def count(self, node: NodeInfo, by: int) -> None:
        """A pod came to this node, or (-1) left it."""
        domain = node.labels.get(self.constraint.key)
        if domain not in self.pods or (self._nodes is not None and node.name not in self._nodes):
            return
        before = self.pods[domain]
        after = self.pods[domain] = before + by
        self._domains_with[before] -= 1
        self._domains_with[after] += 1
        self._fewest = min(self._fewest, after)
        while not self._domains_with[self._fewest]:
            self._fewest += 1

    def weigh(self, labels: Iterable[dict[str, str]]) -> None:
        """Constraints with many domains have few pods in each: the weight makes up for it. `labels`: those of the nodes
        that would do, for only their domains are chosen from. Source: topologyNormalizingWeight."""
        self.weight = math.log(len({each.get(self.constraint.key) for each in labels}) + 2)

    @property
    def fewest(self) -> int:
        """The global minimum; 0 while there are fewer domains than asked for, so that pods wait for the others."""
        return self._fewest if len(self.pods) >= self.constraint.min_domains else 0

    def reasons(self, labels: dict[str, str]) -> Reasons:
        """The filter: with the pod here, no domain may have more than maxSkew pods above the one with the fewest."""
        domain = labels.get(self.constraint.key)
        if domain is None:
            return (SPREAD_MISSING_LABEL,)
        skew = self.pods.get(domain, 0) + self._own - self.fewest
        return (SPREAD,) if skew > self.constraint.max_skew else ()

    def crowd(self, labels: dict[str, str]) -> float:
        """The raw score: less is better. Nothing for a node outside all domains."""
        domain = labels.get(self.constraint.key)
        if domain is None:
            return 0.0
        return self.pods.get(domain, 0) * self.weight + self.constraint.max_skew - 1

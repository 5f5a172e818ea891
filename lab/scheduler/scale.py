"""What relative scores are relative to: the most and the least that any node has which would do."""

from collections.abc import Hashable
from typing import NamedTuple

from .filters import Reasons
from .scores import HIGHEST, WEIGHTS, scaled, scaled_affinity, scaled_spread


class Facts(NamedTuple):
    """What holds of a node for one kind of pod whatever pods come or go: an objection, and raw scores."""

    reasons: Reasons
    taints: int
    affinity: int
    image: int


class Scale:
    """The extremes among some nodes. What is the same for all of them is left out of a rank and added to a total."""

    def __init__(self, facts: list[Facts], sums: list[tuple[float, float]], left_out: list[bool]):
        """`sums`: crowd and liking of each node (`Topology.raw_scores`), or none where nothing counts them; `left_out`:
        whether it is left out of the former."""
        self.most_taints = max((each.taints for each in facts), default=0)
        self.most_affinity = max((each.affinity for each in facts), default=0)
        crowds = [crowd for (crowd, _), out in zip(sums, left_out, strict=True) if not out] or [0.0]
        likings = [liking for _, liking in sums] or [0.0]
        self.fewest, self.most = min(crowds), max(crowds)
        self.least_liked, self.most_liked = min(likings), max(likings)
        self._said: dict[tuple[float, float], dict[str, float]] = {}
        self.said: dict[Hashable, bytes] = {}  # by `diagnosis`: a node's numbers → what is said of it, but for its name
        span = self.most_liked - self.least_liked
        self.per_pod = HIGHEST * WEIGHTS["PodTopologySpread"] / self.most if self.most else 0.0
        self.per_liking = HIGHEST * WEIGHTS["InterPodAffinity"] / span if span else 0.0

    def shift(self, crowd: float, liking: float) -> None:
        """All of the nodes have got that much more."""
        self.fewest += crowd
        self.least_liked += liking
        self.most_liked += liking
        self.said.clear()
        self._said.clear()

    @property
    def relative(self) -> bool:
        """Whether scores that do not depend on pods tell one node from another."""
        return bool(self.most_taints or self.most_affinity)

    @property
    def extremes(self) -> tuple[int, int]:
        """All that the points of a node are relative to where nothing counts pods."""
        return self.most_taints, self.most_affinity

    def rank(self, facts: Facts) -> float:
        """The relative scores that do not depend on pods, weighted."""
        points = 0.0
        if self.most_taints:
            points += WEIGHTS["TaintToleration"] * scaled(facts.taints, self.most_taints, reverse=True)
        if self.most_affinity:
            points += WEIGHTS["NodeAffinity"] * scaled(facts.affinity, self.most_affinity)
        return points

    def domain_rank(self, crowd: float, liking: float) -> float:
        """Of those that do: what tells one node, or domain, from another, weighted. It may be taken in parts."""
        return liking * self.per_liking - crowd * self.per_pod

    @property
    def spread_offset(self) -> float:
        """What PodTopologySpread gives a node, less its rank by it."""
        return HIGHEST * WEIGHTS["PodTopologySpread"] + self.fewest * self.per_pod

    def offset(self, spreads: bool) -> float:
        """A total less its rank. `spreads`: whether PodTopologySpread has a say."""
        return (self.spread_offset if spreads else 0.0) - self.least_liked * self.per_liking

    def points(self, facts: Facts) -> dict[str, float]:
        """Plugin → weighted points, of those that do not depend on pods and make any difference."""
        points: dict[str, float] = {}
        if self.most_taints:
            points["TaintToleration"] = scaled(facts.taints, self.most_taints, reverse=True)
        if self.most_affinity:
            points["NodeAffinity"] = scaled(facts.affinity, self.most_affinity)
        return weighted(points)

    def domain_points(self, crowd: float, liking: float, spreads: bool) -> dict[str, float]:
        """Plugin → weighted points, of those that do. Many nodes have the same sums, so they share what is said."""
        said = self._said.get((crowd, liking))
        if said is None:
            points: dict[str, float] = {}
            if spreads:
                points["PodTopologySpread"] = scaled_spread(crowd, self.fewest, self.most)
            if self.most_liked > self.least_liked:
                points["InterPodAffinity"] = scaled_affinity(liking, self.least_liked, self.most_liked)
            said = self._said[crowd, liking] = weighted(points)
        return said


def weighted(points: dict[str, float]) -> dict[str, float]:
    """As they are added up, to a tenth."""
    return {plugin: round(WEIGHTS[plugin] * score, 1) for plugin, score in points.items()}

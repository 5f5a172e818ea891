"""Nodes that are alike as far as topology goes, kept in a heap, the best on top.

Three zones of a thousand hosts are three groups: a pod that comes to a zone changes three sums, not a thousand.
"""

from collections.abc import Collection

from .filters import Reasons
from .topology import Topology

Entry = tuple[float, int, int]  # minus the score, pods there, order: the smallest is the best


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
        self.left_out = topology.leaves_out(self.labels)


def extremes(groups: Collection[Group]) -> tuple[float, float, float, float]:
    """The least crowd and liking that any has, and the most of either, without what nodes have of their own."""
    crowds, likings = [group.crowd for group in groups] or [0.0], [group.liking for group in groups] or [0.0]
    return min(crowds), min(likings), max(crowds), max(likings)

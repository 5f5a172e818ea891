"""Saying it: why a pod fits nowhere, in kube-scheduler's words, and what a decision was made of, as data."""

from collections import Counter

from .candidates import Candidates
from .filters import NODE_AFFINITY, NODE_UNSCHEDULABLE, Reasons
from .nodeinfo import NodeInfo
from .spread import SPREAD_MISSING_LABEL
from .topology import AFFINITY

NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
RUNNERS_UP = 10
# Objections that do not go away when pods do: UnschedulableAndUnresolvable.
UNRESOLVABLE = (NODE_UNSCHEDULABLE, NODE_AFFINITY, AFFINITY, SPREAD_MISSING_LABEL)
UNTOLERATED = "node(s) had untolerated taint"


def is_resolvable(reasons: Reasons) -> bool:
    """Whether removing pods from the node might help."""
    return not any(why in UNRESOLVABLE or why.startswith(UNTOLERATED) for why in reasons)


def fit_error(nodes: int, reasons: dict[str, int], postfilter: str = "") -> str:
    """`0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` and what preemption says."""
    if not nodes:
        return NO_NODES
    listed = ", ".join(sorted(f"{count} {why}" for why, count in reasons.items()))
    message = f"0/{nodes} nodes are available:" + (f" {listed}." if listed else "")
    return f"{message} {postfilter}" if postfilter else message


def histogram(counts: dict[Reasons, int]) -> dict[str, int]:
    """Reason → nodes that give it. A node with two reasons counts under both."""
    total: Counter[str] = Counter()
    for reasons, count in counts.items():
        for why in reasons:
            total[why] += count
    return dict(total)


def explain(candidates: Candidates, chosen: NodeInfo | None) -> dict:
    """The decision as data, to be stored with it: each node's verdict, or in large clusters the counts and the best.

    `{"chosen", "evaluated": nodes, "counts": {reason: nodes}, "nodes": [{"node", "fits", "reasons",
    "scores": {plugin: points}, "total"}]}`, best first, then those that objected, by name.
    """
    nodes = candidates.nodes
    fitting = candidates.ranked(len(nodes) if candidates.exact else RUNNERS_UP)
    verdicts = [candidates.verdict(node) for node in fitting]
    if candidates.exact:
        objecting = [(node, candidates.reasons_of(node)) for node in nodes]
        verdicts += [{"node": n.name, "fits": False, "reasons": list(why)} for n, why in objecting if why]
    return {
        "chosen": chosen.name if chosen else None,
        "evaluated": len(candidates.reasons),
        "counts": histogram(candidates.counts()),
        "nodes": verdicts,
    }

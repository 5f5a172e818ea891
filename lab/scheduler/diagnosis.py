"""Saying it: why a pod fits nowhere, in kube-scheduler's words, and what a decision was made of, as data."""

from collections import Counter

from .candidates import Candidates
from .filters import UNTOLERATED, Reasons
from .nodeinfo import NodeInfo

ALL_TAINTS = UNTOLERATED + "(s)"
NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
RUNNERS_UP = 10


def fit_error(nodes: int, reasons: dict[str, int], postfilter: str = "") -> str:
    """`0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` and what preemption says.

    Which taints they are is not said: whoever may read a pod need not know the nodes (since Kubernetes 1.35).
    """
    if not nodes:
        return NO_NODES
    said: Counter[str] = Counter()
    for why, count in reasons.items():
        said[ALL_TAINTS if why.startswith(UNTOLERATED) else why] += count
    listed = ", ".join(sorted(f"{count} {why}" for why, count in said.items()))
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
    """The decision as data, to be stored with it: `{"chosen", "evaluated": nodes, "counts": {reason: nodes}, "nodes"}`.

    `nodes` has one entry a node, best first, then those that objected: `{"node", "fits": True, "total", "scores":
    {plugin: points}}` or `{"node", "fits": False, "reasons"}`. In large clusters only the best ten are there, and
    `scores` only of the one chosen.
    """
    exact, nodes = candidates.exact, candidates.nodes
    ranked = candidates.ranked(len(nodes) if exact else RUNNERS_UP)
    if chosen and chosen not in [node for node, _ in ranked]:  # room was made on it: it need not be the best
        ranked.append((chosen, candidates.total(chosen)))
    verdicts = []
    for node, total in ranked:
        verdict = {"node": node.name, "fits": True, "total": round(total, 1)}
        if exact or node is chosen:
            verdict["scores"] = candidates.points(node)
        verdicts.append(verdict)
    if exact:
        objecting = [(node, candidates.reasons_of(node)) for node in nodes]
        verdicts += [{"node": n.name, "fits": False, "reasons": list(why)} for n, why in objecting if why]
    return {
        "chosen": chosen.name if chosen else None,
        "evaluated": len(candidates.reasons),
        "counts": histogram(candidates.counts()),
        "nodes": verdicts,
    }

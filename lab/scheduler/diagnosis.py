"""Saying it: why a pod fits nowhere, in kube-scheduler's words, and what a decision was made of, as data."""

from collections import Counter

import orjson

from .candidates import Candidates
from .filters import INSUFFICIENT, UNTOLERATED, Reasons, lacking
from .nodeinfo import NodeInfo
from .podinfo import PodInfo

ALL_TAINTS = UNTOLERATED + "(s)"
NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
# Of how many nodes a decision tells: what is written of a pod must not cost more than a tenth of finding it a node.
BEST = 10  # that would do
BEST_OF_MANY = 2  # in large clusters: the one chosen, and the runner-up
EXAMPLES = 10  # of those that object alike


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
    total: dict[str, int] = {}
    for reasons, count in counts.items():
        for why in reasons:
            total[why] = total.get(why, 0) + count
    return total


def explain(candidates: Candidates, chosen: NodeInfo | None) -> dict:
    """The decision as data, to be stored with it: `{"decision", "chosen", "evaluated": nodes, "feasible": those of them
    that would do, "counts": {reason: nodes}, "nodes"}`. `decision`: "Schedule", with "promised" where preemption had
    made room there; "Unschedulable"; or "Preempt", which `batch` makes of that, with "nominated" and "victims".

    `nodes` has an entry a node, best first, then those that objected: `{"node", "fits": True, "total", "scores":
    {plugin: points}}` or `{"node", "fits": False, "reasons"}`, where room is lacking with "lacks": {resource: how much
    more would have to be free, in thousandths of a core, else in whole units}. Of up to ten nodes all are there; of
    more, the best ten, and of those that give the same reasons the first ten. In large clusters those who object are
    only counted. They are JSON already: many pods are told the same of the same nodes, and it is kept until it is
    stored.
    """
    fitting = candidates.ranked(BEST if candidates.exact else BEST_OF_MANY)
    if chosen and chosen not in fitting:  # room was made on it: it need not be the best
        fitting.append(chosen)
    said = candidates.said
    of_all = candidates.said_of_all or _sums(candidates)
    verdicts = [said.get(node.order) or _verdict(candidates, node) for node in fitting]
    if candidates.exact and of_all["counts"]:
        verdicts += _objecting(candidates)
    return {
        "decision": "Schedule" if chosen else "Unschedulable",
        "chosen": chosen.name if chosen else None,
        **of_all,
        "nodes": orjson.Fragment(b"[%b]" % b",".join(verdicts)),
    }


def _sums(candidates: Candidates) -> dict:
    """What is said of all nodes together; kept, for in a large cluster it is seldom different for the next pod."""
    sums = candidates.said_of_all = {
        "evaluated": len(candidates.reasons),
        "feasible": candidates.feasible(),
        "counts": histogram(candidates.counts()),
    }
    return sums


def _objecting(candidates: Candidates) -> list[bytes]:
    """Some of the nodes that would not do: of all that give the same reasons, the first few."""
    alike: Counter[Reasons] = Counter()
    found = []
    for node in candidates.nodes:
        reasons = candidates.reasons_of(node)
        if reasons and alike[reasons] < EXAMPLES:
            alike[reasons] += 1
            found.append(orjson.dumps(_objection(candidates.pod, node, reasons)))
    return found


def _objection(pod: PodInfo, node: NodeInfo, why: Reasons) -> dict:
    said = {"node": node.name, "fits": False, "reasons": list(why)}
    lacks = lacking(pod, node) if any(reason.startswith(INSUFFICIENT) for reason in why) else {}
    return {**said, "lacks": lacks} if lacks else said


def _verdict(candidates: Candidates, node: NodeInfo) -> bytes:
    """What is said of a node that would do; kept, for it is often said again of the next pod, and all but its name of
    nodes alike."""
    order = node.order
    numbers: tuple = candidates.own[order], candidates.facts[order]
    if candidates.raw:
        (crowd, liking), group = candidates.raw[order], candidates.group_of[order]
        numbers += crowd + group.crowd, liking + group.liking, group.left_out
    alike = candidates.scale.said.get(numbers)
    if alike is None:
        told = {"fits": True, "total": round(candidates.total(node), 1), "scores": points(candidates, order)}
        alike = candidates.scale.said[numbers] = orjson.dumps(told)[1:]
    verdict = candidates.said[order] = node.said + alike
    return verdict


def points(candidates: Candidates, order: int) -> dict[str, float]:
    """How a node's total comes about: each plugin's weighted points, without those that make no difference."""
    pod, facts, scale = candidates.pod, candidates.facts[order], candidates.scale
    room, balance = candidates.own[order]
    found: dict[str, float] = {"NodeResourcesFit": room}
    if pod.cpu or pod.memory:
        found["NodeResourcesBalancedAllocation"] = balance
    if candidates.image_shares:
        found["ImageLocality"] = facts.image
    if scale.relative:
        found |= scale.points(facts)
    if candidates.raw:
        found |= scale.domain_points(*candidates.sums(order), bool(candidates.topology.soft))
        if candidates.group_of[order].left_out:
            found["PodTopologySpread"] = 0
    return found

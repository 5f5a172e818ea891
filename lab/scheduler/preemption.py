"""Preemption: a pod that fits nowhere may make room by removing pods of lower priority.

As in kube-scheduler's DefaultPreemption: on each node where that could help, remove all lower pods on trial; if the
pod fits then, give back ("reprieve") as many as possible, the most important first, but before all others those whose
disruption budget does not let them go; who is left are the victims. Then choose the node on which the least is lost: a
budget is broken only where there is no other way. The pod is promised the room (`nominatedNodeName`) and waits until
they are gone.

Who is on the way out anyway is no loss here, and worth waiting for; Kubernetes waits only for those preempted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lab.apimachinery.budgets import Budget, beyond

from .candidates import Candidates
from .diagnosis import NO_VICTIMS, NOT_HELPFUL, fit_error, histogram
from .filters import (
    INSUFFICIENT,
    NODE_AFFINITY,
    NODE_UNSCHEDULABLE,
    NOT_NAMED,
    UNTOLERATED,
    VOLUME_CONFLICT,
    Reasons,
    never_fits,
)
from .nodeinfo import NodeInfo
from .podinfo import PodInfo, PodInstance
from .spread import SPREAD_MISSING_LABEL
from .topology import AFFINITY
from .trial import Trial

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
# How many nodes it is worth weighing against each other: minCandidateNodesPercentage and -Absolute.
LEAST_CANDIDATES_SHARE, LEAST_CANDIDATES = 0.1, 100
# Objections that do not go away when pods do: UnschedulableAndUnresolvable.
UNRESOLVABLE = (NODE_UNSCHEDULABLE, NODE_AFFINITY, NOT_NAMED, VOLUME_CONFLICT, AFFINITY, SPREAD_MISSING_LABEL)


@dataclass(frozen=True)
class Preemption:
    """What was decided: the node that is promised with those who have to leave it; or, without one, why not."""

    node: NodeInfo | None = None
    victims: tuple[PodInstance, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Loss:
    """What it would cost to make room on a node: who has to leave, and how many of them against their budget."""

    victims: tuple[PodInstance, ...]
    violations: int = 0


def preempt(
    pod: PodInstance,
    candidates: Candidates,
    lowest: int,
    nominated: NodeInfo | None,
    budgets: Iterable[Budget] = (),
) -> Preemption:
    """Find the pod a node to make room on.

    `lowest`: the lowest priority of any pod that has a node. `nominated`: where this one was promised room before.
    """
    if not pod.info.may_preempt:
        return Preemption(message=f"preemption: {NEVER}")
    if nominated and _is_being_cleared(nominated, pod.info, candidates):
        return Preemption(nominated, message=f"preemption: {TERMINATING}")
    counts: Counter[Reasons] = Counter()
    found: list[tuple[NodeInfo, Loss]] = []
    enough = max(LEAST_CANDIDATES, int(len(candidates.nodes) * LEAST_CANDIDATES_SHARE))
    for node in candidates.nodes:
        if not is_resolvable(candidates.reasons_of(node), pod.info, node):
            counts[(NOT_HELPFUL,)] += 1
            continue
        # The usual case, quickly: nobody in the whole cluster is less important.
        loss = loss_on(node, pod, candidates, budgets) if lowest < pod.info.priority else (NO_VICTIMS,)
        if isinstance(loss, Loss):
            found.append((node, loss))
            if len(found) >= enough and any(not each.violations for _, each in found):
                break
        else:
            counts[loss] += 1
    if not found:
        return Preemption(message="preemption: " + fit_error(len(candidates.nodes), histogram(counts)))
    node, loss = min(found, key=_weight)
    return Preemption(node, loss.victims)


def _is_being_cleared(nominated: NodeInfo, pod: PodInfo, candidates: Candidates) -> bool:
    """Whether pods are still on their way out of the node that was promised, and it is worth waiting for them."""
    leaving = any(other.deleting and other.info.priority < pod.priority for other in nominated.pods.values())
    return leaving and is_resolvable(candidates.reasons_of(nominated), pod, nominated)


def is_resolvable(reasons: Reasons, pod: PodInfo, node: NodeInfo) -> bool:
    """Whether removing pods from the node might help one to which it has these objections."""
    if any(why in UNRESOLVABLE or why.startswith(UNTOLERATED) for why in reasons):
        return False
    return not (any(why.startswith(INSUFFICIENT) for why in reasons) and never_fits(pod, node))


def loss_on(node: NodeInfo, pod: PodInstance, candidates: Candidates, budgets: Iterable[Budget]) -> Loss | Reasons:
    """Who would have to leave this node for the pod, the most important first; or why even that would not help."""
    lower = [other for other in node.pods.values() if other.info.priority < pod.info.priority]
    if not lower:
        return (NO_VICTIMS,)
    with Trial(node, pod, candidates.topology) as trial:
        for other in lower:
            trial.remove(other)
        if reasons := trial.reasons():
            return reasons
        lower.sort(key=_importance)
        held = beyond(budgets, ((other.key, other.info.labels) for other in lower if not other.deleting))
        victims = []
        for other in sorted(lower, key=lambda each: each.key not in held):
            trial.give_back(other)
            # Who is on the way out already is no loss, and no room that can be given back.
            if other.deleting or trial.reasons():
                trial.remove(other)
                victims.append(other)
        return Loss(tuple(sorted(victims, key=_importance)), sum(victim.key in held for victim in victims))


def _importance(pod: PodInstance) -> tuple[int, str]:
    """Sorts the most important first: higher priority, then who has run for longer."""
    return -pod.info.priority, pod.started


def _weight(found: tuple[NodeInfo, Loss]) -> tuple:
    """Sorts the least loss first: the fewest against their budget, the lowest of the highest priorities, the lowest
    sum, the fewest, then those who started last. Source: pickOneNodeForPreemption."""
    node, loss = found
    new = [victim for victim in loss.victims if not victim.deleting]
    if not new:
        return (float("-inf"),)
    highest = max(victim.info.priority for victim in new)
    earliest = min(victim.started for victim in new if victim.info.priority == highest)
    offset = 2**31  # so that one victim more always counts for more, however low its priority
    return (
        loss.violations,
        highest,
        sum(v.info.priority + offset for v in new),
        len(new),
        _reversed(earliest),
        node.order,
    )


def _reversed(text: str) -> tuple[int, ...]:
    return tuple(-ord(character) for character in text)

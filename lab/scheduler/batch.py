"""One run of the scheduler: every pod that waits, the most important first, against all nodes. Pure: it decides only.

Kubernetes takes one pod after the other from its queue: one scheduling cycle each. Here all that wait have theirs in
one run, so that all their bindings can be stored in one transaction; each still sees the room that those before it have
left, for a pod that was given a node is "assumed" to be there (kube-scheduler's Reserve).
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .cache import Cache
from .candidates import Candidates
from .diagnosis import explain, fit_error, histogram
from .filters import static_reasons
from .nodeinfo import NodeInfo
from .podinfo import PodInfo, PodInstance
from .preemption import Preemption, preempt
from .trial import Trial

KINDS_IN_MEMORY = 16  # of how many kinds of pods the candidates are kept during a run: 5,000 nodes take up to 2.5 MB
PREEMPTIONS_A_RUN = 50  # each weighs many nodes, so that more of them would keep all others waiting

Binding = tuple[dict, str, dict]  # pod, node's name, the decision as data


@dataclass(frozen=True)
class Unschedulable:
    """A pod that fits nowhere: what is said of it, and the room that is being made for it, if any."""

    pod: dict
    message: str
    why: dict
    nominated: str = ""  # the node that it is promised
    victims: tuple[PodInstance, ...] = ()


@dataclass
class Outcome:
    """What a run decided: the placements, and the pods that fit nowhere."""

    bindings: list[Binding] = field(default_factory=list)
    unschedulable: list[Unschedulable] = field(default_factory=list)
    displaced: list[str] = field(default_factory=list)  # keys of pods whose promise went to a more important one
    unfinished: bool = False  # the time was over before all had been considered


def schedule(cache: Cache, keys: Iterable[str], seconds: float = float("inf")) -> Outcome:
    """Place the pending pods of these keys; the cache takes the placements for done. Unknown keys are passed over.

    After so many `seconds` the rest is left for another run: what has been decided by then had better be stored.
    """
    waiting = [cache.pending[key] for key in keys if key in cache.pending]
    return Run(cache).place(in_order(waiting), time.monotonic() + seconds)


def in_order(waiting: list[tuple[dict, PodInstance]]) -> list[tuple[dict, PodInstance]]:
    """Higher priority first, then who has waited longer: Kubernetes' PrioritySort. Of those created in the same
    second, the pods of one kind side by side: what was worked out for one is then at hand for the next."""

    def rank(each: tuple[dict, PodInstance]) -> tuple[int, str]:
        pod, me = each
        return -me.info.priority, pod["metadata"].get("creationTimestamp") or ""

    waiting = sorted(waiting, key=lambda each: (*rank(each), each[1].key))
    kinds: dict[PodInfo, int] = {}
    for _, me in waiting:
        kinds.setdefault(me.info, len(kinds))
    return sorted(waiting, key=lambda each: (*rank(each), kinds[each[1].info]))


class Run:
    """A run in progress: the candidates of each kind of pod, and how far each has heard of the placements so far."""

    def __init__(self, cache: Cache):
        self.cache = cache
        self.outcome = Outcome()
        self.changes: list[tuple[PodInstance | None, NodeInfo]] = []  # who was placed where; None: was promised room
        self.preemptions = 0
        self._hopeless: dict[PodInfo, Preemption] = {}
        self._candidates: OrderedDict[PodInfo, tuple[Candidates, int]] = OrderedDict()
        self._wanted: Counter[PodInfo] = Counter()

    def place(self, queue: list[tuple[dict, PodInstance]], until: float) -> Outcome:
        self._wanted.update(me.info for _, me in queue)
        for pod, me in queue:
            self._place(pod, me)
            if time.monotonic() > until:
                self.outcome.unfinished = me is not queue[-1][1]
                break
        return self.outcome

    def candidates_for(self, info: PodInfo) -> Candidates:
        """All nodes as pods of this kind see them now."""
        candidates, heard = self._candidates.pop(info, (None, 0))
        if candidates is None:
            candidates = Candidates(info, self.cache, self._wanted[info])
        else:
            for pod, node in self.changes[heard:]:
                if pod:
                    candidates.placed(pod, node)
                else:
                    candidates.promised(node)
        self._candidates[info] = candidates, len(self.changes)
        if len(self._candidates) > KINDS_IN_MEMORY:
            self._candidates.popitem(last=False)
        return candidates

    def _place(self, pod: dict, me: PodInstance) -> None:
        candidates = self.candidates_for(me.info)
        promised = self._promised(me, candidates)
        if promised:
            self.cache.forget_promise(me.key)
            candidates.consider(promised)
        node = promised or candidates.best()
        why = explain(candidates, node)
        if node is None:
            self._give_up(pod, me, candidates, why)
            return
        if promised:
            why["promised"] = promised.name
        self.outcome.bindings.append((pod, node.name, why))
        self.changes.append((me, node))
        self.cache.assume(me, node)

    def _promised(self, me: PodInstance, candidates: Candidates) -> NodeInfo | None:
        """The node where room was made for the pod, if it is free by now."""
        node = self.cache.promise_to(me.key)
        if node is None or static_reasons(me.info, node):
            return None
        with Trial(node, me, candidates.topology) as trial:
            return None if trial.reasons() else node

    def _give_up(self, pod: dict, me: PodInstance, candidates: Candidates, why: dict) -> None:
        done = self._preempt(me, candidates)
        message = fit_error(len(candidates.nodes), histogram(candidates.counts()), done.message)
        victims = tuple(victim for victim in done.victims if not victim.deleting)
        if done.node:
            self._promise(me, done.node, done.victims)
            why |= {"decision": "Preempt", "nominated": done.node.name, "victims": [victim.key for victim in victims]}
        name = done.node.name if done.node else ""
        self.outcome.unschedulable.append(Unschedulable(pod, message, why, name, victims))

    def _preempt(self, me: PodInstance, candidates: Candidates) -> Preemption:
        if me.info in self._hopeless:
            return self._hopeless[me.info]
        promised = self.cache.promise_to(me.key)
        if self.preemptions >= PREEMPTIONS_A_RUN:
            return Preemption(promised)
        done = preempt(me, candidates, self.cache.lowest_priority, promised, self.cache.budgets)
        if done.node is None:
            # Pods come in order of priority, so nobody whom it could preempt will be placed later in this run.
            self._hopeless[me.info] = done
        self.preemptions += bool(done.victims)
        return done

    def _promise(self, me: PodInstance, node: NodeInfo, victims: tuple[PodInstance, ...]) -> None:
        """The room is the pod's from now on, in the eyes of all that are not more important; those less important
        to whom it was promised before had better look elsewhere."""
        for other in [each for each in node.nominated.values() if each.info.priority < me.info.priority]:
            self.cache.forget_promise(other.key)
            self.outcome.displaced.append(other.key)
        self.cache.nominate(node.name, me)
        for victim in victims:
            victim.deleting = True
            for budget in self.cache.budgets:
                budget.allowed -= budget.covers((victim.key, victim.info.labels))
        self.changes.append((None, node))

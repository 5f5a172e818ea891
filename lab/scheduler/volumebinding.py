"""The plug-ins VolumeBinding and VolumeRestrictions: a pod waits for its claims, a claim that waits for its first pod
is told the node, and a claim that is for one pod alone keeps the others waiting.

Kubernetes binds such a pod only when the volume is there, and holds its room until then (PreBind waits). Here nothing
waits: the first run writes the chosen node on the claim, and the pod is tried again when the claim is bound, in all
likelihood a tenth of a second later. Its room may be gone by then; a volume lies on an engine, so another node will do.
"""

import dataclasses
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, STORAGECLASSES
from lab.apimachinery.nodeaffinity import parse_terms
from lab.apimachinery.volumes import EXCLUSIVE, SELECTED_NODE, annotation, is_bound, node_terms, waits_for_consumer
from lab.client import Change, Client, View

from .batch import Binding, Outcome, Unschedulable
from .cache import Cache
from .diagnosis import NO_NODES, NO_VICTIMS, NOT_HELPFUL, fit_error

log = logging.getLogger(__name__)
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
TAKEN = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"


@dataclass
class Claims:
    """What the claims of the pods to be tried say."""

    refused: dict[str, Unschedulable] = field(default_factory=dict)  # pod's key → why no node would do
    waiting: set[str] = field(default_factory=set)  # keys of pods whose volumes are being made
    undecided: dict[str, list[dict]] = field(default_factory=dict)  # pod's key → its claims that wait for its node
    exclusive: dict[str, set[str]] = field(default_factory=dict)  # pod's key → keys of its claims that are for one pod
    nodes: int = 0


def look(state: View, cache: Cache, keys: Iterable[str]) -> Claims:
    """Before the run: who can be tried, and on which nodes their volumes are. A pod without claims is passed over."""
    claims = Claims(nodes=len(cache.nodes))
    for key in keys:
        pod, me = cache.pending[key]
        if not me.info.claims:
            continue
        terms, undecided, why_not = [], [], ""
        for name in me.info.claims:
            claim = state.get(PERSISTENTVOLUMECLAIMS.resource, me.info.namespace, name)
            why_not = why_not or objection(state, claim, name)
            if claim and is_bound(claim):
                volume = state.get(PERSISTENTVOLUMES.resource, "", claim["spec"]["volumeName"])
                terms.append(parse_terms(node_terms(volume) if volume else []))
            elif claim:
                undecided.append(claim)
            if claim and EXCLUSIVE in claim["spec"]["accessModes"]:
                claims.exclusive.setdefault(key, set()).add(meta.key_of(claim))
        if key in claims.exclusive and claims.exclusive[key] & _mounted(cache):
            why_not = why_not or TAKEN
        if why_not:
            claims.refused[key] = _unschedulable(pod, why_not, claims.nodes)
        elif any(annotation(claim, SELECTED_NODE) for claim in undecided):
            claims.waiting.add(key)
        else:
            if any(terms):  # only then it is another pod than its siblings in the eyes of the filters
                me.info = dataclasses.replace(me.info, volumes=tuple(filter(None, terms)))
            if undecided:
                claims.undecided[key] = undecided
    return claims


def objection(state: View, claim: dict | None, name: str) -> str:
    """What stands against any pod that mounts the claim, in kube-scheduler's words; "" if nothing does."""
    if claim is None:
        return f'persistentvolumeclaim "{name}" not found'
    if meta.is_deleting(claim):
        return f'persistentvolumeclaim "{name}" is being deleted'
    volume = claim["spec"].get("volumeName")
    if is_bound(claim):
        there = state.get(PERSISTENTVOLUMES.resource, "", volume)
        return "" if there else f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    storage_class = state.get(STORAGECLASSES.resource, "", claim["spec"].get("storageClassName") or "")
    return UNBOUND if volume or not waits_for_consumer(storage_class) else ""


def _mounted(cache: Cache) -> set[str]:
    """The keys of all claims of the pods that have a node."""
    return {meta.join_key(pod.info.namespace, name) for pod, _ in cache.placed_pods() for name in pod.info.claims}


def _unschedulable(pod: dict, why_not: str, nodes: int) -> Unschedulable:
    if why_not == TAKEN:  # the one of them that is a filter's, and so is counted by nodes
        message = fit_error(nodes, {TAKEN: nodes}, "preemption: " + fit_error(nodes, {NO_VICTIMS: nodes}))
    else:
        preemption = "preemption: " + fit_error(nodes, {NOT_HELPFUL: nodes})
        message = f"0/{nodes} nodes are available: {why_not}. {preemption}" if nodes else NO_NODES
    why: dict = {"decision": "Unschedulable", "chosen": None, "evaluated": 0, "counts": {why_not: nodes}, "nodes": []}
    return Unschedulable(pod, message, why)


def settle(client: Client, outcome: Outcome, claims: Claims) -> list[str]:
    """After the run: write the node on the claims that waited for it. Their pods are not bound yet: the keys. Nor is
    the second of two pods whose claim is for one alone."""
    outcome.unschedulable += claims.refused.values()
    late = _too_late(outcome, claims)
    postponed = [each for each in outcome.bindings if meta.key_of(each[0]) in claims.undecided]
    outcome.bindings = [each for each in outcome.bindings if meta.key_of(each[0]) not in claims.undecided]
    told = set()
    for pod, node, _ in postponed:
        for claim in claims.undecided[meta.key_of(pod)]:
            key = meta.key_of(claim)
            if key not in told:  # of two pods with one claim the first decides
                told.add(key)
                _select(client, claim, node)
    return [*late, *(meta.key_of(pod) for pod, _, _ in postponed)]


def _too_late(outcome: Outcome, claims: Claims) -> list[str]:
    """Take back the placements of pods whose claims another pod of the same run was given before them: their keys."""
    given: set[str] = set()
    kept: list[Binding] = []
    late: list[Binding] = []
    for binding in outcome.bindings:
        key = meta.key_of(binding[0])
        wanted = claims.exclusive.get(key, set())
        (late if wanted & given else kept).append(binding)
        given |= wanted
    outcome.bindings = kept
    outcome.unschedulable += [_unschedulable(pod, TAKEN, claims.nodes) for pod, _, _ in late]
    return [meta.key_of(pod) for pod, _, _ in late]


def _select(client: Client, claim: dict, node: str) -> None:
    chosen = {"metadata": {"uid": claim["metadata"]["uid"], "annotations": {SELECTED_NODE: node}}}
    try:
        client.patch(PERSISTENTVOLUMECLAIMS, *meta.split_key(meta.key_of(claim)), chosen)
    except ApiError as error:  # it is gone, or another by now; either wakes us
        log.info("%s: %s", meta.key_of(claim), error.message)


def frees_pods(change: Change) -> bool:
    """Whether pods may be tried that had to wait for this claim or class."""
    if change.resource == STORAGECLASSES.resource or change.deleted or change.old is None:
        return True
    return _state(change.old) != _state(change.object)


def _state(claim: dict) -> tuple:
    return is_bound(claim), annotation(claim, SELECTED_NODE), meta.is_deleting(claim)

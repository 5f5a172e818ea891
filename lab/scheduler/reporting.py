"""Writing down that a pod fits nowhere, and removing those that it preempts."""

import logging

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.apimachinery.patch import STRATEGIC_MERGE_PATCH
from lab.client import Client, Put

from .batch import Unschedulable
from .cache import SCHEDULER_NAME

log = logging.getLogger(__name__)
Happening = tuple[dict, str, str, str]


def report(client: Client, unschedulable: list[Unschedulable], causes: dict[str, int]) -> list[Happening]:
    """Set the condition PodScheduled of each pod, where that says anything new; the events to record. `causes`: pod's
    key → the revision that it was tried because of.

    An unchanged status is never written: it would be a change, which wakes everybody, the scheduler among them.
    """
    if not unschedulable:
        return []
    state, puts, happened = client.view(), [], []
    for missed in unschedulable:
        pod = state.get(PODS.resource, missed.pod["metadata"]["namespace"], missed.pod["metadata"]["name"])
        if pod is None or pod["metadata"]["uid"] != missed.pod["metadata"]["uid"]:
            continue
        new = with_verdict(pod, missed.message, missed.nominated)
        if new is not None:
            puts.append(Put(PODS, new, "status", missed.why, cause=causes[meta.key_of(pod)]))
            happened.append((pod, "Warning", "FailedScheduling", missed.message))
    if puts:
        _write(client, puts)
    return happened


def _write(client: Client, puts: list[Put]) -> None:
    """All in one transaction; one by one where somebody was faster with one of them, which then is left alone."""
    try:
        client.write(puts)
        return
    except ApiError as error:
        if error.code not in (404, 409):
            raise
    for put in puts:
        try:
            client.write([put])
        except ApiError as error:
            log.info("%s: %s", meta.key_of(put.object), error.message)


def with_verdict(pod: dict, message: str, nominated: str) -> dict | None:
    """The pod with its condition and its promised node; None if it says so already."""
    old = pod.get("status", {})
    has = meta.condition(pod, "PodScheduled") or {}
    says = has.get("status"), has.get("reason"), has.get("message"), old.get("nominatedNodeName", "")
    if says == ("False", "Unschedulable", message, nominated):
        return None
    conditions = meta.with_condition(old.get("conditions", []), "PodScheduled", "False", "Unschedulable", message)
    status = {**old, "conditions": conditions}
    status.pop("nominatedNodeName", None)
    if nominated:
        status["nominatedNodeName"] = nominated
    return {**pod, "status": status}


def evict(client: Client, missed: Unschedulable) -> tuple[list[Happening], bool]:
    """Ask the victims to go: each is told why by a condition, and then deleted, with the grace it asks for.

    Returns what happened, and whether all of them were asked.
    """
    happened, all_asked = [], True
    for victim in missed.victims:
        pod = client.find(PODS, *meta.split_key(victim.key))
        if pod is None or pod["metadata"]["uid"] != victim.uid:
            continue
        try:
            _disrupt(client, pod)
            why = {
                "decision": "PreemptionByScheduler",
                "by": meta.key_of(missed.pod),
                "node": missed.nominated,
                "priority": victim.info.priority,
                "byPriority": missed.pod["spec"].get("priority", 0),
            }
            client.delete(PODS, *meta.split_key(victim.key), uid=victim.uid, why=why)
        except ApiError as error:
            log.info("%s is not preempted: %s", victim.key, error.message)
            all_asked = False
            continue
        by = missed.pod["metadata"]["uid"]
        happened.append((pod, "Normal", "Preempted", f"Preempted by pod {by} on node {missed.nominated}"))
    return happened, all_asked


def _disrupt(client: Client, pod: dict) -> None:
    """By a patch, which does not mind that the kubelet writes this status too."""
    metadata = pod["metadata"]
    message = f"{SCHEDULER_NAME}: preempting to accommodate a higher priority pod"
    told = meta.with_condition([], "DisruptionTarget", "True", "PreemptionByScheduler", message)
    patch = {"metadata": {"uid": metadata["uid"]}, "status": {"conditions": told}}
    client.patch(PODS, metadata["namespace"], metadata["name"], patch, "status", STRATEGIC_MERGE_PATCH)

"""Why is it leaving, or gone? Who asked for its end, and because of what: from the row that marked it."""

from collections.abc import Iterator

from lab.apimachinery.kinds import NODES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.taints import OUT_OF_SERVICE

from ..authors import called
from ..grounds import because
from . import origin
from .card import Card, Help, ground
from .recorded import of_condition, silent_since
from .subject import Subject

REASONS = {
    "EvictionByEvictionAPI": "Evicted",
    "DeletionByTaintManager": "TaintEviction",
    "PreemptionByScheduler": "Preempted",
    "DeletionByPodGC": "NodeLost",
    "RemoveNode": "RemoveNode",
}


def cards(subject: Subject) -> Iterator[Card]:
    """Asked of every object."""
    if not (subject.gone or is_deleting(subject.obj)):
        return
    row = marked(subject)
    why = row["why"] or {}
    reason = REASONS.get(why.get("decision", ""), "Deleted")
    question = "Why is it gone?" if subject.gone else "Why is it leaving?"
    who, words = called(row["author"]), because(why)
    did = "deleted it" if row["deleted"] else "asked for its end"
    grounds = [ground(row, words or f"{who} {did}", _name(why))]
    led = origin.led_to(subject.client, row["cause"])
    grounds += origin.links(led, subject.namespace)
    answer = _answer(who, did, why, words)
    if not why.get("drains"):
        answer += origin.behind(led, subject.namespace)
    grounds += of_condition(subject, "DisruptionTarget")
    stays, help_ = ("", None) if subject.gone else _still_there(subject)
    yield Card(question, answer + stays, reason, grounds, help_ or _help(why))


def marked(subject: Subject) -> dict:
    """Of what is going, or gone: the row with which it was to."""
    return subject.since(is_deleting) or subject.newest


def _name(why: dict) -> str:
    decision = why.get("decision", "")
    if decision == "DeletionByTaintManager":
        return f"taint {why['taint']}"
    if decision == "EvictionByEvictionAPI" and why.get("budget"):
        return f"PodDisruptionBudget {why['budget']}"
    return "priority" if decision == "PreemptionByScheduler" else "deletionTimestamp"


def _answer(who: str, did: str, why: dict, words: str) -> str:
    decision = why.get("decision", "")
    if decision == "DeletionByTaintManager":
        seconds = why["tolerationSeconds"]
        held = f"which it tolerates for {seconds:g} s" if seconds else "which it does not tolerate"
        return f"Its node {why['node']} had the taint {why['taint']}, {held}, so {who} asked for its end."
    if decision == "PreemptionByScheduler":
        by = why["by"].rpartition("/")[2]
        return (
            f"The scheduler took its place on {why['node']} for {by}, whose priority {why['byPriority']} is above its"
            f" {why['priority']}."
        )
    if decision == "EvictionByEvictionAPI":
        drained = f", because node {why['drains']} is being emptied" if why.get("drains") else ""
        allowed = f" The disruption budget {why['budget']} allowed it." if why.get("budget") else ""
        return f"{origin.capital(who)} evicted it{drained}.{allowed}"
    if decision == "DeletePods":
        counts = f"{origin.capital(who)} asked for its end: {why['replicas']} wanted, {why['found']} found."
        return counts + (f" Among them it was the first to go: {why['because']}." if why["because"] else "")
    return f"{origin.capital(who)} {did}{f': {words}' if words else ''}."


def _still_there(subject: Subject) -> tuple[str, Help | None]:
    """What it waits for, and what would end that."""
    meta, node = subject.obj["metadata"], subject.obj.get("spec", {}).get("nodeName")
    if meta.get("finalizers"):
        return f" It stays until its finalizers are taken off: {', '.join(meta['finalizers'])}.", None
    if node and _is_silent(subject, node):
        stays = f" Node {node} is silent, so nobody can say whether its containers have ended: until then it stays."
        dead = kubectl("taint", "node", node, f"{OUT_OF_SERVICE}=nodeshutdown:NoExecute")
        return stays, Help(f"Bring {node} back. If it is dead for good, say so: then its pods go at once.", dead)
    seconds = meta.get("deletionGracePeriodSeconds")
    return f" Its containers have {seconds} s to end." if seconds else "", None


def _is_silent(subject: Subject, node: str) -> bool:
    found = subject.other(NODES, "", node)
    return found is not None and silent_since(found) is not None


def _help(why: dict) -> Help | None:
    if why.get("decision") == "DeletionByTaintManager":
        return Help("A toleration of that taint without tolerationSeconds would have kept it there.")
    if why.get("decision") == "PreemptionByScheduler":
        return Help("With a PriorityClass of at least that value it would have stayed.")
    return None

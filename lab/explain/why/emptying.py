"""Why do a node's pods leave it, or not? Who sent them away, and which disruption budget holds them."""

from collections.abc import Iterator

from lab.apimachinery.kinds import PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.pods import is_finished
from lab.store import Row, effects, rows_at

from ..grounds import because
from . import budgets
from .card import Card, Ground, ground
from .sizes import many
from .subject import Subject

BLOCKED, SENT_AWAY = "Why is its drain blocked?", "Why were its pods sent away?"
SENT = {"DeletionByTaintManager": "TaintEviction", "EvictionByEvictionAPI": "Evicted", "DeletionByPodGC": "NodeLost"}
MOST_READ = 500  # rows that came of those of a node
MOST_NAMED = 5


def blocked(subject: Subject) -> Iterator[Card]:
    """By each budget whose last word was that a pod which is still there has to stay. No drain of a node begins but by
    its being cordoned."""
    if not subject.obj["spec"].get("unschedulable"):
        return
    for budget in subject.client.list(PODDISRUPTIONBUDGETS):
        namespace, name = budget["metadata"]["namespace"], budget["metadata"]["name"]
        it = subject.other(PODDISRUPTIONBUDGETS, namespace, name)
        row = it.decision("RefuseEviction", "AllowDisruption") if it else None
        if it is None or row is None or row["why"]["decision"] != "RefuseEviction":
            continue
        pod = subject.client.find(PODS, namespace, row["why"]["pod"])
        if budget.get("status", {}).get("disruptionsAllowed"):
            continue  # it would let one go by now
        if pod is None or is_deleting(pod) or is_finished(pod) or pod["spec"].get("nodeName") != subject.name:
            continue
        words = row["why"]["message"].rstrip(".")
        answer = f"Pod {row['why']['pod']} has to stay for now. {words}."
        grounds = [ground(row, because(row["why"]), f"PodDisruptionBudget {name}")]
        if found := budgets.lacking(it):
            unready, card = found
            answer += f" Pod {unready['metadata']['name']} is not ready: {card.answer}"
            grounds += card.because
        yield Card(BLOCKED, answer, "DisruptionBudget", grounds, budgets.loosened(it))


def sent_away(subject: Subject) -> Iterator[Card]:
    """Of the pods that had to leave because of the node as it is, or was last."""
    rows = _told_to_leave(subject)
    if not rows:
        return
    names = [row.name for row in rows]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    why = rows[0].why or {}
    words = because(why)
    if why["decision"] == "DeletionByTaintManager":
        seconds = why["tolerationSeconds"]
        bear = f"which they tolerate for {seconds:g} s" if seconds else "which they do not tolerate"
        words = f"it had the taint {why['taint']}, {bear}"
    left = f"{many(len(names), 'pod')} had to leave ({', '.join(names[:MOST_NAMED])}{more})"
    yield Card(SENT_AWAY, f"{left}: {words}.", SENT[why["decision"]], [_ground(row) for row in rows[:MOST_NAMED]])


def _told_to_leave(subject: Subject) -> list[Row]:
    """The rows that marked pods, because of a row of the node, or because it is emptied; the newest first, each pod
    once."""
    causes, until = [row["revision"] for row in subject.rows], subject.client.view().revision
    followed = effects(subject.client.cluster, causes, MOST_READ)
    of_pods = [revision for revision, _, resource in followed if resource == PODS.resource and revision <= until]
    found: dict[str, Row] = {}
    for row in rows_at(subject.client.cluster, of_pods):
        marks = is_deleting(row.object) or row.deleted
        if marks and (row.why or {}).get("decision") in SENT and row.object["spec"].get("nodeName") == subject.name:
            found.setdefault(row.object["metadata"]["uid"], row)
    return sorted(found.values(), key=lambda row: -row.revision)


def _ground(row: Row) -> Ground:
    why = row.why or {}
    name = f"taint {why['taint']}" if "taint" in why else f"pod {row.name}"
    return Ground(f"{row.name}: {because(why)}", name, row.author, why["decision"], row.revision, row.time)

"""Why on this node, or on none? From the verdicts that the scheduler left; no node is judged again."""

from collections.abc import Iterator

from lab.apimachinery.controlplane import CONTROL_PLANE
from lab.apimachinery.kinds import NODES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition, key_of

from ..authors import called
from . import objections, origin
from .card import Card, Ground, Help, ground
from .objections import Objection
from .recorded import of_condition
from .remedies import refusals, remedy
from .subject import Subject

CLOSE = 3  # plugins that are named of what sets two nodes apart
NOWHERE = "Why has it no node?"


def cards(subject: Subject) -> Iterator[Card]:
    if subject.obj["spec"].get("nodeName"):
        yield from _placed(subject)
    else:
        yield from _waiting(subject)


def verdicts(why: dict) -> list[dict]:
    """As a card has them: every node with every field."""
    empty: dict = {"reasons": [], "scores": {}, "total": None, "lacks": {}}
    return [{**empty, **item, "chosen": item["node"] == why["chosen"]} for item in why["nodes"]]


def bound(subject: Subject) -> dict | None:
    """The row that gave it its node."""
    rows = [*subject.beginning, *reversed(subject.rows)]
    return next((row for row in rows if row["object"]["spec"].get("nodeName")), None)


# On a node.


def _placed(subject: Subject) -> Iterator[Card]:
    node, row = subject.obj["spec"]["nodeName"], bound(subject)
    if row is None:
        return
    why, question = row["why"] or {}, f"Why on {node}?"
    if why.get("decision") == "Schedule":
        yield _chosen(question, why, row)
        return
    who = called(row["author"])
    answer = f"{origin.capital(who)} put it there, without asking the scheduler."
    named = ground(row, f"{who} named the node", "spec.nodeName")
    yield Card(question, answer, "Scheduled", [named])


def _chosen(question: str, why: dict, row: dict) -> Card:
    told = verdicts(why)
    mine = next((item for item in told if item["chosen"]), None)
    others = [item for item in told if item["fits"] and not item["chosen"]]
    unfit = why["evaluated"] - why["feasible"]
    grounds = [ground(row, f"chose {why['chosen']}, one of {why['evaluated']} it asked", "Binding")]
    if mine and mine["scores"]:
        grounds += [
            ground(row, f"{points:g} points", f"plugin {plugin}")
            for plugin, points in _sorted(mine["scores"])
            if points
        ]
    grounds += _objecting(why, row)
    if "promised" in why:
        answer = f"Room had been made for it there: pods of lower priority had to leave {why['chosen']}."
    elif mine is None or not others:
        against = f": {objections.summary(why['counts'])}" if why["counts"] else ""
        answer = f"It is the only one of {_nodes(why['evaluated'])} that would do{against}."
        if why["evaluated"] == 1:
            answer = "It is the only node that there was to choose from, and it would do."
    else:
        answer = _against(mine, others[0], why, unfit)
    return Card(question, answer, "Scheduled", grounds, _elsewhere(why["chosen"], others), told)


def _against(mine: dict, other: dict, why: dict, unfit: int) -> str:
    """Beside the runner-up: by how many points, and which plugins made them."""
    lead, name = round(mine["total"] - other["total"], 1), other["node"]
    fit = why["evaluated"] - unfit
    among = f"{fit} of {_nodes(why['evaluated'])} would do" if unfit else f"All {_nodes(fit)} that were asked would do"
    answer = f"{among}. {why['chosen']} had {mine['total']:g} points, "
    if lead <= 0:
        answer += f"and so had {name}: among equals the scheduler takes the node with the fewest pods."
    else:
        answer += f"{lead:g} more than {name}, the next best{_gains(mine['scores'], other['scores'])}."
    return answer + (f" The rest would not: {objections.summary(why['counts'])}." if unfit and why["counts"] else "")


def _gains(mine: dict, other: dict) -> str:
    """` (NodeResourcesFit 12 more, ImageLocality 3 fewer)`."""
    apart = {plugin: round(mine.get(plugin, 0) - other.get(plugin, 0), 1) for plugin in {*mine, *other}}
    told = [
        f"{plugin} {abs(by):g} {'more' if by > 0 else 'fewer'}"
        for plugin, by in sorted(apart.items(), key=lambda one: (-abs(one[1]), one[0]))
        if by
    ]
    return f" ({', '.join(told[:CLOSE])})" if told else ""


def _elsewhere(chosen: str, others: list[dict]) -> Help | None:
    if not others:
        return None
    words = (
        f"With {chosen} cordoned it would have been {others[0]['node']}. A nodeSelector in its template decides too."
    )
    return Help(words, kubectl("cordon", chosen))


# On none.


def _waiting(subject: Subject) -> Iterator[Card]:
    said = condition(subject.obj, "PodScheduled") or {}
    row = subject.decision("Unschedulable", "Preempt")
    if said.get("reason") == "SchedulingGated":
        yield _gated(subject)
    elif row is None and said:
        answer = f"The scheduler found no node for it; by which grounds is no longer kept. It said: {said['message']}"
        yield Card(NOWHERE, answer, "Unschedulable", of_condition(subject, "PodScheduled"))
    elif row is None:
        made = [ground(row, f"{called(row['author'])} made it", "Pod") for row in subject.beginning[:1]]
        answer = "The scheduler has not decided about it yet: nothing is recorded but that it was made."
        yield Card(NOWHERE, answer, "Pending", made)
    elif row["why"]["decision"] == "Preempt":
        why = row["why"]
        victims = ", ".join(name.rpartition("/")[2] for name in why["victims"]) or "pods of lower priority"
        answer = f"It waits for room on {why['nominated']}: {victims} had to leave, since its priority is higher."
        preempts = ground(row, f"nominated {why['nominated']}, and told {victims} to end", "nominatedNodeName")
        yield Card(NOWHERE, answer, "Unschedulable", [preempts, *_objecting(why, row)], None, verdicts(why))
    else:
        yield _unschedulable(subject, row)


def _gated(subject: Subject) -> Card:
    gates = [gate["name"] for gate in subject.obj["spec"].get("schedulingGates") or ()]
    made = [
        ground(row, f"made with the gates {', '.join(gates)}", "spec.schedulingGates") for row in subject.beginning[:1]
    ]
    answer = f"It must not be scheduled before somebody takes off its gates: {', '.join(gates)}."
    return Card(NOWHERE, answer, "SchedulingGated", made)


def _unschedulable(subject: Subject, row: dict) -> Card:
    why = row["why"]
    if not why["counts"]:
        answer = "There is no node that it could run on."
    elif not why["evaluated"]:
        answer = f"The scheduler looks for no node yet: {next(iter(why['counts']))}."
    else:
        answer = f"{_none_of(why)}: {objections.summary(_of_asked(why), subject.obj)}."
    grounds = [ground(row, _event_words(row), "condition PodScheduled"), *_objecting(why, row)]
    grounds += _of_nodes(subject, why)
    for pool, bought in refusals(subject):
        reasons = ", ".join(bought["why"]["refused"][key_of(subject.obj)])
        grounds.append(ground(bought, f"buys no node for it: {reasons}", f"nodepool {pool['metadata']['name']}"))
    return Card(NOWHERE, answer, "Unschedulable", grounds, remedy(subject, why), verdicts(why))


def _none_of(why: dict) -> str:
    """A pod of a DaemonSet is made for one node: no other is asked."""
    if len(_of_asked(why)) < len(why["counts"]):
        return "The node that it is made for does not take it"
    nodes = why["evaluated"]
    return "The only node does not take it" if nodes == 1 else f"None of {_nodes(nodes)} takes it"


def _of_asked(why: dict) -> dict[str, int]:
    counts = {reason: n for reason, n in why["counts"].items() if Objection.of(reason).kind != objections.NAMED}
    return counts or why["counts"]


def _event_words(row: dict) -> str:
    return (condition(row["object"], "PodScheduled") or {}).get("message") or "no node takes it"


def _objecting(why: dict, row: dict) -> list[Ground]:
    """One ground for each thing that filters had against nodes."""
    return [
        ground(row, f"{_nodes(count)}: {reason}", f"plugin {Objection.of(reason).plugin}")
        for reason, count in sorted(why["counts"].items(), key=lambda one: -one[1])
        if Objection.of(reason).plugin
    ]


def _of_nodes(subject: Subject, why: dict) -> Iterator[Ground]:
    """Who cordoned or tainted the nodes that said so, as their rows have it; of each objection the first such node."""
    told: set[str] = set()
    for item in why["nodes"]:
        for reason in {*item.get("reasons", ())} - told:
            objection = Objection.of(reason)
            if objection.kind not in (objections.CORDONED, objections.TAINT) or objection.what == CONTROL_PLANE:
                continue
            node = subject.other(NODES, "", item["node"])
            if node and (found := _marked(node, objection)):
                told.add(reason)
                yield found


def _marked(node: Subject, objection: Objection) -> Ground | None:
    if objection.kind == objections.CORDONED:
        row = node.since(lambda obj: bool(obj["spec"].get("unschedulable")))
        return ground(row, f"{called(row['author'])} cordoned {node.name}", "spec.unschedulable") if row else None
    row = node.since(lambda obj: any(taint["key"] == objection.what for taint in obj["spec"].get("taints") or ()))
    words = f"taint {objection.what}"
    return ground(row, f"{called(row['author'])} gave {node.name} the {words}", words) if row else None


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _sorted(scores: dict) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))

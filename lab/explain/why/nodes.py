"""The questions that a node raises: is it well, what comes to it, what has the cluster autoscaler decided of it?"""

from collections.abc import Iterator

from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition, is_true
from lab.apimachinery.taints import NOT_READY, UNREACHABLE, UNSCHEDULABLE
from lab.apiserver.tables.cells import human_duration

from ..authors import called
from ..grounds import because
from . import emptying, objections, revival
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_condition, of_spec, silent_since
from .sizes import many
from .subject import Subject

READY, UNREADY, KEPT_OFF = "Is it ready?", "Why is it not ready?", "Why does nothing new come to it?"
PRESSURE, SCALING = "What does it run out of?", "What has the cluster autoscaler decided of it?"
PRESSURES = {"MemoryPressure": "memory", "DiskPressure": "disk space", "PIDPressure": "process numbers"}
OF_STATE = (NOT_READY, UNREACHABLE, UNSCHEDULABLE)  # taints that say only what other cards say
SCALED = ("BuyNode", "FindNodeIdle", "KeepNode", "SellNode")


def cards(subject: Subject) -> Iterator[Card]:
    if subject.gone:
        yield from emptying.sent_away(subject)
        return
    ready = is_true(subject.obj, "Ready")
    if not ready:
        yield _readiness(subject)
        yield from emptying.sent_away(subject)
    yield from emptying.blocked(subject)
    yield from _pressure(subject)
    yield from _cordoned(subject)
    yield from _tainted(subject)
    yield from _scaled(subject)
    if ready:
        yield _readiness(subject)
        yield from emptying.sent_away(subject)  # what was


def _readiness(subject: Subject) -> Card:
    said = condition(subject.obj, "Ready") or {"status": "", "reason": ""}
    if said["status"] == "Unknown":
        return _silent(subject)
    grounds = of_condition(subject, "Ready")
    if said["status"] == "True":
        row = subject.since(lambda node: is_true(node, "Ready"))
        ago = f" for {human_duration(max(0.0, subject.now - row['time']))}" if row else ""
        return Card(READY, f"Its kubelet has said so{ago}: it can start pods.", "Ready", grounds)
    if said["reason"] == "NodeBooting":
        return Card(UNREADY, "It was bought, and boots: no kubelet speaks for it yet.", "NodeBooting", grounds)
    if not said["status"]:
        answer = "Its kubelet has never spoken, so nobody knows whether it is there."
        return Card(UNREADY, answer, "NodeStatusNeverUpdated", grounds)
    answer = f"Its kubelet is there, but cannot start pods: {said.get('message') or said['reason']}."
    return Card(UNREADY, answer, said["reason"], grounds, Help("Bring back its container engine."))


def _silent(subject: Subject) -> Card:
    row = silent_since(subject)
    ago = f" for {human_duration(max(0.0, subject.now - row['time']))}" if row else ""
    grounds = [ground(row, because(row["why"]) or "its kubelet has fallen silent", "condition Ready")] if row else []
    answer = f"Its kubelet has not been heard of{ago}, so nobody knows whether its pods still run."
    for key, words, done in revival.taken(subject):
        answer += f" {capital(called(done['author']))} {words}."
        grounds.insert(0, ground(done, f"{called(done['author'])} {words}", f"annotation {key}"))
    return Card(UNREADY, answer, "NodeStatusUnknown", [*grounds, *_taints_of_trouble(subject)], revival.back(subject))


def _taints_of_trouble(subject: Subject) -> Iterator[Ground]:
    for taint in subject.obj["spec"].get("taints") or ():
        if taint["key"] in (NOT_READY, UNREACHABLE):
            yield from _taint_ground(subject, taint)


def _taint_ground(subject: Subject, taint: dict) -> Iterator[Ground]:
    """Who put it there."""
    pair = (taint["key"], taint["effect"])
    row = subject.since(lambda node: pair in ((one["key"], one["effect"]) for one in node["spec"].get("taints") or ()))
    if row:
        words = because(row["why"]) or f"{called(row['author'])} put it there"
        yield ground(row, words, f"taint {taint['key']}:{taint['effect']}")


def _pressure(subject: Subject) -> Iterator[Card]:
    for kind, what in PRESSURES.items():
        if is_true(subject.obj, kind):
            answer = f"It is short of {what}, so it takes no new pods."
            yield Card(PRESSURE, answer, kind, of_condition(subject, kind), Help(f"Free {what}, or remove pods there."))


def _cordoned(subject: Subject) -> Iterator[Card]:
    row = of_spec(subject, "unschedulable") if subject.obj["spec"].get("unschedulable") else None
    if row is None:
        return
    who = called(row["author"])
    ago = human_duration(max(0.0, subject.now - row["time"]))
    why = f": {because(row['why'])}" if row["why"] and because(row["why"]) else ""
    answer = f"{capital(who)} cordoned it {ago} ago{why}. What runs there stays; only new pods go elsewhere."
    grounds = [ground(row, f"{who} cordoned it{why}", "spec.unschedulable")]
    yield Card(KEPT_OFF, answer, "Cordoned", grounds, Help("Uncordon it.", kubectl("uncordon", subject.name)))


def _tainted(subject: Subject) -> Iterator[Card]:
    """By taints that somebody gave it, not those that follow from its state."""
    kept_off = ("NoSchedule", "NoExecute")
    taints = [one for one in subject.obj["spec"].get("taints") or () if one["effect"] in kept_off]
    for taint in (one for one in taints if one["key"] not in OF_STATE):
        grounds = list(_taint_ground(subject, taint))
        named = f"{taint['key']}={taint['value']}" if taint.get("value") else taint["key"]
        leave = ", and those that were there had to leave" if taint["effect"] == "NoExecute" else ""
        answer = f"It has the taint {named}:{taint['effect']}: only pods that tolerate it may come{leave}."
        if taint["key"] in objections.OF_TAINTS:
            answer = f"It {objections.OF_TAINTS[taint['key']][0]}. {answer}"
        remove = kubectl("taint", "node", subject.name, f"{taint['key']}:{taint['effect']}-")
        yield Card("Why do only some pods come to it?", answer, "Tainted", grounds, Help("Take the taint off.", remove))


def _scaled(subject: Subject) -> Iterator[Card]:
    row = subject.decision(*SCALED)
    if row is None:
        return
    why = row["why"]
    named = [key.rpartition("/")[2] for key in why.get("for") or why.get("moves") or ()]
    pods = f"{many(len(named), 'pod')} ({', '.join(named[:3])}{' and others' if len(named) > 3 else ''})"
    elsewhere = f", and its {pods} would find room elsewhere" if named else ", and no pod needs it"
    answer = {
        "BuyNode": f"It bought it for {pods} that had no room." if named else "It bought it.",
        "FindNodeIdle": "It could do without it: {share} % of it is asked for{elsewhere}. It is sold if that stays so.",
        "KeepNode": "It wanted to sell it, and keeps it: {needed}.",
        "SellNode": "It sells it, after {idle} s in which nobody needed it: {share} % of it was asked for{elsewhere}.",
    }[why["decision"]].format(
        share=round(100 * why.get("utilization", 0)),
        elsewhere=elsewhere,
        needed=why.get("needed", ""),
        idle=why.get("idleSeconds", 0),
    )
    yield Card(SCALING, answer, why["decision"], [ground(row, because(why), "cluster autoscaler")])

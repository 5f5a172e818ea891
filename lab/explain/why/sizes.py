"""Why so many? Who set the number of replicas, and what they went by."""

from collections.abc import Iterator

from lab.apimachinery.kinds import HORIZONTALPODAUTOSCALERS
from lab.apimachinery.kubectl import kubectl

from ..authors import PERSON, called, part_of
from ..grounds import because
from .card import Card, Help, ground
from .origin import capital
from .recorded import of_value
from .subject import Subject


def replicas_of(obj: dict) -> int:
    return int(obj["spec"].get("replicas", 1))


def many(count: int, what: str = "replica") -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def be(count: int) -> str:
    return "is" if count == 1 else "are"


def cards(subject: Subject) -> Iterator[Card]:
    count, row = replicas_of(subject.obj), of_value(subject, replicas_of)
    if row is None:
        return
    why, who = row["why"] or {}, called(row["author"])
    before = subject.before(row)
    if why.get("decision") == "ScaleTarget":
        yield _by_autoscaler(subject, row)
    elif why.get("decision") == "ScaleReplicaSets":
        yield _by_deployment(subject, row)
    elif row["created"] or before is None:
        answer = f"{capital(who)} made it with {many(count)}, and nobody has changed that."
        grounds = [ground(row, f"{who} made it so", "spec.replicas")]
        yield Card(_question(count), answer, "AsDeclared", grounds, _scale(subject))
    else:
        words = f"{who} set it from {replicas_of(before['object'])} to {count}"
        reason = "ScaledByHand" if part_of(row["author"]) is PERSON else "Scaled"
        grounds = [ground(row, words, "spec.replicas")]
        yield Card(_question(count), f"{capital(words)}.", reason, grounds, _scale(subject))


def _question(count: int) -> str:
    return f"Why {many(count)}?"


def _scale(subject: Subject) -> Help:
    """Another number; or other bounds, where an autoscaler would soon overrule it."""
    if scaler := _scaler(subject):
        name, least = scaler["metadata"]["name"], scaler["spec"].get("minReplicas", 1)
        words = f"Autoscaler {name} keeps it between {least} and {scaler['spec']['maxReplicas']}: change these."
        return Help(words, kubectl("edit", HORIZONTALPODAUTOSCALERS.singular, name, namespace=subject.namespace))
    number = replicas_of(subject.obj) + 1
    target = f"{subject.kind.singular}/{subject.name}"
    command = kubectl("scale", target, f"--replicas={number}", namespace=subject.namespace)
    return Help(f"Say another number, such as {number}.", command)


def _scaler(subject: Subject) -> dict | None:
    for one in subject.client.list(HORIZONTALPODAUTOSCALERS, subject.namespace):
        ref = one["spec"]["scaleTargetRef"]
        if (ref["kind"], ref["name"]) == (subject.kind.kind, subject.name):
            return one
    return None


def _by_autoscaler(subject: Subject, row: dict) -> Card:
    why, count, scaler = row["why"], replicas_of(row["object"]), _scaler(subject)
    name = f"autoscaler {scaler['metadata']['name']}" if scaler else "autoscaler"
    answer = f"The {name} set it from {why['current']} to {count}: {measured(why)}.{held_back(why)}"
    grounds = [ground(row, because(why), "HorizontalPodAutoscaler")]
    return Card(_question(count), answer, "ScaledByAutoscaler", grounds, _scale(subject) if scaler else None)


def measured(why: dict) -> str:
    """What an autoscaler went by."""
    asked = because(why).rpartition(": ")[0]
    return asked if why.get("metrics") else str(why.get("reason", asked))


LIMITS = {
    "TooManyReplicas": "maxReplicas allows {most}",
    "TooFewReplicas": "minReplicas demands {least}",
    "ScaleUpLimit": "it may not grow faster than to {to} now",
    "ScaleDownLimit": "it may not shrink faster than to {to} now",
}


def held_back(why: dict) -> str:
    """What kept an autoscaler from what its metrics ask for; empty if nothing did."""
    limited, stabilized = why.get("limited"), why.get("stabilized")
    if limited:
        return f" Its metrics ask for {why['recommended']}, but {LIMITS[limited['by']].format(**why, **limited)}."
    if stabilized:
        lately = f"but lately it was {stabilized['to']}, and it waits whether that lasts"
        return f" Its metrics ask for {why['recommended']} now, {lately}."
    return ""


def _by_deployment(subject: Subject, row: dict) -> Card:
    why, count = row["why"], replicas_of(row["object"])
    role = "the present one" if why["new"] == subject.name else "one of before"
    total = sum(one["wanted"] for one in why["replicaSets"].values())
    answer = f"Its deployment wants {many(why['replicas'])}. Of its {total} now {count} are of this version, {role}."
    said = because(why) or f"{why['replicas']} wanted, {count} here"
    return Card(_question(count), answer, "ScaledByDeployment", [ground(row, said, "maxSurge, maxUnavailable")])

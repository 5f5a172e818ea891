"""Why so many? Who set the number of replicas, and what they went by."""

from collections.abc import Iterator

from lab.apimachinery.kinds import HORIZONTALPODAUTOSCALERS
from lab.apimachinery.kubectl import kubectl

from ..authors import PERSON, part_of
from ..grounds import because
from .card import Card, Help, ground
from .recorded import of_value
from .subject import Subject


def replicas_of(obj: dict) -> int:
    return int(obj["spec"].get("replicas", 1))


def many(count: int, what: str = "replica") -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def cards(subject: Subject) -> Iterator[Card]:
    count, row = replicas_of(subject.obj), of_value(subject, replicas_of)
    if row is None:
        return
    why, author = row["why"] or {}, row["author"]
    if why.get("decision") == "ScaleTarget":
        yield _by_autoscaler(subject, row)
    elif why.get("decision") == "ScaleReplicaSets":
        yield _by_deployment(subject, row)
    elif row["created"]:
        declared = ground(row, f"{author} made it so", "spec.replicas")
        yield Card(_question(count), f"{author} made it with {many(count)}, and nobody has changed that.", "AsDeclared",
                   [declared], _scale(subject))  # fmt: skip
    else:
        before = next((each for each in subject.rows if each["revision"] < row["revision"]), None)
        was = f" from {replicas_of(before['object'])}" if before else ""
        by_hand = part_of(author) is PERSON
        words = f"{author} set it{was} to {count}" if before else f"{author} wrote last that it is {count}"
        yield Card(_question(count), f"{words}.", "ScaledByHand" if by_hand else "Scaled",
                   [ground(row, words, "spec.replicas")], _scale(subject))  # fmt: skip


def _question(count: int) -> str:
    return f"Why {many(count)}?"


def _scale(subject: Subject) -> Help:
    target = f"{subject.kind.singular}/{subject.name}"
    command = kubectl("scale", target, "--replicas=<number>", namespace=subject.namespace)
    return Help("Say another number.", command)


def _by_autoscaler(subject: Subject, row: dict) -> Card:
    why, count = row["why"], replicas_of(row["object"])
    scalers = [
        one["metadata"]["name"]
        for one in subject.client.list(HORIZONTALPODAUTOSCALERS, subject.namespace)
        if (one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"])
        == (subject.kind.kind, subject.name)
    ]
    name = f"autoscaler {scalers[0]}" if scalers else "autoscaler"
    bounds = f"It may have between {why['least']} and {why['most']}."
    answer = f"The {name} set it from {why['current']} to {count}: {why.get('reason', '')}. {bounds}"
    return Card(_question(count), answer, "ScaledByAutoscaler", [ground(row, because(why), "HorizontalPodAutoscaler")])


def _by_deployment(subject: Subject, row: dict) -> Card:
    why, count = row["why"], replicas_of(row["object"])
    role = "the version that it declares now" if why["new"] == subject.name else "a version of before"
    total = sum(one["wanted"] for one in why["replicaSets"].values())
    answer = f"Its deployment wants {many(why['replicas'])} and gives {count} of now {total} to this one, {role}."
    said = because(why) or f"{why['replicas']} wanted, {count} here"
    return Card(_question(count), answer, "ScaledByDeployment", [ground(row, said, "maxSurge, maxUnavailable")])

"""Why an autoscaler wants so many, and no more; what keeps it from saying anything. And why a pool buys no node."""

import re
from collections.abc import Iterator

from lab.apimachinery.kinds import HORIZONTALPODAUTOSCALERS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition

from ..grounds import because
from .card import Card, Help, ground
from .recorded import of_condition
from .sizes import held_back, many, measured
from .subject import Subject

MOST_PODS = 5  # that are told of by name
STUCK = "Why does it not scale?"
# As the autoscaler words it, and Kubernetes' own: `lab/controllers/horizontalpodautoscaler`.
NO_REQUEST = re.compile(r"missing request for (\w+) in container (\S+) of Pod")


def cards(subject: Subject) -> Iterator[Card]:
    for kind in ("AbleToScale", "ScalingActive"):
        said = condition(subject.obj, kind) or {}
        if said.get("status") == "False":
            answer = f"It leaves the number as it is: {said['message']}."
            yield Card(
                STUCK, answer, said["reason"], of_condition(subject, kind), _measurable(subject, said["message"])
            )
            return
    row = subject.decision("ScaleTarget")
    if row and "desired" in row["why"]:
        yield _wanted(subject, row)


def _measurable(subject: Subject, message: str) -> Help | None:
    """What it measures in percent is percent of what is asked for."""
    found = NO_REQUEST.search(message)
    if found is None:
        return None
    resource, container = found.groups()
    ref, amount = subject.obj["spec"]["scaleTargetRef"], "100m" if found[1] == "cpu" else "64Mi"
    target, request = f"{ref['kind'].lower()}/{ref['name']}", f"--requests={resource}={amount}"
    command = kubectl("set", "resources", target, "-c", container, request, namespace=subject.namespace)
    words = f"Say how much {resource} container {container} asks for, such as {amount}: it counts in percent of that."
    return Help(words, command)


def _wanted(subject: Subject, row: dict) -> Card:
    why, ref = row["why"], subject.obj["spec"]["scaleTargetRef"]
    desired, by = why["desired"], why.get("limited") or why.get("stabilized") or {}
    grounds = [ground(row, because(why), "desiredReplicas")]
    if by:
        grounds += of_condition(subject, "ScalingLimited" if why.get("limited") else "AbleToScale")
    answer = f"It wants {many(desired)} of {ref['kind'].lower()} {ref['name']}: {measured(why)}.{held_back(why)}"
    reason = by.get("by", "DesiredWithinRange")
    return Card(f"Why {many(desired)}?", answer, reason, grounds, _raise(subject, why, reason))


def _raise(subject: Subject, why: dict, reason: str) -> Help | None:
    field = {"TooManyReplicas": "maxReplicas", "TooFewReplicas": "minReplicas"}.get(reason)
    if field is None:
        return None
    number = max(1, why["recommended"])
    if number == subject.obj["spec"].get(field, 1):
        return None
    patch = f'{{"spec":{{"{field}":{number}}}}}'
    word = HORIZONTALPODAUTOSCALERS.singular
    command = kubectl("patch", word, subject.name, "--type=merge", "-p", patch, namespace=subject.namespace)
    return Help(f"Say another {field}.", command)


def pools(subject: Subject) -> Iterator[Card]:
    message = subject.obj.get("status", {}).get("message")
    row = subject.decision("BuyNothing")
    if not message or row is None:
        return
    pods = [
        ground(row, f"pod {pod}: {', '.join(reasons)}", "NotTriggerScaleUp")
        for pod, reasons in row["why"]["refused"].items()
    ]
    yield Card("Why does it buy no node?", f"{message[0].upper()}{message[1:]}.", "NotTriggerScaleUp", pods[:MOST_PODS])

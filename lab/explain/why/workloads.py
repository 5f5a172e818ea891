"""The questions that deployments, replica sets, stateful sets and daemon sets raise."""

import re
from collections.abc import Iterator

from lab.apimachinery.kinds import PODS, REPLICASETS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition

from ..grounds import because
from . import quoted, sizes
from .card import Card, Ground, Help, ground
from .recorded import of_condition, of_value
from .sizes import many
from .subject import Subject

# As the API server words it (lab.apiserver.admission).
BEYOND_QUOTA = re.compile(r"exceeded quota: (.+?), requested: (.+?), used: (.+?), limited: (.+)")
REVISION = "deployment.kubernetes.io/revision"
STOPPED, FAR, FEWER = "Why has the rollout stopped?", "How far is the rollout?", "Why are pods missing?"


def deployments(subject: Subject) -> Iterator[Card]:
    if subject.gone:
        return
    yield from _rollout(subject)
    yield from sizes.cards(subject)


def _rollout(subject: Subject) -> Iterator[Card]:
    obj = subject.obj
    progress, failure = condition(obj, "Progressing") or {}, condition(obj, "ReplicaFailure") or {}
    refused = progress if progress.get("reason") == "ReplicaSetCreateError" else failure
    if refused.get("status") in ("True", "False") and refused.get("message"):
        yield _refused(subject, refused["message"], of_condition(subject, refused["type"]))
    if obj["spec"].get("paused"):
        yield from _paused(subject)
    elif _is_complete(obj):
        yield from _complete(subject)
    else:
        yield _under_way(subject, progress)


def _refused(subject: Subject, message: str, grounds: list[Ground]) -> Card:
    """`message`: the API server's, which names the quota, the LimitRange or the rule."""
    beyond = BEYOND_QUOTA.search(message)
    if beyond is None:
        answer = f"The API server does not take its pods: {message.partition('is forbidden: ')[2] or message}."
        return Card(FEWER, answer, "FailedCreate", grounds, Help("Ask for what the message allows."))
    quota, requested, used, limited = beyond.groups()
    answer = (
        f"The API server does not take its pods: quota {quota} of namespace {subject.namespace} allows {limited}, of"
        f" which {used} are used, and one more asks for {requested}."
    )
    edit = kubectl("edit", "resourcequota", quota, namespace=subject.namespace)
    return Card(FEWER, answer, "FailedCreate", grounds, Help("Raise the quota, or make room within it.", edit))


def _paused(subject: Subject) -> Iterator[Card]:
    row = of_value(subject, lambda obj: obj["spec"].get("paused"))
    if row is None:
        return
    answer = f"{row['author']} has paused it: a changed template makes no new pods until it is resumed."
    resume = kubectl("rollout", "resume", f"deployment/{subject.name}", namespace=subject.namespace)
    grounds = [ground(row, f"{row['author']} paused it", "spec.paused")]
    yield Card(STOPPED, answer, "DeploymentPaused", grounds, Help("Resume it.", resume))


def _is_complete(obj: dict) -> bool:
    status, wanted = obj.get("status", {}), sizes.replicas_of(obj)
    seen = status.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0)
    counts = (status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
    return seen and all(count == wanted for count in counts)


def _complete(subject: Subject) -> Iterator[Card]:
    wanted = sizes.replicas_of(subject.obj)
    pods = {0: "it wants no pods", 1: "its one pod is"}.get(wanted, f"all {wanted} pods are")
    answer = f"It is done: {pods}{' of the present version and available' if wanted else ''}."
    yield Card(FAR, answer, "Complete", of_condition(subject, "Progressing") or of_condition(subject, "Available"))


def _under_way(subject: Subject, progress: dict) -> Card:
    """How far it is; and what keeps the first of its new pods from being ready, in that pod's own words."""
    status, wanted = subject.obj.get("status", {}), sizes.replicas_of(subject.obj)
    updated, available = (status.get(field, 0) for field in ("updatedReplicas", "availableReplicas"))
    answer = f"Of {many(wanted, 'pod')} {updated} are of the new version, and {available} in all are available."
    late = progress.get("reason") == "ProgressDeadlineExceeded"
    grounds = of_condition(subject, "Progressing") if late else []
    sets = _versions(subject)
    found = quoted.troubled(subject, quoted.unready(pod for rs in sets for pod in quoted.owned(rs, PODS)))
    stuck = late
    if found:
        pod, card = found
        stuck = late or card.reason not in quoted.ON_THEIR_WAY
        answer += f" Pod {pod['metadata']['name']} is not ready: {card.answer}"
        grounds += card.because
    reason = "ProgressDeadlineExceeded" if late else "RolloutStuck" if stuck else "Progressing"
    help_ = _way_out(subject, found[1] if found else None, len(sets) > 1) if stuck else None
    return Card(STOPPED if stuck else FAR, answer, reason, grounds + _pace(sets), help_)


def _versions(subject: Subject) -> list[Subject]:
    """Its replica sets: the one of its present template, if it is made, then those that still have pods."""
    revision = (subject.obj["metadata"].get("annotations") or {}).get(REVISION)
    owned = quoted.owned(subject, REPLICASETS)
    new = [rs for rs in owned if (rs["metadata"].get("annotations") or {}).get(REVISION) == revision]
    old = [rs for rs in owned if rs not in new and (sizes.replicas_of(rs) or rs.get("status", {}).get("replicas"))]
    found = (subject.other(REPLICASETS, subject.namespace, rs["metadata"]["name"]) for rs in (*new, *old))
    return [rs for rs in found if rs]


def _pace(sets: list[Subject]) -> list[Ground]:
    """What its controller decided last about their sizes."""
    rows = [row for rs in sets if (row := rs.decision("ScaleReplicaSets"))]
    newest = max(rows, key=lambda row: row["revision"], default=None)
    if newest is None:
        return []
    why = newest["why"]
    name = (
        "Recreate"
        if why["strategy"] == "Recreate"
        else f"maxSurge {why['maxSurge']}, maxUnavailable {why['maxUnavailable']}"
    )
    return [ground(newest, because(why), name)]


def _way_out(subject: Subject, card: Card | None, has_old: bool) -> Help | None:
    """Whatever helps its pod, if a command does; else the way back to the version before."""
    if card and card.help and (card.help.command or not has_old):
        return card.help
    if not has_old:
        return None
    undo = kubectl("rollout", "undo", f"deployment/{subject.name}", namespace=subject.namespace)
    return Help("Go back to the version before.", undo)

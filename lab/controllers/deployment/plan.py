"""What a Deployment should do next: the whole decision, from the objects as they are to the writes to be made. Pure."""

import copy
from dataclasses import dataclass, field

from lab.apimachinery.meta import condition, is_deleting

from . import revisions, rollout, status, steering
from .rollout import Sizes, name_of, size

Event = tuple[str, str, str]  # Normal | Warning, reason, message


@dataclass
class Plan:
    """ReplicaSets to create, update and delete, the Deployment's revision number, its next status, what to tell people,
    and after how many seconds to look again though nothing changes. `why` is the decision behind changed sizes."""

    create: dict | None = None
    update: list[dict] = field(default_factory=list)
    delete: list[dict] = field(default_factory=list)
    revision: str = ""
    status: dict = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    delay: float | None = None
    why: dict = field(default_factory=dict)


def make_plan(
    deployment: dict, replica_sets: list[dict], old_pods_remain: bool, time: float, trouble: str = ""
) -> Plan:
    """`old_pods_remain`: does any pod of an old ReplicaSet still run, terminating ones included? Only Recreate asks.
    `time` is seconds since the epoch. `trouble`: what keeps new pods from being ready, for when the time is up."""
    new, old = revisions.split(deployment, replica_sets)
    plan = Plan()
    paused = deployment["spec"].get("paused", False)
    if is_deleting(deployment):
        return _finish(plan, deployment, new, old, time, rolling_out=False)
    wanted = steering.steered(deployment)
    if wanted:
        new = new or revisions.new_replica_set(deployment, old)
        plan.create = None if new in replica_sets else new
        _apply(plan, deployment, new, old, steering.sizes(wanted, new, old), renote=True)
        return _finish(plan, deployment, new, old, time, rolling_out=True, trouble=trouble)
    scaling = paused or rollout.needs_scaling(deployment, replica_sets)
    if new is None and not scaling and (rollout.is_rolling(deployment) or not _recreate_waits(old, old_pods_remain)):
        new = plan.create = revisions.new_replica_set(deployment, old)
    if scaling:
        sizes = rollout.resize(deployment, new, old)
    elif new and rollout.is_rolling(deployment):
        sizes = rollout.next_step(deployment, new, old)
    else:
        sizes = _recreate_step(deployment, new, old, old_pods_remain)
    _apply(plan, deployment, new, old, sizes, renote=scaling)
    _finish(plan, deployment, new, old, time, rolling_out=not scaling, trouble=trouble)
    if paused or status.is_complete(deployment, plan.status):
        plan.delete = revisions.beyond_history(deployment, old)
    if scaling and plan.update and not paused:
        plan.delay = 0.0  # the sizes are right for the new number of replicas; now the rollout can go on from there
    return plan


def _recreate_waits(old: list[dict], old_pods_remain: bool) -> bool:
    """Recreate never lets two versions run side by side: until the last old pod has ended there is nothing new."""
    return bool(rollout.active(old)) or old_pods_remain


def _recreate_step(deployment: dict, new: dict | None, old: list[dict], old_pods_remain: bool) -> Sizes:
    if rollout.active(old):
        return {name_of(rs): 0 for rs in rollout.active(old)}
    replicas = deployment["spec"].get("replicas", 1)
    return {name_of(new): replicas} if new and not old_pods_remain and size(new) != replicas else {}


def _apply(plan: Plan, deployment: dict, new: dict | None, old: list[dict], sizes: Sizes, renote: bool) -> None:
    """Turn sizes into the ReplicaSets to write, with the annotations that belong to them, and say what is scaled."""
    for rs in [*([new] if new else []), *old]:
        annotations = dict(rs["metadata"].get("annotations", {}))
        if rs is new:
            annotations = revisions.new_annotations(deployment, rs, old)
        wanted = sizes.get(name_of(rs), size(rs))
        if wanted != size(rs) or (renote and size(rs)):
            annotations |= revisions.size_notes(deployment)
        if wanted != size(rs):
            plan.events.append(("Normal", "ScalingReplicaSet", _scaled(rs, wanted)))
        changed = _changed(rs, wanted, annotations, deployment if rs is new else None)
        if rs is plan.create:
            plan.create = changed or rs
        elif changed is not None:
            plan.update.append(changed)
    if new:
        plan.revision = revisions.new_annotations(deployment, new, old).get(revisions.REVISION, "")
    if sizes or plan.create:
        plan.why = _why(deployment, new, old, sizes)
        if new and new is not plan.create and plan.revision != str(revisions.revision_of(new)):
            plan.why["rollbackTo"] = revisions.revision_of(new)


def _scaled(rs: dict, wanted: int) -> str:
    direction = "up" if wanted > size(rs) else "down"
    return f"Scaled {direction} replica set {name_of(rs)} from {size(rs)} to {wanted}"


def _changed(rs: dict, wanted: int, annotations: dict, deployment: dict | None) -> dict | None:
    """A copy with that size and those annotations, and the new one with the Deployment's minReadySeconds; None if it is
    so already."""
    ready = (deployment or rs)["spec"].get("minReadySeconds", 0)
    same = wanted == size(rs) and ready == rs["spec"].get("minReadySeconds", 0)
    if same and annotations == rs["metadata"].get("annotations", {}):
        return None
    copied = copy.deepcopy(rs)
    copied["spec"] |= {"replicas": wanted, "minReadySeconds": ready}
    copied["metadata"]["annotations"] = annotations
    return copied


def _why(deployment: dict, new: dict | None, old: list[dict], sizes: Sizes) -> dict:
    """The decision as data: the promises, what there was, and what it led to."""
    surge, unavailable = rollout.fenceposts(deployment)
    replicas = deployment["spec"].get("replicas", 1)
    return {
        "decision": "ScaleReplicaSets",
        "strategy": "RollingUpdate" if rollout.is_rolling(deployment) else "Recreate",
        **(
            {"steeredBy": deployment["metadata"]["annotations"].get(revisions.RELEASE)}
            if steering.steered(deployment)
            else {}
        ),
        "replicas": replicas,
        "maxSurge": surge,
        "maxUnavailable": unavailable,
        "atMost": replicas + surge,
        "availableAtLeast": replicas - unavailable,
        "new": name_of(new) if new else None,
        "replicaSets": {
            name_of(rs): {
                "replicas": size(rs),
                "available": rollout.available(rs),
                "wanted": sizes.get(name_of(rs), size(rs)),
            }
            for rs in [*([new] if new else []), *old]
        },
    }


def _finish(
    plan: Plan, deployment: dict, new: dict | None, old: list[dict], time: float, rolling_out: bool, trouble: str = ""
) -> Plan:
    """Add the status, as it is before the writes of this plan have any effect on pods."""
    replica_sets = [*([new] if new else []), *old]
    plan.status = status.counts(deployment, new, replica_sets)
    steered = steering.steered(deployment)
    if not steered:
        plan.status["conditions"] = status.pause_condition(deployment, plan.status["conditions"])
    if rolling_out:
        plan.status["conditions"] = _found(plan, deployment, new)
        if steered and new:
            plan.status["conditions"] = steering.progress(deployment, steered[0], plan.status, new, time)
        else:
            plan.status["conditions"] = status.progress(deployment, plan.status, new, time)
        _explain_timeout(plan, deployment, trouble)
        plan.status["conditions"] = status.failure(plan.status["conditions"], new, old)
        plan.delay = status.seconds_left(deployment, plan.status["conditions"], time)
    plan.status = status.without_zeros(plan.status)
    return plan


def _explain_timeout(plan: Plan, deployment: dict, trouble: str) -> None:
    """Kubernetes says only that time is up. Here the condition also says what the pods said, and so does an event."""
    known = condition({"status": plan.status}, "Progressing")
    if not known or known["reason"] != status.TIMED_OUT or known == condition(deployment, "Progressing"):
        return
    told = {**known, "message": f"{known['message']} {trouble}".strip()}
    plan.status["conditions"] = [told if c is known else c for c in plan.status["conditions"]]
    plan.events.append(("Warning", status.TIMED_OUT, told["message"]))


def _found(plan: Plan, deployment: dict, new: dict | None) -> list[dict]:
    """Progress begins when there is a new ReplicaSet, made or found: from here the deadline is counted. An old one that
    is found again, for somebody has undone a rollout whose time was up, is a beginning too; Kubernetes overlooks that,
    and goes on calling the undo late until it is complete."""
    conditions = plan.status["conditions"]
    if new is None or not status.has_deadline(deployment):
        return conditions
    name = name_of(new)
    if plan.create:
        made = ("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
        return status.set_condition(conditions, "Progressing", *made)
    known = condition({"status": plan.status}, "Progressing")
    undone = known and known["reason"] == status.TIMED_OUT and plan.revision != str(revisions.revision_of(deployment))
    if known is None or undone:
        found = ("True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
        return status.set_condition(conditions, "Progressing", *found)
    return conditions

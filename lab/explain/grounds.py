"""The grounds of a decision in a few words: from what whoever decided left on the row (`why`), by the decision's name.

Which decisions there are, who takes them and what they leave stands in `lab/README.md`. Pure.
"""

from collections.abc import Callable

Words = Callable[[dict], str]


def because(why: dict | None) -> str:
    """Empty where nothing was decided, or nothing is said of its grounds."""
    words = GROUNDS.get((why or {}).get("decision", ""), _nothing)
    return words(why or {})


def _nothing(why: dict) -> str:
    return ""


def _said(template: str) -> Words:
    return lambda why: template.format_map(why)


def _job(why: dict) -> str:
    wanted = f" of {why['completions']}" if why["completions"] is not None else ""
    ended = f": {why['ended']}" if "ended" in why else ""
    return f"{why['succeeded']}{wanted} done, {why['failed']} failed, {why['active']} at work{ended}"


def _due(why: dict) -> str:
    missed = f"; {why['missed']} times before it were missed" if why.get("missed") else ""
    return f"{why['schedule']}: due at {why['due']}{missed}"


def _node(why: dict) -> str:
    best = next((f", {item['total']:g} points" for item in why["nodes"] if item["node"] == why["chosen"]), "")
    return f"{why['feasible']} of {why['evaluated']} nodes fit{best}"


def _preemption(why: dict) -> str:
    return f"no node fits until {', '.join(why['victims']) or 'who is asked to leave'} has left {why['nominated']}"


def _sync(why: dict) -> str:
    steps = why.get("steps", ())
    if any(step["action"] == "Wait" for step in steps):
        return "back-off: longer after each failure"
    return "; ".join(dict.fromkeys(step["reason"] for step in steps if step.get("reason")))


def _sizes(why: dict) -> str:
    sets = ", ".join(
        f"{name} {one['replicas']} → {one['wanted']}"
        for name, one in why["replicaSets"].items()
        if one["replicas"] != one["wanted"]
    )
    if why["strategy"] == "Recreate":
        return f"all old pods go before new ones come: {sets}" if sets else ""
    undone = f"back to revision {why['rollbackTo']}; " if "rollbackTo" in why else ""
    return f"{undone}at most {why['atMost']} pods, at least {why['availableAtLeast']} available: {sets}" if sets else ""


def _target(why: dict) -> str:
    """`requests_per_second 34 of 20: 2 → 4`."""
    if why.get("error"):
        return str(why["error"])
    asked = [
        one.get("error") or f"{one.get('metric')} {_amount(one.get('current'))} of {_amount(one.get('target'))}"
        for one in why.get("metrics") or ()
    ]
    if "desired" not in why:
        return "; ".join(asked)
    now, wanted = why.get("current"), why["desired"]
    return f"{', '.join(asked) or 'no metric'}: {f'{now} → {wanted}' if now != wanted else f'stays at {now}'}"


def _amount(written: object) -> str:
    """`16.7` for the 16682m of the API; what is no such quantity stays as it is."""
    text = str(written)
    return f"{int(text[:-1]) / 1000:.3g}" if text.endswith("m") and text[:-1].isdigit() else text


def _deleted(why: dict) -> str:
    counts = f"{why['replicas']} wanted, {why['found']} found"
    return f"{counts}: {why['because']}" if why["because"] else counts


def _evicted(why: dict) -> str:
    """`node a is drained; budget web lets 1 more go`."""
    drained = f"node {why['drains']} is drained; " if "drains" in why else ""
    if why["budget"] is None:
        return f"{drained}no budget holds it"
    more = f"lets {why['left']} more go" if why["left"] is not None else "does not count on it"
    return f"{drained}budget {why['budget']} {more}"


def _probed(why: dict) -> str:
    return f"the probes of {', '.join(why['containers'])} succeed"


def _tainted(why: dict) -> str:
    changes = [f"{verb} {', '.join(why[verb])}" for verb in ("adds", "removes") if why[verb]]
    of_state = why["ready"] != "True" or why["removes"]
    return "; ".join(changes) + (f": its condition Ready is {why['ready']}" if of_state else "")


def _reached(why: dict) -> str:
    return f"reached as {', '.join(why['hosts'])}" if why["hosts"] else "no load balancer is asked for"


def _selected(why: dict) -> str:
    others = why.get("notReady") or ()
    named = f"; not ready: {', '.join(others)}" if others else ""
    return f"{why['ready']} of {why['pods']} pods that it selects are ready{named}"


def _collected(why: dict) -> str:
    return f"{', '.join(why['owners'])} is gone"


def _release(why: dict) -> str:
    return why["message"] or (f"it is {why['phase']}" if "phase" in why else "")


def _bought(why: dict) -> str:
    return f"bought {why['bought']}" + (f" for {', '.join(why['for'])}" if why["for"] else "")


def _idle(why: dict) -> str:
    return f"{why['idle']} is idle: {round(100 * why['utilization'])} % is requested of it"


GROUNDS: dict[str, Words] = {
    "ScaleReplicaSets": _sizes,
    "JudgeRollout": _said("{reason}: {message}"),
    "CreatePods": _said("{replicas} wanted, {found} found"),
    "DeletePods": _deleted,
    "FailedCreate": _said("{replicas} wanted, {found} found: {message}"),
    "Adopt": _said("{owner} selects it, and nobody else manages it"),
    "Release": _said("{owner} does not select it any more"),
    "Orphan": _said("{owner} goes, and leaves it behind"),
    "CreateOrdinal": _said("{replicas} wanted, number {ordinal} missing"),
    "CreateClaim": _said("the pod with number {ordinal} needs it"),
    "DeleteOrdinal": _said("{because}"),
    "CreateDaemonPod": _said("{missing_on} had none"),
    "DeleteDaemonPod": _said("{because}"),
    "SyncJob": _job,
    "DeleteJobPods": _said("{because}"),
    "StartJob": _due,
    "ReplaceJob": _said("the one that is due at {due} replaces it"),
    "TrimHistory": _said("{of}: {limit} are kept"),
    "Expire": _said("{of}: {seconds:g} s are over"),
    "Schedule": _node,
    "Unschedulable": _node,
    "Preempt": _preemption,
    "PreemptionByScheduler": _said("{by} needs its place on {node}: priority {byPriority} over {priority}"),
    "SyncPod": _sync,
    "SyncTerminatingPod": _said("it has {graceSeconds} s to end"),
    "ProbeSucceeded": _probed,
    "SyncTerminatedPod": _said("its containers have ended"),
    "SelectEndpoints": _selected,
    "MirrorEndpoints": _said("it mirrors {mirrors}"),
    "DeleteEndpoints": _said("Service {service} is gone"),
    "ScaleTarget": _target,
    "StepRelease": _release,
    "RollOutImage": _said("build {build} made {image}"),
    "BindVolume": _said("{volume} is what it asks for"),
    "ProvisionVolume": _said("class {class} makes what is asked for"),
    "AssignDefaultClass": _said("it names no class, and {class} is the default"),
    "LoseVolume": _said("{reason}: volume {volume}"),
    "ReclaimVolume": _said("claim {claim} is gone: reclaim policy {policy}"),
    "BuyNode": _bought,
    "MoveNode": _said("its engine is lost; it stands on {engine} from now on"),
    "BootNode": _said("the machine of pool {pool} has booted"),
    "SellNode": _said("sells {sold}: idle for {idleSeconds} s"),
    "FindNodeIdle": _idle,
    "KeepNode": _said("needed again: {needed}"),
    "RemoveNode": _said("{node} is sold and empty"),
    "EvictionByEvictionAPI": _evicted,
    "RefuseEviction": _said("{pod} has to stay: {message}"),
    "AllowDisruption": _said("lets {pod} go, and {left} more"),
    "TaintNode": _tainted,
    "MarkPodNotReady": _said("nobody hears of node {node}"),
    "EnsureLoadBalancer": _reached,
    "DeletionByTaintManager": _said("taint {taint} on {node}: tolerated for {tolerationSeconds:g} s"),
    "DeletionByPodGC": _said("{because}"),
    "CollectGarbage": _collected,
    "RemoveFinalizer": _said("{because}"),
    "EmptyNamespace": _said("namespace {namespace} is going"),
}

"""The taints that tell of a node's trouble, and which pods put up with them. Pure.

Source: helpers.go of k8s.io/component-helpers/scheduling/corev1.
"""

from lab.apimachinery.meta import condition, now, parse_time
from lab.apimachinery.taints import NOT_READY, UNREACHABLE, UNSCHEDULABLE, tolerates

# What a condition of a node, in a status, says to the scheduler: (condition, status) → taint with NoSchedule.
TAINT_OF_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
OURS_NO_SCHEDULE = {*TAINT_OF_CONDITION.values(), UNSCHEDULABLE}
OURS_NO_EXECUTE = {NOT_READY, UNREACHABLE}


def taints_of(node: dict, may_evict: bool) -> list[dict]:
    """The taints the node should have: those that others gave it, and those that follow from its state.

    `may_evict`: whether its pods may be driven away (NoExecute), or only new ones be kept off (NoSchedule).
    """
    wanted = {(key, "NoSchedule") for key in _keep_off(node)}
    ready = condition(node, "Ready")
    if may_evict and ready and ready["status"] != "True":
        wanted.add((TAINT_OF_CONDITION["Ready", ready["status"]], "NoExecute"))
    present = node["spec"].get("taints", [])
    kept = [taint for taint in present if not _is_ours(taint) or (taint["key"], taint["effect"]) in wanted]
    have = {(taint["key"], taint["effect"]) for taint in kept}
    added = [{"key": key, "effect": effect, "timeAdded": now()} for key, effect in sorted(wanted - have)]
    return kept + added


def why_tainted(node: dict, taints: list[dict]) -> dict:
    """The decision to give the node other taints than it has: `ready` is what its condition says."""
    before, after = (
        {f"{taint['key']}:{taint['effect']}" for taint in some} for some in (node["spec"].get("taints", []), taints)
    )
    ready = (condition(node, "Ready") or {}).get("status", "Unknown")
    return {"decision": "TaintNode", "adds": sorted(after - before), "removes": sorted(before - after), "ready": ready}


def _keep_off(node: dict) -> set[str]:
    keys = {
        TAINT_OF_CONDITION[c["type"], c["status"]]
        for c in node.get("status", {}).get("conditions", ())
        if (c["type"], c["status"]) in TAINT_OF_CONDITION
    }
    if condition(node, "Ready") is None:  # its kubelet has never spoken
        keys.add(NOT_READY)
    return keys | {UNSCHEDULABLE} if node["spec"].get("unschedulable") else keys


def _is_ours(taint: dict) -> bool:
    ours = OURS_NO_EXECUTE if taint["effect"] == "NoExecute" else OURS_NO_SCHEDULE
    return taint["effect"] != "PreferNoSchedule" and taint["key"] in ours


def no_execute(node: dict) -> list[dict]:
    """The taints that drive pods away."""
    return [taint for taint in node["spec"].get("taints", ()) if taint["effect"] == "NoExecute"]


def driving_away(node: dict) -> list[dict]:
    """Those of them that were put there because nobody hears of the node."""
    return [taint for taint in no_execute(node) if _is_ours(taint) and taint.get("timeAdded")]


def seconds_told(pod: dict, taints: list[dict], time: float) -> float:
    """For how long these taints and the pod have been on the node together, by the times that the control plane itself
    has written; 0 if they do not say, or lie in the future. `time` is seconds since the epoch."""
    bound = condition(pod, "PodScheduled") or {}
    stamps = [taint.get("timeAdded") for taint in taints] + [bound.get("lastTransitionTime")]
    known = [parse_time(stamp) for stamp in stamps if stamp]
    return max(0.0, time - max(known)) if len(known) == len(stamps) else 0.0


def first_to_drive_away(pod: dict, taints: list[dict]) -> tuple[str, float]:
    """Of these NoExecute taints the one that the pod puts up with for the shortest time, and for how many seconds.
    Only of a pod that does not put up with them for ever."""
    limits = {f"{taint['key']}:{taint['effect']}": seconds_tolerated(pod, [taint]) for taint in taints}
    known = {taint: seconds for taint, seconds in limits.items() if seconds is not None}
    return min(known.items(), key=lambda item: item[1])


def seconds_tolerated(pod: dict, taints: list[dict]) -> float | None:
    """How long the pod may stay beside these NoExecute taints: 0 if one is not tolerated at all, None for ever."""
    shortest: float | None = None
    for taint in taints:
        first = next((t for t in pod["spec"].get("tolerations", ()) if tolerates(t, taint)), None)
        if first is None:
            return 0.0
        if (limit := first.get("tolerationSeconds")) is not None:
            shortest = max(0.0, float(limit)) if shortest is None else min(shortest, max(0.0, float(limit)))
    return shortest

"""A pod's line in `kubectl get pods`: its status in one word, out of a phase, conditions and containers' states."""

from lab.apimachinery.meta import is_true, parse_time
from lab.apimachinery.pods import is_finished

from .cells import NONE, age, human_duration


def pod_cells(pod: dict, now: float) -> list:
    status = pod.get("status", {})
    reason, ready, total, restarts, last_restart = summary(pod)
    times = f"{restarts} ({human_duration(now - last_restart)} ago)" if restarts and last_restart else str(restarts)
    addresses = status.get("podIPs") or [{"ip": status.get("podIP") or NONE}]
    return [
        pod["metadata"]["name"],
        f"{ready}/{total}",
        reason,
        times,
        age(pod, now),
        addresses[0].get("ip") or NONE,
        pod["spec"].get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]


def pod_conditions(pod: dict) -> list[dict]:
    """What marks a row as done, so that a client may grey it out."""
    if not is_finished(pod):
        return []
    phase = pod["status"]["phase"]
    message = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def summary(pod: dict) -> tuple[str, int, int, int, float]:
    """(status in one word, ready containers, all containers, restarts, seconds since the epoch of the last one).

    Containers that start before the others (init containers) speak first; when they are done the main ones do, and of
    those the first that is in trouble. Source: `printPod` in k8s.io/kubernetes/pkg/printers/internalversion.
    """
    status = pod.get("status", {})
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(pod["spec"].get("containers") or ()) + len(sidecars)
    reason = _phase_reason(status)
    told, ready, restarts, last = _init_containers(pod, sidecars)
    reason = told or reason
    if not told or is_true(pod, "Initialized"):
        sidecar_statuses = [s for s in status.get("initContainerStatuses") or () if s["name"] in sidecars]
        restarts, last = _restarts([*sidecar_statuses, *(status.get("containerStatuses") or ())])
        reason, running = _containers(pod, reason)
        ready += running
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif not is_finished(pod):
            reason = "Terminating"
    return reason, ready, total, restarts, last


def _phase_reason(status: dict) -> str:
    scheduled: dict = next((c for c in status.get("conditions") or () if c["type"] == "PodScheduled"), {})
    if scheduled.get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return status.get("reason") or status.get("phase") or "Unknown"


def _init_containers(pod: dict, sidecars: set[str]) -> tuple[str, int, int, float]:
    """(what the first unfinished init container is doing or "", ready sidecars, restarts so far, the last of them)."""
    statuses = pod.get("status", {}).get("initContainerStatuses") or []
    count = len(pod["spec"].get("initContainers") or ())
    ready = 0
    for index, container in enumerate(statuses):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and ended.get("exitCode", 0) == 0:
            continue
        if container["name"] in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if ended:
            told = "Init:" + _ended(ended)
        elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
            told = "Init:" + waiting["reason"]
        else:
            told = f"Init:{index}/{count}"
        return told, ready, *_restarts(statuses[: index + 1])
    return "", ready, 0, 0.0


def _containers(pod: dict, reason: str) -> tuple[str, int]:
    """(the reason of the first container in trouble, else the one given; how many run and are ready)."""
    ready = 0
    for container in reversed(pod.get("status", {}).get("containerStatuses") or ()):
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended:
            reason = _ended(ended)
        elif container.get("ready") and "running" in state:
            ready += 1
    if reason == "Completed" and ready:
        reason = "Running" if is_true(pod, "Ready") else "NotReady"
    return reason, ready


def _ended(ended: dict) -> str:
    if ended.get("reason"):
        return ended["reason"]
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _restarts(statuses: list[dict]) -> tuple[int, float]:
    finished = [((s.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for s in statuses]
    last = max((parse_time(time) for time in finished if time), default=0.0)
    return sum(s.get("restartCount", 0) for s in statuses), last


def _readiness_gates(pod: dict) -> str:
    gates = pod["spec"].get("readinessGates") or ()
    if not gates:
        return NONE
    true = sum(is_true(pod, gate["conditionType"]) for gate in gates)
    return f"{true}/{len(gates)}"

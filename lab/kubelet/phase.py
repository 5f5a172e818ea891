"""A pod's phase: one word that sums up all its containers. Pure.

Kubernetes computes it anew each time from the container statuses and the restart policy, never from history.
Source: pkg/kubelet/kubelet_pods.go, getPhase.
"""

from collections import Counter
from collections.abc import Iterable

from lab.apimachinery.meta import parse_time

from .pods import containers, init_containers, is_sidecar, restart_policy

DEADLINE_EXCEEDED = "DeadlineExceeded"  # the reason of a pod that has had all the time that it was given


def phase_of(pod: dict, statuses: dict[str, dict], finished: bool = False) -> str:
    """Pending, Running, Succeeded or Failed.

    `statuses` are the pod's container statuses by name, as they are about to be reported; `finished` says that the
    kubelet has stopped the pod for good (it was deleted, or evicted), so that nothing will be restarted.
    """
    policy = restart_policy(pod)
    plain_inits = [c for c in init_containers(pod) if not is_sidecar(c)]
    init = Counter(_init_state(statuses.get(c["name"], {})) for c in plain_inits)
    if init["failed"] and policy == "Never":
        return "Failed"
    sidecars = Counter(_sidecar_state(statuses.get(c["name"], {})) for c in init_containers(pod) if is_sidecar(c))
    main = Counter(_state(statuses.get(c["name"], {})) for c in containers(pod))
    main_seen = main["running"] + main["succeeded"] + main["failed"]
    if init["pending"] or (sidecars["pending"] and not main_seen):
        return "Failed" if finished else "Pending"
    if main["waiting"] or sidecars["waiting"]:
        return "Failed" if finished else "Pending"
    if main["running"] or sidecars["running"] or sidecars["pending"]:
        return "Running"
    return _phase_of_stopped(policy, main["failed"], finished)


def _phase_of_stopped(policy: str, failed: int, finished: bool) -> str:
    if finished or policy != "Always":
        if not failed:
            return "Succeeded"
        return "Failed" if finished or policy == "Never" else "Running"
    return "Running"  # about to be restarted: the phase does not go back to Pending for that


def _state(status: dict) -> str:
    """running, succeeded, failed, or waiting (never ran). One that waits for its restart counts as how it ended."""
    state = status.get("state", {})
    if "running" in state:
        return "running"
    ended = state.get("terminated") or status.get("lastState", {}).get("terminated")
    if not ended:
        return "waiting"
    return "failed" if ended["exitCode"] else "succeeded"


def _init_state(status: dict) -> str:
    state = _state(status)
    if state in ("running", "waiting") or (state == "succeeded" and "terminated" not in status["state"]):
        return "pending"
    return state


def _sidecar_state(status: dict) -> str:
    """A sidecar holds the pod in Pending until it has started once; how it ended never counts."""
    state = _state(status)
    if state == "running":
        return "running" if status.get("started") else "pending"
    return "waiting" if state == "waiting" else "ended"


def until_deadline(pod: dict, now: float) -> float | None:
    """Seconds until the pod has been active for longer than it may, 0 if it has; None if there is no such limit."""
    seconds, since = pod["spec"].get("activeDeadlineSeconds"), pod.get("status", {}).get("startTime")
    if seconds is None or since is None:
        return None
    return max(0.0, parse_time(since) + seconds - now)


def past_deadline(pod: dict) -> dict:
    return failed(pod, DEADLINE_EXCEEDED, "Pod was active on the node longer than the specified deadline")


def failed(pod: dict, reason: str, message: str) -> dict:
    """The pod as it is once its time is over, whatever its containers do: they are ended because of this."""
    return {**pod, "status": {**pod["status"], "phase": "Failed", "reason": reason, "message": message}}


def conditions_of(pod: dict, phase: str, statuses: dict[str, dict], sandbox_ready: bool) -> list[dict]:
    """The conditions that the kubelet owns, in Kubernetes' order: {type, status, reason?, message?} without times."""
    return [
        _condition("PodReadyToStartContainers", sandbox_ready),
        _initialized(pod, phase, statuses),
        _ready(pod, phase, statuses),
        _containers_ready(pod, phase, statuses),
        _condition("PodScheduled", True),
    ]


def _condition(kind: str, true: bool, reason: str = "", message: str = "") -> dict:
    found = {"type": kind, "status": "True" if true else "False"}
    if reason:
        found["reason"] = reason
    if message:
        found["message"] = message
    return found


def _initialized(pod: dict, phase: str, statuses: dict[str, dict]) -> dict:
    unfinished = [c["name"] for c in init_containers(pod) if not _is_initialized(c, statuses.get(c["name"], {}))]
    main_began = any(_state(statuses.get(c["name"], {})) != "waiting" for c in containers(pod))
    if phase == "Succeeded":
        return _condition("Initialized", True, "PodCompleted")
    if not unfinished or main_began:
        return _condition("Initialized", True)
    message = f"containers with incomplete status: [{' '.join(unfinished)}]"
    return _condition("Initialized", False, "ContainersNotInitialized", message)


def _is_initialized(container: dict, status: dict) -> bool:
    return bool(status.get("started")) if is_sidecar(container) else bool(status.get("ready"))


def _containers_ready(pod: dict, phase: str, statuses: dict[str, dict]) -> dict:
    if phase == "Succeeded":
        return _condition("ContainersReady", False, "PodCompleted")
    if phase == "Failed":
        return _condition("ContainersReady", False, "PodFailed")
    counted = [*(c for c in init_containers(pod) if is_sidecar(c)), *containers(pod)]
    unready = [c["name"] for c in counted if not statuses.get(c["name"], {}).get("ready")]
    if not unready:
        return _condition("ContainersReady", True)
    message = f"containers with unready status: [{' '.join(unready)}]"
    return _condition("ContainersReady", False, "ContainersNotReady", message)


def _ready(pod: dict, phase: str, statuses: dict[str, dict]) -> dict:
    inner = _containers_ready(pod, phase, statuses)
    if inner["status"] == "False":
        return {**inner, "type": "Ready"}
    told = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions") or ()}
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]
    closed = list(_closed_gates(gates, told))
    if closed:
        return _condition("Ready", False, "ReadinessGatesNotReady", ", ".join(closed))
    return _condition("Ready", True)


def _closed_gates(gates: Iterable[str], told: dict[str, str]) -> Iterable[str]:
    """A readiness gate is a condition that somebody outside (a load balancer) must set to True."""
    for gate in gates:
        if gate not in told:
            yield f'corresponding condition of pod readiness gate "{gate}" does not exist.'
        elif told[gate] != "True":
            yield f'the status of pod readiness gate "{gate}" is not "True", but {told[gate]}'

"""What controllers ask of a pod: does it count, is it ready, has it been ready for long enough. Pure."""

from lab.apimachinery.meta import condition, controller_of, is_deleting, is_true, parse_time, with_condition
from lab.apimachinery.podresources import is_sidecar
from lab.apimachinery.pods import is_finished as is_finished


def is_active(pod: dict) -> bool:
    """It counts as a replica. One that is on its way out does not, though its containers may still run: its
    replacement need not wait for it."""
    return not is_finished(pod) and not is_deleting(pod)


def is_terminating(pod: dict) -> bool:
    """It is on its way out, and its containers may still run."""
    return is_deleting(pod) and not is_finished(pod)


def disrupted(pod: dict, reason: str, message: str, **status: str) -> dict:
    """A copy whose status says that it is not the pod's own fault: what a Job's failure policy asks for."""
    old = pod.get("status", {})
    told = with_condition(old.get("conditions", []), "DisruptionTarget", "True", reason, message)
    return {**pod, "status": {**old, **status, "conditions": told}}


def is_ready(pod: dict) -> bool:
    return is_true(pod, "Ready")


def node_of(pod: dict) -> str:
    """The node it is bound to; empty until the scheduler has chosen one."""
    return pod["spec"].get("nodeName", "")


def is_daemon(pod: dict) -> bool:
    """Every node that fits has one: it is there for its node, and goes with it."""
    return (controller_of(pod) or {}).get("kind") == "DaemonSet"


def restarts(pod: dict) -> int:
    """Of all its containers together, those that prepare the others included."""
    status = pod.get("status", {})
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return sum(one.get("restartCount", 0) for one in statuses)


def most_restarts(pod: dict) -> tuple[int, int]:
    """Of the container that was restarted most often, and of such a sidecar."""
    status = pod.get("status", {})
    sidecars = {each["name"] for each in filter(is_sidecar, pod["spec"].get("initContainers") or ())}
    beside = [one for one in status.get("initContainerStatuses") or () if one["name"] in sidecars]
    every = (status.get("containerStatuses") or (), beside)
    first, second = (max((one.get("restartCount", 0) for one in statuses), default=0) for statuses in every)
    return first, second


def created(pod: dict) -> float:
    """Seconds since the epoch; 0 if it does not say."""
    written = pod["metadata"].get("creationTimestamp")
    return parse_time(written) if written else 0.0


def ready_since(pod: dict) -> float:
    """Seconds since the epoch; 0 if it is not ready or does not say since when."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True" or not ready.get("lastTransitionTime"):
        return 0.0
    return parse_time(ready["lastTransitionTime"])


def seconds_to_available(pod: dict, min_ready_seconds: int, time: float) -> float | None:
    """0 or less: it is available at `time`. More: it will be, if it stays ready so long. None: it is not ready.

    A pod that is ready since a time to come only says that the clock has stepped back: it has waited long enough.
    """
    if not is_ready(pod):
        return None
    if not min_ready_seconds:
        return 0.0
    since = ready_since(pod)
    return 0.0 if since > time + 1 else since + min_ready_seconds - time

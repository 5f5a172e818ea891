"""A pod's status from what the engine, the probes and the kubelet's own failures say. Pure.

Status is an observation: computed anew from the containers each time, and compared with what was reported before
writing. Source: pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses and generateAPIPodStatus.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.apimachinery import meta
from lab.runtime import Container, Sandbox

from .phase import conditions_of, phase_of
from .pods import (
    all_containers,
    container_statuses,
    ephemeral_containers,
    init_containers,
    is_ephemeral,
    is_finished,
    is_init,
    is_sidecar,
)

OWN_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
OWN_FIELDS = (
    "phase", "hostIP", "hostIPs", "podIP", "podIPs", "startTime", "containerStatuses", "initContainerStatuses",
    "ephemeralContainerStatuses", "reason", "message",
)  # fmt: skip
KILLED_BY_SIGKILL = 137
CANNOT_RUN = 128  # whatever the engine says: as containerd has it


@dataclass(frozen=True)
class Waiting:
    """Why a container is not running yet: Kubernetes' reason (`ImagePullBackOff`) and the words for a person."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a running container's probes say. One without a probe has started, and is ready, as soon as it runs."""

    started: bool = True
    ready: bool = True


@dataclass(frozen=True)
class Observed:
    """Everything that a pod's status is made from, besides the pod itself. Mappings go by container's name."""

    runtime: str  # "docker": the scheme of container ids
    host_ip: str
    sandbox: Sandbox | None = None
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    finished: bool = False  # the kubelet has stopped the pod for good


def of_name(sandbox: Sandbox | None, name: str) -> list[Container]:
    """The engine's containers of that name, newest first."""
    found = [container for container in sandbox.containers if container.name == name] if sandbox else []
    return sorted(found, key=lambda container: -container.attempt)


def pod_status(pod: dict, seen: Observed) -> dict:
    """The whole status to report. What other components wrote into it (conditions, qosClass) is kept.

    A pod that is Succeeded or Failed stays so: terminal phases are final.
    """
    old = pod.get("status", {})
    told = container_statuses(pod)
    statuses = {c["name"]: container_status(pod, c, told.get(c["name"], {}), seen) for c in all_containers(pod)}
    phase = old["phase"] if is_finished(pod) else phase_of(pod, statuses, seen.finished)
    sandbox_ready = bool(seen.sandbox and seen.sandbox.ready and not seen.finished)
    fresh = conditions_of(pod, phase, statuses, sandbox_ready)
    status = {
        **old,
        "phase": phase,
        "conditions": merge_conditions(old.get("conditions") or [], fresh),
        "hostIP": seen.host_ip,
        "hostIPs": [{"ip": seen.host_ip}],
        "startTime": old.get("startTime") or meta.now(),
        "containerStatuses": [statuses[c["name"]] for c in pod["spec"]["containers"]],
    }
    if init_containers(pod):
        status["initContainerStatuses"] = [statuses[c["name"]] for c in init_containers(pod)]
    if ephemeral_containers(pod):
        status["ephemeralContainerStatuses"] = [statuses[c["name"]] for c in ephemeral_containers(pod)]
    if seen.sandbox and seen.sandbox.address:
        status["podIP"] = seen.sandbox.address
        status["podIPs"] = [{"ip": seen.sandbox.address}]
    return status


def overlay(api: dict, own: dict) -> dict:
    """The status as the API has it, with what the kubelet has found put over it: others' fields and conditions stay.

    A terminal phase that somebody else has set (a node that never came back) is final for the kubelet too.
    """
    foreign = [c for c in api.get("conditions") or () if c["type"] not in OWN_CONDITIONS]
    merged = {**api, **{field: own[field] for field in OWN_FIELDS if field in own}}
    merged["conditions"] = [*(c for c in own.get("conditions", ()) if c["type"] in OWN_CONDITIONS), *foreign]
    if is_finished({"status": api}):
        merged["phase"] = api["phase"]
    return merged


def merge_conditions(old: list[dict], fresh: list[dict]) -> list[dict]:
    """The kubelet's conditions first, then everybody else's; a transition's time moves only with its status."""
    before = {condition["type"]: condition for condition in old}
    own = {condition["type"] for condition in fresh}
    dated = [
        {**condition, "lastProbeTime": None, "lastTransitionTime": _since(condition, before)} for condition in fresh
    ]
    return [*dated, *(condition for condition in old if condition["type"] not in own)]


def _since(condition: dict, before: dict[str, dict]) -> str:
    was = before.get(condition["type"])
    return (was and was["status"] == condition["status"] and was.get("lastTransitionTime")) or meta.now()


def container_status(pod: dict, container: dict, old: dict, seen: Observed) -> dict:
    """One ContainerStatus: state now, how it ended last, restarts, ready and started."""
    name = container["name"]
    found = of_name(seen.sandbox, name)
    newest = found[0] if found else None
    state, last = _states(pod, container, found, old, seen)
    running = "running" in state
    verdict = seen.verdicts.get(name, Verdict())
    started = running and verdict.started
    status = {
        "name": name,
        "state": state,
        "lastState": {"terminated": last} if last else {},
        "ready": _is_ready(pod, container, state, started and verdict.ready),
        "restartCount": restart_count(newest, old),
        "image": container["image"],
        "imageID": newest.image_id if newest else old.get("imageID", ""),
        "started": started,
    }
    if newest:
        status["containerID"] = f"{seen.runtime}://{newest.id}"
    elif old.get("containerID"):
        status["containerID"] = old["containerID"]
    return status


def restart_count(newest: Container | None, old: dict) -> int:
    """The engine's containers carry the count; where they are gone, the API remembers it."""
    return max(newest.attempt if newest else 0, old.get("restartCount", 0))


def next_attempt(newest: Container | None, old: dict) -> int:
    """The attempt that the next container of this name will be: 0 if there never was one.

    One that was created and not started, since its kubelet was killed between the two, is made again: no restart.
    """
    if newest and newest.state == "created" and not newest.message:
        return newest.attempt
    ran = newest is not None or old.get("containerID") or lost(newest, old)
    return restart_count(newest, old) + 1 if ran else 0


def lost(newest: Container | None, old: dict) -> bool:
    """The API knows it running, and the engine knows nothing of it: someone removed it behind our back."""
    return newest is None and "running" in old.get("state", {})


def _is_ready(pod: dict, container: dict, state: dict, healthy: bool) -> bool:
    """An init container is ready when it has succeeded, an ephemeral one never, every other one while it runs and its
    probes agree."""
    if is_ephemeral(pod, container["name"]):
        return False
    if is_init(pod, container["name"]) and not is_sidecar(container):
        return state.get("terminated", {}).get("exitCode") == 0
    return healthy


def _states(pod: dict, container: dict, found: list[Container], old: dict, seen: Observed) -> tuple[dict, dict | None]:
    """The state now, and the termination before it."""
    name = container["name"]
    told = old.get("lastState", {}).get("terminated")
    newest = found[0] if found else None
    if newest is None:
        if "terminated" in old.get("state", {}):
            if name not in seen.waiting:
                return old["state"], told
            return {"waiting": _words(seen.waiting[name])}, old["state"]["terminated"]
        last = _lost_termination(old) if lost(newest, old) else told
        if is_ephemeral(pod, name) and lost(newest, old):
            return {"terminated": last}, None
        return {"waiting": _words(seen.waiting.get(name) or _default_waiting(pod, name))}, last
    before = _termination(found[1], seen.runtime) if len(found) > 1 else _end_before(newest, old)
    if newest.state == "running":
        return {"running": {"startedAt": meta.at(newest.started_at)}}, before
    ended = _termination(newest, seen.runtime)
    if name in seen.waiting:  # it will be tried again: say why not yet, and keep how it ended
        return {"waiting": _words(seen.waiting[name])}, ended
    return {"terminated": ended}, before


def _end_before(newest: Container, old: dict) -> dict | None:
    """How the run before this one ended, where the engine has no trace of it and only the API remembers."""
    if old.get("containerID", "").endswith(f"//{newest.id}") or not old.get("containerID"):
        return old.get("lastState", {}).get("terminated")
    if "running" in old["state"]:
        return _lost_termination(old)
    return old["state"].get("terminated") or old.get("lastState", {}).get("terminated")


def _words(waiting: Waiting) -> dict:
    return {"reason": waiting.reason, "message": waiting.message} if waiting.message else {"reason": waiting.reason}


def _default_waiting(pod: dict, name: str) -> Waiting:
    """PodInitializing while it is the init containers' turn, else ContainerCreating."""
    if is_init(pod, name):
        return Waiting("PodInitializing")
    return Waiting("PodInitializing" if init_containers(pod) else "ContainerCreating")


def _termination(container: Container, runtime: str) -> dict:
    """How a container ended. One that was created and never started could not run at all."""
    cannot_run = container.state == "created" or not container.started_at
    code = CANNOT_RUN if cannot_run else container.exit_code
    ended: dict = {"exitCode": code}
    if container.signal:
        ended["signal"] = container.signal
    ended["reason"] = _reason(container, code, cannot_run)
    if container.message:
        ended["message"] = container.message
    ended["startedAt"] = meta.at(container.started_at or container.created_at)
    ended["finishedAt"] = meta.at(container.finished_at or container.created_at)
    ended["containerID"] = f"{runtime}://{container.id}"
    return ended


def _reason(container: Container, code: int, cannot_run: bool) -> str:
    if cannot_run:
        return "StartError"
    if container.oom_killed:
        return "OOMKilled"
    return "Error" if code else "Completed"


def _lost_termination(old: dict) -> dict:
    return {
        "exitCode": KILLED_BY_SIGKILL,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was synced: it was removed on the engine",
        "startedAt": old["state"]["running"].get("startedAt"),
        "finishedAt": meta.now(),
        "containerID": old.get("containerID", ""),
    }

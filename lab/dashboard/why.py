"""Why a pod is as it is, in sentences and as a thread: read from its status and from what the log kept of decisions.

Pure, but for `thread`, which follows the log's causes through the client.
"""

from lab.apimachinery.meta import condition, parse_time
from lab.apiserver.tables.cells import human_duration
from lab.apiserver.tables.pods import summary

from .status import next_try, pod_state
from .workloadrows import NO_IMAGE

WORDS = {
    "pending": "without a node",
    "starting": "starting",
    "ready": "ready",
    "unready": "not ready",
    "failed": "failed",
    "backoff": "in back-off",
    "leaving": "leaving",
    "done": "completed",
}


def explain_pod(pod: dict, now: float) -> list[str]:
    """Why the pod is in the state it is in: a few sentences, the most telling first."""
    status = pod.get("status", {})
    state = pod_state(pod, summary(pod)[0])
    said = [_container(container, now) for container in _containers(status)]
    sentences = [sentence for sentence in said if sentence]
    if (again := next_try(pod)) and state == "backoff":
        left = max(0, round(again - now))
        sentences.append(f"The kubelet waits longer after each failure: next try in {left} s.")
    scheduled = condition(pod, "PodScheduled")
    if state == "pending":
        sentences.append(
            scheduled["message"] if scheduled and scheduled.get("message") else "The scheduler has not seen it yet."
        )
    if state == "ready" and not sentences:
        since = (condition(pod, "Ready") or {}).get("lastTransitionTime")
        ago = f" for {human_duration(now - parse_time(since))}" if since else ""
        sentences.append(
            f"All its containers run and are ready{ago}. It answers at {status.get('podIP') or 'no address'}."
        )
    if state == "unready" or state == "starting":
        sentences.append(_readiness(pod) or "Its containers are being made.")
    if state == "leaving":
        sentences.append("It was asked to leave: its containers have been told, and are given time to finish.")
    if status.get("message"):
        sentences.append(status["message"])
    return sentences


def _containers(status: dict) -> list[dict]:
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _container(container: dict, now: float) -> str:
    """What is the matter with a container that does not simply run."""
    state, last = container.get("state", {}), container.get("lastState", {})
    waiting, restarts = state.get("waiting", {}), container.get("restartCount", 0)
    ended = state.get("terminated") or last.get("terminated")
    name = container["name"]
    if waiting.get("reason") in NO_IMAGE:
        return f"The image of {name} cannot be had: {waiting.get('message') or waiting['reason']}"
    if ended and (state.get("terminated") or waiting.get("reason") == "CrashLoopBackOff"):
        times = f", restarted {restarts} times so far" if restarts > 1 else ""
        return f"The process of {name} ended with {_ending(ended)}{_after(ended)}{times}."
    if ended and restarts:
        return f"{name} was restarted {restarts} times, last because it ended with {_ending(ended)}{_after(ended)}."
    if waiting.get("message"):
        return f"{name}: {waiting.get('reason')}: {waiting['message']}"
    return ""


def _ending(ended: dict) -> str:
    if ended.get("reason") == "OOMKilled":
        return "no memory left (OOMKilled)"
    return f"signal {ended['signal']}" if ended.get("signal") else f"exit code {ended.get('exitCode', 0)}"


def _after(ended: dict) -> str:
    if not ended.get("startedAt") or not ended.get("finishedAt"):
        return ""
    return f", {human_duration(parse_time(ended['finishedAt']) - parse_time(ended['startedAt']))} after it started"


def _readiness(pod: dict) -> str:
    ready = condition(pod, "ContainersReady") or condition(pod, "Ready")
    return ready.get("message", "") if ready and ready["status"] != "True" else ""

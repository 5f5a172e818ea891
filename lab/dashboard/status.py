"""A pod's state as the board draws it: one word of eight, from what the API server says in kubectl's STATUS column.

Pure. kubectl's word is for people who know Kubernetes; the state is what a shape can show from across a room.
"""

import re

from lab.apimachinery.meta import condition, is_deleting, is_true, parse_time

STATES = ("pending", "starting", "ready", "unready", "failed", "backoff", "leaving", "done")
BACKOFFS = ("CrashLoopBackOff", "ImagePullBackOff")
STARTING = ("Pending", "ContainerCreating", "PodInitializing", "Running")
# How Go prints a duration, and so how a kubelet says it: "back-off 1m20s restarting failed container".
BACKOFF_MESSAGE = re.compile(r"[Bb]ack-off (?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?")


def pod_state(pod: dict, word: str) -> str:
    """The state of a pod whose STATUS is `word`: one of `STATES`."""
    phase = pod.get("status", {}).get("phase")
    if phase == "Succeeded":
        return "done"
    if is_deleting(pod):
        return "leaving"
    if word.removeprefix("Init:") in BACKOFFS:
        return "backoff"
    if phase == "Failed":
        return "failed"
    if not pod["spec"].get("nodeName"):
        return "pending"
    if is_true(pod, "Ready"):
        return "ready"
    if word in STARTING or word.startswith("Init:") and "/" in word:
        return "unready" if was_ready(pod) else "starting"
    return "failed"


def was_ready(pod: dict) -> bool:
    """Whether the pod has been ready since its containers last started: it is not on its way there, it lost it."""
    ready = condition(pod, "Ready")
    if not ready or pod.get("status", {}).get("phase") != "Running":
        return False
    started = [
        parse_time(status["state"]["running"]["startedAt"])
        for status in pod["status"].get("containerStatuses", ())
        if status.get("state", {}).get("running", {}).get("startedAt")
    ]
    since = ready.get("lastTransitionTime")
    return bool(started and since and parse_time(since) > max(started))


def next_try(pod: dict) -> float | None:
    """When the kubelet starts a container in back-off again, in seconds since the epoch; None if it does not say.

    The kubelet gives the length of the wait in its message and the beginning of it in the last termination.
    """
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting", {})
        found = BACKOFF_MESSAGE.search(waiting.get("message", ""))
        ended = container.get("lastState", {}).get("terminated", {}).get("finishedAt")
        if waiting.get("reason") == "CrashLoopBackOff" and found and ended:
            hours, minutes, seconds = (float(part or 0) for part in found.groups())
            return parse_time(ended) + hours * 3600 + minutes * 60 + seconds
    return None

"""Why pods do not become ready, in their own words: what stands behind a rollout that gets nowhere. Pure."""

from collections.abc import Iterable

from lab.apimachinery.meta import condition, is_deleting

from ..pods import is_finished, is_ready

ON_ITS_WAY = ("ContainerCreating", "PodInitializing")


def trouble_of(pod: dict) -> str:
    """What keeps one pod from being ready; empty if nothing is known to."""
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in ON_ITS_WAY:
            return _said(waiting)
        ended = container.get("state", {}).get("terminated")
        if ended:
            return f"container {container['name']} ended: {ended.get('reason', '')}, exit code {ended.get('exitCode')}"
    for kind in ("PodScheduled", "Ready"):
        found = condition(pod, kind)
        if found and found["status"] == "False" and found.get("reason"):
            return _said(found)
    return ""


def _said(found: dict) -> str:
    return ": ".join(filter(None, (found["reason"], found.get("message", ""))))


def explain(pods: Iterable[dict]) -> str:
    """One sentence for all of them: the trouble of the first, and how many are in trouble; empty if none is."""
    waiting = [pod for pod in pods if not is_deleting(pod) and not is_finished(pod) and not is_ready(pod)]
    told = [(pod["metadata"]["name"], text) for pod in waiting if (text := trouble_of(pod))]
    if not told:
        return ""
    name, text = told[0]
    others = f" ({len(waiting) - 1} more wait)" if len(waiting) > 1 else ""
    return f'Pod "{name}": {text}{others}'

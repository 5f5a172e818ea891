"""Why a pod is as it is, in sentences and as a thread: read from its status and from what the log kept of decisions.

Pure, but for `thread`, which follows the log's causes through the client.
"""

from itertools import pairwise

from lab.apimachinery.kinds import PODS
from lab.apimachinery.meta import condition, parse_time
from lab.apiserver.tables.cells import human_duration
from lab.apiserver.tables.pods import summary
from lab.client import Client

from .status import next_try, pod_state
from .workloadrows import NO_IMAGE

LONGEST_THREAD = 12
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


def thread(client: Client, namespace: str, name: str) -> list[dict]:
    """What led to the pod and what became of it: `[{author, text, because, time, after}]`, oldest first.

    Backwards along the causes that the log keeps with each revision, then forwards along the pod's own revisions.
    `after` is seconds since the first link.
    """
    own = client.history(PODS, namespace, name, limit=200)[::-1]
    if not own:
        return []
    born = max((i for i, row in enumerate(own) if row["created"]), default=0)
    own = own[born:]
    links = [*_causes(client, own[0]["cause"]), *_life(own)]
    first = links[0]["time"]
    return [{**link, "after": link["time"] - first} for link in links]


def _causes(client: Client, revision: int) -> list[dict]:
    found: list[dict] = []
    while revision and len(found) < LONGEST_THREAD:
        row = client.written_by(revision)
        if row is None:
            break
        kind = row["resource"].partition(".")[0].removesuffix("s")
        verb = "made" if row["created"] else "deleted" if row["deleted"] else "changed"
        found.append({"author": row["author"], "text": f"{verb} {kind} {row['name']}", "time": row["time"]})
        revision = row["cause"]
    return found[::-1]


def _life(own: list[dict]) -> list[dict]:
    """The pod's own revisions, without those that changed nothing one would tell."""
    links = [_link(own[0], "made this pod")]
    for before, row in pairwise(own):
        if text := _event(before["object"], row) or acts_of(row["why"]):
            links.append(_link(row, text))
    if len(links) > 2 * LONGEST_THREAD:
        links = [*links[:LONGEST_THREAD], *links[-LONGEST_THREAD:]]
    return links


def _link(row: dict, text: str) -> dict:
    return {"author": row["author"], "text": text, "time": row["time"], "because": because(row["why"])}


def _event(before: dict, row: dict) -> str:
    now = row["object"]
    if row["deleted"]:
        return "removed it"
    if "succeeded" in (row["why"] or {}):
        return "counted it"
    if now["spec"].get("nodeName") != before["spec"].get("nodeName"):
        return f"chose {now['spec'].get('nodeName')}"
    word, was = summary(now)[0], summary(before)[0]
    state, old = pod_state(now, word), pod_state(before, was)
    if state == "leaving" and old != "leaving":
        return "asked it to leave"
    if row["why"]:
        return ""  # what was decided says more than what the state became
    if state != old:
        return f"found it {WORDS[state]}" + (f" ({word})" if state in ("failed", "backoff") else "")
    return ""


ACTS = {
    "KillPod": "ended the pod",
    "CreatePodSandbox": "made its sandbox",
    "KillContainer": "ended {container}",
    "StartContainer": "started {container}",
    "Wait": "let {container} wait {seconds:g} s",
}


def acts_of(why: dict | None) -> str:
    """What a kubelet decided to do: "made its sandbox, started hello"; empty for any other decision."""
    return ", ".join(ACTS[step["action"]].format_map(step) for step in (why or {}).get("steps", ()))


def because(why: dict | None) -> str:
    """The grounds of a decision in a few words, whoever took it: the owner's loop, the scheduler or a kubelet."""
    if not why:
        return ""
    if "created" in why:
        return f"{why['replicas']} wanted, {why['found']} found"
    if "succeeded" in why:
        wanted = f" of {why['completions']}" if why["completions"] is not None else ""
        return f"{why['succeeded']}{wanted} done, {why['failed']} failed, {why['active']} at work"
    if "ordinal" in why:
        return f"{why['replicas']} wanted, number {why['ordinal']} missing"
    if "missing_on" in why:
        return f"{why['missing_on']} had none"
    if "nodes" in why:
        fit = why["evaluated"] - len([item for item in why["nodes"] if not item["fits"]])
        best = next((f", {item['total']:g} points" for item in why["nodes"] if item["node"] == why["chosen"]), "")
        return f"{fit} of {why['evaluated']} nodes fit{best}"
    steps = why.get("steps", ())
    if any(step["action"] == "Wait" for step in steps):
        return "back-off: longer after each failure"
    return "; ".join(dict.fromkeys(step["reason"] for step in steps if step.get("reason")))

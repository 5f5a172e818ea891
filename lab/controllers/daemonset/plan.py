"""Which daemons to make and which to delete: one for each node that fits, and then those of old revisions bit by bit.
Pure. Source: podsShouldBeOnNode and rollingUpdate in pkg/controller/daemon of Kubernetes.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from lab.apimachinery.labels import REVISION_LABEL
from lab.apimachinery.meta import is_deleting

from ..backoff import Backoff
from ..deployment.rollout import scaled_value
from ..pods import created, is_finished, is_ready, node_of, seconds_to_available
from .nodes import failures_before, fits, node_of_daemon

# One that fails is made anew at once, one whose predecessor had failed too not before it is as old as this, in seconds,
# doubled with each failure: failedPodsBackoff.
BACKOFF = Backoff(1.0, 900.0)
TOO_MANY = "its node has another one"
REPLACED = "its node has one of the new template"
OUTDATED = "of an old template"


@dataclass
class Step:
    """The names of nodes that get a daemon, with how often those before it have failed; the daemons to delete, and of
    each, by its uid, because of what; what to tell of them, and when to look again."""

    create: dict[str, int] = field(default_factory=dict)
    delete: list[dict] = field(default_factory=list)
    because: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    delay: float | None = None

    def drop(self, pods: list[dict], because: str) -> None:
        self.delete += pods
        self.because |= {pod["metadata"]["uid"]: because for pod in pods}


@dataclass(frozen=True)
class Look:
    """A DaemonSet as it is looked at. `hash`: of its present template. `time` in seconds since the epoch."""

    ds: dict
    nodes: list[dict]
    pods: list[dict]
    hash: str
    time: float

    def by_node(self) -> dict[str, list[dict]]:
        """Node's name → its daemons, oldest first, those that have a node before those that wait for it. One that has
        ended and goes is there only for whoever keeps it with a finalizer."""
        found: dict[str, list[dict]] = defaultdict(list)
        there = [pod for pod in self.pods if not (is_finished(pod) and is_deleting(pod))]
        for pod in sorted(there, key=lambda pod: (not node_of(pod), pod["metadata"]["creationTimestamp"])):
            found[node_of_daemon(pod)].append(pod)
        return found

    def is_new(self, pod: dict) -> bool:
        return pod["metadata"].get("labels", {}).get(REVISION_LABEL) == self.hash

    def is_available(self, pod: dict) -> bool:
        left = seconds_to_available(pod, self.ds["spec"].get("minReadySeconds", 0), self.time)
        return left is not None and left <= 0

    @cached_property
    def fitting(self) -> dict[str, tuple[bool, bool]]:
        """Node's name → (shall it have a daemon, may it keep the one it has)."""
        return {node["metadata"]["name"]: fits(self.ds, node) for node in self.nodes}

    @cached_property
    def wanted(self) -> list[str]:
        """The names of the nodes that shall have a daemon."""
        return [name for name, (shall, _) in self.fitting.items() if shall]

    def share(self, of: str) -> int:
        """maxSurge or maxUnavailable in pods: a share of the nodes, rounded up."""
        rolling = (self.ds["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        value = rolling.get(of, 1 if of == "maxUnavailable" else 0)
        return scaled_value(value, len(self.wanted), round_up=True)


def next_step(look: Look) -> Step:
    """First each node gets what it should have; while that is done nothing rolls."""
    step, found = Step(), look.by_node()
    for name, (shall, may) in look.fitting.items():
        if shall and not found.get(name):
            step.create[name] = 0
        elif may:
            _keep_one(look, found.get(name, []), step)
            if shall and (failures := _failed_in_a_row(look, found[name], step)):
                step.create[name] = failures
        else:
            step.drop([pod for pod in found.get(name, ()) if not is_deleting(pod)], "it does not belong on its node")
    waiting = (pod for pod in look.pods if not node_of(pod) and not is_deleting(pod))
    step.drop([pod for pod in waiting if node_of_daemon(pod) not in look.fitting], "its node is gone")
    if not step.create and not step.delete and _rolls(look.ds):
        _roll(look, found, step)
    return step


def _rolls(ds: dict) -> bool:
    return (ds["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"


def _keep_one(look: Look, daemons: list[dict], step: Step) -> None:
    """Of the daemons of a node that fits: those that have ended go, and those too many; while one is being replaced by
    surge, an old one that serves and a new one that does not yet stand side by side."""
    running = []
    for pod in daemons:
        if is_deleting(pod):
            continue
        if not is_finished(pod):
            running.append(pod)
        elif (left := _seconds_to_retry(look, pod)) > 0:
            step.delay = min(left, step.delay or left)
        else:
            step.drop([pod], "it has ended")
            step.events.append(_ended(pod))
    if not look.share("maxSurge"):
        step.drop(running[1:], TOO_MANY)
        return
    new = [pod for pod in running if look.is_new(pod)]
    old = [pod for pod in running if not look.is_new(pod)]
    step.drop(new[1:] + old[1:], TOO_MANY)
    if new and old and (not is_ready(old[0]) or look.is_available(new[0])):
        step.drop(old[:1], REPLACED)


def _seconds_to_retry(look: Look, pod: dict) -> float:
    """Its node may refuse it again and again, so it is made anew ever later."""
    before = failures_before(pod) if pod["status"]["phase"] == "Failed" else 0
    return BACKOFF.left(before, created(pod), look.time)


def _failed_in_a_row(look: Look, daemons: list[dict], step: Step) -> int:
    """Where all daemons of a node go because they have failed: how often that was so, their successor included. Those
    of another template do not count, nor what was so long ago that it has been forgotten."""
    if not all(pod in step.delete and pod.get("status", {}).get("phase") == "Failed" for pod in daemons):
        return 0
    lately = [pod for pod in daemons if look.is_new(pod) and look.time - created(pod) < 2 * BACKOFF.most]
    return max((failures_before(pod) + 1 for pod in lately), default=0)


def _ended(pod: dict) -> tuple[str, str, str]:
    meta, phase = pod["metadata"], pod["status"]["phase"]
    about = f"{phase.lower()} daemon pod {meta['namespace']}/{meta['name']} on node {node_of(pod)}"
    kind, verb = ("Warning", "kill") if phase == "Failed" else ("Normal", "delete")
    return kind, f"{phase}DaemonPod", f"Found {about}, will try to {verb} it"


def _roll(look: Look, found: dict[str, list[dict]], step: Step) -> None:
    """Replace daemons of old revisions: by taking away as many as may be missed at once, or, where surge is allowed,
    by setting new ones beside them first."""
    surge = look.share("maxSurge")
    busy = 0  # nodes where something goes on
    at_once: list[str] = []  # nodes whose daemon serves nobody
    later: list[str] = []  # the other ones
    for name in sorted(found):
        staying = [pod for pod in found[name] if not is_deleting(pod)]
        new = [pod for pod in staying if look.is_new(pod)]
        old = [pod for pod in staying if not look.is_new(pod)]
        if len(new) > 1 or len(old) > 1:
            busy += 1
        elif new and old:
            done = look.is_available(new[0])
            step.drop(old if done else [], REPLACED)
            busy += not done
        elif old:
            (later if look.is_available(old[0]) else at_once).append(name)
        elif not surge:
            busy += not new or not look.is_available(new[0])
    room = max(0, (surge or look.share("maxUnavailable")) - busy)
    chosen = at_once + later[:room]
    if surge:
        step.create = dict.fromkeys(chosen, 0)
    else:
        step.drop([pod for name in chosen for pod in found[name] if not is_deleting(pod)], OUTDATED)

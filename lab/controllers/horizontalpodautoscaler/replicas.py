"""From what pods use to how many of them there should be: the arithmetic of Kubernetes' ReplicaCalculator. Pure.

In essence: pods × (what they use ÷ what they should use), rounded up. The care goes into pods of which that is not
known, so that a pod that has only just begun, or does not report, never makes the number swing.

Source: pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go. Amounts are in thousandths.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.apimachinery.meta import condition, is_deleting, parse_time
from lab.apimachinery.podresources import staying_containers
from lab.apimachinery.quantity import milli_value

NO_PODS = "no pods returned by selector while calculating replica count"
NO_FIGURES = "did not receive metrics for targeted pods (pods might be unready)"


class Unknown(Exception):
    """No number follows from what is measured; says why in Kubernetes' words."""


@dataclass(frozen=True)
class Tolerance:
    """So far from its target a measure is as good as on it."""

    down: float = 0.1
    up: float = 0.1

    def is_within(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True)
class Patience:
    """For how long a pod that begins is not judged by its CPU, since to begin takes much of it. In seconds."""

    initialization: float  # --horizontal-pod-autoscaler-cpu-initialization-period
    readiness: float  # --horizontal-pod-autoscaler-initial-readiness-delay
    window: float  # over how long one figure is taken
    now: float  # seconds since the epoch


@dataclass(frozen=True)
class Groups:
    """The pods by what their figures are worth: uids."""

    ready: frozenset[str]
    unready: frozenset[str]
    missing: frozenset[str]


@dataclass(frozen=True)
class Count:
    """How many replicas one measure asks for, and what was made of it: `usage` in percent or thousandths."""

    replicas: int
    ratio: float
    usage: int
    average: int = 0  # in thousandths, where usage is in percent
    groups: Groups | None = None


def group(pods: Iterable[dict], figures: dict[str, int], patience: Patience | None) -> Groups:
    """`patience` is given for CPU only: of anything else a pod may be judged as soon as it is measured."""
    ready, unready, missing = set(), set(), set()
    for pod in pods:
        uid, phase = pod["metadata"]["uid"], pod.get("status", {}).get("phase", "Pending")
        if is_deleting(pod) or phase == "Failed":
            continue
        if phase == "Pending":
            unready.add(uid)
        elif uid not in figures:
            missing.add(uid)
        elif patience and _is_starting(pod, patience):
            unready.add(uid)
        else:
            ready.add(uid)
    return Groups(frozenset(ready), frozenset(unready), frozenset(missing))


def _is_starting(pod: dict, patience: Patience) -> bool:
    ready, started = condition(pod, "Ready"), pod["status"].get("startTime")
    if ready is None or not started:
        return True
    began, changed = parse_time(started), parse_time(ready.get("lastTransitionTime") or started)
    if began + patience.initialization > patience.now:
        return ready["status"] == "False" or patience.now < changed + patience.window
    # It has been there for long and is not ready: never yet, or no longer?
    return ready["status"] == "False" and began + patience.readiness > changed


def by_utilization(
    pods: list[dict],
    figures: dict[str, int],
    requests: dict[str, int],
    target: int,
    current: int,
    tolerance: Tolerance,
    patience: Patience | None,
) -> Count:
    """So many replicas that on average each uses `target` percent of what it asks for."""
    groups, known = _sorted_out(pods, figures, patience)

    def measure(figures: dict[str, int]) -> tuple[float, int]:
        asked = sum(requests.get(uid, 0) for uid in figures)
        if not asked:
            raise Unknown("no metrics returned matched known pods")
        utilization = sum(figures.values()) * 100 // asked
        return utilization / target, utilization

    def instead(uid: str, ratio: float) -> int | None:
        if ratio == 1.0:
            return None
        return requests.get(uid, 0) * max(100, target) // 100 if ratio < 1.0 else 0

    count = _count(groups, known, current, tolerance, measure, instead)
    return Count(count.replicas, count.ratio, count.usage, sum(known.values()) // len(known), groups)


def by_average(
    pods: list[dict],
    figures: dict[str, int],
    target: int,
    current: int,
    tolerance: Tolerance,
    patience: Patience | None = None,
) -> Count:
    """So many replicas that on average each uses `target`."""
    groups, known = _sorted_out(pods, figures, patience)

    def measure(figures: dict[str, int]) -> tuple[float, int]:
        usage = sum(figures.values()) // len(figures)
        return usage / target, usage

    return _count(groups, known, current, tolerance, measure, lambda _, ratio: target if ratio < 1.0 else 0)


def _sorted_out(pods: list[dict], figures: dict[str, int], patience: Patience | None) -> tuple[Groups, dict[str, int]]:
    """The groups, and the figures of those that count."""
    if not pods:
        raise Unknown(NO_PODS)
    groups = group(pods, figures, patience)
    known = {uid: figures[uid] for uid in groups.ready}
    if not known:
        raise Unknown(NO_FIGURES)
    return groups, known


def _count(
    groups: Groups,
    known: dict[str, int],
    current: int,
    tolerance: Tolerance,
    measure: Callable[[dict[str, int]], tuple[float, int]],
    instead: Callable[[str, float], int | None],
) -> Count:
    """`instead`: what is taken for the figure of a pod that has none, so that it can only slow a change down."""
    ratio, usage = measure(known)
    up_with_unready = bool(groups.unready) and ratio > 1.0
    if not up_with_unready and not groups.missing:
        replicas = current if tolerance.is_within(ratio) else math.ceil(ratio * len(groups.ready))
        return Count(replicas, ratio, usage, groups=groups)
    filled = dict(known)
    for uid in groups.missing:
        value = instead(uid, ratio)
        if value is not None:
            filled[uid] = value
    if up_with_unready:
        filled |= dict.fromkeys(groups.unready, 0)
    again, _ = measure(filled)
    replicas = math.ceil(again * len(filled))
    turned = (ratio < 1.0 < again) or (again < 1.0 < ratio)
    contrary = (again < 1.0 and replicas > current) or (again > 1.0 and replicas < current)
    if tolerance.is_within(again) or turned or contrary:
        replicas = current
    return Count(replicas, ratio, usage, groups=groups)


def by_value(usage: int, target: int, ready: int, current: int, tolerance: Tolerance) -> Count:
    """One figure for all of them together that should be `target`: a latency, the length of a queue."""
    ratio = usage / target
    if not current:
        return Count(math.ceil(ratio), ratio, usage)
    return Count(current if tolerance.is_within(ratio) else math.ceil(ratio * ready), ratio, usage)


def by_share(usage: int, target: int, current: int, tolerance: Tolerance) -> Count:
    """One figure for all of them together, of which each should have `target`."""
    ratio = usage / (target * current) if current else math.inf
    replicas = current if tolerance.is_within(ratio) else math.ceil(usage / target)
    return Count(replicas, ratio, math.ceil(usage / current) if current else usage)


def requests_of(pods: list[dict], resource: str, container: str = "") -> dict[str, int]:
    """What each pod asks for, sidecars included, or one of its containers. Raises Unknown where one does not say."""
    asked = {}
    for pod in pods:
        name, total = pod["metadata"]["name"], 0
        for each in staying_containers(pod):
            if container and each["name"] != container:
                continue
            quantity = ((each.get("resources") or {}).get("requests") or {}).get(resource)
            if quantity is None:
                raise Unknown(f"missing request for {resource} in container {each['name']} of Pod {name}")
            total += milli_value(quantity)
        asked[pod["metadata"]["uid"]] = total
    return asked

"""The HorizontalPodAutoscaler's loop: look each few seconds, decide, scale, and say why.

It scales as a person would, by the number alone, so a person who scales too is only overruled by what is measured; and
whatever that number means (a rollout, a release of two versions) is the affair of those who read it.
"""

import json
import time

from django.conf import settings

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_GVK, HORIZONTALPODAUTOSCALERS, PODS, Kind
from lab.apimachinery.meta import is_deleting, key_of
from lab.apimachinery.selectors import format_label_selector, parse_label_selector, selector_of
from lab.client import Client, Put

from ..objects import ObjectController
from . import metrics
from .behavior import Memory
from .decision import Decision, decide, no_target, refused, rescaled
from .proposals import Target
from .replicas import Patience

MEMORY = "orrery.io/autoscaling"  # the annotation that holds what is remembered
# The look is due a little before the tick (once a second) that is to find it, or it would wait for the one after.
BEFORE_TICK = 0.2
FIGURES_SECONDS = 3.0  # what is measured now is worth a revision so often, if nothing else has changed


class HorizontalPodAutoscalerController(ObjectController):
    """Keys are autoscalers. What it remembers of itself (when it last told the figures) may be lost."""

    name = "horizontalpodautoscaler"
    author = "horizontal-pod-autoscaler"
    kind = HORIZONTALPODAUTOSCALERS
    watches = (HORIZONTALPODAUTOSCALERS.resource,)

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], float] = {}  # cluster and key → by the steady clock

    def gone(self, client: Client, key: str) -> None:
        self._told.pop((client.cluster, key), None)

    def converge(self, client: Client, scaler: dict) -> float | None:
        if is_deleting(scaler):
            return None
        kind, target = _target(client, scaler)
        memory = _remembered(scaler)
        if kind is None or target is None:
            self._tell(client, scaler, no_target(scaler, memory, _missing(scaler, kind)))
        else:
            decision = decide(
                scaler,
                _as_scaled(client, scaler, target),
                metrics.read(client.cluster),
                memory,
                _patience(),
                settings.CLOCK["hpa_downscale_stabilization"],
            )
            if decision.replicas is None:
                self._tell(client, scaler, decision)
            else:
                self._scale(client, scaler, kind, target, decision)
        return settings.CLOCK["hpa_sync"] - BEFORE_TICK

    def _scale(self, client: Client, scaler: dict, kind: Kind, target: dict, decision: Decision) -> None:
        """The target's number and what is said and remembered of it, in one transaction."""
        done = rescaled(decision)
        sized = {**target, "spec": {**target["spec"], "replicas": decision.replicas}}
        try:
            client.write([Put(kind, sized, why=decision.why), _status(scaler, done, decision.why)])
        except ApiError as error:
            if error.code == 409:  # somebody else has changed one of them: look again
                raise
            self._tell(client, scaler, refused(scaler, decision, _remembered(scaler), error.message))
            return
        self._told[client.cluster, key_of(scaler)] = time.monotonic()
        client.events([(scaler, *event) for event in done.events])

    def _tell(self, client: Client, scaler: dict, decision: Decision) -> None:
        """Write the status if it says anything new; new figures alone are told now and then. Events tell of changes,
        or they would be counted up with each look."""
        put, told, now = _status(scaler, decision, decision.why), (client.cluster, key_of(scaler)), time.monotonic()
        quiet = _besides_figures(put.object) == _besides_figures(scaler)
        same = put.object["status"] == scaler.get("status") or now < self._told.get(told, 0.0) + FIGURES_SECONDS
        if quiet and same:
            return
        client.write([put])
        self._told[told] = now
        if decision.events and _said(put.object) != _said(scaler):
            client.events([(scaler, *event) for event in decision.events])


def _target(client: Client, scaler: dict) -> tuple[Kind | None, dict | None]:
    """The kind and the object that it scales; None where there is no such thing."""
    ref = scaler["spec"]["scaleTargetRef"]
    kind = BY_GVK.get((ref.get("apiVersion", ""), ref["kind"]))
    if kind is None or "scale" not in kind.subresources:
        return None, None
    return kind, client.find(kind, scaler["metadata"]["namespace"], ref["name"])


def _missing(scaler: dict, kind: Kind | None) -> str:
    ref = scaler["spec"]["scaleTargetRef"]
    if kind is None:
        return f'no matches for kind "{ref["kind"]}" in group "{ref.get("apiVersion", "").rpartition("/")[0]}"'
    return f'{kind.resource} "{ref["name"]}" not found'


def _as_scaled(client: Client, scaler: dict, target: dict) -> Target:
    namespace, spec = target["metadata"]["namespace"], target["spec"]
    selector = parse_label_selector(selector_of(target))
    pods = [p for p in client.list(PODS, namespace) if selector.matches(p["metadata"].get("labels") or {})]
    of_it = [
        key_of(each)
        for each in client.list(HORIZONTALPODAUTOSCALERS, namespace)
        if each["spec"]["scaleTargetRef"] == scaler["spec"]["scaleTargetRef"] and not is_deleting(each)
    ]
    words = f"pods by selector {format_label_selector(selector_of(target))} are controlled by multiple HPAs: "
    rivals = f"{words}[{' '.join(sorted(of_it))}]" if len(of_it) > 1 else ""
    return Target(namespace, pods, spec.get("replicas", 0), target.get("status", {}).get("replicas", 0), rivals)


def _patience() -> Patience:
    clock = settings.CLOCK
    return Patience(
        clock["hpa_cpu_initialization"], clock["hpa_initial_readiness"], metrics.WINDOW_SECONDS, time.time()
    )


def _remembered(scaler: dict) -> Memory:
    """What the annotation says; nothing where a person has taken it away or made something else of it."""
    written = (scaler["metadata"].get("annotations") or {}).get(MEMORY, "{}")
    try:
        return Memory.of(json.loads(written))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return Memory()


def _status(scaler: dict, decision: Decision, why: dict) -> Put:
    annotations = scaler["metadata"].get("annotations") or {}
    data = decision.memory.data()
    if any(data.values()):
        annotations = {**annotations, MEMORY: json.dumps(data, separators=(",", ":"))}
    metadata = {**scaler["metadata"], **({"annotations": annotations} if annotations else {})}
    return Put(HORIZONTALPODAUTOSCALERS, {**scaler, "metadata": metadata, "status": decision.status}, "status", why)


def _besides_figures(scaler: dict) -> tuple:
    status = scaler.get("status") or {}
    return (
        {field: value for field, value in status.items() if field != "currentMetrics"},
        len(status.get("currentMetrics") or ()),
        (scaler["metadata"].get("annotations") or {}).get(MEMORY),
    )


def _said(scaler: dict) -> list[tuple]:
    conditions = (scaler.get("status") or {}).get("conditions", ())
    return [(c["type"], c["status"], c.get("reason"), c.get("message")) for c in conditions]

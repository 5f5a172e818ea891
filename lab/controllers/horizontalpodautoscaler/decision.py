"""The whole decision about one HorizontalPodAutoscaler: from its target and all its metrics to a number. Pure.

Source: reconcileAutoscaler and computeReplicasForMetrics in pkg/controller/podautoscaler/horizontal.go.
"""

from dataclasses import dataclass, replace

from lab.apimachinery import meta

from . import behavior
from .behavior import Bounds, Memory
from .metrics import Figures
from .proposals import Target, propose
from .replicas import Patience, Tolerance

TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
UNABLE = "the HPA was unable to compute the replica count: {}"


@dataclass(frozen=True)
class Decision:
    """What shall be: `replicas` is None where the target stays as it is. `events`: (type, reason, message)."""

    replicas: int | None
    status: dict
    memory: Memory
    why: dict
    events: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""  # why it is scaled, in the words of the event


class _Making:
    """A status in the making."""

    def __init__(self, scaler: dict):
        self.old = scaler.get("status") or {}
        self.conditions = self.old.get("conditions") or []
        self.metrics = self.old.get("currentMetrics") or []
        self.events: list[tuple[str, str, str]] = []

    def condition(self, kind: str, status: bool, reason: str, message: str) -> None:
        self.conditions = meta.with_condition(self.conditions, kind, str(status), reason, message)

    def status(self, generation: int, current: int, desired: int) -> dict:
        made = {**self.old, "observedGeneration": generation, "currentReplicas": current, "desiredReplicas": desired}
        return {**made, "currentMetrics": self.metrics, "conditions": self.conditions}


def no_target(scaler: dict, memory: Memory, error: str) -> Decision:
    """Its target is not there, or cannot be scaled."""
    making = _Making(scaler)
    message = f"the HPA controller was unable to get the target's current scale: {error}"
    making.condition("AbleToScale", False, "FailedGetScale", message)
    old = making.old
    status = making.status(_generation(scaler), old.get("currentReplicas", 0), old.get("desiredReplicas", 0))
    return Decision(None, status, memory, {"error": error}, (("Warning", "FailedGetScale", error),))


def decide(
    scaler: dict, target: Target, figures: Figures, memory: Memory, patience: Patience, window: float
) -> Decision:
    """`window`: how long a lower number has to be right before it is done, where the spec does not say."""
    spec, making, current = scaler["spec"], _Making(scaler), target.spec_replicas
    making.condition(
        "AbleToScale", True, "SucceededGetScale", "the HPA controller was able to get the target's current scale"
    )
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    making.metrics = []
    why: dict = {"decision": "ScaleTarget", "current": current, "least": least, "most": most}
    desired, reason = current, ""
    if current == 0 and least != 0:
        message = "scaling is disabled since the replica count of the target is zero"
        making.condition("ScalingActive", False, "ScalingDisabled", message)
    elif target.rivals:
        making.condition("ScalingActive", False, "AmbiguousSelector", target.rivals)
        making.events.append(("Warning", "AmbiguousSelector", target.rivals))
    elif current > most:
        desired, reason = most, "Current number of replicas above Spec.MaxReplicas"
    elif current < least:
        desired, reason = least, "Current number of replicas below Spec.MinReplicas"
    else:
        found = _by_metrics(scaler, target, figures, patience, making, why)
        if found is None:
            status = making.status(_generation(scaler), current, making.old.get("desiredReplicas", 0))
            return Decision(None, status, memory, why, tuple(making.events))
        bounds = Bounds(current, least, most)
        replicas, name = found
        step = behavior.step(replicas, bounds, spec.get("behavior"), memory, patience.now, window)
        making.condition("AbleToScale", True, *step.stable)
        making.condition("ScalingLimited", step.limited, *step.limit)
        desired, memory = step.replicas, step.memory
        why |= step.why
        # Kubernetes gives this reason whichever way the recommendation was stabilized.
        reason = f"{name} above target" if replicas > current else "All metrics below target"
    why["desired"] = desired
    status = making.status(_generation(scaler), current, desired)
    if desired == current:
        return Decision(None, status, memory, why, tuple(making.events))
    memory = memory.scale(desired - current, patience.now, behavior.longest_period(spec.get("behavior")))
    return Decision(desired, status, memory, {**why, "reason": reason}, tuple(making.events), reason)


def rescaled(decision: Decision) -> Decision:
    """What is said of it once the target has been scaled."""
    message = f"the HPA controller was able to update the target scale to {decision.replicas}"
    conditions = meta.with_condition(decision.status["conditions"], "AbleToScale", "True", "SucceededRescale", message)
    said = ("Normal", "SuccessfulRescale", f"New size: {decision.replicas}; reason: {decision.reason}")
    status = {**decision.status, "conditions": conditions, "lastScaleTime": meta.now()}
    return replace(decision, status=status, events=(*decision.events, said))


def refused(scaler: dict, decision: Decision, memory: Memory, error: str) -> Decision:
    """What is said of it where the target could not be scaled. `memory`: as it was before."""
    message = f"the HPA controller was unable to update the target scale: {error}"
    conditions = meta.with_condition(
        decision.status["conditions"], "AbleToScale", "False", "FailedUpdateScale", message
    )
    words = f"New size: {decision.replicas}; reason: {decision.reason}; error: {error}"
    desired = (scaler.get("status") or {}).get("desiredReplicas", 0)
    status = {**decision.status, "conditions": conditions, "desiredReplicas": desired}
    return replace(decision, replicas=None, status=status, memory=memory, events=(("Warning", "FailedRescale", words),))


def _by_metrics(
    scaler: dict, target: Target, figures: Figures, patience: Patience, making: _Making, why: dict
) -> tuple[int, str] | None:
    """How many the metric that asks for most asks for, and its name. None if nothing may be done: all are unknown, or
    some are and the others ask for fewer: the unknown one might ask for more."""
    tolerance = _tolerance(scaler["spec"].get("behavior") or {})
    made = [propose(metric, target, figures, tolerance, patience) for metric in scaler["spec"]["metrics"]]
    known = [(proposal.replicas, proposal.name) for proposal in made if proposal.replicas is not None]
    failed = [proposal for proposal in made if proposal.replicas is None]
    why["metrics"] = [proposal.why for proposal in made]
    making.metrics = [proposal.status for proposal in made]
    making.events += [("Warning", proposal.reason, proposal.error) for proposal in failed]
    best = max(known, key=lambda each: each[0], default=None)
    if best is None or (failed and best[0] < target.spec_replicas):
        first = failed[0]
        making.condition("ScalingActive", False, first.reason, UNABLE.format(first.error))
        words = f"invalid metrics ({len(failed)} invalid out of {len(made)}), first error is: {first.error}"
        making.events.append(("Warning", "FailedComputeMetricsReplicas", words))
        return None
    message = f"the HPA was able to successfully calculate a replica count from {best[1]}"
    making.condition("ScalingActive", True, "ValidMetricFound", message)
    return best


def _tolerance(rules: dict) -> Tolerance:
    down, up = ((rules.get(way) or {}).get("tolerance", TOLERANCE) for way in ("scaleDown", "scaleUp"))
    return Tolerance(float(down), float(up))


def _generation(scaler: dict) -> int:
    return scaler["metadata"].get("generation", 0)

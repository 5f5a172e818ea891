"""Three ways to bring a new version to visitors: pod by pod, all at once (and back), or a few visitors first. Pure."""

import math

from lab.apimachinery.meta import parse_time

from ..deployment.status import is_complete
from . import analysis
from .ending import ABORTED, PROMOTED, ended, figures, progress_is_late
from .look import BLUE_GREEN, CANARY, ROLLING, Look, Plan, written

PROGRESSING, PAUSED, SWITCHED = "Progressing", "Paused", "Switched"


def says(plan: Plan, phase: str, message: str, delay: float | None = None) -> Plan:
    plan.status |= {"phase": phase, "message": message}
    plan.delay = delay
    return plan


def new_pods(weight: int, replicas: int) -> int:
    """How many new pods a share of the visitors needs: at least one, and never fewer than their share of the work."""
    return max(min(1, replicas), math.ceil(replicas * weight / 100))


# Rolling update: the Deployment does it by itself, as ever; the release watches, stops, and undoes.


def rolling(look: Look) -> Plan:
    deployment, held = look.deployment, look.spec.get("paused", False)
    plan = Plan({**look.status, "paused": held}, steer=look.steering())
    if held or look.status.get("paused"):  # else it is a person's, who has said `kubectl rollout pause`
        plan.paused = held
    status, late = deployment.get("status", {}), progress_is_late(deployment)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    if seen and look.new and is_complete(deployment, status):
        return ended(look, PROMOTED, f"All {look.replicas} pods are of the new version.")
    if late:
        trouble = "" if look.trouble in late else f"{look.trouble} "  # that came to light later
        words = f"Stopped, and no further old pod is replaced: {late} {trouble}Verdict Abort undoes it."
        return says(plan, PAUSED, words)
    words = f"{look.ready} of {look.replicas} pods are new and ready."
    if held or (plan.paused is None and deployment["spec"].get("paused")):
        return says(plan, PAUSED, f"Paused by hand: {words}")
    return says(plan, PROGRESSING, f"{words} {look.trouble}".strip())


# Blue-green: both versions at full size, one of them has all visitors, and one write gives them to the other.


def blue_green(look: Look) -> Plan:
    plan = Plan(dict(look.status), steer=look.steering(look.replicas))
    rules = look.spec["strategy"]["blueGreen"]
    paused = look.spec.get("paused", False)
    if look.status["phase"] == SWITCHED:
        plan.weights = look.weights(100)
        end = parse_time(look.status["stepStartedAt"]) + rules["scaleDownDelaySeconds"]
        if look.now >= end and not paused:
            return ended(look, PROMOTED, "All visitors have the new version; the old pods have gone.")
        until = "as long as the release is paused" if paused else f"until {written(end)[11:19]} UTC"
        words = (
            f"All visitors have the new version. The old pods are kept {until}: verdict Abort switches back at once."
        )
        return says(plan, SWITCHED, words, None if paused else end - look.now)
    plan.weights = look.weights(0)
    if look.new is None or look.ready < look.replicas:
        plan.status["step"] = 0
        return says(plan, PROGRESSING, f"{look.ready} of {look.replicas} new pods are ready. {look.trouble}".strip())
    if look.status["step"] == 0:
        plan.status |= {"step": 1, "stepStartedAt": written(look.now)}
        look = look.with_status(plan.status)
    wait = rules.get("autoPromotionSeconds")
    if look.verdict == "Promote" or (wait is not None and not paused and look.step_seconds >= wait):
        return _switch(look, plan)
    words = f"All {look.replicas} new pods are ready, and no visitor has come to them yet."
    if wait is None or paused:
        return says(plan, PAUSED, f"{words} Verdict Promote switches, Abort takes them away.")
    return says(plan, PROGRESSING, f"{words} The switch comes by itself after {wait:g} s.", wait - look.step_seconds)


def _switch(look: Look, plan: Plan) -> Plan:
    plan.weights = look.weights(100)
    plan.status |= {"step": 2, "stepStartedAt": written(look.now), "weight": 100}
    plan.why = {"phase": SWITCHED, "ready": look.ready, "replicas": look.replicas, "verdict": look.verdict or "time"}
    return says(plan, SWITCHED, "All visitors have the new version.", 0.0)


# Canary: a few visitors first, more by steps, and back with them as soon as the counters speak against it.


def canary(look: Look) -> Plan:
    rules = look.spec["strategy"]["canary"]
    steps, judging = rules["steps"], rules.get("analysis")
    by_hand = look.spec.get("weight") if look.verdict != "Promote" else None
    step = len(steps) if look.verdict == "Promote" else min(look.status["step"], len(steps))
    held = look.spec.get("paused", False) and by_hand is None and look.verdict != "Promote"
    weight = look.status["weight"]
    target = weight if held else weight_at(steps, step) if by_hand is None else by_hand
    wanted = new_pods(target, look.replicas)
    plan = Plan({**look.status, "step": step}, steer=look.steering(wanted), weights=look.weights(weight))
    plan.why = {"step": step, "weight": target, "newPods": wanted, "ready": look.ready, "replicas": look.replicas}
    if judging and weight:
        plan.status["analysis"] = _analysis(look, judging)
        plan.why["analysis"] = figures(plan.status)
        if plan.status["analysis"]["verdict"] == analysis.FAILING and look.verdict != "Promote":
            words = f"The new version did worse: {plan.status['analysis']['message']}. The old version is back."
            return ended(look, ABORTED, words, analysis=plan.status["analysis"])
    often = judging["intervalSeconds"] if judging and weight else None
    # Less may be had at once; for more, those who shall answer must be there first.
    if look.new is None or (look.ready < wanted and target >= weight):
        pods = "1 new pod" if wanted == 1 else f"{wanted} new pods"
        words = f"{target} % of the visitors need {pods}, {look.ready} of them ready. {look.trouble}"
        return says(plan, PROGRESSING, words.strip(), often)
    if target != weight:
        return _set_weight(look, plan, target)
    if held or by_hand is not None:
        words = "Paused by hand" if held else "Weight set by hand, the steps wait"
        return says(plan, PAUSED, f"{words}: {weight} % of the visitors have the new version.", often)
    return _next_step(look, plan, steps, often)


def weight_at(steps: list[dict], step: int) -> int:
    """The weight that the last step that set one has set; after the last step the new version gets everything."""
    if step >= len(steps):
        return 100
    return next((s["setWeight"] for s in reversed(steps[: step + 1]) if "setWeight" in s), 0)


def _analysis(look: Look, rules: dict) -> dict:
    known = look.status.get("analysis", {})
    if look.traffic is None:
        return analysis.unknown(known)
    new, old = look.status["newRevision"], look.status["oldRevision"]
    return analysis.judged(analysis.counted(known, look.traffic, look.pods, new, old), rules, look.status["weight"])


def _set_weight(look: Look, plan: Plan, weight: int) -> Plan:
    """The step is passed with the next look, which finds the weight set."""
    plan.weights = look.weights(weight)
    plan.status |= {"weight": weight, "stepStartedAt": written(look.now)}
    if look.spec["strategy"]["canary"].get("analysis"):
        plan.status["analysis"] = analysis.fresh(plan.status.get("analysis", {}))
    return says(plan, PROGRESSING, f"{weight} % of the visitors get the new version.", 0.0)


def _next_step(look: Look, plan: Plan, steps: list[dict], often: float | None) -> Plan:
    """The weight is as the step wants it: is the step done?"""
    step, weight = plan.status["step"], plan.status["weight"]
    if step == len(steps):
        return ended(look, PROMOTED, "All visitors have the new version.")
    known, words = plan.status.get("analysis", {}), f"{weight} % of the visitors have the new version"
    told = f"{words}: {known['message']}." if often and known.get("message") else f"{words}."
    pause = steps[step].get("pause")
    if pause is not None and "seconds" not in pause:
        return says(plan, PAUSED, f"{told} Waits for a person: verdict Promote or Abort.", often)
    left = pause["seconds"] - look.step_seconds if pause else 0
    if left > 0:
        return says(plan, PROGRESSING, told, min(left, often or left))
    if pause and often and known["verdict"] != analysis.PASSING:
        return says(plan, PROGRESSING, f"{told} Verdict Promote or Abort decides without that.", often)
    plan.status |= {"step": step + 1, "stepStartedAt": written(look.now)}
    return says(plan, PROGRESSING, told, 0.0)


STRATEGIES = {ROLLING: rolling, BLUE_GREEN: blue_green, CANARY: canary}

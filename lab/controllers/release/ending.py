"""How a release ends: first the visitors are led to the version that stays, then the other one goes. Pure.

The decision is stored as the status' phase before anything follows from it; what is still to do is then read from what
there is, so it does not matter how often this is begun.
"""

from ..deployment.revisions import RELEASE
from .look import ROLLING, Look, Plan, written

PROMOTED, ABORTED, SUPERSEDED, FAILED = "Promoted", "Aborted", "Superseded", "Failed"
ENDS = (PROMOTED, ABORTED, SUPERSEDED, FAILED)


def ended(look: Look, phase: str, message: str, **more: object) -> Plan:
    """The decision, together with the one write that visitors notice."""
    plan = Plan({**look.status, "phase": phase, "message": message, **more}, delay=0.0)
    if look.strategy != ROLLING:
        plan.weights = look.weights(100 if _stays(plan.status) == "newRevision" else 0)
        plan.status["weight"] = 100 if _stays(plan.status) == "newRevision" else 0
    plan.why = {"phase": phase, "weights": plan.weights, "analysis": figures(plan.status)}
    return plan


def figures(status: dict) -> dict | None:
    """What was compared, for people who ask why."""
    known = status.get("analysis")
    return {key: known[key] for key in ("new", "old", "verdict", "message")} if known else None


def _stays(status: dict) -> str:
    """Which version serves from now on. If somebody else has brought a third one, the one that visitors have now
    serves until that is ready."""
    new = status["phase"] == PROMOTED or (status["phase"] == SUPERSEDED and status.get("weight") == 100)
    return "newRevision" if new else "oldRevision"


def finish(look: Look) -> Plan:
    """One step of putting everything right after the decision."""
    phase, deployment = look.status["phase"], look.deployment
    plan = Plan(dict(look.status), why={"phase": phase})
    stays = _stays(look.status)
    goes = look.status.get("oldRevision" if stays == "newRevision" else "newRevision", "")
    if look.strategy != ROLLING:
        plan.weights = look.weights(100 if stays == "newRevision" else 0)
    if deployment and deployment["metadata"].get("annotations", {}).get(RELEASE) == look.name:
        plan.steer = {}
        plan.paused = False if look.status.get("paused") else None
        plan.empty = goes if phase == SUPERSEDED else ""
        if phase in (ABORTED, FAILED) and not look.template_is_foreign():
            plan.template = look.status["oldTemplate"]  # what `kubectl rollout undo` does
        plan.delay = 0.0
    elif deployment and look.strategy != ROLLING and (look.count(goes) or look.lagging):
        plan.delay = 1.0  # they are going; until the last is out of the endpoints visitors are kept from them
    else:
        plan.weights = {} if look.strategy != ROLLING else None
        plan.status["finishedAt"] = written(look.now)
        plan.delay = 0.0
    return plan


def interruption(look: Look) -> Plan | None:
    """Whatever ends a release from outside, the gravest first."""
    name, status = look.spec["deployment"], look.status
    if not look.deployment:
        return ended(look, FAILED, f'The Deployment "{name}" was deleted in the middle.')
    if "deletionTimestamp" in look.release["metadata"]:
        if status["phase"] == "Switched":
            return ended(look, PROMOTED, "The release was deleted after the switch: the new version stays.")
        return ended(look, ABORTED, "The release was deleted in the middle: the old version is back.")
    if look.template_is_foreign():
        words = f'The template of the Deployment "{name}" was changed by somebody else: this release lets go.'
        return ended(look, SUPERSEDED, words)
    if look.verdict == "Abort":
        return ended(look, ABORTED, "Aborted by hand: the old version is back.")
    if look.strategy == ROLLING:
        return None
    if look.no_service:
        return ended(
            look, FAILED, f"{look.no_service} Without a Service no visitor can be led: the old version is back."
        )
    late = progress_is_late(look.deployment)
    return ended(look, ABORTED, f"The new pods did not get ready in time: {late}") if late else None


def progress_is_late(deployment: dict) -> str:
    """The Deployment's own words, if the time for its new pods is up."""
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return ""
    late = (c for c in status.get("conditions", ()) if c["reason"] == "ProgressDeadlineExceeded")
    return next((c["message"] for c in late), "")

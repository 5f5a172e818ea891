"""What a release does next: the whole decision, from what there is to what should be written. Pure."""

from lab.apimachinery.errors import ApiError
from lab.apimachinery.meta import is_deleting

from ..deployment.revisions import same_template
from ..deployment.status import is_complete
from .ending import ABORTED, ENDS, FAILED, PROMOTED, SUPERSEDED, finish, interruption
from .look import CANARY, ROLLING, Look, Plan, revision_of, written
from .strategies import PROGRESSING, STRATEGIES, SWITCHED, new_pods, weight_at

WAITING = "Waiting"
WARNINGS = (FAILED, ABORTED, SUPERSEDED)


def make_plan(look: Look) -> Plan:
    status = look.status
    if "finishedAt" in status:
        return Plan(dict(status), held=False)
    if status.get("phase", WAITING) == WAITING:
        return _begin(look)
    if status["phase"] in ENDS:
        return finish(look)
    look = _with_new_revision(look)
    return interruption(look) or STRATEGIES[look.strategy](look)


def _with_new_revision(look: Look) -> Look:
    """As soon as the Deployment has made the new ReplicaSet, the new version has a name."""
    if look.status.get("newRevision") or not look.deployment or look.new is None or look.template_is_foreign():
        return look
    return look.with_status({**look.status, "newRevision": revision_of(look.new)})


def _begin(look: Look) -> Plan:
    """Wait for what must be first, refuse what cannot be; else all at once: the new template, with so many pods, and
    not one visitor for it yet."""
    if is_deleting(look.release):
        return Plan(dict(look.status), held=False)
    waiting = _waits_for(look)
    if waiting:
        return Plan(
            {**look.status, "phase": WAITING, "message": waiting}, held=False, delay=None if look.ahead else 1.0
        )
    refused = _refusal(look)
    if refused:
        return _over(look, FAILED, refused)
    try:
        template = look.new_template()
    except ApiError as error:
        return _over(look, FAILED, f"spec.template does not fit the Deployment: {error.message}")
    if same_template(template, look.deployment["spec"]["template"]):
        return _over(look, PROMOTED, "The Deployment runs this version already.")
    return _start(look, template)


def _start(look: Look, template: dict) -> Plan:
    old = look.new  # still the ReplicaSet of the present template
    status: dict = {"phase": PROGRESSING, "step": 0, "startedAt": written(look.now), "stepStartedAt": written(look.now)}
    status |= {"oldRevision": revision_of(old) if old else "", "oldTemplate": look.deployment["spec"]["template"]}
    plan = Plan(status, steer=look.steering(), template=template, delay=0.0)
    plan.why = {"strategy": look.strategy, "image": look.spec.get("image"), "replicas": look.replicas}
    status["message"] = "The Deployment has its new template."
    if look.strategy != ROLLING:
        weight = weight_at(look.spec["strategy"]["canary"]["steps"], 0) if look.strategy == CANARY else 100
        plan.steer = look.steering(new_pods(weight, look.replicas))
        plan.weights = {status["oldRevision"]: 100}
        status |= {"weight": 0, "service": look.service["metadata"]["name"]}
        status["message"] = "The first pods of the new version are made; no visitor is led to them yet."
    return plan


def _waits_for(look: Look) -> str:
    name, deployment = look.spec["deployment"], look.deployment
    if look.ahead:
        return f'Release "{look.ahead}" of this Deployment is not at its end: this one begins afterwards.'
    if not deployment:
        return f'There is no Deployment "{name}" yet.'
    status = deployment.get("status", {})
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    if look.strategy != ROLLING and not (seen and look.new and is_complete(deployment, status)):
        updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
        words = f"of {look.replicas} pods {updated} are of its present version, and {available} available"
        words = f'The Deployment "{name}" is still rolling out: {words}.'
        return f"{words} `kubectl rollout undo deployment/{name}` ends one that hangs."
    return ""


def _refusal(look: Look) -> str:
    if look.spec.get("image") and not look.container:
        names = ", ".join(each["name"] for each in look.deployment["spec"]["template"]["spec"]["containers"])
        return f"spec.container must name one of the Deployment's containers: {names}."
    return look.no_service if look.strategy != ROLLING else ""


def _over(look: Look, phase: str, message: str) -> Plan:
    """An end before anything began."""
    status = {**look.status, "phase": phase, "message": message, "finishedAt": written(look.now)}
    return Plan(status, held=False, delay=0.0)


def events(old: dict, new: dict) -> list[tuple[str, str, str]]:
    """What the change from one status to the next is worth telling: (Normal | Warning, reason, message)."""
    told = []
    if new.get("weight") != old.get("weight") and "weight" in old and new["phase"] not in (*ENDS, SWITCHED):
        told.append(("Normal", "WeightSet", f"{new['weight']} % of the visitors get the new version."))
    if new.get("phase") != old.get("phase"):
        told.append(("Warning" if new["phase"] in WARNINGS else "Normal", new["phase"], new["message"]))
    return told

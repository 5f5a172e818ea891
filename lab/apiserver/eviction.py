"""Eviction: a polite delete, which a PodDisruptionBudget may put off.

What the budget still allows goes down in the transaction that deletes the pod. So of two evictions at once that would
take the last one, the second has to read again, and is told to come back later.
Source: pkg/registry/core/pod/storage/eviction.go.
"""

import dataclasses
from contextlib import suppress
from itertools import takewhile

from lab.apimachinery import errors, meta
from lab.apimachinery.errors import ApiError, Cause
from lab.apimachinery.kinds import PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.pods import FINISHED
from lab.apimachinery.selectors import parse_label_selector
from lab.store import Write, history

from .commit import commit
from .deletion import deletion_of
from .registry import get
from .request import Request

NOT_NOW = "Cannot evict pod as it would violate the pod's disruption budget."
TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
FREE = ("Pending", *FINISHED)  # in these phases a pod serves nobody
# A drain evicts all pods of a node at once, and each success makes the others read again: all of them have their turn.
TRIES = 100
STILL_COUNTING_SECONDS = 10  # after which it is worth asking again, if the budget's controller is behind


def evict(req: Request, namespace: str, name: str, options: dict, drains: str = "") -> None:
    """Ask for the pod's end, if its budget allows; `options` is a DeleteOptions. `drains`: the node that is being
    emptied, where whoever asks has said so. Raises ApiError 429 if the budget does not allow it; the budget's log says
    so then."""
    refusal: list[Write] = []

    def attempt() -> list[Write | dict]:
        refusal.clear()
        pod = get(req, PODS, namespace, name)
        if meta.is_deleting(pod):
            return [deletion_of(PODS, pod, options)]
        told = meta.with_condition(
            pod.get("status", {}).get("conditions", []), "DisruptionTarget", "True", "EvictionByEvictionAPI",
            "Eviction API: evicting",
        )  # fmt: skip
        going = deletion_of(PODS, {**pod, "status": {**pod.get("status", {}), "conditions": told}}, options)
        budgets = [] if pod.get("status", {}).get("phase") in FREE else _budgets_of(req, pod)
        try:
            if len(budgets) > 1:
                raise ApiError(500, "InternalError", TOO_MANY)
            charged = [_charged(budget, pod) for budget in budgets if not _is_spared(budget, pod)]
        except ApiError as error:
            refusal.extend(_refusal(req, budgets[0], name, error, drains))
            raise
        return [*charged, _decided(going, budgets, charged, drains)]

    try:
        commit(req, attempt, TRIES)
    except ApiError:
        with suppress(ApiError):  # somebody has changed the budget: another moment, and another answer
            commit(req, lambda: refusal, 1)
        raise


def _refusal(req: Request, budget: dict, pod: str, error: ApiError, drains: str) -> list[Write]:
    """That the budget does not let the pod go, as a row of its own: once, for who drains a node asks every few seconds.
    Nothing while the budget is still being counted."""
    details, meta_ = error.details or {}, budget["metadata"]
    if "retryAfterSeconds" in details:
        return []
    words = next((cause["message"] for cause in details.get("causes", ())), error.message)
    why = {"decision": "RefuseEviction", "pod": pod, "message": words} | ({"drains": drains} if drains else {})
    rows = history(req.cluster, PODDISRUPTIONBUDGETS.resource, meta_["namespace"], meta_["name"], decided=True)
    since = takewhile(lambda row: row["why"].get("decision") == "RefuseEviction", rows)
    if any(row["why"] == why for row in since):
        return []
    was = int(meta_["resourceVersion"])
    return [Write(PODDISRUPTIONBUDGETS.resource, meta_["namespace"], meta_["name"], budget, was, why=why)]


def _decided(going: Write | dict, budgets: list[dict], charged: list[Write], drains: str) -> Write | dict:
    """`left`: how many more the budget would let go; None where it was not asked, or the pod costs it nothing."""
    if not isinstance(going, Write):
        return going
    budget = budgets[0]["metadata"]["name"] if budgets else None
    left = charged[0].object["status"]["disruptionsAllowed"] if charged else None
    why = {"decision": "EvictionByEvictionAPI", "budget": budget, "left": left}
    return dataclasses.replace(going, why=why | ({"drains": drains} if drains else {}))


def _budgets_of(req: Request, pod: dict) -> list[dict]:
    budgets = req.view().list(PODDISRUPTIONBUDGETS.resource, pod["metadata"]["namespace"])
    labels = pod["metadata"].get("labels")
    return [each for each in budgets if parse_label_selector(each["spec"].get("selector")).matches(labels)]


def _is_spared(budget: dict, pod: dict) -> bool:
    """Whether it costs the budget nothing: the pod is not ready, and either that is enough, or enough others are."""
    if meta.is_true(pod, "Ready"):
        return False
    status = budget["status"]
    enough = status["currentHealthy"] >= status["desiredHealthy"] > 0
    return budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow" or enough


def _charged(budget: dict, pod: dict) -> Write:
    """The budget with one disruption less, which knows of the pod that it will go."""
    name, status = budget["metadata"]["name"], budget["status"]
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        words = f"The disruption budget {name} is still being processed by the server."
        raise errors.too_many_requests(NOT_NOW, Cause("", words, "DisruptionBudget"), STILL_COUNTING_SECONDS)
    if status["disruptionsAllowed"] <= 0:
        raise errors.too_many_requests(NOT_NOW, Cause("", _why_not(budget), "DisruptionBudget"))
    left = status["disruptionsAllowed"] - 1
    disrupted = {**status.get("disruptedPods", {}), pod["metadata"]["name"]: meta.now()}
    new = {**budget, "status": {**status, "disruptionsAllowed": left, "disruptedPods": disrupted}}
    if not left:
        new["status"]["conditions"] = meta.with_condition(
            status.get("conditions", []), "DisruptionAllowed", "False", "InsufficientPods"
        )
    namespace, was = budget["metadata"]["namespace"], int(budget["metadata"]["resourceVersion"])
    why = {"decision": "AllowDisruption", "pod": pod["metadata"]["name"], "left": left}
    return Write(PODDISRUPTIONBUDGETS.resource, namespace, name, new, was, why=why)


def _why_not(budget: dict) -> str:
    name, status = budget["metadata"]["name"], budget["status"]
    said = meta.condition(budget, "DisruptionAllowed") or {}
    if said.get("reason") == "SyncFailed":
        failed = f"because it failed sync: {said.get('message', '')}"
        return f"The disruption budget {name} does not allow evicting pods currently {failed}"
    if status["currentHealthy"] <= status["desiredHealthy"]:
        needs = f"needs {status['desiredHealthy']} healthy pods and has {status['currentHealthy']} currently"
        return f"The disruption budget {name} {needs}"
    return f"The disruption budget {name} does not allow evicting pods currently"

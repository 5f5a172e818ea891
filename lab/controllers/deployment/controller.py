"""The deployment controller: reads a Deployment and its ReplicaSets, asks for a plan, writes it."""

import copy
import time
from collections.abc import Iterable

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, PODS, REPLICASETS
from lab.apimachinery.labels import HASH_LABEL
from lab.apimachinery.meta import controller_of, is_deleting
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Change, Client, Put

from ..history import trimmed
from ..owners import claimed, dependents
from ..pods import is_finished
from ..workload import WorkloadController, is_worth_telling
from . import revisions, rollout, status
from .plan import Plan, make_plan
from .trouble import explain


class DeploymentController(WorkloadController):
    """Keys are Deployments. It keeps ReplicaSets, and pods only through them."""

    name = "deployment"
    kind = DEPLOYMENTS
    watches = (DEPLOYMENTS.resource, REPLICASETS.resource, PODS.resource)

    def keys_of_pod(self, change: Change) -> Iterable[str]:
        return _waiting_for_end(change)

    def other_keys(self, change: Change) -> Iterable[str]:
        return self.keys_of_owned(change)

    def converge(self, client: Client, deployment: dict) -> float | None:
        selector = parse_label_selector(deployment["spec"]["selector"])
        replica_sets = claimed(
            client, deployment, REPLICASETS, lambda rs: selector.matches(rs["metadata"].get("labels"))
        )
        remain = not rollout.is_rolling(deployment) and _old_pods_remain(client, deployment, replica_sets)
        now = time.time()
        trouble = _trouble(client, deployment, replica_sets) if status.is_late(deployment, now) else ""
        plan = make_plan(deployment, replica_sets, remain, now, trouble)
        if plan.create and self._collides(client, deployment, plan.create):
            return 0.0
        return self._carry_out(client, deployment, plan)

    def _collides(self, client: Client, deployment: dict, wanted: dict) -> bool:
        """Is the name of the ReplicaSet taken by something else? Then count the collision: it changes the next name."""
        meta = wanted["metadata"]
        if client.find(REPLICASETS, meta["namespace"], meta["name"]) is None:
            return False
        told = dict(deployment.get("status", {}))
        told["collisionCount"] = told.get("collisionCount", 0) + 1
        client.update_status(DEPLOYMENTS, {**deployment, "status": told})
        return True

    def _carry_out(self, client: Client, deployment: dict, plan: Plan) -> float | None:
        """Sizes, revision and status in one transaction: whoever sees the one sees the others."""
        replica_sets = [plan.create, *plan.update] if plan.create else plan.update
        puts = [Put(REPLICASETS, rs, why=plan.why or None) for rs in replica_sets]
        told = {**_with_revision(deployment, plan.revision), "status": plan.status}
        if told != deployment:
            puts.append(Put(DEPLOYMENTS, told, "status", status.judgement(deployment, plan.status)))
        try:
            client.write(puts)
        except ApiError as error:
            if plan.create and is_worth_telling(error):
                self._create_failed(client, deployment, plan.create["metadata"]["name"], error)
            raise
        limit = revisions.history_limit(deployment)
        client.delete_these(REPLICASETS, plan.delete, why=lambda rs: trimmed("revisionHistoryLimit", limit))
        client.events([(deployment, *event) for event in plan.events])
        return plan.delay

    def _create_failed(self, client: Client, deployment: dict, name: str, error: ApiError) -> None:
        """Say on the Deployment that it cannot even have its ReplicaSet; what else the plan says has not happened."""
        message = f'Failed to create new replica set "{name}": {error.message}'
        if status.has_deadline(deployment):
            told = dict(deployment.get("status", {}))
            verdict = ("Progressing", "False", "ReplicaSetCreateError", message)
            told["conditions"] = status.set_condition(told.get("conditions", []), *verdict)
            self.write_status(client, deployment, told, status.judgement(deployment, told))
        client.event(deployment, "Warning", "ReplicaSetCreateError", message)


def _waiting_for_end(change: Change) -> Iterable[str]:
    """A Deployment that recreates waits for its last old pod to be gone. The pod names its ReplicaSet, and that is
    named after the Deployment and the hash that the pod carries."""
    ref = controller_of(change.object) if change.deleted else None
    suffix = "-" + change.object["metadata"].get("labels", {}).get(HASH_LABEL, "")
    if ref and ref["kind"] == REPLICASETS.kind and ref["name"].endswith(suffix):
        return (f"{change.namespace}/{ref['name'].removesuffix(suffix)}",)
    return ()


def _old_pods_remain(client: Client, deployment: dict, replica_sets: list[dict]) -> bool:
    """Does any pod of an old version still run? One that is being deleted does, until the kubelet says it has ended."""
    _, old = revisions.split(deployment, replica_sets)
    view = client.view()
    pods = (pod for rs in old for pod in dependents(view, rs["metadata"]["uid"], PODS))
    return any(not is_finished(pod) for pod in pods)


def _trouble(client: Client, deployment: dict, replica_sets: list[dict]) -> str:
    new, _ = revisions.split(deployment, replica_sets)
    return explain(dependents(client.view(), new["metadata"]["uid"], PODS)) if new else ""


def _with_revision(deployment: dict, revision: str) -> dict:
    """The Deployment with its revision's number on it, which `kubectl rollout history` reads. It may be written along
    with the status, as annotations may in Kubernetes."""
    if not revision or is_deleting(deployment) or str(revisions.revision_of(deployment)) == revision:
        return deployment
    numbered = copy.deepcopy(deployment)
    numbered["metadata"].setdefault("annotations", {})[revisions.REVISION] = revision
    return numbered

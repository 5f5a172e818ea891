"""The ReplicaSet controller: as many pods as declared, always. Self-healing is nothing more than this loop.

It does not care how a pod came to be missing: killed, evicted, deleted by hand, or never made. It counts.
"""

import time

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS, REPLICASETS, REPLICATIONCONTROLLERS, Kind
from lab.apimachinery.meta import condition, controller_of, generated_name, is_deleting, with_condition
from lab.apimachinery.selectors import parse_label_selector, selector_of
from lab.client import Client, Put

from .owners import claimed, dependents
from .pods import is_active, is_ready, is_terminating, seconds_to_available
from .ranking import first_to_go, why_first
from .workload import BURST_REPLICAS, WorkloadController, as_far_as_allowed, is_worth_telling, new_pod, next_look


class ReplicaSetController(WorkloadController):
    """Keys are ReplicaSets."""

    name = "replicaset"
    kind = REPLICASETS
    watches = (REPLICASETS.resource, PODS.resource)

    def converge(self, client: Client, rs: dict) -> float | None:
        selector = parse_label_selector(selector_of(rs))
        pods = claimed(client, rs, PODS, lambda pod: selector.matches(pod["metadata"].get("labels")), is_active)
        missing = rs["spec"].get("replicas", 1) - len(pods)
        if missing > 0 and not is_deleting(rs):
            pods = self._create(client, rs, pods, min(missing, BURST_REPLICAS))
        elif missing < 0 and not is_deleting(rs):
            pods = self._delete(client, rs, pods, min(-missing, BURST_REPLICAS))
        else:
            self.write_status(client, rs, self._status(client, rs, pods))
        if abs(missing) > BURST_REPLICAS and not is_deleting(rs):
            return 0.0
        return next_look(rs, pods)

    def _create(self, client: Client, rs: dict, pods: list[dict], count: int) -> list[dict]:
        """Make the missing pods, or as many of them as the namespace may have."""
        names: set[str] = set()
        while len(names) < count:
            names.add(generated_name(f"{rs['metadata']['name']}-"))

        def make(some: list[str]) -> None:
            nonlocal rs, pods
            rs, made = self._create_together(client, rs, pods, some)
            pods = pods + made

        try:
            as_far_as_allowed(sorted(names), make)
        except ApiError as error:
            self._create_failed(client, rs, pods, error)
            raise
        return pods

    def _create_together(self, client: Client, rs: dict, pods: list[dict], names: list[str]) -> tuple[dict, list[dict]]:
        """Make these pods, and count them, in one transaction: all of them or none. The ReplicaSet as it is then."""
        count = len(names)
        made = [new_pod(rs, name) for name in names]
        why = {
            "decision": "CreatePods",
            "replicas": rs["spec"].get("replicas", 1),
            "found": len(pods),
            "created": count,
        }
        puts = [Put(PODS, pod, why=why) for pod in made]
        status = self._status(client, rs, pods + made)
        if status != rs.get("status"):
            puts.append(Put(self.kind, {**rs, "status": status}, "status"))
        written = client.write(puts)
        stored = written[:count]
        client.events([(rs, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}") for pod in stored])
        return (written[count] if len(written) > count else rs), stored

    def _create_failed(self, client: Client, rs: dict, pods: list[dict], error: ApiError) -> None:
        """Say so on the ReplicaSet, unless it is only that somebody was faster."""
        if not is_worth_telling(error):
            return
        # Each try is of a pod of another name: what has been said but for that is not said again.
        old, known = rs.get("status", {}).get("conditions", []), condition(rs, "ReplicaFailure") or {}
        message = known["message"] if _but_name(known.get("message", "")) == _but_name(error.message) else error.message
        told = with_condition(old, "ReplicaFailure", "True", "FailedCreate", message)
        why = {"decision": "FailedCreate", "replicas": rs["spec"].get("replicas", 1), "found": len(pods)}
        status = self._status(client, rs, pods) | {"conditions": told}
        self.write_status(client, rs, status, {**why, "message": message})
        client.event(rs, "Warning", "FailedCreate", f"Error creating: {error.message}")

    def _delete(self, client: Client, rs: dict, pods: list[dict], count: int) -> list[dict]:
        """Delete those that are missed least, and count the others at once: a rollout waits for that; the pods that
        stay."""
        related, now = _related(client, self.kind, rs), time.time()
        surplus = first_to_go(pods, count, related, now)
        gone = {pod["metadata"]["uid"] for pod in surplus}
        left = [pod for pod in pods if pod["metadata"]["uid"] not in gone]
        these = why_first(surplus, left, related, now)
        counts = {"replicas": rs["spec"].get("replicas", 1), "found": len(pods)}
        client.delete_these(
            PODS,
            surplus,
            why=lambda pod: {"decision": "DeletePods", **counts, "because": these.get(pod["metadata"]["uid"], "")},
        )
        self.write_status(client, rs, self._status(client, rs, left))
        client.events(
            [(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}") for pod in surplus]
        )
        return left

    def _status(self, client: Client, rs: dict, pods: list[dict]) -> dict:
        own = dependents(client.view(), rs["metadata"]["uid"], PODS)
        return next_status(rs, pods, sum(map(is_terminating, own)), time.time())


class ReplicationControllerController(ReplicaSetController):
    """Keys are ReplicationControllers: what ReplicaSets were called before selectors could say more than labels."""

    name = "replicationcontroller"
    author = "replication-controller"
    kind = REPLICATIONCONTROLLERS
    watches = (REPLICATIONCONTROLLERS.resource, PODS.resource)


def _but_name(message: str) -> str:
    """`pods "web-x7k2p" is forbidden: …` without whom it is about."""
    return message.split('"', 2)[-1]


def _related(client: Client, kind: Kind, rs: dict) -> list[dict]:
    """The active pods of all of its kind that have the same owner as this one."""
    view, ref = client.view(), controller_of(rs)
    siblings = dependents(view, ref["uid"], kind) if ref else [rs]
    return [pod for one in siblings for pod in dependents(view, one["metadata"]["uid"], PODS) if is_active(pod)]


def next_status(rs: dict, pods: list[dict], terminating: int, time_now: float) -> dict:
    """The ReplicaSet's status, having these active pods, and so many that are on their way out. Counts of nothing are
    left out, as on Kubernetes' wire, but for those of a ReplicaSet that go; a ReplicationController does not tell."""
    template_labels = (rs["spec"]["template"].get("metadata") or {}).get("labels") or {}
    wait = rs["spec"].get("minReadySeconds", 0)
    waits = [seconds_to_available(pod, wait, time_now) for pod in pods]
    counts = {
        "fullyLabeledReplicas": sum(
            template_labels.items() <= pod["metadata"].get("labels", {}).items() for pod in pods
        ),
        "readyReplicas": sum(map(is_ready, pods)),
        "availableReplicas": sum(seconds is not None and seconds <= 0 for seconds in waits),
        "observedGeneration": rs["metadata"].get("generation", 0),
    }
    going = {"terminatingReplicas": terminating} if rs["kind"] == REPLICASETS.kind else {}
    status = {"replicas": len(pods)} | going | {field: count for field, count in counts.items() if count}
    conditions = [c for c in rs.get("status", {}).get("conditions", ()) if c["type"] != "ReplicaFailure"]
    return status | {"conditions": conditions} if conditions else status

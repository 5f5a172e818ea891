"""The ReplicaSet controller: as many pods as declared, always. Self-healing is nothing more than this loop.

It does not care how a pod came to be missing: killed, evicted, deleted by hand, or never made. It counts.

Kubernetes' own controller reads from a cache that lags behind its writes, and would make pods twice did it not keep
"expectations" of what it has just asked for. Here every read catches up with the log first, and one worker at a time
turns this loop for a cluster, so a sync always sees all that an earlier one wrote: there is nothing to expect.
"""

import copy
import time
from collections.abc import Iterable, Iterator

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS, REPLICASETS
from lab.apimachinery.meta import (
    condition,
    controller_of,
    generated_name,
    is_deleting,
    key_of,
    owner_reference,
    split_key,
    with_condition,
)
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Client, Put
from lab.client.reconcile import Change, Controller

from .owners import claimed, dependents
from .pods import is_active, is_ready, seconds_to_available
from .ranking import first_to_go

# Pods made or deleted in one sync, so that the first of thousands are being scheduled while the rest are made.
BURST_REPLICAS = 500
# Stands for "all ReplicaSets of this namespace": who may want to adopt a pod that nobody manages is not known yet.
EVERY = "*"


class ReplicaSetController(Controller):
    """Keys are ReplicaSets. Its own writes do not wake it: a sync leaves nothing undone that they could tell it of."""

    name = "replicaset"
    author = "replicaset-controller"
    watches = (REPLICASETS.resource, PODS.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.author == self.author:
            return ()
        if change.resource == REPLICASETS.resource:
            return () if change.deleted else (f"{change.namespace}/{change.name}",)
        return set(_owners_to_wake(change))

    def all_keys(self, client: Client) -> Iterable[str]:
        return [key_of(rs) for rs in client.list(REPLICASETS)]

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """Sets by their names first: what they make is then due to their own change, and not to some stray pod's."""
        return super().sync_all(client, dict(sorted(causes.items(), key=lambda pair: split_key(pair[0])[1] == EVERY)))

    def sync(self, client: Client, key: str) -> float | None:
        namespace, name = split_key(key)
        if name == EVERY:
            delays = [self._converge(client, rs) for rs in client.list(REPLICASETS, namespace)]
            return min((delay for delay in delays if delay is not None), default=None)
        replica_set = client.find(REPLICASETS, namespace, name)
        # A ReplicaSet that is gone has nobody to count for; its pods are the garbage collector's.
        return self._converge(client, replica_set) if replica_set else None

    def _converge(self, client: Client, rs: dict) -> float | None:
        selector = parse_label_selector(rs["spec"]["selector"])
        pods = claimed(client, rs, PODS, lambda pod: selector.matches(pod["metadata"].get("labels")), is_active)
        missing = rs["spec"].get("replicas", 1) - len(pods)
        if missing > 0 and not is_deleting(rs):
            pods = self._create(client, rs, pods, min(missing, BURST_REPLICAS))
        elif missing < 0 and not is_deleting(rs):
            pods = self._delete(client, rs, pods, min(-missing, BURST_REPLICAS))
        else:
            self._write_status(client, rs, next_status(rs, pods, time.time()))
        if abs(missing) > BURST_REPLICAS and not is_deleting(rs):
            return 0.0
        return _next_look(rs, pods, time.time())

    def _create(self, client: Client, rs: dict, pods: list[dict], count: int) -> list[dict]:
        """Make the missing pods. If all of them are too many for what the namespace may have, half as many are tried,
        until not even one more may be made. (Kubernetes, where each is a request of its own, starts with one and
        doubles, so as not to fail a thousand times at once.)"""
        size = count
        while count:
            try:
                rs, made = self._create_together(client, rs, pods, min(size, count))
            except ApiError as error:
                if error.code == 403 and size > 1:
                    size //= 2
                    continue
                self._create_failed(client, rs, pods, error)
                raise
            pods, count = pods + made, count - len(made)
        return pods

    def _create_together(self, client: Client, rs: dict, pods: list[dict], count: int) -> tuple[dict, list[dict]]:
        """Make so many pods, and count them, in one transaction: all of them or none. The ReplicaSet as it is then."""
        names: set[str] = set()
        while len(names) < count:
            names.add(generated_name(f"{rs['metadata']['name']}-"))
        made = [new_pod(rs, name) for name in sorted(names)]
        why = {"replicas": rs["spec"].get("replicas", 1), "found": len(pods), "created": count}
        puts = [Put(PODS, pod, why=why) for pod in made]
        status = next_status(rs, pods + made, time.time())
        if status != rs.get("status"):
            puts.append(Put(REPLICASETS, {**rs, "status": status}, "status"))
        written = client.write(puts)
        stored = written[:count]
        client.events([(rs, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}") for pod in stored])
        return (written[count] if len(written) > count else rs), stored

    def _create_failed(self, client: Client, rs: dict, pods: list[dict], error: ApiError) -> None:
        """Say so on the ReplicaSet, unless it is only that somebody was faster."""
        if error.code == 409 or any(
            cause["reason"] == "NamespaceTerminating" for cause in (error.details or {}).get("causes", ())
        ):
            return
        status = next_status(rs, pods, time.time())
        failure = with_condition(status.get("conditions", []), "ReplicaFailure", "True", "FailedCreate", error.message)
        self._write_status(client, rs, status | {"conditions": failure})
        client.event(rs, "Warning", "FailedCreate", f"Error creating: {error.message}")

    def _delete(self, client: Client, rs: dict, pods: list[dict], count: int) -> list[dict]:
        """Delete those that are missed least, and count the others at once: a rollout waits for that; the pods that
        stay."""
        surplus = first_to_go(pods, count, _related(client, rs), time.time())
        client.delete_these(PODS, surplus)
        gone = {pod["metadata"]["uid"] for pod in surplus}
        left = [pod for pod in pods if pod["metadata"]["uid"] not in gone]
        self._write_status(client, rs, next_status(rs, left, time.time()))
        client.events(
            [(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}") for pod in surplus]
        )
        return left

    def _write_status(self, client: Client, rs: dict, status: dict) -> None:
        if status != rs.get("status"):
            client.update_status(REPLICASETS, {**rs, "status": status})


def _owners_to_wake(change: Change) -> Iterator[str]:
    """The ReplicaSets that a change of a pod concerns: the one that manages it, the one that did, or, if now nobody
    does, all that might. What the ReplicaSet does not count, such as the node it was bound to, wakes nobody."""
    before = _counted(change.old) if change.old else None
    after = _counted(change.object) if not change.deleted else None
    if before == after:
        return
    for pod in (change.object, change.old):
        ref = controller_of(pod) if pod else None
        if ref and ref["kind"] == REPLICASETS.kind:
            yield f"{change.namespace}/{ref['name']}"
    if not change.deleted and controller_of(change.object) is None and _may_be_adopted(change):
        yield f"{change.namespace}/{EVERY}"


def _counted(pod: dict) -> tuple:
    """All of a pod that its ReplicaSet goes by."""
    ready = condition(pod, "Ready") or {}
    refs, labels = pod["metadata"].get("ownerReferences"), pod["metadata"].get("labels")
    return is_active(pod), ready.get("status"), ready.get("lastTransitionTime"), labels, refs


def _may_be_adopted(change: Change) -> bool:
    """A pod on its own can be news to a selector only when it appears, is let go, or has other labels than before."""
    old = change.old
    if old is None or controller_of(old) is not None:
        return True
    return old["metadata"].get("labels") != change.object["metadata"].get("labels")


def _related(client: Client, rs: dict) -> list[dict]:
    """The active pods of all ReplicaSets that have the same owner as this one."""
    view, ref = client.view(), controller_of(rs)
    siblings = dependents(view, ref["uid"], REPLICASETS) if ref else [rs]
    return [pod for one in siblings for pod in dependents(view, one["metadata"]["uid"], PODS) if is_active(pod)]


def new_pod(rs: dict, name: str) -> dict:
    """A pod as the ReplicaSet's template describes it, owned by the ReplicaSet."""
    template = copy.deepcopy(rs["spec"]["template"])
    asked = template.get("metadata") or {}
    meta = {field: asked[field] for field in ("labels", "annotations", "finalizers") if asked.get(field)}
    meta |= {
        "name": name,
        "generateName": f"{rs['metadata']['name']}-",
        "namespace": rs["metadata"]["namespace"],
        "ownerReferences": [owner_reference(rs)],
    }
    return {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta, "spec": template["spec"]}


def next_status(rs: dict, pods: list[dict], time_now: float) -> dict:
    """The ReplicaSet's status, having these active pods. Counts of nothing are left out, as on Kubernetes' wire."""
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
    status = {"replicas": len(pods)} | {field: count for field, count in counts.items() if count}
    conditions = [c for c in rs.get("status", {}).get("conditions", ()) if c["type"] != "ReplicaFailure"]
    return status | {"conditions": conditions} if conditions else status


def _next_look(rs: dict, pods: list[dict], time_now: float) -> float | None:
    """Seconds until the next ready pod has been ready for `minReadySeconds`: time itself makes it available."""
    wait = rs["spec"].get("minReadySeconds", 0)
    waits = [seconds_to_available(pod, wait, time_now) for pod in pods]
    return min((seconds for seconds in waits if seconds is not None and seconds > 0), default=None)

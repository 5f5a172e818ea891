"""Binding: the scheduler's one verb. It writes `spec.nodeName`, once in a pod's life, and never takes it back."""

from collections.abc import Mapping, Sequence

from lab.apimachinery import errors, meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, PODS
from lab.store import Conflict, View, Write, append

from .commit import TRIES
from .request import Request

Binding = tuple[dict, str, dict | None]  # pod (as read), node's name, the decision


def bind(req: Request, bindings: Sequence[Binding], causes: Mapping[str, int] | None = None) -> dict[str, ApiError]:
    """Bind all that can be bound, in one transaction; key → error of those that could not. `causes`: key → the revision
    that this pod is bound because of, where it is not the request's.

    A pod that changed since the scheduler read it is bound all the same if it is still unbound and the same pod:
    a binding adds to the object, it does not overwrite it.
    """
    for _ in range(TRIES):
        view, now, writes, refused = req.view(), meta.now(), [], {}
        for pod, node, why in bindings:
            try:
                writes.append(_bound(view, pod, node, why, now, (causes or {}).get(meta.key_of(pod))))
            except ApiError as error:
                refused[meta.key_of(pod)] = error
        if req.dry_run or not writes:
            return refused
        try:
            append(req.cluster, writes, req.author, req.cause, req.fence)
            return refused
        except Conflict:
            continue
    raise ApiError(409, "Conflict", "the pods keep changing while they are being bound; try again")


def _bound(view: View, pod: dict, node: str, why: dict | None, now: str, cause: int | None) -> Write:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    old = view.get(PODS.resource, namespace, name)
    if old is None or old["metadata"]["uid"] != pod["metadata"].get("uid", old["metadata"]["uid"]):
        raise errors.not_found(PODS, name)
    if meta.is_deleting(old):
        raise errors.conflict(PODS, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if old["spec"].get("nodeName"):
        raise errors.conflict(PODS, name, f'pod {name} is already assigned to node "{old["spec"]["nodeName"]}"')
    if old["spec"].get("schedulingGates"):
        raise errors.conflict(PODS, name, f"pod {name} has non-empty .spec.schedulingGates")
    if view.get(NODES.resource, "", node) is None:
        raise errors.not_found(NODES, node)
    status = old.get("status", {})
    new = {
        **old,
        "spec": {**old["spec"], "nodeName": node},
        "status": {
            **{k: v for k, v in status.items() if k != "nominatedNodeName"},
            "conditions": _scheduled(status.get("conditions", []), now),
        },
    }
    was = int(old["metadata"]["resourceVersion"])
    return Write(PODS.resource, namespace, name, new, was, why=why, cause=cause)


def _scheduled(conditions: list[dict], now: str) -> list[dict]:
    done = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    return [*(c for c in conditions if c["type"] != "PodScheduled"), done]

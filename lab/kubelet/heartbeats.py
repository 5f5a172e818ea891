"""Heartbeats: the Leases by which nodes are known to be alive. A few nodes renew one each, as in Kubernetes; many are
renewed together (`lab.apimachinery.leases` says how), so that a thousand cost what one does. Pure.

Source of the Lease's fields: pkg/kubelet/util/nodelease.go.
"""

from collections.abc import Callable, Iterable

from lab.apimachinery import meta
from lab.apimachinery.leases import LEASE_NAMESPACE, RENEWED_WITH, renew_time, renewed_with

from .nodes import NodeRecord

TOGETHER_FROM = 50  # nodes; fewer are the more instructive one by one

Find = Callable[[str], dict | None]  # the Lease of that name, as the API has it


def renewals(kubelet: str, records: Iterable[NodeRecord], find: Find, seconds: int) -> list[dict]:
    """The Leases to write now for all nodes of one kubelet, whose own Lease is called `kubelet`.

    Those that fall silent leave before the joint Lease, which comes last, is renewed without them.
    """
    records = list(records)
    speaking = [record for record in records if not record.silent]
    together = len(speaking) >= TOGETHER_FROM
    leases = [
        _alone(old, {"renewTime": renew_time(old, find)})
        for record in records
        if record.silent and (old := find(record.name)) and renewed_with(old)
    ]
    for record in speaking:
        old = find(record.name)
        if together and old and renewed_with(old) == kubelet:
            continue
        new = _renewed(record, old, seconds)
        leases.append(_joined(new, kubelet) if together else _alone(new))
    if together:
        leases.append(_joint(kubelet, find(kubelet), seconds))
    return leases


def _renewed(record: NodeRecord, old: dict | None, seconds: int) -> dict:
    """The node's own Lease, renewed."""
    spec = {"holderIdentity": record.name, "leaseDurationSeconds": seconds, "renewTime": meta.micro_now()}
    if old:
        return {**old, "spec": {**old.get("spec", {}), **spec}}
    owner = {"apiVersion": "v1", "kind": "Node", "name": record.name, "uid": record.node["metadata"]["uid"]}
    return {"metadata": {"name": record.name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]}, "spec": spec}


def _joint(kubelet: str, old: dict | None, seconds: int) -> dict:
    spec = {"holderIdentity": kubelet, "leaseDurationSeconds": seconds, "renewTime": meta.micro_now()}
    return {**(old or {"metadata": {"name": kubelet, "namespace": LEASE_NAMESPACE}}), "spec": spec}


def _joined(lease: dict, kubelet: str) -> dict:
    annotations = {**(lease["metadata"].get("annotations") or {}), RENEWED_WITH: kubelet}
    return {**lease, "metadata": {**lease["metadata"], "annotations": annotations}}


def _alone(lease: dict, spec: dict | None = None) -> dict:
    """Renewed with no other any longer."""
    annotations = {k: v for k, v in (lease["metadata"].get("annotations") or {}).items() if k != RENEWED_WITH}
    return {
        **lease,
        "metadata": {**lease["metadata"], "annotations": annotations},
        "spec": {**lease["spec"], **(spec or {})},
    }

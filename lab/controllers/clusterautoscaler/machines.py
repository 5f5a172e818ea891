"""A machine of a pool: a Node that boots before anybody runs it. Pure.

A bought node carries the name of its pool, and says until when it boots. Only then it is given the label that names
its runtime, so that a kubelet takes it on; until then it is not ready, and the taint of nodes that are not ready keeps
pods away.
"""

from collections import Counter
from datetime import UTC, datetime

from lab.apimachinery import meta
from lab.apimachinery.labels import BOOTS_UNTIL, HOSTNAME_LABEL, NODEPOOL_LABEL, RUNTIME_LABEL
from lab.apimachinery.taints import NOT_READY
from lab.runtime.machine import LABELS

NO_SCALE_DOWN = "cluster-autoscaler.kubernetes.io/scale-down-disabled"


def pool_of(node: dict) -> str:
    return (node["metadata"].get("labels") or {}).get(NODEPOOL_LABEL, "")


def is_booting(node: dict) -> bool:
    """Bought, and nobody's yet: there is nothing in it that could speak."""
    labels, annotations = (node["metadata"].get(field) or {} for field in ("labels", "annotations"))
    return BOOTS_UNTIL in annotations and RUNTIME_LABEL not in labels


def boots_until(node: dict) -> float:
    """Seconds since the epoch; 0 for a node that was not bought, and where somebody has written what is no time."""
    written = (node["metadata"].get("annotations") or {}).get(BOOTS_UNTIL)
    return (meta.time_or_none(written) or 0.0) if written else 0.0


def is_coming(node: dict, now: float, provision: float) -> bool:
    """Paid for and not there yet, which it is once its kubelet has reported and the taint that keeps pods away is off.
    Nobody counts any longer on one that has been due for `provision` seconds, or that was there and is silent now."""
    ready, until = (meta.condition(node, "Ready") or {}).get("status"), boots_until(node)
    kept_off = any(taint["key"] == NOT_READY for taint in node["spec"].get("taints") or ())
    starting = ready == "False" or (ready == "True" and kept_off)
    return starting and bool(until) and now < until + provision


def names(pool: str, taken: set[str], count: int) -> list[str]:
    """The next free names, `<pool>-<n>`."""
    found: list[str] = []
    number = 1
    while len(found) < count:
        if (name := f"{pool}-{number}") not in taken:
            found.append(name)
        number += 1
    return found


def template(pool: dict, name: str) -> dict:
    """The Node as it will be once it is ready."""
    spec, capacity = pool["spec"], pool["spec"]["capacity"]
    own = {HOSTNAME_LABEL: name, **LABELS}
    labels = {**own, **(spec.get("labels") or {}), NODEPOOL_LABEL: pool["metadata"]["name"]}
    status = {"capacity": capacity, "allocatable": capacity}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


def bought(pool: dict, name: str, now: float) -> dict:
    """The Node as it is made: it boots."""
    until = datetime.fromtimestamp(now + pool["spec"]["bootSeconds"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    node = template(pool, name)
    message = f"the machine boots until {until}"
    conditions = meta.with_condition([], "Ready", "False", "NodeBooting", message)
    return {
        **node,
        "metadata": {**node["metadata"], "annotations": {BOOTS_UNTIL: until}},
        "status": {**node["status"], "conditions": conditions},
    }


def booted(pool: dict, node: dict, nodes: list[dict], default: str) -> dict:
    """The node with the runtime that its pool names, or most other nodes have."""
    runtime = pool["spec"].get("runtime") or usual_runtime(nodes) or default
    metadata = node["metadata"]
    return {**node, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), RUNTIME_LABEL: runtime}}}


def usual_runtime(nodes: list[dict]) -> str:
    there = ((node["metadata"].get("labels") or {}).get(RUNTIME_LABEL, "") for node in nodes if not is_booting(node))
    found = Counter(filter(None, there))
    return max(found, key=lambda name: (found[name], name), default="")


def stamp_of(node: dict, key: str) -> float | None:
    """Since when the node has one of the two taints; None if it has not."""
    taint = next((t for t in node["spec"].get("taints") or () if t["key"] == key), None)
    if taint is None:
        return None
    return float(taint["value"]) if taint.get("value", "").isdecimal() else 0.0


def with_taint(node: dict, key: str, effect: str, now: float) -> dict:
    taints = [*(node["spec"].get("taints") or ()), {"key": key, "value": str(int(now)), "effect": effect}]
    return {**node, "spec": {**node["spec"], "taints": taints}}


def without_taints(node: dict, *keys: str) -> dict:
    taints = [taint for taint in node["spec"].get("taints") or () if taint["key"] not in keys]
    return {**node, "spec": {**node["spec"], "taints": taints}}

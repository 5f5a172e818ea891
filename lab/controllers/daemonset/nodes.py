"""Which node a daemon belongs to, and which nodes it belongs on. Pure.

Source: NodeShouldRunDaemonPod in pkg/controller/daemon and its util/daemonset_util.go of Kubernetes.
"""

import copy

from lab.apimachinery.labels import REVISION_LABEL, TEMPLATE_GENERATION
from lab.apimachinery.meta import generated_name
from lab.apimachinery.nodeaffinity import admits
from lab.apimachinery.taints import NOT_READY, UNREACHABLE, UNSCHEDULABLE, tolerates

from ..workload import new_pod

GENERATION_LABEL = "pod-template-generation"
# On a daemon: how often those before it have failed, of the same template, on the same node. Kubernetes keeps it in
# memory.
FAILURES = "orrery.io/daemon-failures"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
# What drives others away is no reason for a daemon to go: it is there for the node's own sake. (taint, effect)
TOLERATED = (
    (NOT_READY, "NoExecute"),
    (UNREACHABLE, "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    (UNSCHEDULABLE, "NoSchedule"),
)


def fits(ds: dict, node: dict) -> tuple[bool, bool]:
    """(shall it have a daemon, may it keep the one it has). A taint that only keeps new pods off lets a daemon stay."""
    spec = ds["spec"]["template"]["spec"]
    if spec.get("nodeName") not in (None, "", node["metadata"]["name"]) or not admits(spec, node):
        return False, False
    tolerations = _tolerations(spec)
    in_the_way = {
        taint["effect"]
        for taint in node["spec"].get("taints") or ()
        if not any(tolerates(toleration, taint) for toleration in tolerations)
    }
    return not in_the_way & {"NoSchedule", "NoExecute"}, "NoExecute" not in in_the_way


def _tolerations(spec: dict) -> list[dict]:
    own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in TOLERATED]
    if spec.get("hostNetwork"):
        own.append({"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"})
    asked = spec.get("tolerations") or []
    return asked + [toleration for toleration in own if toleration not in asked]


def daemon(ds: dict, node: str, revision: dict, failures: int = 0) -> dict:
    """The set's pod for a node: bound to it by an affinity to its name, which the scheduler obeys. `failures`: of those
    before it in a row."""
    pod = new_pod(ds, generated_name(f"{ds['metadata']['name']}-"))
    labels = pod["metadata"]["labels"]
    labels[REVISION_LABEL] = revision["metadata"]["labels"][REVISION_LABEL]
    if generation := (ds["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION):
        labels[GENERATION_LABEL] = generation
    if failures:
        pod["metadata"]["annotations"] = {**pod["metadata"].get("annotations", {}), FAILURES: str(failures)}
    spec = pod["spec"]
    spec["tolerations"] = _tolerations(spec)
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = spec["affinity"] = copy.deepcopy(spec.get("affinity") or {})
    affinity["nodeAffinity"] = {**(affinity.get("nodeAffinity") or {}), REQUIRED: {"nodeSelectorTerms": [term]}}
    return pod


def failures_before(pod: dict) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(FAILURES, "")
    return int(text) if text.isdecimal() else 0


def node_of_daemon(pod: dict) -> str:
    """The node that a daemon is on, or is meant for; "" if it says neither."""
    if name := pod["spec"].get("nodeName"):
        return name
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return field["values"][0]
    return ""

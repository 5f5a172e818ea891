"""Taints keep pods off nodes, tolerations let them come all the same: names, and which goes with which. Pure.

Source: well_known_taints.go and toleration.go of k8s.io/api/core/v1.
"""

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
# The two by which Kubernetes' cluster autoscaler remembers, on the node: who is not needed since when, and who goes.
# Their values are seconds since the epoch.
CANDIDATE = "DeletionCandidateOfClusterAutoscaler"
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def tolerates(toleration: dict, taint: dict) -> bool:
    """Whether one toleration covers one taint. An empty key with Exists covers all; an empty effect, all effects."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")

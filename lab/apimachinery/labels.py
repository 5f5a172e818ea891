"""The labels that parts of the lab know each other's objects by."""

# Of nodes.
HOSTNAME_LABEL = "kubernetes.io/hostname"
REGION_LABEL, ZONE_LABEL = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
RUNTIME_LABEL = "orrery.io/runtime"  # the engine that runs it; on a volume: that it lies on
# Of pods and ReplicaSets: which revision of their Deployment they are of.
HASH_LABEL = "pod-template-hash"
# Of pods of a StatefulSet or DaemonSet: the same, by the name or the hash of a ControllerRevision.
REVISION_LABEL = "controller-revision-hash"
# On a DaemonSet, an annotation: how often its template has changed.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"

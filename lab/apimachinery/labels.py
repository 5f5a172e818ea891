"""The labels, annotations and conditions by which parts of the lab know each other's objects."""

# Of nodes.
HOSTNAME_LABEL = "kubernetes.io/hostname"
REGION_LABEL, ZONE_LABEL = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
RUNTIME_LABEL = "orrery.io/runtime"  # what runs it: docker, process, simulated; on a volume: where it lies
ENGINE_LABEL = "orrery.io/engine"  # which Docker engine, where a lab has several: all but its own have a name
NODEPOOL_LABEL = "orrery.io/nodepool"  # the pool that bought it
# Of pods and ReplicaSets: which revision of their Deployment they are of.
HASH_LABEL = "pod-template-hash"
# An annotation of a template: when `kubectl rollout restart` asked for new pods of it.
RESTARTED = "kubectl.kubernetes.io/restartedAt"
# Of pods of a StatefulSet or DaemonSet: the same, by the name or the hash of a ControllerRevision.
REVISION_LABEL = "controller-revision-hash"
POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"  # of pods of a StatefulSet: each has its own
# On a DaemonSet, an annotation: how often its template has changed.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
# Annotations of nodes: where their kubelet answers, and where the data plane in their network is told what to do.
KUBELET, GATEWAY = "orrery.io/kubelet", "orrery.io/gateway"
# Another: when a bought one will have booted, RFC 3339. It stays, for what it says is then how long ago that was.
BOOTS_UNTIL = "orrery.io/boots-until"
# An annotation of a Service: the share of each version. A condition of a pod: nobody asks it anything any more.
WEIGHTS, DRAINED, SERVED = "orrery.io/weights", "orrery.io/Drained", "orrery.io/Served"
POD_NETWORK = "orrery.io/pod-network"  # the range in which podCIDR lies, of a node that had one of another network
